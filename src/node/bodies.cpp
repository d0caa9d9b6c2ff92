#include "node/bodies.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/message.h"

namespace weir::node {

using broker::Entry;
using storage::Journal;
using storage::Location;

namespace {

broker::QueueOptions hidden_queue() {
  broker::QueueOptions options;
  options.id = bodies_queue;
  options.name = "bodies of large messages";
  options.journaled = true;
  return options;
}

}  // namespace

class Bodies::Load final : public storage::ReadWaiter {
 public:
  Load(Bodies& bodies, const Asked& asked, Seq seq, std::uint64_t reference)
      : bodies_(bodies), asked_(asked), seq_(seq), reference_(reference) {}
  void on_read(Result<storage::CachedRecord> record) override {
    bodies_.loaded(*this, std::move(record));
  }  // destroys this
  const Asked& asked() const { return asked_; }
  Seq seq() const { return seq_; }
  std::uint64_t reference() const { return reference_; }

 private:
  Bodies& bodies_;
  Asked asked_;
  Seq seq_;
  std::uint64_t reference_;  // where it was when the read began
};

Bodies::Bodies() : queue_(std::make_unique<broker::Queue>(hidden_queue())) {}

Bodies::~Bodies() {
  for (const auto& load : loads_) journal_->cancel_read(*load);
}

// --- in ---

void Bodies::append(Writing& body, std::span<const Bytes> piece, std::size_t bytes, std::uint64_t now_ms) {
  if (body.failed) return;
  WEIR_ASSERT(!body.held && body.bytes + bytes <= limits::message_bytes_max);
  if (!journal_->has_room(bytes)) {
    settle(body.end);
    body = {.failed = true};
    return;
  }
  extras_.clear();
  broker::MessageExtras extras;
  if (body.end != 0) extras.pieces = broker::BodyPieces{Seq{body.end - 1}, body.bytes};
  broker::append_extras(extras_, extras);
  broker::IncomingMessage message;
  message.persistent = true;
  message.extras = extras_;
  message.body = piece;
  message.body_bytes = bytes;
  const Seq seq = queue_->next_seq();
  const Journal::Space space = journal_->append(storage::RecordType::enqueue, 0, bodies_queue, seq, 0,
                                                broker::envelope_bytes(message), Journal::Urgency::wait);
  broker::encode_envelope(message, now_ms, space.bytes.data());
  journal_->finish();
  journal_->retain(space.location, 1);
  queue_->push(seq, Entry(space.location.packed(), false),
               broker::attributes_in(queue_->options(), 0, extras, now_ms, bytes));
  body.end = seq.value + 1;
  body.bytes += static_cast<std::uint32_t>(bytes);
}

void Bodies::close(Writing& body) {
  if (body.held) {
    release(body.end);
  } else {
    settle(body.end);
  }
  body = {};
}

// --- who needs it ---

template <typename F>
bool Bodies::visit(std::uint64_t end, F&& each) {
  while (end != 0) {
    const Seq seq{end - 1};
    if (queue_->find(seq) == nullptr) return false;
    const std::uint64_t before = queue_->pieces_end(seq);
    each(seq);
    // A piece knows only older ones.
    if (before > seq.value) return false;
    end = before;
  }
  return true;
}

void Bodies::settle(std::uint64_t end) {
  std::vector<Seq> pieces;
  visit(end, [&](Seq seq) { pieces.push_back(seq); });
  for (auto at = pieces.rbegin(); at != pieces.rend(); ++at) {
    Entry gone;
    queue_->forget(*at, gone);
    journal_->release(Location::from_packed(gone.reference()));
    broker::add_to_runs(queue_->settled_runs, *at);
  }
}

void Bodies::release(std::uint64_t end) {
  const auto at = bodies_.find(end);
  WEIR_ASSERT(at != bodies_.end() && at->second.holds > 0);
  if (--at->second.holds > 0) return;
  bodies_.erase(at);
  settle(end);
}

void Bodies::replayed(bool whole) {
  std::unordered_set<std::uint64_t> needed;
  for (auto& [end, body] : bodies_) {
    body.broken = !visit(end, [&](Seq seq) { needed.insert(seq.value); });
    if (body.broken)
      log_error("store",
                "pieces of a large body are lost: its message can't be delivered any more (piece {})",
                end - 1);
  }
  // Behind damage they may be what a repair can still use.
  if (!whole) return;
  std::vector<Seq> left_over;
  queue_->for_each([&](Seq seq, const Entry&) {
    if (!needed.contains(seq.value)) left_over.push_back(seq);
  });
  for (const Seq seq : left_over) {
    Entry gone;
    queue_->forget(seq, gone);
    journal_->release(Location::from_packed(gone.reference()));
    broker::add_to_runs(queue_->settled_runs, seq);
  }
}

// --- out ---

Bodies::Body* Bodies::find(std::uint64_t end) {
  const auto at = bodies_.find(end);
  if (at == bodies_.end()) return nullptr;
  Body& body = at->second;
  if (body.pieces.empty() && !body.broken) {
    body.broken = !visit(end, [&](Seq seq) { body.pieces.push_back(seq); });
    std::reverse(body.pieces.begin(), body.pieces.end());
  }
  return &body;
}

bool Bodies::is_broken(std::uint64_t end) {
  const auto at = bodies_.find(end);
  return at == bodies_.end() || at->second.broken;
}

std::uint32_t Bodies::pieces(std::uint64_t end) {
  const Body* const body = find(end);
  return body == nullptr ? 0 : static_cast<std::uint32_t>(body->pieces.size());
}

std::uint64_t Bodies::bytes(std::uint64_t end) {
  const auto at = bodies_.find(end);
  if (at == bodies_.end()) return 0;
  Body& body = at->second;
  if (body.bytes > 0) return body.bytes;
  std::uint64_t bytes = 0;
  const bool whole =
      visit(end, [&](Seq seq) { bytes += Location::from_packed(queue_->find(seq)->reference()).bytes(); });
  body.bytes = whole ? bytes : 0;
  return body.bytes;
}

void Bodies::read(std::uint64_t end, std::uint32_t number, PieceWaiter& waiter) {
  asked_.push_back({end, number, &waiter});
}

void Bodies::cancel(PieceWaiter& waiter) {
  std::erase_if(asked_, [&](const Asked& asked) { return asked.waiter == &waiter; });
  const auto load = std::find_if(loads_.begin(), loads_.end(),
                                 [&](const auto& known) { return known->asked().waiter == &waiter; });
  if (load == loads_.end()) return;
  journal_->cancel_read(**load);
  loads_.erase(load);
}

// A waiter may ask for more, and cancel others.
void Bodies::serve() {
  for (std::size_t left = asked_.size(); left > 0 && !asked_.empty(); --left) {
    const Asked asked = asked_.front();
    asked_.pop_front();
    answer(asked);
  }
}

void Bodies::answer(const Asked& asked) {
  Body* const body = find(asked.end);
  if (body == nullptr || body->broken || asked.number >= body->pieces.size())
    return asked.waiter->on_piece(fail(ErrorCode::corrupt, "pieces of a large body are lost"));
  const Seq seq = body->pieces[asked.number];
  const Entry* const entry = queue_->find(seq);
  WEIR_ASSERT(entry != nullptr);  // the body is held
  const auto location = Location::from_packed(entry->reference());
  const storage::CachedRecord record = journal_->cached(location);
  if (record.at == nullptr) return load(asked, seq, entry->reference());
  const BodyBytes piece = view(record);
  if (record.chunk->capacity() <= 2 * piece.bytes.size()) return asked.waiter->on_piece(piece);
  // Who takes it may be slow: it keeps no more than the piece from being used for others.
  const ChunkRef own = ChunkRef::adopt(Chunk::make(std::max<std::size_t>(piece.bytes.size(), 1)));
  std::memcpy(own->data(), piece.bytes.data(), piece.bytes.size());
  asked.waiter->on_piece(BodyBytes{{own->data(), piece.bytes.size()}, own.get()});
}

BodyBytes Bodies::view(const storage::CachedRecord& record) {
  const std::byte* const envelope =
      record.at + storage::record_header_bytes + load_le<std::uint16_t>(record.at + 10);
  return {broker::view_envelope(envelope).body, record.chunk};
}

void Bodies::load(const Asked& asked, Seq seq, std::uint64_t reference) {
  loads_.push_back(std::make_unique<Load>(*this, asked, seq, reference));
  journal_->read(Location::from_packed(reference), *loads_.back());
}

void Bodies::loaded(Load& load, Result<storage::CachedRecord> record) {
  const auto at =
      std::find_if(loads_.begin(), loads_.end(), [&](const auto& known) { return known.get() == &load; });
  const std::unique_ptr<Load> done = std::move(*at);
  loads_.erase(at);
  if (record) return done->asked().waiter->on_piece(view(*record));
  const Entry* const entry = queue_->find(done->seq());
  if (entry == nullptr)  // nobody holds it any more
    return done->asked().waiter->on_piece(fail(ErrorCode::cancelled, "the body was given up"));
  if (entry->reference() != done->reference()) {  // it was moved meanwhile
    asked_.push_back(done->asked());
    return;
  }
  fail_read(done->asked(), done->seq(), record.error());
}

void Bodies::fail_read(const Asked& asked, Seq seq, const Error& error) {
  log_error("store", "piece {} of a large body is damaged: its message can't be delivered any more: {}",
            seq.value, error.message);
  if (const auto body = bodies_.find(asked.end); body != bodies_.end()) body->second.broken = true;
  asked.waiter->on_piece(std::unexpected(error));
}

}  // namespace weir::node
