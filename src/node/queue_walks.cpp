#include "node/queue_walks.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "broker/message_extras.h"
#include "node/queue_counting.h"
#include "node/queue_host.h"

namespace weir::node {

using broker::Entry;
using broker::EntryState;
using broker::Queue;
using storage::Location;

namespace {

// What one turn spends on all walks together, about, and on one of them at most.
constexpr std::uint64_t turn_ns = 1'000'000;
constexpr unsigned messages_per_turn = 512;
constexpr std::uint64_t bytes_per_turn = 1U << 20;
constexpr std::size_t copies_bytes = 64U << 10;
// The body's length in an envelope (broker/message.h).
constexpr std::size_t envelope_body_bytes_at = 12;

std::unexpected<Error> no_queue() {
  return fail(ErrorCode::not_found, "no such queue: it was deleted meanwhile");
}

MessageState state_of(EntryState state) {
  switch (state) {
    case EntryState::out: return MessageState::unacknowledged;
    case EntryState::held: return MessageState::held;
    case EntryState::gone:
    case EntryState::ready: break;
  }
  return MessageState::ready;
}

// The last `count` of those that are there.
Seq from_the_end(Queue& of, std::uint64_t count, Seq until) {
  broker::QueueIndex& index = of.index();
  for (std::uint64_t step = broker::chunk_entries;; step *= 2) {
    const Seq begin = index.begin();
    const bool all = until.value <= begin.value + step;
    const Seq from = all ? begin : Seq{until.value - step};
    std::uint64_t there = 0;
    for (Seq at = from; index.next_live(at, until, at); ++at.value) ++there;
    if (there < count && !all) continue;
    Seq at = from;
    for (; there > count; --there, ++at.value) index.next_live(at, until, at);
    return at;
  }
}

}  // namespace

QueueWalks::~QueueWalks() {
  for (Walk& walk : walks_) {
    if (walk.load != nullptr) host_.journal_->cancel_read(*walk.load);
  }
}

// --- begin and end ---

void QueueWalks::begin(SessionId by, const WalkRequest& request) {
  Queue* const of = host_.queue(request.queue);
  if (of == nullptr) return host_.reply(by, no_queue());
  if (walks_.size() >= walks_max)
    return host_.reply(by, fail(ErrorCode::overloaded, "too many searches are under way"));
  Walk& walk = walks_.emplace_back();
  walk.by = by;
  walk.options = request.options;
  start(walk, *of);
}

void QueueWalks::start(Walk& walk, Queue& of) {
  walk.so_far = std::make_shared<Walked>();
  walk.began_ms = host_.clock_.monotonic_ms();
  Walked& walked = *walk.so_far;
  walked.from = host_.routes_.self();
  walked.queue = of.id();
  walked.what = walk.options->what;
  walked.messages_there = of.ready() + of.out() + of.held();
  walked.until = std::min(walk.options->until.value_or(of.visible_end()), of.visible_end());
  const WalkFrom& from = walk.options->from;
  switch (from.at) {
    case WalkFrom::At::first: break;
    case WalkFrom::At::last: walked.next = from_the_end(of, from.value, walked.until); break;
    case WalkFrom::At::seq: walked.next = Seq{from.value}; break;
    case WalkFrom::At::next: walked.next = walked.until; break;
    case WalkFrom::At::time:
      walk.seeking = true;
      walk.above = walked.until;
      break;
  }
  walked.next = std::max(walked.next, of.index().begin());
}

void QueueWalks::end(std::list<Walk>::iterator walk) {
  if (walk->load != nullptr) host_.journal_->cancel_read(*walk->load);
  walks_.erase(walk);
}

void QueueWalks::put_back(const Walk& walk) {
  if (walk.so_far->what != WalkOptions::Do::take) return;
  for (const WalkedMessage& taken : walk.so_far->messages)
    host_.settle({walk.by, no_consumer, walk.so_far->queue, taken.seq, 1, Outcome::restore});
}

void QueueWalks::end_session(SessionId session) {
  for (auto at = walks_.begin(); at != walks_.end();) {
    const auto walk = at++;
    if (walk->by != session) continue;
    put_back(*walk);
    end(walk);
  }
}

void QueueWalks::forget_queue(QueueId queue) {
  std::vector<SessionId> waiting;
  for (auto at = walks_.begin(); at != walks_.end();) {
    const auto walk = at++;
    if (walk->so_far->queue != queue) continue;
    waiting.push_back(walk->by);
    end(walk);
  }
  for (const SessionId session : waiting) host_.reply(session, no_queue());
}

// --- the turn ---

bool QueueWalks::has_work() const {
  return std::any_of(walks_.begin(), walks_.end(), [](const Walk& walk) { return walk.load == nullptr; });
}

// An answer to a session of this shard can call back before it returns: they come last.
void QueueWalks::step() {
  if (walks_.empty()) return;
  host_.know_wall();
  const std::uint64_t until_ns = clock_.monotonic_ns() + turn_ns;
  std::vector<Finished> finished;
  for (std::size_t left = walks_.size(); left > 0; --left) {
    const auto walk = walks_.begin();
    walks_.splice(walks_.end(), walks_, walk);
    if (walk->load != nullptr) continue;
    Queue* const of = host_.queue(walk->so_far->queue);
    if (go_on(*walk, *of, until_ns) == Step::finished) {
      finished.push_back({walk->by, std::move(walk->so_far)});
      end(walk);
    }
    if (clock_.monotonic_ns() > until_ns) break;
  }
  for (Finished& done : finished) finish(std::move(done));
}

void QueueWalks::finish(Finished done) {
  Queue* const of = host_.queue(done.walked->queue);
  if (done.walked->what != WalkOptions::Do::remove || of == nullptr || of->settled_runs.empty())
    return host_.reply(done.by, std::move(done.walked));
  // What is told to be gone stays gone.
  host_.log_all_runs(*of, storage::Journal::Urgency::wait);
  host_.late_replies_.push_back({host_.journal_->end(), done.by, std::move(done.walked)});
}

QueueWalks::Step QueueWalks::go_on(Walk& walk, Queue& of, std::uint64_t until_ns) {
  const std::uint64_t bytes_end = walk.so_far->read_bytes + bytes_per_turn;
  for (unsigned left = messages_per_turn; left > 0; --left) {
    const Step step = walk.seeking ? seek(walk, of) : look_at_next(walk, of);
    if (step != Step::go_on) return step;
    if (walk.so_far->read_bytes >= bytes_end || (left % 16 == 0 && clock_.monotonic_ns() > until_ns)) break;
  }
  return Step::go_on;
}

bool QueueWalks::bounded(const Walk& walk) const {
  const WalkOptions& options = *walk.options;
  const Walked& walked = *walk.so_far;
  const auto reached = [](std::uint64_t count, std::uint64_t max) { return max != 0 && count >= max; };
  return reached(walked.found, options.found_max) || reached(walked.looked_at, options.looked_at_max) ||
         reached(walked.read_bytes, options.read_bytes_max) ||
         reached(walk.brought_bytes, options.brought_bytes_max) ||
         reached(host_.clock_.monotonic_ms() - walk.began_ms, options.time_max_ms);
}

QueueWalks::Step QueueWalks::look_at_next(Walk& walk, Queue& of) {
  Walked& walked = *walk.so_far;
  Seq seq;
  walked.done = !of.index().next_live(walked.next, walked.until, seq);
  if (walked.done) {
    walked.next = std::max(walked.next, walked.until);
    return Step::finished;
  }
  if (bounded(walk)) return Step::finished;
  walked.next = seq;
  const Entry entry = *of.find(seq);
  const bool shows = walk.options->what == WalkOptions::Do::show;
  const std::uint64_t pieces = of.pieces_end(seq);
  const bool to_be_had = entry.state() == EntryState::ready && !of.expired({seq, entry}, host_.wall_ms_) &&
                         (pieces == 0 || !host_.bodies_.is_broken(pieces));
  if (shows || to_be_had) {
    const std::byte* const envelope = bring(walk, of, seq, entry);
    if (envelope == nullptr) return Step::wait;
    if (broker::received_ms(envelope) > walk.options->received_max_ms) {
      walked.done = true;
      return Step::finished;
    }
    if (passes(walk, envelope, pieces, entry)) carry_out(walk, of, seq, envelope, pieces);
    walk.chunk = ChunkRef();
    walk.reference = 0;
  }
  ++walked.looked_at;
  walked.next = Seq{seq.value + 1};
  return Step::go_on;
}

// Between `next` and `above` the first is looked for by halves; what comes later was received later.
QueueWalks::Step QueueWalks::seek(Walk& walk, Queue& of) {
  Walked& walked = *walk.so_far;
  Seq from = walked.next, seq;
  if (from < walk.above) {
    from = Seq{from.value + (walk.above.value - from.value) / 2};
    if (!of.index().next_live(from, walk.above, seq)) {
      walk.above = from;
      return Step::go_on;
    }
    const std::byte* const envelope = bring(walk, of, seq, *of.find(seq));
    if (envelope == nullptr) return Step::wait;
    if (broker::received_ms(envelope) >= walk.options->from.value) {
      walk.above = from;
    } else {
      walked.next = Seq{seq.value + 1};
    }
    return Step::go_on;
  }
  walk.seeking = false;
  return Step::go_on;
}

// --- messages ---

const std::byte* QueueWalks::bring(Walk& walk, Queue& of, Seq seq, const Entry& entry) {
  QueueHost::Message message;
  if (host_.bring(of.id(), entry, message)) return message.envelope;
  if (walk.reference == entry.reference())
    return walk.record + storage::record_header_bytes + load_le<std::uint16_t>(walk.record + 10);
  walk.load = std::make_unique<Load>(*this, walk, seq, entry.reference());
  host_.journal_->read(Location::from_packed(entry.reference()), *walk.load);
  return nullptr;
}

void QueueWalks::loaded(Walk& walk, Seq seq, std::uint64_t reference,
                        const Result<storage::CachedRecord>& record) {
  walk.load.reset();
  if (record) {
    walk.reference = reference;
    walk.record = record->at;
    walk.chunk = ChunkRef::share(record->chunk);
    return;
  }
  // Damaged: whoever consumes it sets it aside. Or it was moved meanwhile, and is looked for again.
  const Entry* const entry = host_.queue(walk.so_far->queue)->find(seq);
  if (entry == nullptr || entry->reference() != reference) return;
  ++walk.so_far->unreadable;
  if (std::exchange(walk.seeking, false)) return;  // the walk begins too early rather than too late
  walk.so_far->next = Seq{seq.value + 1};
}

bool QueueWalks::passes(Walk& walk, const std::byte* envelope, std::uint64_t pieces, const Entry& entry) {
  const broker::StoredMessage message = broker::view_envelope(envelope);
  walk.so_far->read_bytes += broker::envelope_header_bytes + message.properties.size() + message.body.size();
  if (walk.options->test == nullptr) return true;
  StoredHeaders headers(headers_of_, message, rng_);
  const auto verdict = walk.options->test->test(message, pieces == 0, entry.redelivered(), headers);
  walk.so_far->bodies_unread += verdict == MessageTest::Verdict::unread ? 1 : 0;
  return verdict == MessageTest::Verdict::yes;
}

void QueueWalks::carry_out(Walk& walk, Queue& of, Seq seq, const std::byte* envelope, std::uint64_t pieces) {
  const WalkOptions& options = *walk.options;
  ++walk.so_far->found;
  if (options.what == WalkOptions::Do::remove) {
    ++host_.stats_.settled;
    Entry gone;
    host_.note_step(of.id(), seq, "removed");
    of.forget(seq, gone);
    host_.note_settled(of, seq, gone, pieces);
    return host_.mark_dirty(of);
  }
  if (options.count_only) return;
  const Entry entry = *of.find(seq);
  WalkedMessage& shown = walk.so_far->messages.emplace_back();
  shown.seq = seq;
  shown.state = state_of(entry.state());
  shown.redelivered = entry.redelivered();
  shown.returns = of.options().counts_returns ? of.attributes(seq).returns : std::uint16_t{0};
  const bool takes = options.what == WalkOptions::Do::take;
  copy(walk, shown, envelope, takes ? UINT64_MAX : options.body_bytes_max);
  if (pieces != 0) {
    shown.body_bytes = broker::view_extras(shown.message().extras).pieces->bytes;
    if (host_.bodies_.is_broken(pieces)) return;
    host_.hold_body(host_.link(walk.by), pieces);
    shown.body = UINT64_MAX;  // the session gives it a number
  }
  if (!takes) return;
  of.take(seq);
  host_.note_step(of.id(), seq, "taken to be moved");
  ++host_.stats_.delivered;
  host_.count_delivered(of, {seq, entry}, walk.by, broker::QueueCount::get);
}

// What is kept for who asked must not keep the windows of the disk's cache.
void QueueWalks::copy(Walk& walk, WalkedMessage& to, const std::byte* envelope,
                      std::uint64_t body_bytes_max) {
  const broker::StoredMessage message = broker::view_envelope(envelope);
  const auto head_bytes = static_cast<std::size_t>(message.body.data() - envelope);
  const std::size_t body_bytes = std::min<std::uint64_t>(message.body.size(), body_bytes_max);
  const std::size_t bytes = head_bytes + body_bytes;
  if (!walk.copies || walk.copied_bytes + bytes > walk.copies->capacity()) {
    walk.copies = ChunkRef::adopt(Chunk::make(std::max(bytes, copies_bytes)));
    walk.copied_bytes = 0;
  }
  std::byte* const at = walk.copies->data() + walk.copied_bytes;
  std::memcpy(at, envelope, bytes);
  store_le(at + envelope_body_bytes_at, static_cast<std::uint32_t>(body_bytes));
  walk.copied_bytes += bytes;
  walk.brought_bytes += bytes;
  to.envelope = at;
  to.chunk = walk.copies;
  to.body_bytes = message.body.size();
}

}  // namespace weir::node
