// What it is: a session on a SimNode for tests: makes requests and waits for their answers, and keeps what it is told.
// Lifetime: it ends before its node.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/death_history.h"
#include "broker/message_extras.h"
#include "node/session.h"
#include "support/sim_node.h"

namespace weir::node {

struct TakenDelivery {
  ConsumerNumber consumer = no_consumer;
  bool redelivered = false;
  QueueId queue;
  Seq seq;
  bool persistent = false;
  std::string exchange, routing_key, properties, body;
  std::uint16_t returns = 0;
  broker::DeathHistory deaths;
};

struct TestMessage {
  std::string exchange, routing_key, body;
  bool persistent = true;
  PublisherNumber publisher = 0;
  bool confirm = true;
  std::uint8_t priority = 0;
  broker::MessageExtras extras{};
  broker::Table headers{};
};

class TestSession final : public SessionEvents {
 public:
  explicit TestSession(SimNode& node, std::uint16_t shard = 0, std::string user = "guest",
                       std::string vhost = "/");
  TestSession(SimNode& node, std::uint16_t shard, Identity who, std::string vhost = "/");
  TestSession(SimNode& node, std::uint16_t shard, SessionInfo info);
  ~TestSession();

  std::uint16_t shard() const { return shard_; }
  // Runs `call` in a turn of its shard.
  void within(const std::function<void(Session&)>& call);
  // The same, and the answer to the request that it makes.
  Reply ask(const std::function<void(Session&)>& call);
  // Without waiting: the answer is in `reply` when it has come.
  void ask_only(const std::function<void(Session&)>& call) { within(call); }
  void end();  // puts nothing back by itself

  QueueStatus declare(const std::string& queue, bool durable = true, bool exclusive = false,
                      bool auto_delete = false);
  // Durable, with arguments.
  QueueStatus declare(const std::string& queue, const broker::Table& arguments);
  Status declare_exchange(const std::string& exchange, const std::string& type, bool durable = true);
  // With arguments.
  Status declare_exchange(const std::string& exchange, const std::string& type,
                          const broker::Table& arguments, bool durable = true);
  Status bind(const std::string& exchange, const std::string& queue, const std::string& key = "");
  // Publishes in one turn; sequences count per publisher.
  std::vector<Result<PublishResult>> publish(const std::vector<TestMessage>& messages);
  // The same inside a turn that the test makes.
  std::vector<Result<PublishResult>> publish_inside(const std::vector<TestMessage>& messages);
  // To a queue, by the default exchange, persistent; waits for the confirm.
  void publish_to(const std::string& queue, const std::vector<std::string>& bodies, bool persistent = true);
  Reply consume(const std::string& queue, ConsumerNumber consumer = 1, std::uint32_t prefetch = 0,
                bool no_ack = false);
  std::optional<TakenDelivery> get(const std::string& queue, bool no_ack = false);
  void settle(const TakenDelivery& delivery, Outcome outcome = Outcome::accept);
  std::uint64_t ready(const std::string& queue);  // by a passive declaration

  std::vector<std::string> bodies() const;
  // All that it has published with confirms is confirmed.
  bool all_confirmed() const;

  std::vector<TakenDelivery> deliveries;
  std::map<PublisherNumber, std::uint64_t> published, confirmed;
  std::vector<std::tuple<PublisherNumber, std::uint64_t, std::uint64_t>> rejected;
  std::vector<std::pair<ConsumerNumber, CancelReason>> cancelled;
  std::vector<std::pair<bool, std::string>> flow;
  std::vector<std::string> close_reasons;
  std::optional<Reply> reply;
  std::optional<TakenDelivery> got;                      // with the reply to a get
  std::function<void()> on_answer;                       // called in on_reply, after `reply` is set
  std::function<void(const TakenDelivery&)> on_message;  // called in on_delivery
  std::function<void(PublisherNumber)> on_confirm;       // called in on_confirmed
  std::function<void()> on_cancel;                       // called in on_consumer_cancelled
  bool reads_by_hand = false;      // large bodies: the test calls read_body and close_body
  std::vector<BodyNumber> unread;  // then: delivered, in order
  std::vector<std::pair<BodyNumber, Result<std::string>>> pieces;  // then: that have come
  bool reading() const { return !reading_.empty(); }

 private:
  void on_reply(Reply reply) override;
  void on_confirmed(PublisherNumber publisher, std::uint64_t up_to) override;
  void on_rejected(PublisherNumber publisher, std::uint64_t first, std::uint64_t last) override;
  void on_delivery(const Delivery& delivery) override;
  void on_body_piece(BodyNumber body, Result<BodyPiece> piece) override;
  void on_consumer_cancelled(ConsumerNumber consumer, CancelReason reason) override;
  void on_publish_flow(bool open, std::string_view alarm) override;
  void on_close_wanted(const Error& reason) override;

  // A large body that is being read, and where it goes.
  struct ReadingBody {
    std::size_t delivery;  // in `deliveries`; SIZE_MAX: got
    std::uint64_t left_bytes;
  };
  void read_large(const Delivery& delivery, std::size_t to);

  SimNode& node_;
  std::map<BodyNumber, ReadingBody> reading_;
  std::uint16_t shard_;
  std::unique_ptr<Session> session_;
};

}  // namespace weir::node
