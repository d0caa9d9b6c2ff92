#include "sim/sim_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"

namespace weir::sim {

using node::Outcome;

namespace {

constexpr node::PublisherNumber publishers_max = 3;
constexpr std::size_t held_soon_settled = 40;

}  // namespace

SimClient::SimClient(World& world, std::uint16_t shard, std::uint32_t number)
    : world_(world), shard_(shard), number_(number), eager_(world.rng.chance(1, 4)) {
  node::SessionInfo info;
  info.user = "guest";
  info.vhost = "/";
  auto opened = world_.node->shard(shard).open_session(std::move(info), *this);
  WEIR_ASSERT(opened.has_value());
  session_ = std::move(*opened);
}

SimClient::~SimClient() = default;

const broker::QueueDefinition* SimClient::definition(const std::string& queue) const {
  return world_.node->shard(shard_).topology().find_queue("/", queue);
}

void SimClient::act() {
  if (session_ == nullptr || draining_) return;
  if (!sending_.empty() && world_.rng.chance(1, 2)) return send_some();
  const std::uint64_t dice = world_.rng.below(100);
  if (dice < 45) {
    publish_some();
  } else if (dice < 70) {
    settle_some();
  } else if (dice < 94) {
    ask();
  } else if (dice < 97) {
    change_consumer();
  } else if (dice < 98) {
    close_publisher();
  } else {
    congested_ = !congested_;
    session_->set_congested(congested_);
  }
}

// --- publishing ---

void SimClient::publish_some() {
  if (session_ == nullptr) return;
  const auto number = static_cast<node::PublisherNumber>(world_.rng.below(publishers_max));
  if (sending_.contains(number)) return;
  const std::uint64_t most = world_.rng.chance(1, 40) ? 400 : 12;
  std::unique_ptr<node::Transaction> transaction;
  if (publisher(number).confirms && world_.rng.chance(1, 6)) transaction = session_->begin_transaction();
  for (std::uint64_t count = 1 + world_.rng.below(most); count > 0; --count)
    publish_one(number, transaction.get());
  if (transaction == nullptr) return;
  const std::uint64_t seq = ++publisher(number).last_seq;
  world_.note("client {} publisher {} commits {}", number_, number, seq);
  session_->commit(std::move(transaction), number, seq);
}

SimClient::Publisher& SimClient::publisher(node::PublisherNumber number) {
  Publisher& publisher = publishers_[number];
  if (publisher.identity == 0) {
    publisher.identity = world_.next_publisher++;
    publisher.confirms = number > 0 || world_.rng.chance(1, 2);
  }
  return publisher;
}

void SimClient::publish_one(node::PublisherNumber number, node::Transaction* within) {
  if (sending_.contains(number)) return;
  Publisher& publisher = this->publisher(number);
  Attempt attempt;
  attempt.publisher = publisher.identity;
  attempt.persistent = world_.rng.chance(3, 4);
  attempt.wants_confirm = publisher.confirms;
  const bool to_queue = world_.rng.chance(1, 3);
  attempt.exchange = to_queue ? "" : any_exchange();
  attempt.routing_key = to_queue ? any_queue() : fmt::format("k.{}", world_.rng.below(3));
  class NoHeaders final : public broker::HeaderSource {
    const broker::Table& headers() override { return table_; }
    broker::Table table_;
  } headers;
  std::vector<broker::Target> targets;
  const broker::Topology& topology = world_.node->shard(shard_).topology();
  const Status routed = topology.route("/", attempt.exchange, attempt.routing_key, headers, true, targets);

  node::ReadBuffer& buffer = world_.node->shard(shard_).read_buffer();
  const std::uint64_t size_dice = world_.rng.below(40);
  std::size_t bytes = body_bytes_min + world_.rng.below(size_dice < 30 ? 200 : 3000);
  if (size_dice < 4 && world_.big_bodies) bytes = 10'000 + world_.rng.below(80'000);
  const AttemptId id = world_.model.publish(attempt);
  const std::vector<std::byte> body = body_of(id, bytes);
  const MutableBytes room = buffer.reserve(body.size());
  std::copy(body.begin(), body.end(), room.begin());
  buffer.commit(body.size());
  const std::size_t cut = world_.rng.below(body.size() + 1);
  const Bytes pieces[2] = {room.first(cut), room.subspan(cut, body.size() - cut)};

  node::Publish publish;
  publish.publisher = number;
  publish.seq = publisher.confirms && within == nullptr ? publisher.last_seq + 1 : 0;
  publish.message.persistent = attempt.persistent;
  publish.message.exchange = attempt.exchange;
  publish.message.routing_key = attempt.routing_key;
  std::byte name[sizeof(AttemptId)];
  store_le(name, id);
  publish.message.properties = name;
  publish.message.body = pieces;
  publish.message.body_bytes = body.size();
  publish.chunk = world_.rng.chance(1, 2) ? buffer.chunk() : nullptr;
  publish.headers = &headers;
  judge_route(attempt, routed.has_value(), targets);
  for (const broker::Target& target : targets) world_.model.route(id, *topology.find_queue(target.queue));
  if (within == nullptr && routed && !targets.empty() && world_.rng.chance(1, 2) &&
      begin_sending(number, attempt, id, body, headers))
    return;
  const Result<node::PublishResult> result =
      within != nullptr ? within->publish(publish) : session_->publish(publish);
  if (result.has_value() != routed.has_value())
    world_.model.violate("publish and route differ in whether there is an error");
  if (!result) return;
  if (publisher.confirms) {
    publisher.open.emplace_back(publisher.last_seq + 1, id);
    if (within == nullptr) ++publisher.last_seq;
    ++unconfirmed_;
  }
  const bool routable = *result == node::PublishResult::routed;
  if (routable == targets.empty()) world_.model.violate(fmt::format("attempt {} was routed another way", id));
  world_.note("client {} publishes {} ({} bytes{}) to '{}' '{}': {} queues", number_, id, body.size(),
              attempt.persistent ? ", persistent" : "", attempt.exchange, attempt.routing_key,
              targets.size());
}

// Whoever publishes after a definition was answered, to anyone and anywhere, finds it.
void SimClient::judge_route(const Attempt& attempt, bool exchange_found,
                            const std::vector<broker::Target>& targets) {
  const auto settled = [&](const std::string& name) {
    return !world_.busy_names.contains(name) && !world_.stale_names.contains(name) &&
           !world_.contested_names.contains(name);
  };
  const std::string& exchange = attempt.exchange;
  const std::string& queue = attempt.routing_key;
  if (exchange.empty()) {
    const Is known = world_.known.queue(queue);
    if (!settled("q/" + queue) || known == Is::unsure) return;
    if ((known == Is::present) == targets.empty())
      world_.model.violate("(e) queue " + queue + " is not what its client was told");
  } else if (!exchange.starts_with("amq.") && settled("x/" + exchange) &&
             world_.known.exchange(exchange) != Is::unsure) {
    const bool present = world_.known.exchange(exchange) == Is::present;
    if (present != exchange_found)
      world_.model.violate("(e) exchange " + exchange + " is not what its client was told");
  }
}

void SimClient::close_publisher() {
  if (publishers_.empty()) return;
  const auto at =
      std::next(publishers_.begin(), static_cast<std::ptrdiff_t>(world_.rng.below(publishers_.size())));
  if (sending_.contains(at->first)) give_up_sending(at->first);
  session_->close_publisher(at->first);
  unconfirmed_ -= at->second.open.size();
  publishers_.erase(at);
}

void SimClient::on_confirmed(node::PublisherNumber number, std::uint64_t up_to) {
  if (world_.down) return;
  const auto at = publishers_.find(number);
  if (at == publishers_.end()) return world_.model.violate("a confirm for a publisher that is closed");
  Publisher& publisher = at->second;
  if (up_to > publisher.last_seq || up_to <= publisher.confirmed) {
    return world_.model.violate(
        fmt::format("confirmed up to {} after {}, of {}", up_to, publisher.confirmed, publisher.last_seq));
  }
  publisher.confirmed = up_to;
  world_.note("client {} publisher {}: confirmed up to {}", number_, number, up_to);
  while (!publisher.open.empty() && publisher.open.front().first <= up_to) {
    world_.model.confirm(publisher.open.front().second);
    publisher.open.pop_front();
    --unconfirmed_;
    ++world_.confirmed;
  }
}

void SimClient::on_rejected(node::PublisherNumber number, std::uint64_t first, std::uint64_t last) {
  if (world_.down) return;
  const auto at = publishers_.find(number);
  if (at == publishers_.end()) return world_.model.violate("a rejection for a publisher that is closed");
  world_.note("client {} publisher {}: rejected {} to {}", number_, number, first, last);
  if (first <= at->second.confirmed || last < first || last > at->second.last_seq) {
    world_.model.violate(
        fmt::format("rejected {} to {} when {} were confirmed", first, last, at->second.confirmed));
  }
  for (const auto& [seq, attempt] : at->second.open) {
    if (seq < first || seq > last) continue;
    world_.model.reject(attempt);
    ++world_.rejected;
  }
}

// --- large bodies ---

bool SimClient::begin_sending(node::PublisherNumber number, const Attempt& attempt, AttemptId id,
                              const std::vector<std::byte>& body, broker::HeaderSource& headers) {
  if (!attempt.persistent || body.size() < world_.body_sizes.large_bytes) return false;
  node::Publish publish;
  publish.publisher = number;
  publish.message.persistent = true;
  publish.message.exchange = attempt.exchange;
  publish.message.routing_key = attempt.routing_key;
  publish.message.body_bytes = body.size();
  publish.headers = &headers;
  const Result<node::BodyBegun> begun = session_->begin_body(publish);
  if (!begun || begun->body == node::no_body) {
    world_.model.violate(fmt::format("attempt {} was routed another way", id));
    return true;
  }
  world_.note("client {} begins {} ({} bytes)", number_, id, body.size());
  sending_[number] = {begun->body, id, attempt, body, 0};
  return true;
}

// A few pieces of any length; behind the last one the message.
void SimClient::send_some() {
  const auto at = std::next(sending_.begin(), static_cast<std::ptrdiff_t>(world_.rng.below(sending_.size())));
  const node::PublisherNumber number = at->first;
  if (world_.rng.chance(1, 30)) return give_up_sending(number);
  Sending& sending = at->second;
  const bool full_pieces = world_.rng.chance(2, 3);
  for (std::uint64_t count = 1 + world_.rng.below(8); count > 0 && sending.sent < sending.bytes.size();
       --count) {
    const std::size_t most = std::min(sending.bytes.size() - sending.sent, world_.body_sizes.piece_bytes);
    const std::size_t bytes = full_pieces ? most : 1 + world_.rng.below(most);
    session_->append_body(sending.body, Bytes(sending.bytes).subspan(sending.sent, bytes), nullptr);
    sending.sent += bytes;
  }
  if (sending.sent < sending.bytes.size()) return;
  Publisher& publisher = publishers_.at(number);
  std::byte name[sizeof(AttemptId)];
  store_le(name, sending.attempt);
  node::Publish publish;
  publish.publisher = number;
  publish.seq = publisher.confirms ? ++publisher.last_seq : 0;
  publish.message.persistent = true;
  publish.message.exchange = sending.what.exchange;
  publish.message.routing_key = sending.what.routing_key;
  publish.message.properties = name;
  world_.note("client {} publishes {} ({} bytes) in pieces", number_, sending.attempt, sending.bytes.size());
  if (publisher.confirms) {
    publisher.open.emplace_back(publisher.last_seq, sending.attempt);
    ++unconfirmed_;
  }
  session_->finish_body(sending.body, publish);
  sending_.erase(number);
}

void SimClient::give_up_sending(node::PublisherNumber number) {
  const Sending& sending = sending_.at(number);
  world_.note("client {} gives {} up", number_, sending.attempt);
  session_->abort_body(sending.body);
  world_.model.reject(sending.attempt);
  sending_.erase(number);
}

node::Delivery SimClient::whole(const node::Delivery& delivery, std::vector<std::byte>& body) {
  if (delivery.body == node::no_body) return delivery;
  const Bytes name = delivery.message.properties;
  if (name.size() != sizeof(AttemptId)) {
    world_.model.violate("(c) a large message without its name");
    return delivery;
  }
  body = body_of(load_le<AttemptId>(name.data()), delivery.body_bytes);
  node::Delivery as_whole = delivery;
  as_whole.message.body = body;
  reading_[delivery.body] = {body, 0, 0};
  read_some(delivery.body);
  return as_whole;
}

void SimClient::read_some(node::BodyNumber body) {
  Reading& reading = reading_.at(body);
  const std::size_t left = reading.expected.size() - reading.at;
  while (reading.asked == 0 || (reading.asked < 3 && reading.asked * world_.body_sizes.piece_bytes < left)) {
    ++reading.asked;
    session_->read_body(body);
  }
}

void SimClient::on_body_piece(node::BodyNumber body, Result<node::BodyPiece> piece) {
  if (world_.down) return;
  const auto at = reading_.find(body);
  if (at == reading_.end()) return world_.model.violate("a piece of a body that nobody reads");
  Reading& reading = at->second;
  --reading.asked;
  if (!piece) return world_.model.violate("(a) a body can't be read: " + piece.error().message);
  const Bytes left = Bytes(reading.expected).subspan(reading.at);
  if (piece->bytes.size() > left.size() ||
      !std::equal(piece->bytes.begin(), piece->bytes.end(), left.begin()))
    return world_.model.violate("(c) a piece is not of this body");
  reading.at += piece->bytes.size();
  const bool enough = reading.at == reading.expected.size() || world_.rng.chance(1, 50);
  if (!enough) return read_some(body);
  reading_.erase(at);
  session_->close_body(body);
}

// --- deliveries ---

void SimClient::on_delivery(const node::Delivery& delivery) {
  if (world_.down) return;
  const auto at = consumers_.find(delivery.consumer);
  if (at == consumers_.end()) return world_.model.violate("a delivery for a consumer that has gone");
  Consuming& consumer = at->second;
  world_.note("client {} consumer {}: queue {} seq {}{}", number_, delivery.consumer, delivery.queue.value,
              delivery.seq.value, delivery.redelivered ? " again" : "");
  std::vector<std::byte> body;
  world_.model.deliver(whole(delivery, body), consumer.no_ack);
  if (!delivery.redelivered) {
    if (consumer.any && delivery.seq <= consumer.newest) {
      world_.model.violate(
          fmt::format("(a) seq {} after {} at one consumer", delivery.seq.value, consumer.newest.value));
    }
    consumer.newest = delivery.seq;
    consumer.any = true;
  }
  if (consumer.no_ack) return;
  ++consumer.held;
  if (consumer.prefetch > 0 && consumer.held > consumer.prefetch) {
    world_.model.violate(fmt::format("{} held with a prefetch of {}", consumer.held, consumer.prefetch));
  }
  held_.push_back({delivery.consumer, delivery.queue, delivery.seq});
  if (draining_ || (eager_ && world_.rng.chance(1, 3))) settle(held_.size() - 1, Outcome::accept);
}

void SimClient::settle(std::size_t at, Outcome outcome) {
  const Held held = held_[at];
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
  if (const auto consumer = consumers_.find(held.consumer); consumer != consumers_.end())
    --consumer->second.held;
  world_.note("client {} settles queue {} seq {}: {}", number_, held.queue.value, held.seq.value,
              static_cast<unsigned>(outcome));
  world_.model.settle(held.queue, held.seq, outcome);
  session_->settle(held.consumer, held.queue, held.seq, outcome);
}

void SimClient::settle_some() {
  std::uint64_t count = 1 + world_.rng.below(held_.size() > held_soon_settled ? held_.size() : 10);
  const std::uint64_t dice = world_.rng.below(10);
  const Outcome outcome = dice < 7 ? Outcome::accept : dice < 9 ? Outcome::requeue : Outcome::discard;
  const bool oldest_first = world_.rng.chance(3, 4);
  for (; count > 0 && !held_.empty(); --count) {
    settle(oldest_first ? 0 : world_.rng.below(held_.size()), outcome);
  }
}

// What was on its way goes back, or is lost where nobody has to ack it.
void SimClient::drop(node::ConsumerNumber consumer) {
  const auto at = consumers_.find(consumer);
  if (at->second.no_ack) world_.model.lose_taker(at->second.queue_id);
  consumers_.erase(at);
  session_->drop_consumer(consumer);
}

void SimClient::change_consumer() {
  if (consumers_.empty()) return;
  const auto at =
      std::next(consumers_.begin(), static_cast<std::ptrdiff_t>(world_.rng.below(consumers_.size())));
  if (pending_.consumer == at->first) return;
  if (world_.rng.chance(1, 2)) return drop(at->first);
  at->second.prefetch = 0;
  session_->set_prefetch(at->first, static_cast<std::uint32_t>(world_.rng.below(20)));
}

void SimClient::on_consumer_cancelled(node::ConsumerNumber consumer, node::CancelReason) {
  if (world_.down) return;
  world_.note("client {} consumer {}: cancelled by the broker", number_, consumer);
  consumers_.erase(consumer);
}

// --- the end ---

void SimClient::calm() {
  if (session_ == nullptr) return;
  draining_ = true;
  if (congested_) session_->set_congested(false);
  congested_ = false;
  while (!sending_.empty()) give_up_sending(sending_.begin()->first);
  while (!held_.empty()) settle(0, Outcome::accept);
}

void SimClient::drain(const std::string& queue) {
  draining_ = true;
  ask_consume(queue, false, 0);
}

void SimClient::finish() {
  if (session_ == nullptr) return;
  world_.note("client {} ends", number_);
  while (!sending_.empty()) give_up_sending(sending_.begin()->first);
  while (!held_.empty()) settle(0, Outcome::requeue);
  reading_.clear();
  doubt();
  unconfirmed_ = 0;
  pending_ = {};
  session_.reset();
}

// What it will not hear of any more.
void SimClient::doubt() {
  for (const auto& [number, consumer] : consumers_) {
    if (consumer.no_ack) world_.model.lose_taker(consumer.queue_id);
  }
  if (pending_.kind == Kind::purge || pending_.no_ack) world_.model.lose_taker(pending_.queue_id);
  if (!pending_.locked.empty()) {
    if (!pending_.exchange.empty()) world_.known.set_exchange(pending_.exchange, Is::unsure);
    if (!pending_.queue.empty()) world_.known.set_queue(pending_.queue, Is::unsure);
    if (pending_.kind == Kind::bind)
      world_.known.set_binding({pending_.exchange, pending_.queue, pending_.key}, Is::unsure);
    world_.stale_names.insert(pending_.locked.begin(), pending_.locked.end());
  }
  for (const std::string& queue : exclusive_queues_) world_.known.set_queue(queue, Is::unsure);
  release_names(pending_);
}

std::string SimClient::describe_waiting() const {
  return fmt::format("client {} waits for '{}' ('{}' '{}') and {} confirms", number_, text_of(pending_.kind),
                     pending_.queue, pending_.exchange, unconfirmed_);
}

}  // namespace weir::sim
