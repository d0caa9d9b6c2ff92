// What it is: a broker of one shard in memory, for tests of front-ends: the real topology and its decisions, plain queues,
// nothing durable. It does everything at once, inside of the call, which is the hardest order for a front-end; replies,
// confirms and passwords can be held back instead.
// Everything that a session still holds when it ends is put back, and it is an error for a front-end to end a session
// before it has put back what it was given: see unsettled_at_end().
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "node/observe.h"
#include "node/session.h"
#include "node/stored_headers.h"
#include "node/turn_hooks.h"

namespace weir::test {

class FakeSession;

class FakeBroker final : public node::BrokerClient {
 public:
  FakeBroker();  // with the vhost "/" and guest
  ~FakeBroker() override;

  // --- node::BrokerClient ---
  ShardId shard() const override { return {}; }
  Clock& clock() override { return clock_; }
  runtime::TimerWheel& timers() override { return timers_; }
  node::ReadBuffer& read_buffer() override { return read_buffer_; }
  void at_turn_end(node::TurnHook& hook) override { hooks_.add(hook); }
  void forget_turn_end(node::TurnHook& hook) override { hooks_.remove(hook); }
  const broker::Topology& topology() const override { return topology_; }
  std::uint16_t shards() const override { return 1; }
  const std::string& node_name() const override { return node_name_; }
  node::BodySizes body_sizes() const override { return {}; }
  node::HeadersOf headers_of() const override { return {}; }
  std::unique_ptr<node::Authentication> authenticate(
      node::Credentials credentials, std::function<void(Result<node::Identity>)> done) override;
  Result<std::unique_ptr<node::Session>> open_session(node::SessionInfo info,
                                                      node::SessionEvents& events) override;
  // It is of no interest to anybody: no answer comes.
  std::unique_ptr<node::Observing> observe(node::ObserveScope scope,
                                           std::function<void(node::Observed&&)> done) override;
  void close_session(SessionId session, Error reason) override;
  void count_error(node::Protocol protocol, std::uint32_t code, bool of_connection) override;

  // --- for tests ---
  std::map<std::pair<std::uint32_t, bool>, unsigned> errors;  // that were counted, as in count_error
  void add_vhost(const std::string& name);
  void add_user(const std::string& name, const std::string& password);
  void permit(const std::string& user, const std::string& vhost, const std::string& configure,
              const std::string& write, const std::string& read);
  // What a shard does at the end of a turn. True if there was something.
  bool end_turn();
  // In one leap: timers that are armed meanwhile count from its end.
  void advance_ms(std::uint64_t by);

  void hold_replies(bool hold);
  void hold_confirms(bool hold) { confirms_held_ = hold; }
  void hold_passwords(bool hold);
  // Publishes to this queue are refused with on_rejected.
  void set_full(const std::string& queue, bool full);
  void set_publish_flow(bool open, std::string_view alarm);
  void close_all(const Error& reason);
  void refuse_secrets(bool refuse) { secrets_refused_ = refuse; }
  void remove_queue(const std::string& vhost, const std::string& name);

  std::size_t sessions() const { return sessions_.size(); }
  std::size_t ready(const std::string& queue) const;  // in vhost "/"
  std::size_t unacked(const std::string& queue) const;
  std::string body(const std::string& queue, std::size_t index) const;
  // Deliveries that sessions had not settled when they ended.
  std::size_t unsettled_at_end() const { return unsettled_at_end_; }

 private:
  friend class FakeSession;

  struct Stored {
    ChunkRef envelope;
    bool redelivered = false;
    FakeSession* holder = nullptr;  // unacked by
    node::ConsumerNumber consumer = node::no_consumer;
  };
  struct Consumer {
    FakeSession* session = nullptr;
    node::ConsumerNumber number = node::no_consumer;
    bool no_ack = false, exclusive = false;
    std::uint32_t prefetch = 0, unacked = 0;
    node::PoolNumber pool = 0;
  };
  struct Queue {
    std::string vhost, name;
    std::uint64_t next_seq = 1;
    std::map<std::uint64_t, Stored> ready;
    std::map<std::uint64_t, Stored> unacked;
    std::vector<Consumer> consumers;
    bool full = false;
  };

  void apply(const std::vector<broker::Change>& changes);
  void drop(QueueId id);
  void deliver(QueueId id);
  void reply(FakeSession& session, node::Reply reply);
  const Queue* find(const std::string& name) const;

  ManualClock clock_;
  runtime::TimerWheel timers_;
  node::ReadBuffer read_buffer_;
  node::TurnHooks hooks_;
  broker::Topology topology_;
  std::string node_name_ = "weir@test";
  std::map<std::string, std::string> passwords_;
  bool secrets_refused_ = false;
  std::map<QueueId, Queue> queues_;
  std::set<FakeSession*> sessions_;
  std::uint64_t next_session_ = 1;
  std::uint64_t next_random_ = 1;
  bool replies_held_ = false, confirms_held_ = false, passwords_held_ = false;
  bool flow_open_ = true;
  std::string alarm_;
  std::deque<std::pair<std::uint64_t, node::Reply>> held_replies_;  // by session id
  std::vector<std::pair<std::weak_ptr<bool>, std::function<void()>>> held_passwords_;
  std::size_t unsettled_at_end_ = 0;
};

}  // namespace weir::test
