// PUBLISH from the client, and what it is told of it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/message_extras.h"
#include "protocol/mqtt/codec/decode.h"
#include "protocol/mqtt/connection.h"
#include "protocol/mqtt/retained_stores.h"
#include "protocol/mqtt/stored_properties.h"
#include "protocol/mqtt/will_keeper.h"

namespace weir::mqtt {

namespace {

constexpr std::string_view own_topics = "$SYS";  // of the server

ReasonCode code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::access_refused: return ReasonCode::not_authorized;
    case ErrorCode::limit_exceeded: return ReasonCode::quota_exceeded;
    default: return ReasonCode::implementation_specific_error;
  }
}

std::vector<std::byte> extras_of(const PublishProperties& properties) {
  std::vector<std::byte> out;
  if (!properties.message_expiry_s) return out;
  broker::MessageExtras extras;
  extras.ttl_ms = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(*properties.message_expiry_s * 1'000ULL, UINT32_MAX));
  broker::append_extras(out, extras);
  return out;
}

}  // namespace

// `large`: its payload has yet to come.
void Connection::begin_publish(Chunk* chunk, bool large) {
  const Decoded<Publish> packet = decode_publish(version_, reader_.flags(), reader_.body());
  if (!packet) return fail(packet.error());
  publishing_ = *packet;
  large_ = large;
  if (!resolve_alias()) return;
  if (publishing_.qos > 0 && unconfirmed_qos_1_ + received_.size() >= settings_.receive_maximum &&
      version_ == Version::v5 && !received_.contains(publishing_.packet_id))
    return fail(ReasonCode::receive_maximum_exceeded, "more messages are in flight than the server takes");
  const std::uint64_t payload_bytes = large ? reader_.payload_bytes() : publishing_.payload.size();
  if (payload_bytes > settings_.max_message_bytes)
    return fail(ReasonCode::packet_too_large,
                fmt::format("a payload is larger than {} bytes", settings_.max_message_bytes));
  if (topic_.size() > topic_bytes_most)
    return refuse_publish(ReasonCode::topic_name_invalid,
                          fmt::format("a topic is longer than {} bytes", topic_bytes_most));
  if (topic_.starts_with(own_topics))
    return refuse_publish(ReasonCode::not_authorized, "topics of $SYS are the server's");
  if (publishing_.qos == 2 && has_come_before()) {
    large_ = false;
    return;
  }
  routing_key_.resize(topic_.size());
  write_routing_key(topic_, routing_key_.data());
  stored_.clear();
  append_stored(stored_, {.qos = publishing_.qos, .retain = publishing_.retain, .publisher = client_hash_},
                publishing_.properties);
  if (stored_.size() > limits::native_properties_bytes_max)
    return fail(ReasonCode::packet_too_large, "the properties are too large");
  extras_ = extras_of(publishing_.properties);
  const bool makes_marks = publishing_.qos == 2 && lasts_ && marks_from_.empty();
  const bool makes_store = publishing_.retain && !owner_.retained().is_there(vhost_);
  if (!makes_marks && !makes_store) return publish(chunk);
  input_ = ChunkRef::share(reader_.chunk() != nullptr ? reader_.chunk() : chunk);
  std::vector<Step> steps;
  if (makes_marks) add_marks(steps);
  // The first message that is retained makes the place for all.
  if (makes_store) {
    add_outside_step(steps, [this] {
      owner_.retained().make(vhost_, alive_, [this] { end_outside_step(); });
      return true;
    });
  }
  run(std::move(steps), [this] {
    const ChunkRef held = std::exchange(input_, {});
    publish(held.get());
  });
}

// Only the answer was lost. What was found after a restart may not have been published on every shard.
bool Connection::has_come_before() {
  const auto at = received_.find(publishing_.packet_id);
  if (at == received_.end()) return false;
  const Received& received = at->second;
  if (received.state == Received::State::recorded) send_ack(PacketType::pubrec, publishing_.packet_id);
  return received.state != Received::State::found;
}

// Into topic_.
bool Connection::resolve_alias() {
  const std::uint16_t alias = publishing_.properties.topic_alias;
  if (alias == 0) {
    topic_ = publishing_.topic;
    return true;
  }
  if (alias > settings_.topic_aliases_max) {
    fail(ReasonCode::topic_alias_invalid, "a topic alias is larger than the server allows");
    return false;
  }
  if (aliases_.size() < alias) aliases_.resize(alias);
  if (!publishing_.topic.empty()) aliases_[alias - 1] = publishing_.topic;
  if (aliases_[alias - 1].empty()) {
    fail(ReasonCode::protocol_error, "a topic alias that was not set");
    return false;
  }
  topic_ = aliases_[alias - 1];
  return true;
}

node::Publish Connection::publication(std::uint64_t seq, broker::HeaderSource& headers) const {
  return {.publisher = publisher,
          .seq = seq,
          .message = {.native = broker::NativeForm::mqtt,
                      .persistent = publishing_.qos > 0,
                      .priority = 0,
                      .exchange = settings_.exchange,
                      .routing_key = routing_key_,
                      .extras = extras_,
                      .properties = stored_,
                      .body = {},
                      .body_bytes = large_ ? reader_.payload_bytes() : publishing_.payload.size()},
          .chunk = nullptr,
          .headers = &headers,
          .more_keys = {},
          .and_queue = publishing_.retain ? retained_queue : std::string_view()};
}

void Connection::publish(Chunk* chunk) {
  if (phase_ != Phase::running) return;
  const bool confirmed = publishing_.qos > 0;
  SentProperties headers(stored_);
  if (large_) {
    const Result<node::BodyBegun> begun = session_->begin_body(publication(0, headers));
    if (!begun) return refuse_publish(code_of(begun.error()), begun.error().message);
    body_ = begun->body;
    return note_published();
  }
  node::Publish publish = publication(confirmed ? published_seq_ + 1 : 0, headers);
  publish.message.body = {&publishing_.payload, 1};
  publish.chunk = reader_.chunk() != nullptr ? reader_.chunk() : chunk;
  const bool once = publishing_.qos == 2 && lasts_ && publishing_.payload.size() <= once_bytes_max;
  const Result<node::PublishResult> published = once ? publish_once(publish) : session_->publish(publish);
  if (!published) return refuse_publish(code_of(published.error()), published.error().message);
  publish_ended(*published);
}

void Connection::publish_ended(node::PublishResult result) {
  ++channel_counts_[node::ChannelCount::publish];
  const bool unroutable = result == node::PublishResult::unroutable;
  if (unroutable) ++channel_counts_[node::ChannelCount::drop_unroutable];
  if (publishing_.qos > 0) {
    unconfirmed_.push_back({++published_seq_, publishing_.packet_id, publishing_.qos,
                            unroutable ? ReasonCode::no_matching_subscribers : ReasonCode::success,
                            publishing_.qos == 2 ? Answer::pubrec : Answer::puback});
    if (publishing_.qos == 1) ++unconfirmed_qos_1_;
    if (publishing_.qos == 2) received_[publishing_.packet_id].state = Received::State::writing;
  }
  note_published();
}

// What a version or a QoS has no answer for ends the connection.
void Connection::refuse_publish(ReasonCode code, std::string_view detail) {
  if (version_ != Version::v5 || publishing_.qos == 0 || large_) return fail(code, detail);
  client_.count_error(node::Protocol::mqtt, number_of(code), false);
  send_ack(publishing_.qos == 1 ? PacketType::puback : PacketType::pubrec, publishing_.packet_id, code);
}

// --- large payloads: handed on piece by piece ---

void Connection::take_large(Bytes part) {
  if (body_ == node::no_body) return;  // it reaches no queue
  const std::size_t piece_bytes = client_.body_sizes().piece_bytes;
  while (!part.empty()) {
    part = piece_.put(part, piece_bytes);
    if (piece_.full(piece_bytes)) pass_piece_on();
  }
}

void Connection::pass_piece_on() {
  if (piece_.empty()) return;
  session_->append_body(body_, piece_.bytes(), piece_.chunk());
  piece_.next();
}

void Connection::finish_large() {
  if (!large_) return;  // it has come before
  pass_piece_on();
  piece_.release();
  SentProperties headers(stored_);
  const bool nobody = body_ == node::no_body;
  session_->finish_body(std::exchange(body_, node::no_body),
                        publication(publishing_.qos > 0 ? published_seq_ + 1 : 0, headers));
  publish_ended(nobody ? node::PublishResult::unroutable : node::PublishResult::routed);
}

// --- what the client is told ---

void Connection::on_confirmed(node::PublisherNumber, std::uint64_t up_to) {
  if (!has_session()) return;
  channel_counts_[node::ChannelCount::confirm] += up_to - confirmed_up_to_;
  confirmed_up_to_ = up_to;
  while (!unconfirmed_.empty() && unconfirmed_.front().seq <= up_to && has_session()) {
    const Unconfirmed one = unconfirmed_.front();
    unconfirmed_.pop_front();
    answer(one);
  }
  send_held();
}

void Connection::answer(const Unconfirmed& safe) {
  InFlight* const flight = flights_.find(safe.packet_id);
  switch (safe.answer) {
    case Answer::puback: --unconfirmed_qos_1_; return send_ack(PacketType::puback, safe.packet_id, safe.code);
    case Answer::pubrec:
      if (is_failure(safe.code)) {
        received_.erase(safe.packet_id);
      } else if (const auto at = received_.find(safe.packet_id); at != received_.end()) {
        at->second.state = Received::State::recorded;
      }
      return send_ack(PacketType::pubrec, safe.packet_id, safe.code);
    case Answer::pubcomp:
      received_.erase(safe.packet_id);
      return send_ack(PacketType::pubcomp, safe.packet_id);
    case Answer::pubrel:
      // It has gone back to its queue, and comes again by the same identifier.
      if (is_failure(safe.code)) return fail(safe.code, "there is no room to keep what PUBREC says");
      if (flight == nullptr) return;
      flight->state = Flight::released;
      flight->lasts = true;
      return send_ack(PacketType::pubrel, safe.packet_id);
    case Answer::none:
      if (flight != nullptr) flights_.remove(*flight);
      return;
  }
}

// Before 5.0 there is no word for it: the client has to come again.
void Connection::on_rejected(node::PublisherNumber, std::uint64_t first, std::uint64_t last) {
  if (!has_session()) return;
  unconfirmed_.for_each([&](Unconfirmed& one) {
    if (one.seq >= first && one.seq <= last) one.code = ReasonCode::quota_exceeded;
  });
  if (version_ != Version::v5) fail(ReasonCode::quota_exceeded, "a queue had no room for a message");
}

// --- the will ---

void Connection::publish_will() {
  if (!will_) return;
  KeptWill will = std::move(*will_);
  will_.reset();
  if (will.delay_s > 0 && session_expiry_s_ > 0) {
    const std::uint64_t delay_ms = std::min(will.delay_s, session_expiry_s_) * 1'000ULL;
    return owner_.keep_will({.vhost = vhost_,
                             .client_id = client_id_,
                             .identity = identity_,
                             .will = std::move(will),
                             .due_ms = now_ms() + delay_ms});
  }
  send_will(*session_, will, settings_, owner_.retained());
}

}  // namespace weir::mqtt
