#include "storage/read_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "storage/record.h"

namespace weir::storage {
namespace {

// A longer record gains nothing from a window.
constexpr std::uint64_t windowed_record_bytes_max = read_window_bytes / 2;

// Read ahead of a sequential reader; of a small cache only what leaves half of it to others.
constexpr std::uint64_t windows_ahead_most = 24;

bool holds_record(Bytes bytes, std::uint64_t span) {
  return record_span(bytes) == span && decode_record(bytes).has_value();
}

}  // namespace

ReadCache::ReadCache(runtime::Disk& disk, FileTable& table, LogFiles& files, std::uint64_t bytes_max)
    : disk_(disk),
      table_(table),
      files_(files),
      bytes_max_(std::max(bytes_max, 2 * read_window_bytes)),
      windows_ahead_max_(
          std::clamp<std::uint64_t>(bytes_max_ / 2 / read_window_bytes, 1, windows_ahead_most)),
      windows_ahead_(std::min<std::uint64_t>(windows_ahead_max_, 8)) {}

ReadCache::Window* ReadCache::kept_window(const LogFile& file, std::uint64_t offset) {
  const auto found = windows_.find(Lsn{file.start.value + window_offset(offset)});
  return found == windows_.end() ? nullptr : found->second.get();
}

CachedRecord ReadCache::find(Location location, Lsn durable) {
  if (windows_.empty()) return {};
  Window* first = kept_window(table_.at(location.slot()), location.offset());
  if (first == nullptr || !first->there || !first->reaches(end_of(location))) return {};
  const CachedRecord record = record_in(*first, location);
  if (record.at == nullptr) return {};
  use(*first);
  read_ahead(*first, location.offset(), durable);
  return record;
}

// Of a record that begins in `first`, which is there and reaches far enough: nothing where it goes on in a window that is
// not there, or does not hold its checksum.
CachedRecord ReadCache::record_in(Window& first, Location location) {
  const std::uint64_t at = location.offset() - first.offset;
  CachedRecord record{first.chunk->data() + at, first.chunk.get()};
  if (joins(location)) {
    if (!first.joint || first.joint_offset != location.offset()) {
      Window* const second = neighbour(first, 1);
      if (second == nullptr || !second->there || !second->reaches(end_of(location))) return {};
      const std::uint64_t here = read_window_bytes - at;
      first.joint = ChunkRef::adopt(Chunk::make(location.bytes()));
      first.joint_offset = location.offset();
      bytes_ += location.bytes() - std::exchange(first.joint_bytes, location.bytes());
      std::memcpy(first.joint->data(), record.at, here);
      std::memcpy(first.joint->data() + here, second->chunk->data(), location.bytes() - here);
      use(*second);
    }
    record = {first.joint->data(), first.joint.get()};
  }
  return holds_record(Bytes(record.at, location.bytes()), location.bytes()) ? record : CachedRecord{};
}

void ReadCache::read(Location location, Lsn durable, ReadWaiter& waiter) {
  const LogFile& file = table_.at(location.slot());
  const Wait wait{&waiter, location};
  WEIR_ASSERT(file.start.value + end_of(location) <= file.readable(durable).value);
  const std::uint64_t window_at = window_offset(location.offset());
  const bool windowed = location.bytes() <= windowed_record_bytes_max;
  Window* const first = windowed ? window_for(location, window_at, durable) : nullptr;
  if (first == nullptr) return read_alone(wait, false);
  Window* waited_for = first;
  if (joins(location)) {
    const bool pinned = std::exchange(first->pinned, true);
    Window* const second = window_for(location, window_at + read_window_bytes, durable);
    first->pinned = pinned;
    if (second == nullptr) return read_alone(wait, false);
    use(*second);
    if (first->there) waited_for = second;
  }
  if (waited_for->there) return read_alone(wait, false);  // its checksum does not hold there
  waited_for->waits.push_back(wait);
  use(*first);
  read_ahead(*first, location.offset(), durable);
}

// That one, there or on its way; null where it can't be had now.
ReadCache::Window* ReadCache::window_for(Location location, std::uint64_t window_at, Lsn durable) {
  Window* window = kept_window(table_.at(location.slot()), window_at);
  if (window != nullptr && !window->reaches(end_of(location))) {
    // It was read when less was durable.
    if (!window->there || window->pinned) return nullptr;
    drop(*window);
    window = nullptr;
  }
  return window != nullptr ? window : load_window(location.slot(), window_at, durable);
}

// Null if the windows that are on their way take all the room.
ReadCache::Window* ReadCache::load_window(std::uint32_t slot, std::uint64_t window_at, Lsn durable) {
  const LogFile& file = table_.at(slot);
  const std::uint64_t readable = file.readable(durable).value - file.start.value;
  const std::uint64_t bytes = std::min(read_window_bytes, readable - window_at);
  if (!make_room(bytes)) return nullptr;
  auto made = std::make_unique<Window>();
  Window& window = *made;
  window.slot = slot;
  window.file_start = file.start;
  window.offset = window_at;
  window.bytes = bytes;
  windows_.emplace(window.begin(), std::move(made));
  recent_.push_front(&window);
  window.recent = recent_.begin();
  bytes_ += bytes;
  begin(window);
  return &window;
}

void ReadCache::read_alone(const Wait& wait, bool second_try) {
  auto made = std::make_unique<Window>();
  Window& window = *made;
  window.slot = wait.location.slot();
  window.file_start = table_.at(window.slot).start;
  window.offset = wait.location.offset() / batch_alignment * batch_alignment;
  window.bytes = align_up(wait.location.offset() + wait.location.bytes(), batch_alignment) - window.offset;
  window.kept = false;
  window.second_try = second_try;
  window.waits.push_back(wait);
  alone_.push_back(std::move(made));
  begin(window);
}

void ReadCache::begin(Window& window) {
  window.owner = this;
  window.chunk = ChunkRef::adopt(Chunk::make(window.bytes));
  window.file = &table_.at(window.slot);
  ++window.file->reads;
  ++in_disk_;
  ++reads_;
  read_bytes_ += window.bytes;
  disk_.read(window.file->handle, window.offset, MutableBytes(window.chunk->data(), window.bytes), window);
}

// Somebody who reads the second half after the first is likely to go on: the next windows are under way by the time he
// gets there, so that a backlog is read at the disk's pace and not at that of our turns.
void ReadCache::read_ahead(Window& window, std::uint64_t offset, Lsn durable) {
  if (offset - window.offset < read_window_bytes / 2) {
    window.first_half_used = true;
    return;
  }
  if (!std::exchange(window.first_half_used, false)) return;
  const std::uint32_t slot = window.slot;
  const std::uint64_t first = window.offset + read_window_bytes;
  const LogFile& file = table_.at(slot);
  const bool pinned = std::exchange(window.pinned, true);
  for (std::uint64_t ahead = 0; ahead < windows_ahead_; ++ahead) {
    const std::uint64_t next_at = first + ahead * read_window_bytes;
    const bool readable = file.start.value + next_at < file.readable(durable).value;
    if (!readable) break;
    if (kept_window(file, next_at) != nullptr) continue;
    Window* const next = load_window(slot, next_at, durable);
    if (next == nullptr) break;
    next->ahead = true;
  }
  window.pinned = pinned;
}

bool ReadCache::make_room(std::uint64_t bytes) {
  for (auto it = recent_.end(); bytes_ + bytes > bytes_max_ && it != recent_.begin();) {
    Window& window = **--it;
    if (!window.there || window.pinned) continue;
    ++it;
    drop(window);
  }
  return bytes_ + bytes <= bytes_max_;
}

void ReadCache::drop(Window& window) {
  if (window.ahead) windows_ahead_ = std::max<std::uint64_t>(windows_ahead_ / 2, 1);
  bytes_ -= window.bytes + window.joint_bytes;
  recent_.erase(window.recent);
  windows_.erase(window.begin());
}

void ReadCache::cancel(ReadWaiter& waiter) {
  const auto is_his = [&waiter](const Wait& wait) { return wait.waiter == &waiter; };
  for (Window* window : recent_) std::erase_if(window->waits, is_his);
  for (const auto& window : alone_) std::erase_if(window->waits, is_his);
}

void ReadCache::cancel_all() {
  for (Window* window : recent_) window->waits.clear();
  for (const auto& window : alone_) window->waits.clear();
}

void ReadCache::on_read(Window& window, std::int64_t result) {
  --in_disk_;
  files_.end_read(*std::exchange(window.file, nullptr));
  if (!window.kept) {
    hand_out_alone(window, result);
    return;
  }
  // A waiter may read more, or cancel others.
  window.there = result == static_cast<std::int64_t>(window.bytes);
  window.pinned = true;
  while (!window.waits.empty()) {
    const Wait wait = window.waits.front();
    window.waits.pop_front();
    window.there ? hand_out(window, wait) : read_again(window.slot, window.file_start, wait);
  }
  window.pinned = false;
  if (!window.there) drop(window);
}

void ReadCache::read_again(std::uint32_t slot, Lsn file_start, const Wait& wait) {
  if (table_.find(slot, file_start) != nullptr) {
    read_alone(wait, true);
  } else {
    wait.waiter->on_read(fail(ErrorCode::not_found, "the record's file was reclaimed while it was read"));
  }
}

// So many windows further in the same file; null: it is not kept.
ReadCache::Window* ReadCache::neighbour(const Window& window, std::int64_t windows) {
  const auto distance = static_cast<std::uint64_t>(windows) * read_window_bytes;
  const auto found = windows_.find(Lsn{window.begin().value + distance});
  if (found == windows_.end() || found->second->slot != window.slot) return nullptr;
  return found->second.get();
}

// `window` is there now. What the waiter wants begins in it, or in the one before it and ends in this one.
void ReadCache::hand_out(Window& window, const Wait& wait) {
  Window* first = &window;
  if (wait.location.offset() < window.offset) {
    first = neighbour(window, -1);
  } else if (Window* const next = neighbour(window, 1);
             joins(wait.location) && next != nullptr && !next->there) {
    next->waits.push_back(wait);
    return;
  }
  CachedRecord record;
  if (first != nullptr && first->there && first->reaches(end_of(wait.location))) {
    record = record_in(*first, wait.location);
  }
  if (record.at != nullptr) {
    wait.waiter->on_read(record);
  } else {
    read_again(window.slot, window.file_start, wait);
  }
}

void ReadCache::hand_out_alone(Window& window, std::int64_t result) {
  const auto place =
      std::find_if(alone_.begin(), alone_.end(), [&window](const auto& w) { return w.get() == &window; });
  const std::unique_ptr<Window> mine = std::move(*place);
  alone_.erase(place);
  if (mine->waits.empty()) return;
  const Wait wait = mine->waits.front();
  const std::byte* at = mine->chunk->data() + (wait.location.offset() - mine->offset);
  const bool complete = result == static_cast<std::int64_t>(mine->bytes);
  if (complete && holds_record(Bytes(at, wait.location.bytes()), wait.location.bytes())) {
    wait.waiter->on_read(CachedRecord{at, mine->chunk.get()});
  } else if (!mine->second_try) {
    read_again(mine->slot, mine->file_start, wait);
  } else if (result < 0) {
    wait.waiter->on_read(std::unexpected(errno_error(static_cast<int>(-result), "journal read")));
  } else {
    wait.waiter->on_read(fail(ErrorCode::corrupt, "a record on disk does not hold its checksum"));
  }
}

}  // namespace weir::storage
