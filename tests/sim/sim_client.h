// What it is: a simulated client connection: publishes with and without confirms, consumes, settles, gets, declares and
// deletes by the seed, and tells the shadow model what it did and what it heard.
// Lifetime: it ends (finish) before its node, unless the node has crashed: then its world is down and nothing counts.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "node/session.h"
#include "sim/known_names.h"
#include "sim/shadow_model.h"
#include "support/sim_node.h"

namespace weir::sim {

// What all clients of a run share.
struct World {
  explicit World(std::uint64_t seed) : rng(seed) {}
  Rng rng;
  ShadowModel model;
  KnownNames known;
  node::SimNode* node = nullptr;
  bool down = false;  // crashed: what clients hear is nothing
  bool big_bodies = false;
  node::BodySizes body_sizes{};
  std::multiset<std::string> busy_names;  // in a request under way
  std::set<std::string>
      contested_names;                // in several: which came last is not known until the node is at rest
  std::set<std::string> stale_names;  // in one whose client has gone: busy until the node is at rest
  std::uint32_t next_publisher = 1;
  std::uint64_t confirmed = 0, rejected = 0;
  std::function<void(const std::string&)> trace;  // empty: nobody wants it

  template <typename... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    if (trace) trace(fmt::format(format, std::forward<Args>(args)...));
  }
};

class SimClient final : public node::SessionEvents {
 public:
  SimClient(World& world, std::uint16_t shard, std::uint32_t number);
  ~SimClient();

  std::uint16_t shard() const { return shard_; }
  // One or some actions, inside a turn of the client's shard.
  void act();
  void publish_some();
  void furnish();  // declares or binds something
  // Stops acting: settles what it holds and whatever comes.
  void drain(const std::string& queue);
  void calm();    // uncongested, holds nothing back: what it has asked for can come
  void finish();  // puts everything back and ends its session, inside a turn
  void doubt();   // its node has crashed: what it waited for may have happened or not
  bool waits() const { return pending_.kind != Kind::none || unconfirmed_ > 0 || !reading_.empty(); }
  bool ended() const { return session_ == nullptr; }
  bool may_publish() const { return flow_open_; }
  std::string describe_waiting() const;

 private:
  enum class Kind : std::uint8_t {
    none,
    declare_exchange,
    delete_exchange,
    declare_queue,
    delete_queue,
    bind,
    unbind,
    purge,
    consume,
    cancel,
    get
  };
  static std::string_view text_of(Kind kind);
  struct Pending {
    Kind kind = Kind::none;
    std::string queue, exchange, key;
    QueueId queue_id;
    node::ConsumerNumber consumer = 0;
    bool no_ack = false;
    std::vector<Waiting> certain;  // of a purge
    std::vector<std::string> locked;
  };
  struct Publisher {
    std::uint32_t identity = 0;  // in the model
    std::uint64_t last_seq = 0, confirmed = 0;
    bool confirms = false;
    std::deque<std::pair<std::uint64_t, AttemptId>> open;  // seq, attempt
  };
  // A body on its way in: its publisher publishes nothing else meanwhile.
  struct Sending {
    node::BodyNumber body = node::no_body;
    AttemptId attempt = 0;
    Attempt what;
    std::vector<std::byte> bytes;
    std::size_t sent = 0;
  };
  struct Reading {
    std::vector<std::byte> expected;
    std::size_t at = 0;
    unsigned asked = 0;
  };
  struct Held {
    node::ConsumerNumber consumer;
    QueueId queue;
    Seq seq;
  };
  struct Consuming {
    std::string queue;
    QueueId queue_id;
    bool no_ack = false;
    std::uint32_t prefetch = 0;  // 0: unlimited, or no longer certain
    std::uint32_t held = 0;
    Seq newest;  // of those delivered for the first time
    bool any = false;
  };

  void on_reply(node::Reply reply) override;
  void on_confirmed(node::PublisherNumber publisher, std::uint64_t up_to) override;
  void on_rejected(node::PublisherNumber publisher, std::uint64_t first, std::uint64_t last) override;
  void on_delivery(const node::Delivery& delivery) override;
  void on_body_piece(node::BodyNumber body, Result<node::BodyPiece> piece) override;
  void on_consumer_cancelled(node::ConsumerNumber consumer, node::CancelReason reason) override;
  void on_publish_flow(bool open, std::string_view) override { flow_open_ = open; }
  void on_close_wanted(const Error&) override {}

  Publisher& publisher(node::PublisherNumber number);
  // `within`: a transaction, or null.
  void publish_one(node::PublisherNumber number, node::Transaction* within);
  void judge_route(const Attempt& attempt, bool exchange_found, const std::vector<broker::Target>& targets);
  // False: it is published as a whole instead.
  bool begin_sending(node::PublisherNumber number, const Attempt& attempt, AttemptId id,
                     const std::vector<std::byte>& body, broker::HeaderSource& headers);
  void send_some();
  void give_up_sending(node::PublisherNumber number);
  // The delivery as if it had come as a whole; its body is read and compared meanwhile.
  node::Delivery whole(const node::Delivery& delivery, std::vector<std::byte>& body);
  void read_some(node::BodyNumber body);
  void settle_some();
  void settle(std::size_t held, node::Outcome outcome);
  void ask();  // one request, if none is under way
  bool free(const std::vector<std::string>& names);
  bool contested(const Pending& pending) const;
  void release_names(const Pending& pending);
  void begin(Pending pending, const std::function<void()>& call);
  void ask_declare_exchange();
  void ask_delete_exchange();
  void ask_declare_queue();
  void ask_delete_queue();
  void ask_binding(bool bind);
  void ask_purge();
  void ask_consume(const std::string& queue, bool no_ack, std::uint32_t prefetch);
  void ask_cancel();
  void ask_get();
  void change_consumer();
  void close_publisher();
  void drop(node::ConsumerNumber consumer);
  void answered(const Pending& done, const node::Reply& reply);
  std::string any_queue();
  std::string any_exchange();
  const broker::QueueDefinition* definition(const std::string& queue) const;

  World& world_;
  std::uint16_t shard_;
  std::uint32_t number_;
  std::unique_ptr<node::Session> session_;
  Pending pending_;
  std::map<node::PublisherNumber, Publisher> publishers_;
  std::map<node::ConsumerNumber, Consuming> consumers_;
  std::vector<Held> held_;
  std::map<node::PublisherNumber, Sending> sending_;
  std::map<node::BodyNumber, Reading> reading_;
  std::set<std::string> exclusive_queues_;
  node::ConsumerNumber next_consumer_ = 1;
  std::uint64_t unconfirmed_ = 0;
  bool congested_ = false;
  bool flow_open_ = true;
  bool eager_;  // settles from within the delivery, asks from within the reply
  bool draining_ = false;
};

}  // namespace weir::sim
