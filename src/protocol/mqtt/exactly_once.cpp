// QoS 2 both ways: what is remembered between PUBLISH and PUBCOMP, and how it survives.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/mqtt/connection.h"
#include "protocol/mqtt/stored_properties.h"

namespace weir::mqtt {

namespace {
Result<node::PublishResult> too_large() {
  return weir::fail(ErrorCode::limit_exceeded, "a message of QoS 2 is too large");
}
}  // namespace

// --- the queues of marks ---

// Only of a session that lasts, and only once it needs them. `then`: they are there, and all their marks are known.
void Connection::add_marks(std::vector<Step>& steps) {
  for (std::uint16_t shard = 0; shard < client_.shards(); ++shard) {
    steps.push_back({[this, shard] {
                       if (marks_from_.size() == client_.shards()) return false;
                       session_->declare_queue(mark_queue_request(ShardId{shard}));
                       return true;
                     },
                     [this](node::Reply& reply) {
                       if (reply) marks_to_load_ += std::get<node::QueueStatus>(*reply).messages_ready;
                       return reply.has_value();
                     }});
    steps.push_back({[this, shard] {
                       if (marks_from_.size() > shard) return false;
                       marks_from_.push_back(++last_consumer_);
                       mark_queues_.push_back(mark_queue_of(ShardId{shard}));
                       session_->consume({.queue = mark_queues_.back(),
                                          .consumer = marks_from_.back(),
                                          .tag = client_id_,
                                          .no_ack = false,
                                          .exclusive = true,
                                          .prefetch = 0,
                                          .arguments = {}});
                       return true;
                     },
                     nullptr});
  }
  add_outside_step(steps, [this] {
    loads_marks_ = marks_to_load_ > 0;
    return loads_marks_;
  });
}

// Those of a session that is over.
void Connection::add_delete_marks(std::vector<Step>& steps) {
  for (std::uint16_t shard = 0; shard < client_.shards(); ++shard) {
    steps.push_back({[this, queue = mark_queue_of(ShardId{shard})] {
                       if (client_.topology().find_queue(vhost_, queue) == nullptr) return false;
                       session_->delete_queue(queue, false, false);
                       return true;
                     },
                     [](node::Reply&) { return true; }});
  }
}

// They last as long as the session.
void Connection::add_update_marks(std::vector<Step>& steps) {
  for (std::uint16_t shard = 0; shard < marks_from_.size(); ++shard) {
    steps.push_back({[this, shard] {
                       session_->declare_queue(mark_queue_request(ShardId{shard}));
                       return true;
                     },
                     nullptr});
  }
}

std::string Connection::mark_queue_of(ShardId shard) const {
  return mark_queue(vhost_, client_id_, shard, client_.shards());
}

bool Connection::has_marks_of_before() const {
  for (std::uint16_t shard = 0; shard < client_.shards(); ++shard) {
    if (client_.topology().find_queue(vhost_, mark_queue_of(ShardId{shard})) != nullptr) return true;
  }
  return false;
}

broker::DeclareQueue Connection::mark_queue_request(ShardId shard) const {
  broker::DeclareQueue request = queue_request();
  request.name = mark_queue_of(shard);
  request.arguments.remove("x-max-length-bytes");
  const auto* const there = client_.topology().find_queue(vhost_, request.name);
  if (there != nullptr && there->arguments != request.arguments)
    request.arguments.append("x-update-arguments", {true});
  return request;
}

// A mark comes back to where it was written: now it can be settled.
void Connection::on_mark(const node::Delivery& delivery, ShardId shard) {
  const MarkPlace place{shard, delivery.consumer, delivery.queue, delivery.seq};
  const std::optional<Mark> mark = decode_mark(delivery.message.body);
  if (!mark) {
    session_->settle(place.consumer, place.queue, place.seq, node::Outcome::accept);
  } else if (mark->kind == MarkKind::received) {
    on_received_mark(mark->packet_id, place);
  } else {
    on_released_mark(mark->packet_id, place);
  }
  if (marks_to_load_ > 0 && --marks_to_load_ == 0 && std::exchange(loads_marks_, false)) end_outside_step();
}

void Connection::on_received_mark(std::uint16_t packet_id, const MarkPlace& place) {
  const auto [at, is_new] = received_.try_emplace(packet_id);
  Received& received = at->second;
  if (is_new) received.state = Received::State::found;
  received.marks.push_back(place);
  if (received.marks_to_come > 0) --received.marks_to_come;
  if (received.release_asked && received.marks_to_come == 0) end_received(packet_id, received);
}

void Connection::on_released_mark(std::uint16_t packet_id, const MarkPlace& place) {
  InFlight* flight = flights_.find(packet_id);
  if (flight == nullptr) {
    flight = &flights_.add({.packet_id = packet_id,
                            .state = Flight::released,
                            .qos = 2,
                            .lasts = true,
                            .consumer = {},
                            .queue = {},
                            .seq = {}});
    released_before_.push_back(packet_id);
  }
  flight->consumer = place.consumer;
  flight->queue = place.queue;
  flight->seq = place.seq;
  flight->marked = true;
  if (flight->state == Flight::ending) end_flight(*flight);
}

// After CONNACK: what the client has said PUBREC to before.
void Connection::release_again() {
  for (const std::uint16_t packet_id : std::exchange(released_before_, {}))
    send_ack(PacketType::pubrel, packet_id);
}

// What it holds goes back as it was.
void Connection::put_marks_back() {
  const auto restore = [this](node::ConsumerNumber consumer, QueueId queue, Seq seq) {
    session_->settle(consumer, queue, seq, node::Outcome::restore);
  };
  for (const auto& [packet_id, received] : received_) {
    if (received.state == Received::State::ending) continue;
    for (const MarkPlace& mark : received.marks) restore(mark.consumer, mark.queue, mark.seq);
  }
  flights_.for_each([&](InFlight& flight) {
    if (flight.marked && flight.state == Flight::released) restore(flight.consumer, flight.queue, flight.seq);
  });
}

// --- from the client ---

bool Connection::publish_mark(node::Transaction& together, const Mark& mark, ShardId shard) {
  const auto body = encode_mark(mark);
  const Bytes bytes = body;
  node::Publish publish;
  publish.message = {.native = broker::NativeForm::none,
                     .persistent = true,
                     .priority = 0,
                     .exchange = {},
                     .routing_key = {},
                     .properties = {},
                     .body = {&bytes, 1},
                     .body_bytes = bytes.size()};
  publish.and_queue = mark_queues_[shard.value];
  return together.publish(publish).has_value();
}

// The message, and with it on each shard where it lasts a mark of it.
Result<node::PublishResult> Connection::publish_once(const node::Publish& publish) {
  const std::uint16_t packet_id = publishing_.packet_id;
  Received& received = received_[packet_id];
  auto together = session_->begin_transaction();
  node::OnShards on{std::vector<bool>(client_.shards()), std::vector<bool>(client_.shards())};
  // What was found and does not come again was given up by the client: this is another message.
  const bool another = received.state == Received::State::found && !publishing_.dup;
  for (const MarkPlace& mark : received.marks) {
    if (another && !together->settle(mark.consumer, mark.queue, mark.seq, node::Outcome::accept))
      return too_large();
    if (!another) on.skip[mark.shard.value] = true;
  }
  const Result<node::PublishResult> published = together->publish(publish, &on);
  bool marked = published.has_value();
  std::uint16_t marks = 0;
  for (std::uint16_t shard = 0; shard < client_.shards() && marked; ++shard) {
    if (!on.durable[shard]) continue;
    marked = publish_mark(*together, {MarkKind::received, packet_id}, ShardId{shard});
    ++marks;
  }
  if (!marked) {
    if (received.marks.empty()) received_.erase(packet_id);
    return published ? too_large() : published;
  }
  if (another) received.marks.clear();
  received.marks_to_come = static_cast<std::uint16_t>(received.marks_to_come + marks);
  received.state = Received::State::writing;
  session_->commit(std::move(together), publisher, published_seq_ + 1);
  return published;
}

// PUBREL
void Connection::release(std::uint16_t packet_id) {
  const auto at = received_.find(packet_id);
  if (at == received_.end() || at->second.state == Received::State::writing)
    return send_ack(PacketType::pubcomp, packet_id, ReasonCode::packet_identifier_not_found);
  Received& received = at->second;
  if (received.state == Received::State::ending || received.release_asked) return;
  if (received.marks_to_come > 0) {
    received.release_asked = true;
  } else {
    end_received(packet_id, received);
  }
}

void Connection::end_received(std::uint16_t packet_id, Received& received) {
  if (received.marks.empty()) {
    received_.erase(packet_id);
    return send_ack(PacketType::pubcomp, packet_id);
  }
  auto together = session_->begin_transaction();
  for (const MarkPlace& mark : received.marks) {
    if (!together->settle(mark.consumer, mark.queue, mark.seq, node::Outcome::accept))
      return fail(ReasonCode::implementation_specific_error, "a transaction is too large");
  }
  received.state = Received::State::ending;
  unconfirmed_.push_back({++published_seq_, packet_id, 2, ReasonCode::success, Answer::pubcomp});
  session_->commit(std::move(together), publisher, published_seq_);
}

// --- to the client ---

// PUBREC
void Connection::take_pubrec(const Ack& ack) {
  InFlight* const flight = flights_.find(ack.packet_id);
  if (flight == nullptr || flight->qos != 2)
    return send_ack(PacketType::pubrel, ack.packet_id, ReasonCode::packet_identifier_not_found);
  if (flight->state == Flight::released) return send_ack(PacketType::pubrel, ack.packet_id);
  if (flight->state != Flight::published) return;
  const bool once = lasts_ && flight->consumer == own_ && !is_failure(ack.code);
  if (!once) {
    ++channel_counts_[node::ChannelCount::ack];
    if (is_failure(ack.code)) {
      settle(*flight, node::Outcome::accept);
      return flights_.remove(*flight);
    }
    settle(*flight, node::Outcome::accept);
    flight->state = Flight::released;
    return send_ack(PacketType::pubrel, ack.packet_id);
  }
  if (marks_from_.empty()) {
    std::vector<Step> steps;
    add_marks(steps);
    return run(std::move(steps), [this, packet_id = ack.packet_id] {
      if (phase_ == Phase::running) take_pubrec({.type = PacketType::pubrec, .packet_id = packet_id});
    });
  }
  auto together = session_->begin_transaction();
  const broker::QueueDefinition* const own = client_.topology().find_queue(vhost_, queue_);
  if (own == nullptr ||
      !together->settle(flight->consumer, flight->queue, flight->seq, node::Outcome::accept) ||
      !publish_mark(*together, {MarkKind::released, ack.packet_id}, own->shard))
    return fail(ReasonCode::implementation_specific_error, "the state of a message can't be kept");
  ++channel_counts_[node::ChannelCount::ack];
  flight->state = Flight::recording;
  unconfirmed_.push_back({++published_seq_, ack.packet_id, 2, ReasonCode::success, Answer::pubrel});
  session_->commit(std::move(together), publisher, published_seq_);
}

// PUBCOMP
void Connection::take_pubcomp(const Ack& ack) {
  InFlight* const flight = flights_.find(ack.packet_id);
  if (flight == nullptr || flight->state != Flight::released) return;
  if (!flight->lasts) return flights_.remove(*flight);
  flight->state = Flight::ending;
  if (flight->marked) end_flight(*flight);
}

void Connection::end_flight(InFlight& flight) {
  auto together = session_->begin_transaction();
  if (!together->settle(flight.consumer, flight.queue, flight.seq, node::Outcome::accept)) return;
  unconfirmed_.push_back({++published_seq_, flight.packet_id, 2, ReasonCode::success, Answer::none});
  session_->commit(std::move(together), publisher, published_seq_);
}

}  // namespace weir::mqtt
