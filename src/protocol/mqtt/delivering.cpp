// PUBLISH to the client, and what it says of it.
#include <algorithm>
#include <cstring>
#include <utility>

#include "broker/message_extras.h"
#include "node/stored_headers.h"
#include "protocol/mqtt/codec/sink.h"
#include "protocol/mqtt/codec/utf8.h"
#include "protocol/mqtt/connection.h"
#include "protocol/mqtt/stored_properties.h"

namespace weir::mqtt {

namespace {

// What a PUBLISH has between its fixed header and its payload.
struct Outgoing {
  std::string_view topic;
  std::uint8_t qos = 0;
  bool dup = false, retain = false;
  std::uint16_t packet_id = 0, alias = 0;
  std::optional<std::uint32_t> expiry_s;
  std::span<const std::uint32_t> ids;
  Bytes list;
};

template <typename Sink>
void put_own(Sink& sink, const Outgoing& out) {
  PropertyWriter<Sink> properties(sink);
  properties.u32(PropertyId::message_expiry_interval, out.expiry_s);
  if (out.alias != 0) properties.u16(PropertyId::topic_alias, out.alias);
  for (const std::uint32_t id : out.ids) properties.varint(PropertyId::subscription_identifier, id);
  sink.raw(out.list);
}

template <typename Sink>
void put(Sink& sink, Version version, const Outgoing& out) {
  sink.text(out.topic);
  if (out.qos > 0) sink.u16(out.packet_id);
  if (version != Version::v5) return;
  SizeSink size;
  put_own(size, out);
  sink.varint(static_cast<std::uint32_t>(size.bytes()));
  put_own(sink, out);
}

std::uint8_t first_byte(const Outgoing& out) {
  return first_byte_of(PacketType::publish,
                       static_cast<std::uint8_t>((out.dup ? flag_dup : 0U) | unsigned{out.qos} << 1U |
                                                 (out.retain ? flag_retain : 0U)));
}

// What is left of it in whole seconds, at least one: what is over does not come here.
std::optional<std::uint32_t> expiry_left(const broker::StoredMessage& message, std::uint64_t wall_ms) {
  if (message.extras.empty()) return std::nullopt;
  const auto ttl_ms = broker::view_extras(message.extras).ttl_ms;
  if (!ttl_ms) return std::nullopt;
  const std::uint64_t ends_ms = message.received_ms + *ttl_ms;
  return static_cast<std::uint32_t>(ends_ms <= wall_ms ? 1 : (ends_ms - wall_ms + 999) / 1'000);
}

// The same for the same message of the session's queue, also after a restart.
std::uint16_t packet_id_of(Seq seq) { return static_cast<std::uint16_t>(seq.value % PacketIds::ids_max + 1); }

}  // namespace

// Each consumer gets as many as the client takes; together they may have more, which wait here [MQTT-3.3.4-9].
void Connection::on_delivery(const node::Delivery& delivery) {
  if (!has_session()) return;
  const auto marks = std::find(marks_from_.begin(), marks_from_.end(), delivery.consumer);
  if (marks != marks_from_.end())
    return on_mark(delivery, ShardId{static_cast<std::uint16_t>(marks - marks_from_.begin())});
  const bool acks = !(delivery.consumer == own_ && reads_without_acks_);
  const bool full = flights_.size() >= receive_maximum_ || !held_back_.empty();
  if (!full || !acks) return deliver(delivery);
  held_back_.push_back({delivery, ChunkRef::share(delivery.chunk)});
}

void Connection::send_held() {
  while (!held_back_.empty() && flights_.size() < receive_maximum_ && has_session()) {
    const HeldDelivery held = std::move(held_back_.front());
    held_back_.pop_front();
    deliver(held.delivery);
  }
}

void Connection::put_held_back() {
  held_back_.for_each([&](const HeldDelivery& held) {
    const node::Delivery& one = held.delivery;
    if (one.body != node::no_body) session_->close_body(one.body);
    session_->settle(one.consumer, one.queue, one.seq, node::Outcome::restore);
  });
  held_back_.clear();
}

// Into out_topic_.
void Connection::use_topic_of(std::string_view routing_key) {
  out_topic_.resize(routing_key.size());
  write_topic(routing_key, out_topic_.data());
}

void Connection::deliver(const node::Delivery& delivery) {
  ids_.clear();
  if (delivery.consumer == own_) {
    const std::string_view key = delivery.message.routing_key;
    const bool mqtt = delivery.message.native == broker::NativeForm::mqtt;
    const StoredMark mark = mqtt ? mark_of(delivery.message.properties) : StoredMark{};
    // What the store of retained messages sends comes by the queue's name, and has its topic with it.
    if (mark.of_store) {
      out_topic_ = topic_behind(delivery.message.properties);
    } else {
      use_topic_of(key);
    }
    const Handing handing = subscriptions_.match(out_topic_, mqtt && mark.publisher == client_hash_, ids_);
    return hand_over(delivery, handing, out_topic_);
  }
  const Subscribed* const subscribed = subscriptions_.find(delivery.consumer);
  if (subscribed == nullptr) return;
  if (subscribed->id != 0) ids_.push_back(subscribed->id);
  const bool shared = is_shared(subscribed->filter);
  if (shared) {
    use_topic_of(delivery.message.routing_key);
  } else {
    out_topic_ = subscribed->filter;
  }
  const bool wanted = !shared || matches(shared_filter(subscribed->filter)->filter, out_topic_);
  hand_over(delivery, {wanted, subscribed->qos, subscribed->retain_as_published}, out_topic_);
}

void Connection::hand_over(const node::Delivery& delivery, const Handing& handing, std::string_view topic) {
  const broker::StoredMessage& message = delivery.message;
  const bool mqtt = message.native == broker::NativeForm::mqtt;
  const StoredMark mark = mqtt ? mark_of(message.properties)
                               : StoredMark{.qos = static_cast<std::uint8_t>(message.persistent ? 1 : 0)};
  const bool acks = !(delivery.consumer == own_ && reads_without_acks_) && !delivery.looked_at;
  const InFlight without{.state = Flight::published,
                         .consumer = delivery.consumer,
                         .queue = delivery.queue,
                         .seq = delivery.seq};
  const auto drop = [&] {
    if (acks) settle(without, node::Outcome::accept);
    if (delivery.body != node::no_body) session_->close_body(delivery.body);
  };
  // A routing key of another protocol may be what no topic can.
  if (!handing.wanted || !is_topic_name(topic) || (!mqtt && !valid_utf8(topic))) return drop();
  Outgoing out;
  out.topic = topic;
  out.qos = acks ? std::min(mark.qos, handing.qos) : std::uint8_t{0};
  out.retain = mark.of_store || (handing.retain_as_published && mark.retain);
  list_.clear();
  bool new_alias = false;
  if (version_ == Version::v5) {
    if (mqtt) {
      out.list = list_of(message.properties);
    } else if (const node::HeadersOf forms = client_.headers_of(); forms.properties != nullptr) {
      append_list(list_, forms.properties(message.native, message.properties));
      out.list = list_;
    }
    out.expiry_s = expiry_left(message, client_.clock().wall_ms());
    out.ids = ids_;
    if (alias_maximum_ > 0) out.alias = outgoing_alias(topic, new_alias);
    if (out.alias != 0 && !new_alias) out.topic = {};
  }
  if (out.qos > 0) {
    out.packet_id = flights_.choose(packet_id_of(delivery.seq));
    out.dup = delivery.redelivered;
  }
  const std::uint64_t body_bytes = delivery.body != node::no_body ? delivery.body_bytes : message.body.size();
  SizeSink size;
  put(size, version_, out);
  const std::uint64_t remaining = size.bytes() + body_bytes;
  const std::size_t head = 1 + varint_bytes(static_cast<std::uint32_t>(remaining)) + size.bytes();
  // [MQTT-3.1.2-25]: as if it had been sent.
  if (remaining > remaining_bytes_max ||
      (client_packet_bytes_ != 0 && head + body_bytes > client_packet_bytes_)) {
    if (new_alias) outgoing_aliases_.erase(std::string(topic));  // the client has not heard of it
    return drop();
  }
  if (out.qos > 0) {
    InFlight flight = without;
    flight.packet_id = out.packet_id;
    flight.qos = out.qos;
    flights_.add(flight);
  }
  ++channel_counts_[out.qos > 0 ? node::ChannelCount::deliver : node::ChannelCount::deliver_no_ack];
  if (delivery.redelivered) ++channel_counts_[node::ChannelCount::redeliver];
  const bool copied =
      delivery.body == node::no_body && (body_bytes <= body_copy_bytes_max || delivery.chunk == nullptr);
  std::byte* const to = output_.reserve(head + (copied ? body_bytes : 0));
  ByteSink sink(to);
  sink.u8(first_byte(out));
  sink.varint(static_cast<std::uint32_t>(remaining));
  put(sink, version_, out);
  if (copied) sink.raw(message.body);
  output_.commit(static_cast<std::size_t>(sink.at() - to));
  if (delivery.body != node::no_body) {
    begin_body(delivery.body, delivery.body_bytes);
  } else if (!copied) {
    output_.refer(ChunkRef::share(delivery.chunk), message.body);
  }
  after_output();
  if (out.qos == 0 && acks) settle(without, node::Outcome::accept);
}

// The first topics that come get the client's aliases, and keep them.
std::uint16_t Connection::outgoing_alias(std::string_view topic, bool& is_new) {
  const auto at = outgoing_aliases_.find(std::string(topic));
  if (at != outgoing_aliases_.end()) return at->second;
  if (outgoing_aliases_.size() >= alias_maximum_) return 0;
  is_new = true;
  const auto alias = static_cast<std::uint16_t>(outgoing_aliases_.size() + 1);
  outgoing_aliases_.emplace(topic, alias);
  return alias;
}

// --- what the client says ---

void Connection::settle(const InFlight& flight, node::Outcome outcome) {
  session_->settle(flight.consumer, flight.queue, flight.seq, outcome);
}

// A code that says no is an answer, too: the message is not sent again [MQTT-4.4.0-1].
void Connection::take_puback(const Ack& ack) {
  InFlight* const flight = flights_.find(ack.packet_id);
  if (flight == nullptr || flight->qos != 1) return;
  settle(*flight, node::Outcome::accept);
  ++channel_counts_[node::ChannelCount::ack];
  flights_.remove(*flight);
}

}  // namespace weir::mqtt
