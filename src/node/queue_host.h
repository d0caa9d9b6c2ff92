// What it is: the queues of one shard at work: carries out what the queues decide. A publish is written into the journal
// (or into memory), becomes visible when it is durable, is delivered while somebody can take it, and is settled.
// Shard: its own; plain calls only, nothing waits.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "broker/alarms.h"
#include "broker/definitions.h"
#include "broker/message.h"
#include "broker/queue.h"
#include "broker/topology.h"
#include "node/bodies.h"
#include "node/body_reads.h"
#include "node/dead_letters.h"
#include "node/durable_order.h"
#include "node/enqueue_traces.h"
#include "node/host_stats.h"
#include "node/journeys.h"
#include "node/letter_marks.h"
#include "node/messages.h"
#include "node/observe.h"
#include "node/queue_walks.h"
#include "node/session_routes.h"
#include "node/steady_wall.h"
#include "node/transient_store.h"
#include "node/vhost_tallies.h"
#include "storage/journal.h"

namespace weir::node {

class Reports;

// Whom a publish is from.
struct Origin {
  SessionId session;
  PublisherNumber publisher = 0;
  std::uint64_t seq = 0;
};

// Why a queue is to be deleted by itself.
enum class QueueEnd : std::uint8_t { no_consumers, unused };

class QueueHost {
 public:
  // Targets beyond the first in one record: the extension's length is 16 bits.
  static constexpr std::size_t targets_per_record_max = 4096;

  // `delete_queue` is called when the last consumer of an auto-delete queue has gone, and when a queue was not used.
  QueueHost(Clock& clock, SessionRoutes& routes, Outbox& outbox, const broker::Topology& topology,
            std::uint16_t shards, std::atomic<std::uint64_t>& transient_bytes,
            std::function<void(QueueId, QueueEnd)> delete_queue);
  ~QueueHost();
  // So much log may stay for the sake of ids, at least.
  void keep_log_for_ids(std::uint64_t bytes) { log_kept_for_ids_ = bytes; }
  void use_journal(storage::Journal& journal) {
    journal_ = &journal;
    dead_letters_.use_journal(journal);
    bodies_.use_journal(journal);
  }
  void use_headers(HeadersOf headers_of) {
    dead_letters_.use_headers(headers_of);
    walks_.use_headers(headers_of);
    journeys_.use_headers(headers_of);
  }
  // From then on what comes is looked at for traces.
  void use_tracing(SpanSink& sink, HeaderText header) {
    traces_ = std::make_unique<EnqueueTraces>(sink, header);
  }
  void use_traffic(Traffic& traffic) { traffic_ = &traffic; }
  void use_reports(Reports& reports) { reports_ = &reports; }
  // Rates are wanted: sample_uses() will be called.
  void keep_samples() { keeps_samples_ = true; }

  // --- definitions ---

  void create(const broker::QueueDefinition& definition);
  void remove(QueueId queue);
  // Its effective arguments are others now.
  void redefine(const broker::QueueDefinition& definition);
  void use_tenants(Tenants& tenants) { tallies_.use(tenants); }
  // The vhost's limits are others now.
  void refresh_limits(const std::string& vhost);

  // --- replay: the same queues, from the journal's records ---

  // Of a checkpoint, before the records: a queue's messages, then its next seq, later where the messages are.
  void replay_messages(QueueId queue, const storage::CheckpointRun& run);
  void replay_queue(QueueId queue, Seq next);
  void replay_listed(const storage::ListedMessage& message, storage::Location location);
  void replay(const storage::Record& record, storage::Location location, Lsn lsn);
  // What came before it in the log is not whole.
  void replayed_damage(std::uint64_t records_lost);
  // After it: everything that is left is ready and visible, and its files are retained. `clean`: the last run ended in order.
  // What is not in the journal any more was given seqs below `seqs_end`.
  void replayed(bool clean, Seq seqs_end);
  // Above all seqs that its queues gave.
  Seq seqs_end() const { return std::max(seqs_end_, bodies_.queue().next_seq()); }

  // --- what sessions ask ---

  void enqueue(std::span<const broker::Target> targets, const broker::IncomingMessage& message,
               const Origin& origin);
  // A large body, by pieces; then the messages that have it, if it does not fail; then its end.
  void append_body(const Origin& origin, BodyNumber body, std::span<const Bytes> piece, std::size_t bytes);
  void enqueue_large(std::span<const broker::Target> targets, const broker::IncomingMessage& message,
                     const Origin& origin, BodyNumber body);
  void end_body(SessionId session, BodyNumber body);
  void settle(const SettleItem& item);
  // All of it becomes durable together.
  void commit(const TransactionBatch& batch);
  void grant(const WindowGrant& grant);
  void request(QueueRequest request);

  // --- dead letters ---

  const DeadLetters& dead_letters() const { return dead_letters_; }
  Bodies& bodies() { return bodies_; }
  const Bodies& bodies() const { return bodies_; }
  // The acknowledgement of a publish of the broker's own.
  void take_ack(ShardId from, const PublishAck& ack) { dead_letters_.take_ack(from, ack); }
  void letters_settled(std::span<const broker::LetterOrigin> origins) { marks_.remove(origins); }
  void letters_asked(const LettersAsked& asked);
  // The binding is new: where its source keeps what it routed last, the destination gets that.
  void tell_history(const broker::BindingDefinition& binding);
  // May the next start do without what the journal says before `up_to`, as far as it is not of messages? If not, it will
  // later; soon, if `now`. To be asked when all that was settled is in the journal.
  bool lets_go(Lsn up_to, bool now);
  std::uint64_t wall_ms() const { return wall_ms_; }
  // Also between turns.
  std::uint64_t now_ms() {
    know_wall();
    return wall_ms_;
  }
  // A message that was leaving has arrived, or has nowhere to go.
  void finish_leaving(broker::Queue& queue, Seq seq);

  // --- the turn ---

  void begin_turn();
  void end_turn();  // deliver what can be delivered, log what was settled, release what is safe
  // What was settled and came back so far is in the journal, to be committed.
  void log_settlements();
  // The last turn. Nothing happens by itself any more: what would leave for another shard might not arrive.
  void stop() {
    stopped_ = true;
    end_turn();
  }
  void on_durable(Lsn up_to);
  bool on_moved(QueueId queue, Seq seq, storage::Location from, storage::Location to);
  bool has_work() const {
    return !dirty_.empty() || bodies_.has_work() || alarm_is_due() ||
           (dead_letters_.has_work() && !stopped_) || letters_known_ || walks_.has_work() ||
           ack_order_.ready(journal_->durable());
  }
  // When a turn is wanted though nothing else happens: something has a time.
  std::optional<std::uint64_t> next_alarm_in_ms() const;

  // --- for those who watch: queue_uses.cpp ---

  const std::vector<QueueId>& queue_ids() const { return ids_; }
  // Those that something happened to in the last seconds; some may be gone. None where no samples are taken.
  const std::vector<QueueId>& moving_queue_ids() const { return metered_; }
  // False: it is not there (any more).
  bool row_of(QueueId queue, QueueRow& row);
  // From the queue's consumer `first` on, at most `max`. Returns how many there are.
  std::size_t consumer_rows(QueueId queue, std::size_t first, std::size_t max,
                            std::vector<ConsumerRow>& rows) const;
  // False: when the queue's oldest message was received is known. Otherwise it is read, for row_of() to tell; `done` comes
  // once, not inside of the call, unless the host ends before.
  bool learn_oldest(QueueId queue, std::function<void()> done);
  // Something happened to some queue lately: they are to be sampled.
  bool has_samples() const { return !metered_.empty(); }
  // Samples the next ones of them, at most `max`, from `at` on, which begins at 0. False: all were sampled.
  bool sample_uses(std::size_t& at, std::size_t max);
  std::uint64_t letters_waiting() const { return dead_letters_.waiting(); }
  Journeys& journeys() { return journeys_; }

  const HostStats& stats() const { return stats_; }
  const broker::Queue* find(QueueId queue) const;
  broker::Queue* find(QueueId id) { return queue(id); }
  // Those whose messages are in the journal.
  std::vector<QueueId> journaled_queues() const;
  std::size_t queue_count() const { return queues_.size(); }

 private:
  friend class QueueWalks;
  struct Link;
  // A consumer that only looks.
  struct Browser {
    class Load;
    Browser();
    ~Browser();
    Link* owner = nullptr;
    QueueId queue;
    ConsumerNumber number = no_consumer;
    Seq next{0};
    std::uint64_t from_ms = 0;   // what came before is passed over; 0: none is any more
    std::unique_ptr<Load> load;  // of the message that it is to see next
    // Which came from the disk.
    std::uint64_t reference = 0;
    const std::byte* from_disk = nullptr;
    ChunkRef chunk;
  };
  // A session as this shard knows it: its window and its consumers here.
  struct Link {
    SessionId session;
    broker::DeliveryWindow window;
    std::unordered_map<ConsumerNumber, std::unique_ptr<broker::Consumer>> consumers;
    std::unordered_map<ConsumerNumber, std::unique_ptr<Browser>> browsers;
    std::unordered_map<PoolNumber, std::unique_ptr<broker::SharedCredit>> pools;
    std::unordered_map<std::uint64_t, std::uint32_t> bodies;  // that were delivered to it: held so often
    std::optional<CheckDeleteRequest> promised;  // to the queue's deletion that is under way, one at a time
  };
  struct WaitingGet {
    SessionId session;
    bool no_ack;
  };
  // An answer that waits for the journal.
  struct LateReply {
    Lsn lsn;
    SessionId session;
    decltype(SessionReply::what) what;
  };
  // What a transaction has settled: its bytes stay until the transaction is durable, for before that the messages may come
  // back.
  struct LateRelease {
    Lsn lsn;
    std::vector<broker::Entry> entries;
  };
  // The head of a queue on its way from the disk.
  class Load;
  // A queue's oldest message, the same way.
  class OldestLoad final : public storage::ReadWaiter {
   public:
    OldestLoad(QueueHost& host, std::uint64_t number, QueueId of, Seq message, std::function<void()> done)
        : queue(of), seq(message), on_done(std::move(done)), host_(host), number_(number) {}
    void on_read(Result<storage::CachedRecord> record) override {
      host_.learned_oldest(number_, record);
    }  // destroys this

    const QueueId queue;
    const Seq seq;
    std::function<void()> on_done;

   private:
    QueueHost& host_;
    std::uint64_t number_;
  };
  // A record that came from the disk, held until its queue is pumped: the journal need not keep it.
  struct Loaded {
    std::uint64_t reference = 0;  // of its entry
    const std::byte* at = nullptr;
    ChunkRef chunk;
  };
  struct Message {
    const std::byte* envelope = nullptr;
    Chunk* chunk = nullptr;
    std::size_t bytes = 0;
  };

  broker::Queue* queue(QueueId id);
  broker::Queue& queue_of_checkpoint(QueueId id);
  void note_given(Seq end) { seqs_end_ = std::max(seqs_end_, end); }
  void go_on_numbering(broker::Queue& restored, bool clean, Seq given_end);
  void forget_lost(broker::Queue& restored);
  void note_gap(const broker::Queue& to, Seq seq);
  void tell_gaps();
  Link& link(SessionId session);
  broker::Consumer* consumer(SessionId session, ConsumerNumber number);
  void mark_dirty(broker::Queue& queue);

  // Read once a turn. What sockets bring comes before the turn begins, perhaps long after the last one.
  void know_wall() {
    if (wall_is_known_) return;
    wall_is_known_ = true;
    wall_ms_ = clock_.now_ms();
  }
  bool alarm_is_due() const;
  void carry_out_alarms();
  void carry_out_alarm(broker::Alarm& alarm);
  void forward_due();
  void touch(broker::Queue& used);
  void consider_unused(broker::Queue& of);
  bool head_expired(const broker::Queue& of, const broker::Queue::Head& head) const;
  void bury(broker::Queue& of, Seq seq, broker::DeathReason reason);
  void trim(broker::Queue& of);
  bool refuses(const broker::Queue& queue, const broker::IncomingMessage& message) const;

  bool was_seen(broker::Queue& to, const std::optional<broker::DedupId>& id);
  void note_seen(broker::Queue& to, Seq seq, const broker::DedupId& id);
  void replay_seen(broker::Queue& of, const storage::Record& record, Lsn lsn);
  void renew_windows(Lsn before);
  void drop_superseded(broker::Queue& of);
  void enlist(broker::Queue& of);
  void delist(const broker::Queue& of);
  void make_window(broker::Queue& of);
  struct Taken {
    Lsn needed{0};         // what must be durable for it to be safe
    bool refused = false;  // by one of the queues
  };
  Taken take(std::span<const broker::Target> targets, const broker::IncomingMessage& message, SessionId from);
  void trace_taken(const broker::IncomingMessage& message, Lsn needed);
  void push(broker::Queue& queue, const broker::IncomingMessage& message, broker::Entry entry);
  void ask_for_letters();
  void mark_taken(const broker::LetterOrigin& letter, std::span<broker::Queue* const> queues, Lsn lsn) {
    for (const broker::Queue* queue : queues) marks_.add(letter, queue->id(), lsn, wall_ms_);
  }
  void dead_letter_refused(const broker::Queue& by, const broker::IncomingMessage& message);
  Lsn journal_message(const broker::IncomingMessage& message, std::size_t envelope_bytes);
  Lsn keep_in_memory(const broker::IncomingMessage& message, std::size_t envelope_bytes);
  void release_bytes(const broker::Entry& entry);
  std::uint64_t kept_bytes(const broker::Entry& entry, std::uint64_t pieces_end);
  void tally(const broker::Queue& queue, const broker::Entry& entry, std::uint64_t pieces_end,
             std::int64_t messages);
  // What is counted of the queue: something happens to it.
  broker::QueueUse& use_of(broker::Queue& queue) {
    if (queue.use == nullptr || !queue.use->metered) [[unlikely]]
      begin_use(queue);
    return *queue.use;
  }
  void begin_use(broker::Queue& queue);
  Counters<broker::QueueCount> counts_of(const broker::QueueUse& use);
  void count_pushed(broker::Queue& queue, Seq seq, const broker::Entry& entry, std::uint64_t pieces_end);
  void count_restored(broker::Queue& queue, const broker::Entry& entry, std::uint64_t pieces_end);
  void count_delivered(broker::Queue& queue, const broker::Queue::Head& head, SessionId session,
                       broker::QueueCount as);
  // It is out, or no more.
  void count_out(broker::Queue& queue, Seq seq, const broker::Entry& entry, bool out);
  void count_empty_get(broker::Queue& queue, SessionId session);
  void count_settled(broker::Queue& queue, const broker::Entry& entry, std::uint64_t pieces_end);
  void count_acked(broker::Queue& queue, SessionId session, std::uint64_t messages);
  void note_blocked(broker::Queue& queue);
  void forget_oldest_loads();
  void learned_oldest(std::uint64_t load, const Result<storage::CachedRecord>& record);
  void find_oldest(broker::Queue& of, QueueRow& row);
  bool bring(QueueId id, const broker::Entry& entry, Message& message);
  void load(broker::Queue& queue, const broker::Queue::Head& head);
  void loaded(QueueId queue, broker::Queue::Head head, const Result<storage::CachedRecord>& record);
  void pump(QueueId queue);
  Result<Consuming> browse(SessionId session, broker::Queue& of, const ConsumeOptions& options);
  void end_browser(Link& owner, ConsumerNumber number);
  void end_browsers_of(QueueId queue, std::vector<ConsumerGone>& gone);
  Browser* find_browser(SessionId session, ConsumerNumber number);
  void pump_browsers(QueueId queue);
  bool show_next(SessionId session, ConsumerNumber number);
  void browsed(Browser& by, broker::Queue::Head head, const Result<storage::CachedRecord>& record);
  bool serve_gets(QueueId queue);
  void forget_settled(broker::Queue& queue, Seq seq);
  bool set_aside_if_broken(broker::Queue& of, const broker::Queue::Head& head);
  void hold_body(Link& by, std::uint64_t pieces_end) {
    ++by.bodies[pieces_end];
    bodies_.hold(pieces_end);
  }
  void release_bodies(Link& of);
  void discard(broker::Queue& queue, Seq seq);
  void requeue(broker::Queue& queue, Seq seq, bool failed);
  void restore(broker::Queue& queue, Seq seq);
  void note_settlement(broker::Queue& queue, Seq seq, Outcome outcome);
  void note_step(QueueId queue, Seq seq, std::string_view what, std::string_view consumer = {}) {
    if (journeys_.on()) [[unlikely]]
      journeys_.step(queue, seq, what, wall_ms_, consumer);
  }
  // `pieces_end`: of its attributes.
  void note_settled(broker::Queue& queue, Seq seq, const broker::Entry& entry, std::uint64_t pieces_end);
  Lsn settle_together(const std::vector<SettleItem>& items);
  void log_settled(broker::Queue& queue);
  void log_counted_runs(QueueId queue, std::vector<broker::CountedRun>& runs, std::uint8_t flags);
  bool retries_let_go(Lsn up_to);
  void log_runs(storage::RecordType type, QueueId queue, std::vector<std::pair<Seq, std::uint32_t>>& runs,
                storage::Journal::Urgency urgency = storage::Journal::Urgency::ride);
  void log_all_runs(broker::Queue& queue,
                    storage::Journal::Urgency of_settled = storage::Journal::Urgency::ride);
  void join(Link& link, broker::Consumer& consumer, PoolNumber pool);
  void leave_pool(Link& link, broker::SharedCredit* pool);
  void want_credit(QueueId of);
  void settle_credit();
  static bool needs_credit(const Link& link, const broker::SharedCredit& pool);
  void end_promise(Link& link);
  void detach(Link& link, ConsumerNumber number, bool lost);
  void tell_consumer(std::string_view event, const broker::Consumer& consumer, const broker::Queue& of);
  void reply(SessionId session, decltype(SessionReply::what) what);

  void on_request(SessionId session, ConsumeRequest& request);
  void on_request(SessionId session, CancelRequest& request);
  void on_request(SessionId session, PrefetchRequest& request);
  void on_request(SessionId session, PoolGrant& grant);
  void on_request(SessionId session, JoinPoolRequest& request);
  void on_request(SessionId session, GetRequest& request);
  void on_request(SessionId session, WalkRequest& request);
  void on_request(SessionId session, StatusRequest& request);
  void on_request(SessionId session, PurgeRequest& request);
  void on_request(SessionId session, CheckDeleteRequest& request);
  void on_request(SessionId session, CancelDeleteRequest& request);
  void on_request(SessionId session, ReadBodyRequest& request);
  void on_request(SessionId session, ReleaseBodyRequest& request);
  void on_request(SessionId session, EndSessionRequest& request);

  SteadyWall clock_;
  SessionRoutes& routes_;
  Outbox& outbox_;
  const broker::Topology& topology_;
  TransientStore transient_;
  VhostTallies tallies_;  // before the queues, which point to it
  std::function<void(QueueId, QueueEnd)> delete_queue_;
  storage::Journal* journal_ = nullptr;
  Bodies bodies_;
  std::map<std::pair<SessionId, BodyNumber>, Bodies::Writing> writing_;
  BodyReads body_reads_{bodies_, routes_};

  broker::Alarms alarms_;  // before the queues, whose alarms are in it
  std::unordered_map<QueueId, std::unique_ptr<broker::Queue>> queues_;
  std::vector<QueueId> ids_;  // of them, in no order: quick to copy (Queue::place)
  std::unordered_set<QueueId>
      undefined_;  // in replay: a checkpoint told of them, their definitions did not come yet
  std::unordered_map<QueueId, Seq> next_before_damage_;   // in replay, of queues that got no message since
  bool damage_found_ = false;                             // in replay
  std::unordered_map<QueueId, std::uint64_t> lost_most_;  // in replay: seqs that are missing behind damage
  std::array<broker::Queue*, 256> recent_queues_{};       // by the low bits of their ids; null: look it up
  std::unordered_map<SessionId, std::unique_ptr<Link>> links_;
  std::unordered_map<QueueId, std::vector<Browser*>> browsing_;
  QueueWalks walks_;
  Journeys journeys_;
  std::unordered_map<QueueId, std::deque<WaitingGet>> gets_;
  std::unordered_map<QueueId, std::unique_ptr<Load>> loads_;
  std::unordered_map<QueueId, Loaded> loaded_;
  std::vector<QueueId> dirty_, pumping_;
  std::vector<QueueId> to_log_;
  std::unique_ptr<EnqueueTraces> traces_;                           // null: nothing is traced
  std::vector<broker::Queue*> journaled_targets_, memory_targets_;  // scratch of enqueue
  std::vector<Seq> due_;                                            // scratch
  // Of this turn: what has waited long enough at a delayed exchange.
  struct Due {
    std::uint64_t at_ms;
    QueueId queue;
    Seq seq;
    auto operator<=>(const Due&) const = default;
  };
  std::vector<Due> to_forward_;
  std::size_t pools_ = 0;  // of all links
  std::vector<PoolNews> credit_wishes_;
  std::vector<std::pair<SessionId, PoolNumber>> lent_;  // with credit that was not used, perhaps
  std::vector<std::byte> extras_;                       // scratch
  LetterMarks marks_;
  std::vector<QueueId> deduplicating_;  // some may be gone
  // Of a queue with messages that came back and wait: where in the log the first is that says so; and where all of them
  // were written again, if that was not durable yet.
  struct RetryLog {
    Lsn from{UINT64_MAX};
    Lsn again_from{UINT64_MAX}, again_end{0};
  };
  std::unordered_map<QueueId, RetryLog> retrying_;
  std::uint64_t log_kept_for_ids_ = 0;
  std::uint64_t look_at_windows_ms_ = 0;
  Traffic* traffic_ = nullptr;
  Reports* reports_ = nullptr;
  bool keeps_samples_ = false;
  std::map<std::uint64_t, std::unique_ptr<OldestLoad>> oldest_loads_;
  std::uint64_t next_oldest_load_ = 1;
  std::vector<QueueId> metered_;  // those with a meter that is not at rest; some may be gone
  Lsn before_message_;            // of the journal, of the message that is being taken
  bool letters_known_ = false;    // some were sent again: the next turn says that they are here
  DeadLetters dead_letters_;
  VisibleOrder visible_order_;
  AckOrder ack_order_;
  std::deque<LateReply> late_replies_;                // LSNs ascend
  std::deque<LateRelease> late_releases_;             // LSNs ascend
  std::vector<broker::Entry>* kept_bytes_ = nullptr;  // of the transaction that is being carried out
  bool stopped_ = false;
  std::uint64_t turn_ = 1;
  Seq seqs_end_;               // above all that was given, but for large bodies
  std::uint64_t wall_ms_ = 0;  // of this turn, when `wall_is_known_`
  bool wall_is_known_ = true;
  HostStats stats_;
};

}  // namespace weir::node
