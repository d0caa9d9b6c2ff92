// What it is: the retained messages of one virtual host: the last one of each topic. They lie in a durable queue, of which
// this is the only consumer and which it never acknowledges: what a newer message replaces, and what an empty one deletes,
// is settled; after a restart the queue brings all that is left, in order.
// Shard: that of the queue. Lifetime: the BrokerClient outlives it; it is destroyed outside of its callbacks.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "node/session.h"
#include "protocol/mqtt/topic_tree.h"

namespace weir::mqtt {

inline constexpr std::string_view retained_queue = "mqtt-retained";

class RetainedStore final : private node::SessionEvents {
 public:
  RetainedStore(node::BrokerClient& client, std::string vhost);
  ~RetainedStore();
  RetainedStore(const RetainedStore&) = delete;
  RetainedStore& operator=(const RetainedStore&) = delete;

  // Calls it when the queue is there, possibly at once.
  void when_there(std::function<void()> done);
  // To a queue, each message of the topics that the filter matches, once all are known here.
  void send(std::string filter, std::string queue);

  bool broken() const { return stage_ == Stage::broken; }
  std::size_t size() const { return topics_.size(); }

 private:
  struct Kept {
    QueueId queue;
    Seq seq;
    std::uint64_t ends_ms = 0;  // wall clock; 0: never
    bool persistent = false;
    std::uint16_t topic_bytes = 0, stored_bytes = 0;
    std::vector<std::byte> bytes{};  // topic, stored properties, payload

    std::string_view topic() const { return as_text(Bytes(bytes).first(topic_bytes)); }
    Bytes stored() const { return Bytes(bytes).subspan(topic_bytes, stored_bytes); }
    Bytes payload() const { return Bytes(bytes).subspan(std::size_t{topic_bytes} + stored_bytes); }
  };
  struct Reading {
    Kept kept;
    std::uint64_t left_bytes = 0;
  };
  enum class Stage : std::uint8_t { declaring, consuming, reading, ready, broken };

  void on_reply(node::Reply reply) override;
  void on_confirmed(node::PublisherNumber, std::uint64_t) override {}
  void on_rejected(node::PublisherNumber, std::uint64_t, std::uint64_t) override {}
  void on_delivery(const node::Delivery& delivery) override;
  void on_body_piece(node::BodyNumber body, Result<node::BodyPiece> piece) override;
  void on_consumer_cancelled(node::ConsumerNumber consumer, node::CancelReason reason) override;
  void on_publish_flow(bool, std::string_view) override {}
  void on_close_wanted(const Error&) override {}

  void open();
  void keep(Kept kept);
  void drop(std::string_view topic);
  void settle(const Kept& kept);
  void note_one_less();
  void send_now(std::string_view filter, std::string_view queue);
  void send_one(const Kept& kept, std::string_view queue);

  node::BrokerClient& client_;
  const std::string vhost_;
  std::unique_ptr<node::Session> session_;
  Stage stage_ = Stage::declaring;
  std::uint64_t to_come_ = 0;  // of what was there before
  std::vector<std::function<void()>> waiting_;
  std::vector<std::pair<std::string, std::string>> asked_;  // filter, queue: until all is known
  TopicTree topics_;                                        // to places in kept_
  std::deque<Kept> kept_;
  std::vector<TopicTree::Value> free_;
  std::unordered_map<node::BodyNumber, Reading> reading_;
};

}  // namespace weir::mqtt
