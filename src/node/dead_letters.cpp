#include "node/dead_letters.h"

#include <algorithm>

#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"
#include "node/message_shares.h"
#include "node/publish_batch.h"
#include "node/queue_host.h"

namespace weir::node {

using broker::DeathReason;
using broker::LetterOrigin;
using broker::Queue;
using storage::Journal;
using storage::Location;

namespace {

// What one turn sends; the next one goes on.
constexpr unsigned letters_per_turn = 1'024;
// At least once: after this, one that could not be delivered is tried again.
constexpr std::uint64_t retry_ms = 1'000;
constexpr std::size_t run_bytes = 12;
constexpr Seq no_seq{UINT64_MAX};

// The further routing keys that its receivers see (AMQP: the header CC).
std::vector<std::string> seen_keys(broker::HeaderSource& headers) {
  std::vector<std::string> keys;
  const broker::Value* const copies = headers.headers().find("CC");
  const auto* const array = copies == nullptr ? nullptr : std::get_if<broker::Array>(&copies->v);
  if (array == nullptr) return keys;
  for (const broker::Value& item : *array) {
    const std::string* const key = item.as_string();
    if (key != nullptr && key->size() <= limits::name_bytes_max && keys.size() < broker::death_keys_max)
      keys.push_back(*key);
  }
  return keys;
}

broker::IncomingMessage message_of(const broker::StoredMessage& stored) {
  return {.native = stored.native,
          .persistent = stored.persistent,
          .priority = stored.priority,
          .exchange = stored.exchange,
          .routing_key = stored.routing_key,
          .extras = stored.extras,
          .properties = stored.properties,
          .body = {&stored.body, 1},
          .body_bytes = stored.body.size()};
}

}  // namespace

DeadLetters::DeadLetters(Surroundings surroundings)
    : at_(surroundings), copies_(at_.host.bodies(), at_.outbox, at_.self), owed_(surroundings.shards) {}

DeadLetters::~DeadLetters() {
  for (auto& [id, leaving] : leaving_) {
    if (leaving.load != nullptr) journal_->cancel_read(*leaving.load);
  }
}

// --- what leaves ---

void DeadLetters::make_runnable(QueueId id, Leaving& leaving) {
  if (leaving.runnable) return;
  leaving.runnable = true;
  runnable_.push_back(id);
}

void DeadLetters::add(const Queue& queue, Seq seq, bool transient, bool logged) {
  Leaving& leaving = leaving_[queue.id()];
  const bool to_log = queue.options().at_least_once && !transient && !logged;
  if (leaving.unlogged > 0 && !to_log) {  // keeps those that are to be logged at the end
    leaving.waiting.insert(leaving.waiting.end() - static_cast<std::ptrdiff_t>(leaving.unlogged),
                           Item{seq, Lsn{0}});
  } else {
    leaving.waiting.push_back({seq, Lsn{0}});
    leaving.unlogged += to_log ? 1 : 0;
  }
  make_runnable(queue.id(), leaving);
}

void DeadLetters::add_refused(const Queue& queue, const broker::IncomingMessage& message,
                              std::uint64_t now_ms) {
  std::vector<std::byte> envelope(broker::envelope_bytes(message));
  broker::encode_envelope(message, now_ms, envelope.data());
  const auto pieces = broker::view_extras(message.extras).pieces;
  const std::uint64_t pieces_end = pieces ? pieces->last.value + 1 : 0;
  if (pieces) at_.host.bodies().hold(pieces_end);
  refused_.push_back({queue.id(), std::move(envelope), pieces_end});
}

void DeadLetters::forget_queue(QueueId id) {
  const auto at = leaving_.find(id);
  if (at == leaving_.end()) return;
  if (at->second.load != nullptr) journal_->cancel_read(*at->second.load);
  leaving_.erase(at);
}

// That they leave must be known after a restart before anybody else has them.
void DeadLetters::log(QueueId id, Leaving& leaving) {
  const Queue& queue = *at_.host.find(id);
  std::map<std::uint8_t, std::vector<std::pair<Seq, std::uint32_t>>> runs;  // by reason
  for (std::size_t i = leaving.waiting.size() - leaving.unlogged; i < leaving.waiting.size(); ++i) {
    const Seq seq = leaving.waiting[i].seq;
    broker::add_to_runs(runs[queue.attributes(seq).leaving], seq);
  }
  for (auto& [reason, of_reason] : runs) {
    const Journal::Space space =
        journal_->append(storage::RecordType::leave, reason, id, of_reason.front().first, 0,
                         of_reason.size() * run_bytes, Journal::Urgency::wait);
    std::byte* at = space.bytes.data();
    for (const auto& [first, count] : of_reason) {
      store_le(at, first.value);
      store_le(at + 8, count);
      at += run_bytes;
    }
    journal_->finish();
  }
  for (std::size_t i = leaving.waiting.size() - leaving.unlogged; i < leaving.waiting.size(); ++i) {
    leaving.waiting[i].lsn = journal_->end();
  }
  leaving.unlogged = 0;
}

// --- on their way ---

void DeadLetters::work(std::uint64_t now_ms) {
  unsigned budget = letters_per_turn;
  for (; !refused_.empty() && budget > 0; --budget) {
    const Refused refused = std::move(refused_.front());
    refused_.pop_front();
    const Queue* const queue = at_.host.find(refused.queue);
    if (queue != nullptr) {
      const Sent sent = send(queue->options(), DeathReason::maxlen, {refused.envelope.data(), nullptr},
                             now_ms, {refused.queue, no_seq}, nullptr);
      ++(sent == Sent::yes || sent == Sent::later ? stats_.sent : stats_.dropped);
    }
    if (refused.pieces_end != 0) at_.host.bodies().release(refused.pieces_end);
  }
  std::swap(runnable_, running_);
  for (const QueueId id : running_) {
    const auto at = leaving_.find(id);
    if (at == leaving_.end()) continue;
    at->second.runnable = false;
    if (at->second.unlogged > 0) log(id, at->second);
    work_on(id, at->second, now_ms, budget);
    if (at->second.waiting.empty() && !at->second.copying) leaving_.erase(at);
  }
  running_.clear();
}

void DeadLetters::work_on(QueueId id, Leaving& leaving, std::uint64_t now_ms, unsigned& budget) {
  Queue* const queue = at_.host.find(id);
  while (!leaving.waiting.empty()) {
    const Item item = leaving.waiting.front();
    if (item.lsn > journal_->durable() || leaving.load != nullptr || leaving.copying)
      return;  // on_durable(), loaded(), copied()
    if (budget == 0) return make_runnable(id, leaving);
    if (!journal_->has_room()) return try_again(id, no_seq, now_ms);
    --budget;
    const broker::Entry* const entry = queue->find(item.seq);
    const std::uint8_t reason = queue->attributes(item.seq).leaving;
    Letter letter;
    if (entry != nullptr && reason != 0) {
      if (!bring(*queue, leaving, *entry, letter)) return;
      const ChunkRef keep = ChunkRef::share(letter.chunk);
      leaving.waiting.pop_front();
      send_one(*queue, item.seq, static_cast<DeathReason>(reason), letter, now_ms);
    } else {
      leaving.waiting.pop_front();
    }
  }
}

bool DeadLetters::bring(Queue& queue, Leaving& leaving, const broker::Entry& entry, Letter& letter) {
  if (entry.transient()) {
    letter = {TransientStore::envelope(entry.reference()), TransientStore::chunk(entry.reference())};
    return true;
  }
  const auto location = Location::from_packed(entry.reference());
  storage::CachedRecord record = journal_->cached(location);
  if (record.at == nullptr && leaving.record != nullptr && leaving.reference == entry.reference()) {
    record = {leaving.record, leaving.chunk.get()};
  }
  if (record.at == nullptr) {
    leaving.load = std::make_unique<Load>(*this, queue.id(), entry.reference());
    journal_->read(location, *leaving.load);
    return false;
  }
  letter = {record.at + storage::record_header_bytes + load_le<std::uint16_t>(record.at + 10), record.chunk};
  return true;
}

void DeadLetters::loaded(QueueId id, std::uint64_t reference, const Result<storage::CachedRecord>& record) {
  const auto at = leaving_.find(id);
  if (at == leaving_.end()) return;
  Leaving& leaving = at->second;
  leaving.load.reset();
  make_runnable(id, leaving);
  if (record) {
    leaving.reference = reference;
    leaving.record = record->at;
    leaving.chunk = ChunkRef::share(record->chunk);
    return;
  }
  // It stays in its queue, held, for repair.
  log_error("store", "message {} of queue {} is damaged and can't be dead-lettered: {}",
            leaving.waiting.front().seq.value, id.value, record.error().message);
  leaving.waiting.pop_front();
}

void DeadLetters::send_one(Queue& queue, Seq seq, DeathReason reason, const Letter& letter,
                           std::uint64_t now_ms) {
  const LetterOrigin origin{queue.id(), seq};
  const bool at_least_once = queue.options().at_least_once;
  const std::uint64_t pieces = queue.pieces_end(seq);
  if (pieces != 0 && at_.host.bodies().is_broken(pieces)) {
    // It stays in its queue, held, for repair.
    log_error("store", "message {} of queue {} can't be dead-lettered: its large body is damaged", seq.value,
              queue.id().value);
    return;
  }
  const Sent sent = reason == DeathReason::due ? send_due(queue.options(), letter, now_ms, origin)
                                               : send(queue.options(), reason, letter, now_ms, origin,
                                                      at_least_once ? &origin : nullptr);
  switch (sent) {
    case Sent::yes:
      ++stats_.sent;
      if (at_least_once) return;  // complete() settles it
      break;
    case Sent::later: ++stats_.sent; return;  // copied() goes on
    case Sent::nobody:
      if (at_least_once) return try_again(queue.id(), seq, now_ms);
      ++stats_.dropped;
      break;
    case Sent::dropped: ++stats_.dropped; break;
  }
  at_.host.finish_leaving(queue, seq);
}

// To targets_, by all its keys. False: it reaches nobody, or there is no exchange.
bool DeadLetters::route(const broker::QueueOptions& from, std::string_view key,
                        std::span<const std::string> keys, Bytes blind_keys, broker::HeaderSource& headers) {
  targets_.clear();
  const auto add = [&](std::string_view one) {
    return at_.topology.route(from.vhost, from.dead_letter_exchange, one, headers, false, targets_)
        .has_value();
  };
  if (!add(key)) return false;
  if (keys.empty() && blind_keys.empty()) return !targets_.empty();
  for (const std::string& one : keys) {
    if (!add(one)) return false;
  }
  for (const std::string_view one : broker::blind_keys_of(blind_keys)) {
    if (!add(one)) return false;
  }
  const auto by_queue = [](const broker::Target& a, const broker::Target& b) { return a.queue < b.queue; };
  const auto same = [](const broker::Target& a, const broker::Target& b) { return a.queue == b.queue; };
  std::sort(targets_.begin(), targets_.end(), by_queue);
  targets_.erase(std::unique(targets_.begin(), targets_.end(), same), targets_.end());
  return !targets_.empty() && targets_.size() <= limits::fan_out_max;
}

// Publishes it, with what became of it, to the queues that the dead-letter exchange leads to.
DeadLetters::Sent DeadLetters::send(const broker::QueueOptions& from, DeathReason reason,
                                    const Letter& letter, std::uint64_t now_ms, const LetterOrigin& source,
                                    const LetterOrigin* origin) {
  if (!from.dead_letters) return Sent::nobody;  // it had an exchange when the message died
  const broker::StoredMessage stored = broker::view_envelope(letter.envelope);
  const broker::MessageExtras before = broker::view_extras(stored.extras);
  broker::DeathHistory history;
  if (!before.deaths.empty()) {
    if (Result<broker::DeathHistory> known = broker::decode_deaths(before.deaths))
      history = std::move(*known);
  }
  StoredHeaders headers(headers_of_, stored, rng_);
  std::vector<std::string> keys;
  if (!history.rekeyed()) keys = seen_keys(headers);
  history.record({.reason = reason,
                  .first = false,
                  .ttl_ms = before.ttl_ms,
                  .count = 0,
                  .time_ms = now_ms,
                  .queue = from.name,
                  .exchange = std::string(stored.exchange),
                  .routing_key = std::string(stored.routing_key),
                  .more_keys = keys,
                  .rekeyed = from.dead_letter_key.has_value()});
  const std::string_view key =
      from.dead_letter_key ? std::string_view(*from.dead_letter_key) : stored.routing_key;
  const Bytes blind_keys = from.dead_letter_key ? Bytes() : before.blind_keys;
  if (from.dead_letter_key) keys.clear();
  if (!route(from, key, keys, blind_keys, headers)) return Sent::nobody;
  if (reason != DeathReason::rejected) {
    std::erase_if(targets_, [&](const broker::Target& target) {
      const broker::QueueDefinition* const to = at_.topology.find_queue(target.queue);
      return to->role == broker::QueueRole::plain && history.is_cycle(to->name);
    });
    if (targets_.empty()) return Sent::dropped;
  }
  const std::vector<std::byte> deaths = broker::encode_deaths(history);
  broker::MessageExtras extras;
  extras.group = before.group;
  extras.deliver_ms = std::min(before.deliver_ms, now_ms);
  if (origin != nullptr) extras.origin = *origin;
  extras.deaths = deaths;
  extras.pieces = before.pieces;
  extras.blind_keys = blind_keys;
  extras_.clear();
  broker::append_extras(extras_, extras);
  broker::IncomingMessage message = message_of(stored);
  message.exchange = from.dead_letter_exchange;
  message.routing_key = key;
  message.extras = extras_;
  return publish(message, headers, letter, source, origin);
}

// What has waited at a delayed exchange is routed by it now. It is the message that came, but for its origin.
DeadLetters::Sent DeadLetters::send_due(const broker::QueueOptions& from, const Letter& letter,
                                        std::uint64_t now_ms, const LetterOrigin& origin) {
  const broker::StoredMessage stored = broker::view_envelope(letter.envelope);
  StoredHeaders headers(headers_of_, stored, rng_);
  broker::MessageExtras extras = broker::view_extras(stored.extras);
  const Result<broker::DeathHistory> deaths = broker::decode_deaths(extras.deaths);
  std::vector<std::string> keys;
  if (!deaths || !deaths->rekeyed()) keys = seen_keys(headers);
  if (!route(from, stored.routing_key, keys, extras.blind_keys, headers)) return Sent::dropped;
  extras.deliver_ms = std::min(extras.deliver_ms, now_ms);  // that it has waited; nobody lets it wait longer
  extras.origin = origin;
  extras_.clear();
  broker::append_extras(extras_, extras);
  broker::IncomingMessage message = message_of(stored);
  message.extras = extras_;
  return publish(message, headers, letter, origin, &origin);
}

void DeadLetters::send_copy(const broker::BindingDefinition& to, const Letter& letter) {
  const broker::StoredMessage stored = broker::view_envelope(letter.envelope);
  StoredHeaders headers(headers_of_, stored, rng_);
  targets_.clear();
  const bool queue = to.kind == broker::DestinationKind::queue;
  const Status routed = at_.topology.route(
      to.vhost, queue ? std::string_view() : std::string_view(to.destination),
      queue ? std::string_view(to.destination) : stored.routing_key, headers, false, targets_);
  if (!routed || targets_.empty()) return;
  broker::MessageExtras extras = broker::view_extras(stored.extras);
  extras.origin.reset();
  extras_.clear();
  broker::append_extras(extras_, extras);
  broker::IncomingMessage message = message_of(stored);
  message.extras = extras_;
  const ChunkRef keep = ChunkRef::share(letter.chunk);
  publish(message, headers, letter, {QueueId{}, no_seq}, nullptr);
}

// To targets_. One with a large body, of which a queue is on another shard, goes when that shard has the body.
DeadLetters::Sent DeadLetters::publish(const broker::IncomingMessage& message, broker::HeaderSource& headers,
                                       const Letter& letter, const LetterOrigin& source,
                                       const LetterOrigin* origin) {
  std::sort(targets_.begin(), targets_.end(), [](const broker::Target& a, const broker::Target& b) {
    return a.shard != b.shard ? a.shard < b.shard : a.queue < b.queue;
  });
  std::vector<ShardId> others;
  const auto pieces = broker::view_extras(message.extras).pieces;
  for (const broker::Target& target : targets_) {
    if (pieces && target.shard != at_.self && (others.empty() || others.back() != target.shard))
      others.push_back(target.shard);
  }
  if (others.empty()) {
    publish_now(message, headers, letter.chunk, origin, no_body);
    return Sent::yes;
  }
  const Bytes body = broker::view_envelope(letter.envelope).body;
  Copied copy{.from = source,
              .origin = origin != nullptr ? std::optional(*origin) : std::nullopt,
              .envelope = {letter.envelope, body.data() + body.size()},
              .exchange = std::string(message.exchange),
              .key = std::string(message.routing_key),
              .extras = {message.extras.begin(), message.extras.end()},
              .targets = targets_};
  if (source.seq != no_seq) leaving_[source.queue].copying = true;
  copies_.begin(pieces->last.value + 1, std::move(others),
                [this, copy = std::move(copy)](const Status& status, BodyNumber number) {
                  copied(copy, status, number);
                });
  return Sent::later;
}

void DeadLetters::copied(const Copied& letter, const Status& status, BodyNumber body) {
  const bool leaves = letter.from.seq != no_seq;
  if (const auto leaving = leaving_.find(letter.from.queue); leaves && leaving != leaving_.end()) {
    leaving->second.copying = false;
    make_runnable(letter.from.queue, leaving->second);
  }
  if (!status) return;  // it stays in its queue, held, for repair
  Queue* const queue = leaves ? at_.host.find(letter.from.queue) : nullptr;
  targets_ = letter.targets;
  std::erase_if(targets_, [&](const broker::Target& target) {
    return at_.topology.find_queue(target.queue) == nullptr;  // deleted meanwhile
  });
  if (!leaves || (queue != nullptr && queue->attributes(letter.from.seq).leaving != 0)) {
    const broker::StoredMessage stored = broker::view_envelope(letter.envelope.data());
    StoredHeaders headers(headers_of_, stored, rng_);
    broker::IncomingMessage message = message_of(stored);
    message.exchange = letter.exchange;
    message.routing_key = letter.key;
    message.extras = letter.extras;
    if (!targets_.empty())
      publish_now(message, headers, nullptr, letter.origin ? &*letter.origin : nullptr, body);
    if (queue != nullptr && !queue->options().at_least_once) {
      at_.host.finish_leaving(*queue, letter.from.seq);
    } else if (queue != nullptr && targets_.empty()) {
      try_again(letter.from.queue, letter.from.seq, at_.host.wall_ms());
    }
  }
  for (std::size_t i = 0; i < letter.targets.size(); ++i) {
    const ShardId shard = letter.targets[i].shard;
    if (shard != at_.self && (i == 0 || letter.targets[i - 1].shard != shard))
      add_body_end(at_.outbox.batch<PublishBatch>(shard), internal_session(at_.self), body);
  }
}

void DeadLetters::publish_now(const broker::IncomingMessage& message, broker::HeaderSource& headers,
                              Chunk* chunk, const LetterOrigin* origin, BodyNumber body) {
  std::uint64_t number = 0;
  if (origin != nullptr) {
    number = ++last_transfer_;
    Transfer& transfer = transfers_[number];
    transfer.queue = origin->queue;
    transfer.seq = origin->seq;
  }
  send_shares(at_.topology, {message, &headers, at_.host}, targets_,
              [&](const broker::IncomingMessage& share, std::span<const broker::Target> targets) {
                publish_share(share, targets, chunk, number, body);
              });
}

void DeadLetters::publish_share(const broker::IncomingMessage& message,
                                std::span<const broker::Target> targets, Chunk* chunk, std::uint64_t transfer,
                                BodyNumber body) {
  const Origin from{internal_session(at_.self), 0, transfer};
  for (std::size_t begin = 0; begin < targets.size();) {
    const ShardId shard = targets[begin].shard;
    std::size_t end = begin + 1;
    while (end < targets.size() && targets[end].shard == shard) ++end;
    const std::span<const broker::Target> of_shard = targets.subspan(begin, end - begin);
    if (transfer != 0) {
      Transfer& owing = transfers_[transfer];
      ++owing.owed;
      owing.shards.push_back(shard);
      owed_[shard.value].push_back(transfer);
    }
    if (shard == at_.self) {
      at_.host.enqueue(of_shard, message, from);
    } else {
      add_publish(at_.outbox.batch<PublishBatch>(shard), from, message, chunk, of_shard, body);
    }
    begin = end;
  }
}

// --- at least once ---

void DeadLetters::take_ack(ShardId from, const PublishAck& ack) {
  if (ack.publisher != 0) return copies_.take_ack(ack);
  auto& owed = owed_[from.value];
  while (!owed.empty() && owed.front() <= ack.up_to) {
    const auto at = transfers_.find(owed.front());
    owed.pop_front();
    Transfer& transfer = at->second;
    if (ack.rejected == at->first) transfer.failed = true;
    if (--transfer.owed > 0) continue;
    complete(transfer);
    transfers_.erase(at);
  }
}

void DeadLetters::complete(Transfer& transfer) {
  Queue* const queue = at_.host.find(transfer.queue);
  if (queue == nullptr || queue->attributes(transfer.seq).leaving == 0) return;
  if (transfer.failed) return try_again(transfer.queue, transfer.seq, at_.host.wall_ms());
  at_.host.finish_leaving(*queue, transfer.seq);
  settling_.push_back({Lsn{0}, {transfer.queue, transfer.seq}, std::move(transfer.shards)});
}

void DeadLetters::after_log() {
  for (Settled& settled : settling_) {
    settled.lsn = journal_->end();
    settled_.push_back(std::move(settled));
  }
  settling_.clear();
}

// no_seq stands for all that waits in the queue.
void DeadLetters::try_again(QueueId queue, Seq seq, std::uint64_t now_ms) {
  ++stats_.retries;
  retry_.push_back({queue, seq});
  if (!retry_alarm_.armed()) at_.alarms.arm(retry_alarm_, now_ms + retry_ms);
}

void DeadLetters::on_retry_alarm() {
  at_.alarms.cancel(retry_alarm_);
  std::vector<LetterOrigin> again;
  again.swap(retry_);
  for (const LetterOrigin& letter : again) {
    const Queue* const queue = at_.host.find(letter.queue);
    if (queue == nullptr) continue;
    Leaving& leaving = leaving_[letter.queue];
    if (queue->attributes(letter.seq).leaving != 0) {
      leaving.waiting.push_front({letter.seq, Lsn{0}});
    }
    make_runnable(letter.queue, leaving);
  }
}

void DeadLetters::on_durable(Lsn up_to) {
  for (auto& [id, leaving] : leaving_) {
    if (!leaving.waiting.empty() && leaving.unlogged == 0 && leaving.waiting.front().lsn <= up_to &&
        leaving.load == nullptr) {
      make_runnable(id, leaving);
    }
  }
  for (; !settled_.empty() && settled_.front().lsn <= up_to; settled_.pop_front()) {
    for (const ShardId shard : settled_.front().shards) {
      if (shard == at_.self) {
        at_.host.letters_settled({&settled_.front().origin, 1});
      } else {
        at_.outbox.batch<LettersSettled>(shard).origins.push_back(settled_.front().origin);
      }
    }
  }
}

std::vector<LetterOrigin> DeadLetters::settled_of(const std::vector<LetterOrigin>& asked) const {
  std::vector<LetterOrigin> settled;
  for (const LetterOrigin& origin : asked) {
    const Queue* const queue = std::as_const(at_.host).find(origin.queue);
    // What is due is not marked as leaving before it is sent, also not after a restart: only being there counts.
    if (queue == nullptr || !queue->contains(origin.seq)) settled.push_back(origin);
  }
  return settled;
}

}  // namespace weir::node
