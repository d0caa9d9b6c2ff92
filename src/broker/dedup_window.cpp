#include "broker/dedup_window.h"

#include <algorithm>

#include "base/cursor.h"

namespace weir::broker {

namespace {

constexpr std::size_t table_places_min = 64;
constexpr std::size_t block_header_bytes = 16;
constexpr std::size_t encoded_id_bytes = 24;

}  // namespace

const DedupWindow::Slot& DedupWindow::slot_at(std::uint32_t place) const {
  const std::uint32_t number = ((place >> slot_bits) - front_) & number_mask;
  return blocks_[number].slots[place & block_slots];
}

// --- the table ---

// Null: it is not there.
std::uint32_t* DedupWindow::find(const DedupId& id) {
  if (table_.empty()) return nullptr;
  const std::size_t mask = table_.size() - 1;
  for (std::size_t at = id.low & mask; table_[at] != nowhere; at = (at + 1) & mask) {
    if (slot_at(table_[at]).id == id) return &table_[at];
  }
  return nullptr;
}

void DedupWindow::insert(const DedupId& id, std::uint32_t place) {
  const std::size_t mask = table_.size() - 1;
  std::size_t at = id.low & mask;
  while (table_[at] != nowhere) at = (at + 1) & mask;
  table_[at] = place;
}

// Those that stand behind it because it was in their way move up.
void DedupWindow::erase(std::uint32_t* entry) {
  const std::size_t mask = table_.size() - 1;
  auto hole = static_cast<std::size_t>(entry - table_.data());
  for (std::size_t at = (hole + 1) & mask; table_[at] != nowhere; at = (at + 1) & mask) {
    const std::size_t home = slot_at(table_[at]).id.low & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    table_[hole] = table_[at];
    hole = at;
  }
  table_[hole] = nowhere;
  --used_;
}

void DedupWindow::grow() {
  const std::vector<std::uint32_t> before = std::move(table_);
  table_.assign(std::max(table_places_min, before.size() * 2), nowhere);
  for (const std::uint32_t place : before) {
    if (place != nowhere) insert(slot_at(place).id, place);
  }
}

// --- ids ---

DedupWindow::Block& DedupWindow::block_for(const Seen& seen) {
  if (!blocks_.empty()) {
    Block& last = blocks_.back();
    const bool fits = last.slots.size() < block_slots && seen.seq >= last.seq && seen.at_ms >= last.ms &&
                      seen.seq.value - last.seq.value <= UINT32_MAX && seen.at_ms - last.ms <= UINT32_MAX;
    if (fits) return last;
  }
  Block& made = blocks_.emplace_back();
  made.seq = seen.seq;
  made.ms = seen.at_ms;
  return made;
}

void DedupWindow::add(const Seen& seen) {
  if ((used_ + 1) * 4 > table_.size() * 3) grow();
  if (std::uint32_t* const older = find(seen.id)) erase(older);
  Block& block = block_for(seen);
  const auto number = (front_ + static_cast<std::uint32_t>(blocks_.size() - 1)) & number_mask;
  const auto place = number << slot_bits | static_cast<std::uint32_t>(block.slots.size());
  block.slots.push_back({seen.id, static_cast<std::uint32_t>(seen.seq.value - block.seq.value),
                         static_cast<std::uint32_t>(seen.at_ms - block.ms)});
  block.lsn = std::min(block.lsn, seen.lsn);
  insert(seen.id, place);
  ++used_;
  ++size_;
  while (size_ > ids_max_) drop_oldest();
}

void DedupWindow::resize(std::uint64_t window_ms, std::uint64_t ids_max) {
  window_ms_ = window_ms;
  ids_max_ = ids_max;
  while (size_ > ids_max_) drop_oldest();
}

void DedupWindow::drop_oldest() {
  Block& block = blocks_.front();
  std::uint32_t* const entry = find(block.slots[dropped_].id);
  const std::uint32_t place = (front_ & number_mask) << slot_bits | static_cast<std::uint32_t>(dropped_);
  if (entry != nullptr && *entry == place) erase(entry);  // else it was seen again, later
  --size_;
  if (++dropped_ < block.slots.size()) return;
  blocks_.pop_front();
  front_ = (front_ + 1) & number_mask;
  dropped_ = 0;
}

void DedupWindow::forget_old(std::uint64_t now_ms) {
  if (window_ms_ == 0) return;
  while (size_ > 0 && blocks_.front().ms + blocks_.front().slots[dropped_].ms + window_ms_ <= now_ms)
    drop_oldest();
}

bool DedupWindow::contains(const DedupId& id, std::uint64_t now_ms) {
  forget_old(now_ms);
  const std::uint32_t* const entry = find(id);
  if (entry == nullptr) return false;
  if (window_ms_ == 0) return true;
  const std::uint32_t number = ((*entry >> slot_bits) - front_) & number_mask;
  return blocks_[number].ms + slot_at(*entry).ms + window_ms_ > now_ms;
}

void DedupWindow::learned() {
  std::sort(learning_.begin(), learning_.end(),
            [](const Seen& a, const Seen& b) { return a.seq != b.seq ? a.seq < b.seq : a.lsn > b.lsn; });
  const auto end = std::unique(learning_.begin(), learning_.end(),
                               [](const Seen& a, const Seen& b) { return a.seq == b.seq; });
  for (auto at = learning_.begin(); at != end; ++at) add(*at);
  learning_ = {};
}

// --- the journal ---

Lsn DedupWindow::oldest(Lsn durable, std::uint64_t now_ms) {
  forget_old(now_ms);
  Lsn oldest{UINT64_MAX};
  for (Block& block : blocks_) {
    if (block.renewed_end != Lsn{0} && block.renewed_end <= durable) {
      block.lsn = block.renewed;
      block.renewed_end = Lsn{0};
    }
    oldest = std::min(oldest, block.lsn);
  }
  return oldest;
}

void DedupWindow::renew(Lsn before, Lsn durable,
                        const std::function<Written(Seq first, Bytes payload)>& write) {
  std::vector<std::byte> payload;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    Block& block = blocks_[i];
    if (block.lsn >= before || block.renewed_end > durable) continue;
    payload.clear();
    Writer writer(payload);
    writer.le(block.seq.value);
    writer.le(block.ms);
    for (std::size_t at = i == 0 ? dropped_ : 0; at < block.slots.size(); ++at) {
      const Slot& slot = block.slots[at];
      writer.le(slot.id.low);
      writer.le(slot.id.high);
      writer.le(slot.seq);
      writer.le(slot.ms);
    }
    const Written written = write(block.seq, payload);
    block.renewed = written.begin;
    block.renewed_end = written.end;
  }
}

bool DedupWindow::decode_block(Bytes payload, const std::function<void(const Seen&)>& each) {
  if (payload.size() < block_header_bytes || (payload.size() - block_header_bytes) % encoded_id_bytes != 0)
    return false;
  Reader reader(payload);
  const std::uint64_t seq = reader.le<std::uint64_t>(), ms = reader.le<std::uint64_t>();
  while (reader.left() >= encoded_id_bytes) {
    Seen seen{};
    seen.id.low = reader.le<std::uint64_t>();
    seen.id.high = reader.le<std::uint64_t>();
    seen.seq = Seq{seq + reader.le<std::uint32_t>()};
    seen.at_ms = ms + reader.le<std::uint32_t>();
    each(seen);
  }
  return true;
}

}  // namespace weir::broker
