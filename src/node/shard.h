// What it is: one shard at work: its queues, sessions, journal and copy of the definitions, and the order of a turn.
// It is driven from outside (a loop, a test, the simulator) by begin_turn() and end_turn() and by its disk's completions.
// Shard: this is it; every call is on its thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/authenticator.h"
#include "node/checkpoint_walk.h"
#include "node/messages.h"
#include "node/meta_service.h"
#include "node/observer.h"
#include "node/outbox.h"
#include "node/queue_host.h"
#include "node/reports.h"
#include "node/session.h"
#include "node/sessions.h"
#include "node/tenants.h"
#include "node/turn_hooks.h"
#include "runtime/disk.h"
#include "runtime/inbox.h"
#include "runtime/loop.h"
#include "runtime/timers.h"
#include "storage/journal.h"
#include "storage/snapshot.h"

namespace weir::node {

// What the shards of a node count together.
struct SharedCounters {
  std::atomic<std::uint64_t> transient_bytes{0};
  std::atomic<std::uint64_t> sessions{0};
  std::atomic<const char*> alarm{nullptr};  // Node::set_alarm
  Tenants tenants;
};

struct ShardOptions {
  ShardId id;
  std::uint16_t shards = 1;
  std::string node_name = "weir@localhost";
  storage::JournalOptions journal;  // its directory exists
  AuthOptions auth;
  std::uint64_t transient_bytes_max = UINT64_MAX;  // of the node: above it publishers are stopped
  std::uint64_t sessions_max = UINT64_MAX;         // of the node
  std::uint64_t seed = 1;
  BodySizes body_sizes{};
  std::uint64_t sample_ms = 0;  // how often samples are taken of what is counted, for rates; 0: never
  HeadersOf headers_of;
  std::string event_vhost;      // what happens is published in it; empty: nowhere
  SpanSink* tracing = nullptr;  // null: nothing is traced
};

// The world around a shard.
struct ShardSurroundings {
  Clock& clock;
  runtime::TimerWheel& timers;
  runtime::Disk& disk;
  runtime::Inbox<ShardMessage>& inbox;
  Peers& peers;
  SharedCounters& counters;
  std::function<void()> wake;                  // see to it that another turn comes soon
  Authenticator::Offload offload;              // may be empty
  std::function<void(const Error&)> failed;    // the journal can't go on: the process must end
  std::function<std::uint64_t()> cpu_ns = {};  // of the shard's thread, for those who watch; may be empty
};

class Shard final : public BrokerClient,
                    public runtime::TurnHandler,
                    private storage::JournalEvents,
                    private storage::ReplayVisitor {
 public:
  Shard(ShardOptions options, ShardSurroundings surroundings);
  ~Shard() override;

  // Opens the journal and brings back what it holds. Shard 0 brings the definitions, the others get `definitions`
  // (what shard 0's topology().durable_state() says). Blocking.
  Status recover(const std::vector<broker::Change>& definitions);
  // On shard 0, when all shards have recovered: from now on definitions are answered when they all know them.
  void expect_all_shards() { meta_.expect_all_shards(); }
  const storage::RecoveryReport& recovery() const { return journal_->recovery(); }
  // Sessions have ended. Logs what is left and closes the journal. Blocking.
  Status close();

  bool begin_turn() override;
  void end_turn() override;
  // Something to do that no event will bring.
  bool has_work() const {
    return host_.has_work() || observer_.has_work() || reports_.has_work() || !hooks_.empty() ||
           (walk_ != nullptr && !walk_is_done_);
  }
  // Nothing is under way: for tests and the simulator.
  bool quiet() const { return !has_work() && journal_->idle() && meta_.idle(); }

  // On shard 0, for the broker itself (first start, definitions files). `done` comes when it is durable.
  void administer(broker::Request request, std::function<void(Result<broker::Decision>)> done);

  const QueueHost& host() const { return host_; }
  Sessions& sessions() { return sessions_; }
  storage::Journal& journal() { return *journal_; }

  ShardId shard() const override { return options_.id; }
  Clock& clock() override { return at_.clock; }
  runtime::TimerWheel& timers() override { return at_.timers; }
  ReadBuffer& read_buffer() override { return read_buffer_; }
  void at_turn_end(TurnHook& hook) override { hooks_.add(hook); }
  void forget_turn_end(TurnHook& hook) override { hooks_.remove(hook); }
  const broker::Topology& topology() const override { return topology_; }
  std::uint16_t shards() const override { return options_.shards; }
  const std::string& node_name() const override { return options_.node_name; }
  BodySizes body_sizes() const override { return options_.body_sizes; }
  HeadersOf headers_of() const override { return options_.headers_of; }
  SpanSink* tracing() const override { return options_.tracing; }
  std::unique_ptr<Authentication> authenticate(Credentials credentials,
                                               std::function<void(Result<Identity>)> done) override;
  Result<std::unique_ptr<Session>> open_session(SessionInfo info, SessionEvents& events) override;
  std::unique_ptr<Observing> observe(ObserveScope scope, std::function<void(Observed&&)> done) override;
  void close_session(SessionId session, Error reason) override;
  void count_error(Protocol protocol, std::uint32_t code, bool of_connection) override;

 private:
  // Both copies, one after the other, so that either alone tells all.
  struct SnapshotWrite final : runtime::IoRequest {
    SnapshotWrite(Shard& of, Lsn up_to, std::vector<std::byte> contents)
        : shard(of), lsn(up_to), second(std::move(contents)) {}
    void on_io(std::int64_t result) override { shard.on_snapshot_written(result); }  // may destroy this

    Shard& shard;
    Lsn lsn;
    std::vector<std::byte> second;  // what the second copy gets; empty when it is being written
  };
  void on_durable(Lsn up_to) override;
  void on_journal_failed(const Error& error) override;
  bool on_moved(QueueId queue, Seq seq, storage::Location from, storage::Location to) override {
    return host_.on_moved(queue, seq, from, to);
  }
  void on_record(const storage::Record& record, storage::Location location, Lsn lsn) override;
  void on_damage(Lsn from, Lsn to, std::uint64_t records_lost) override;
  void on_messages(QueueId queue, const storage::CheckpointRun& run) override {
    host_.replay_messages(queue, run);
  }
  void on_queue(QueueId queue, Seq next) override { host_.replay_queue(queue, next); }
  void on_listed(const storage::ListedMessage& message, storage::Location location) override {
    host_.replay_listed(message, location);
  }

  Status require_definitions(const storage::RecoveryReport& report, bool snapshot_is_newest) const;
  void apply(const std::vector<broker::Change>& changes);
  void after_apply(const broker::Change& change);
  void limit_changed(broker::LimitOf of, const std::string& subject);
  void apply_everywhere(const Changes& changes, const std::string& user);
  void tell_alarm(const std::string& before, const std::string& now);
  void to_meta(MetaRequest request);
  void answer_meta(SessionReply reply);
  void receive(ShardMessage& message);
  void receive_publishes(const PublishBatch& batch);
  void update_flow();
  void set_flow_of(ShardId shard, bool open, const std::string& alarm);
  void care_for_journal();
  void reclaim();
  void care_for_checkpoint();
  bool definitions_are_safe(Lsn lsn);
  void write_snapshot();
  void refresh_snapshot(bool quiet);
  void on_snapshot_written(std::int64_t result);
  void on_riding_timer();
  void on_mark_timer();
  void on_flow_timer();
  void on_snapshot_timer();
  void on_background_timer();
  void on_alarm_timer();
  void on_sample_timer() { observer_.begin_samples(); }
  ShardRow describe() const;

  ShardOptions options_;
  ShardSurroundings at_;
  broker::Topology topology_;
  Outbox outbox_;
  Traffic traffic_;
  ExchangeUses exchange_uses_;
  SessionRoutes routes_;
  std::unique_ptr<storage::Journal> journal_;  // before the host, which takes its reads back at its end
  QueueHost host_;
  Reports reports_;
  Sessions sessions_;
  Observer observer_;
  MetaService meta_;
  Authenticator authenticator_;
  ReadBuffer read_buffer_;
  TurnHooks hooks_;
  std::vector<ShardMessage> received_;
  std::vector<Bytes> pieces_;  // scratch

  std::uint64_t changes_applied_ = 0;  // that shard 0 sent
  Lsn snapshot_lsn_{0};                // all definitions before it are in a snapshot
  std::uint64_t snapshot_generation_ = 0;
  std::size_t snapshot_bytes_ = 0;  // of the last one
  std::unique_ptr<SnapshotWrite> snapshot_write_;
  Lsn reclaimed_{0};
  std::unique_ptr<CheckpointWalk> walk_;
  bool walk_is_done_ = false;
  Lsn marked_{0};
  bool failed_ = false;

  struct Flow {
    bool open = true;
    std::string alarm;
  };
  std::vector<Flow> flows_;  // each shard's wish
  std::unordered_map<std::uint64_t, std::function<void(Result<broker::Decision>)>> administering_;
  std::uint64_t next_administering_ = 1;

  runtime::MethodTimer<Shard, &Shard::on_riding_timer> riding_timer_{*this};
  runtime::MethodTimer<Shard, &Shard::on_mark_timer> mark_timer_{*this};
  runtime::MethodTimer<Shard, &Shard::on_flow_timer> flow_timer_{*this};
  runtime::MethodTimer<Shard, &Shard::on_snapshot_timer> snapshot_timer_{*this};
  runtime::MethodTimer<Shard, &Shard::on_background_timer> background_timer_{*this};
  runtime::MethodTimer<Shard, &Shard::on_alarm_timer> alarm_timer_{*this};
  runtime::MethodTimer<Shard, &Shard::on_sample_timer> sample_timer_{*this};
};

}  // namespace weir::node
