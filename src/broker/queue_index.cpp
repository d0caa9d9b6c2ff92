#include "broker/queue_index.h"

#include <algorithm>

#include "base/assert.h"

namespace weir::broker {

const QueueIndex::Chunk* QueueIndex::chunk_of(Seq seq) const {
  const std::uint64_t wanted = number(seq);
  if (wanted < first_) return nullptr;
  const std::uint64_t at = front_ + (wanted - first_);
  return at < chunks_.size() ? chunks_[at].get() : nullptr;
}

void QueueIndex::append(Seq seq, Entry entry) {
  WEIR_ASSERT(seq >= end_);
  const std::uint64_t wanted = number(seq);
  if (live_ == 0) {
    const bool chunk_is_there = front_ < chunks_.size() && first_ == wanted;
    if (!chunk_is_there) {
      chunks_.clear();
      front_ = 0;
      first_ = wanted;
    }
    begin_ = seq;
  }
  const std::uint64_t at = front_ + (wanted - first_);
  if (at >= chunks_.size()) {
    if (front_ > 64 && front_ > chunks_.size() / 2) {
      chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(front_));
      front_ = 0;
    }
    chunks_.resize(front_ + (wanted - first_) + 1);
  }
  std::unique_ptr<Chunk>& chunk = chunks_[front_ + (wanted - first_)];
  if (chunk == nullptr) chunk = std::make_unique<Chunk>();
  chunk->entries[seq.value % chunk_entries] = entry;
  ++chunk->live;
  ++live_;
  end_ = Seq{seq.value + 1};
}

IndexColumns& QueueIndex::make_columns(Seq seq) {
  Chunk* const chunk = chunk_of(seq);
  WEIR_ASSERT(chunk != nullptr);
  if (chunk->columns == nullptr) chunk->columns = std::make_unique<IndexColumns>();
  return *chunk->columns;
}

void QueueIndex::skip_to(Seq seq) {
  WEIR_ASSERT(seq >= end_);
  end_ = seq;
  if (live_ == 0) begin_ = seq;
}

Entry* QueueIndex::find(Seq seq) {
  if (seq >= end_) return nullptr;
  Chunk* chunk = chunk_of(seq);
  if (chunk == nullptr) return nullptr;
  Entry& entry = chunk->entries[seq.value % chunk_entries];
  return entry.state() == EntryState::gone ? nullptr : &entry;
}

bool QueueIndex::next_live(Seq from, Seq until, Seq& found) {
  std::uint64_t at = std::max(from.value, begin_.value);
  const std::uint64_t stop = std::min(until.value, end_.value);
  while (at < stop) {
    Chunk* chunk = chunk_of(Seq{at});
    if (chunk == nullptr) {
      at = (at / chunk_entries + 1) * chunk_entries;
      continue;
    }
    if (chunk->entries[at % chunk_entries].state() != EntryState::gone) {
      found = Seq{at};
      return true;
    }
    ++at;
  }
  return false;
}

QueueIndex::Told QueueIndex::told(Seq seq) {
  const Chunk* chunk = seq.value % chunk_entries == 0 ? chunk_of(seq) : nullptr;
  return chunk != nullptr && chunk->live == chunk_entries ? chunk->told : Told{};
}

void QueueIndex::tell(Seq seq, Told told) {
  if (Chunk* const chunk = chunk_of(seq)) chunk->told = told;
}

void QueueIndex::changed(Seq seq) { tell(seq, {}); }

void QueueIndex::erase(Seq seq) {
  Chunk* chunk = chunk_of(seq);
  WEIR_ASSERT(chunk != nullptr);
  Entry& entry = chunk->entries[seq.value % chunk_entries];
  WEIR_ASSERT(entry.state() != EntryState::gone);
  entry = Entry();
  --live_;
  if (--chunk->live > 0) return;
  // The chunk that is still being filled stays, so that a short queue does not free and make it all the time.
  if (number(seq) == number(end_) && live_ == 0) {
    begin_ = end_;
    return;
  }
  chunks_[front_ + (number(seq) - first_)].reset();
  drop_front();
}

void QueueIndex::drop_front() {
  if (live_ == 0) {
    chunks_.clear();
    front_ = 0;
    first_ = number(end_);
    begin_ = end_;
    return;
  }
  while (front_ < chunks_.size() && (chunks_[front_] == nullptr || chunks_[front_]->live == 0)) {
    chunks_[front_].reset();
    ++front_;
    ++first_;
  }
  begin_ = std::max(begin_, Seq{first_ * chunk_entries});
}

}  // namespace weir::broker
