#include "protocol/mqtt/retained_store.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "broker/message_extras.h"
#include "protocol/mqtt/codec/topic.h"
#include "protocol/mqtt/stored_properties.h"

namespace weir::mqtt {

namespace {

constexpr node::ConsumerNumber consumer = 1;

}  // namespace

RetainedStore::RetainedStore(node::BrokerClient& client, std::string vhost)
    : client_(client), vhost_(std::move(vhost)), topics_(client.clock().monotonic_ns()) {
  open();
}

RetainedStore::~RetainedStore() {
  if (session_ == nullptr) return;
  session_->drop_consumer(consumer);
  for (const Kept& kept : kept_) {
    if (kept.seq != Seq{}) session_->settle(consumer, kept.queue, kept.seq, node::Outcome::restore);
  }
}

void RetainedStore::open() {
  auto session = client_.open_session({.user = {},
                                       .vhost = vhost_,
                                       .protocol = {},
                                       .client = "retained messages",
                                       .peer = {},
                                       .grants = node::identity_of_broker().grants,
                                       .connection_name = "retained messages"},
                                      *this);
  if (!session) {
    stage_ = Stage::broken;
    log_error("mqtt", "retained messages of '{}': {}", vhost_, session.error().message);
    return;
  }
  session_ = std::move(*session);
  broker::DeclareQueue request;
  request.vhost = vhost_;
  request.name = retained_queue;
  request.durable = true;
  session_->declare_queue(std::move(request));
}

void RetainedStore::on_reply(node::Reply reply) {
  if (!reply) {
    stage_ = Stage::broken;
    log_error("mqtt", "retained messages of '{}': {}", vhost_, reply.error().message);
    for (const auto& done : std::exchange(waiting_, {})) done();
    return;
  }
  if (stage_ == Stage::declaring) {
    to_come_ = std::get<node::QueueStatus>(*reply).messages_ready;
    stage_ = Stage::consuming;
    session_->consume({.queue = std::string(retained_queue),
                       .consumer = consumer,
                       .tag = "retained messages",
                       .no_ack = false,
                       .exclusive = true,
                       .prefetch = 0,
                       .arguments = {}});
  } else if (stage_ == Stage::consuming) {
    stage_ = Stage::reading;
    for (const auto& done : std::exchange(waiting_, {})) done();
    if (to_come_ == 0) {
      to_come_ = 1;
      note_one_less();
    }
  }
}

void RetainedStore::when_there(std::function<void()> done) {
  if (stage_ >= Stage::reading) return done();
  waiting_.push_back(std::move(done));
}

// --- what the queue brings ---

void RetainedStore::on_delivery(const node::Delivery& delivery) {
  const broker::StoredMessage& message = delivery.message;
  const std::string topic = topic_of(message.routing_key);
  Kept kept{.queue = delivery.queue, .seq = delivery.seq, .persistent = message.persistent};
  if (!message.extras.empty()) {
    if (const auto ttl_ms = broker::view_extras(message.extras).ttl_ms)
      kept.ends_ms = message.received_ms + *ttl_ms;
  }
  const bool deletes =
      message.native != broker::NativeForm::mqtt || (delivery.body == node::no_body && message.body.empty());
  if (deletes) {
    if (delivery.body != node::no_body) session_->close_body(delivery.body);
    settle(kept);
    drop(topic);
    return note_one_less();
  }
  kept.topic_bytes = static_cast<std::uint16_t>(topic.size());
  kept.stored_bytes = static_cast<std::uint16_t>(message.properties.size());
  const auto add = [&kept](Bytes bytes) { kept.bytes.insert(kept.bytes.end(), bytes.begin(), bytes.end()); };
  kept.bytes.reserve(topic.size() + message.properties.size() + message.body.size());
  add(as_bytes(topic));
  add(message.properties);
  if (delivery.body != node::no_body) {
    reading_.emplace(delivery.body, Reading{std::move(kept), delivery.body_bytes});
    return session_->read_body(delivery.body);
  }
  add(message.body);
  keep(std::move(kept));
  note_one_less();
}

void RetainedStore::on_body_piece(node::BodyNumber body, Result<node::BodyPiece> piece) {
  const auto at = reading_.find(body);
  if (at == reading_.end()) return;
  Reading& reading = at->second;
  if (piece) {
    reading.kept.bytes.insert(reading.kept.bytes.end(), piece->bytes.begin(), piece->bytes.end());
    reading.left_bytes -= std::min<std::uint64_t>(reading.left_bytes, piece->bytes.size());
    if (reading.left_bytes > 0) return session_->read_body(body);
    keep(std::move(reading.kept));
  } else {
    log_error("mqtt", "the retained message of '{}' can't be read back: {}", reading.kept.topic(),
              piece.error().message);
  }
  session_->close_body(body);
  reading_.erase(at);
  note_one_less();
}

void RetainedStore::on_consumer_cancelled(node::ConsumerNumber, node::CancelReason) {
  stage_ = Stage::broken;
  kept_.clear();
  topics_ = TopicTree(client_.clock().monotonic_ns());
}

// When all that was there before is known, who asked gets an answer.
void RetainedStore::note_one_less() {
  if (to_come_ == 0 || --to_come_ > 0) return;
  stage_ = Stage::ready;
  for (const auto& [filter, queue] : std::exchange(asked_, {})) send_now(filter, queue);
}

void RetainedStore::keep(Kept kept) {
  const TopicTree::Value before = topics_.find(kept.topic());
  if (before != TopicTree::no_value) {
    // Large ones come late: a newer one may have been faster.
    if (kept_[before].seq > kept.seq) return settle(kept);
    settle(kept_[before]);
    kept_[before] = std::move(kept);
    return;
  }
  if (free_.empty()) {
    free_.push_back(static_cast<TopicTree::Value>(kept_.size()));
    kept_.emplace_back();
  }
  const TopicTree::Value place = free_.back();
  free_.pop_back();
  topics_.put(kept.topic(), place);
  kept_[place] = std::move(kept);
}

void RetainedStore::drop(std::string_view topic) {
  const TopicTree::Value place = topics_.erase(topic);
  if (place == TopicTree::no_value) return;
  settle(kept_[place]);
  kept_[place] = {};
  free_.push_back(place);
}

void RetainedStore::settle(const Kept& kept) {
  session_->settle(consumer, kept.queue, kept.seq, node::Outcome::accept);
}

// --- what subscribers get ---

void RetainedStore::send(std::string filter, std::string queue) {
  if (stage_ == Stage::broken) return;
  if (stage_ != Stage::ready) {
    asked_.emplace_back(std::move(filter), std::move(queue));
  } else {
    send_now(filter, queue);
  }
}

void RetainedStore::send_now(std::string_view filter, std::string_view queue) {
  topics_.match(filter, [&](TopicTree::Value place) { send_one(kept_[place], queue); });
}

void RetainedStore::send_one(const Kept& kept, std::string_view queue) {
  const std::uint64_t now_ms = client_.clock().wall_ms();
  if (kept.ends_ms != 0 && kept.ends_ms <= now_ms) return;
  std::vector<std::byte> stored, extras;
  append_of_store(stored, kept.stored(), kept.topic());
  if (kept.ends_ms != 0) {
    broker::MessageExtras own;
    own.ttl_ms = static_cast<std::uint32_t>(kept.ends_ms - now_ms);
    broker::append_extras(extras, own);
  }
  SentProperties headers(stored);
  const Bytes payload = kept.payload();
  node::Publish publish;
  publish.message = {.native = broker::NativeForm::mqtt,
                     .persistent = kept.persistent,
                     .priority = 0,
                     .exchange = {},
                     .routing_key = queue,
                     .extras = extras,
                     .properties = stored,
                     .body = {&payload, 1},
                     .body_bytes = payload.size()};
  publish.headers = &headers;
  if (const auto published = session_->publish(publish); !published)
    log_warning("mqtt", "a retained message is not sent to '{}': {}", queue, published.error().message);
}

}  // namespace weir::mqtt
