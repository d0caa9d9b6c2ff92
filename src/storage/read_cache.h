// What it is: records that left memory, read back: in windows of 256 KiB, of which the last used ones are kept, and big
// records by themselves. A record that begins in one window and ends in the next is put together of both. Every record's CRC
// is checked on the way out; what fails is read once more by itself.
// Shard: of its journal, on its thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "base/chunk.h"
#include "base/ids.h"
#include "runtime/disk.h"
#include "storage/journal.h"
#include "storage/log_files.h"

namespace weir::storage {

inline constexpr std::uint64_t read_window_bytes = 256U << 10;

class ReadCache {
 public:
  ReadCache(runtime::Disk& disk, FileTable& table, LogFiles& files, std::uint64_t bytes_max);
  ReadCache(const ReadCache&) = delete;
  ReadCache& operator=(const ReadCache&) = delete;

  // All before `durable` may be read.
  CachedRecord find(Location location, Lsn durable);
  void read(Location location, Lsn durable, ReadWaiter& waiter);
  void cancel(ReadWaiter& waiter);
  void cancel_all();

  unsigned in_disk() const { return in_disk_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t reads() const { return reads_; }
  std::uint64_t read_bytes() const { return read_bytes_; }

 private:
  struct Wait {
    ReadWaiter* waiter;
    Location location;
  };
  // A range of a file, in memory or on its way there.
  struct Window final : runtime::IoRequest {
    ReadCache* owner = nullptr;
    LogFile* file = nullptr;  // there while it is read from
    std::uint32_t slot = 0;
    Lsn file_start;
    std::uint64_t offset = 0;  // in the file
    std::uint64_t bytes = 0;
    ChunkRef chunk;
    bool there = false;   // false: on its way
    bool pinned = false;  // in use: room is not made at its cost
    bool kept = true;     // false: of one record, gone once it was handed on
    bool second_try = false;
    bool first_half_used = false;
    bool ahead = false;  // read before anybody asked for it, and nobody has yet
    std::deque<Wait> waits;
    ChunkRef joint;  // a copy of the record that ends in the next window, once somebody wanted it
    std::uint64_t joint_offset = 0, joint_bytes = 0;
    std::list<Window*>::iterator recent;  // where it is in recent_, when it is kept

    void on_io(std::int64_t result) override { owner->on_read(*this, result); }
    Lsn begin() const { return Lsn{file_start.value + offset}; }
    std::uint64_t end() const {
      return offset + bytes;
    }  // in the file; short of the whole where less was durable
    // As much of it is here as can be of a record that begins here.
    bool reaches(std::uint64_t record_end) const {
      return end() >= std::min(record_end, offset + read_window_bytes);
    }
  };

  static std::uint64_t window_offset(std::uint64_t offset) {
    return offset / read_window_bytes * read_window_bytes;
  }
  static std::uint64_t end_of(Location location) { return location.offset() + location.bytes(); }
  static bool joins(Location location) {
    return end_of(location) > window_offset(location.offset()) + read_window_bytes;
  }
  Window* kept_window(const LogFile& file, std::uint64_t offset);
  Window* load_window(std::uint32_t slot, std::uint64_t window_at, Lsn durable);
  Window* window_for(Location location, std::uint64_t window_at, Lsn durable);
  CachedRecord record_in(Window& first, Location location);
  Window* neighbour(const Window& window, std::int64_t windows);
  void hand_out(Window& window, const Wait& wait);
  void read_alone(const Wait& wait, bool second_try);
  void read_again(std::uint32_t slot, Lsn file_start, const Wait& wait);
  void begin(Window& window);
  void read_ahead(Window& window, std::uint64_t offset, Lsn durable);
  void use(Window& window) {
    recent_.splice(recent_.begin(), recent_, window.recent);
    if (!window.ahead) return;
    window.ahead = false;
    windows_ahead_ = std::min(windows_ahead_ + 1, windows_ahead_max_);
  }
  bool make_room(std::uint64_t bytes);
  void drop(Window& window);
  void on_read(Window& window, std::int64_t result);
  void hand_out_alone(Window& window, std::int64_t result);

  runtime::Disk& disk_;
  FileTable& table_;
  LogFiles& files_;
  std::uint64_t bytes_max_;
  std::uint64_t windows_ahead_max_;
  std::uint64_t
      windows_ahead_;  // how far it pays to read ahead: less when windows go unused, more when they are used
  std::uint64_t bytes_ = 0;                         // of kept windows
  std::map<Lsn, std::unique_ptr<Window>> windows_;  // kept ones, by their beginning
  std::list<Window*> recent_;                       // of those, the last used first
  std::vector<std::unique_ptr<Window>> alone_;
  unsigned in_disk_ = 0;
  std::uint64_t reads_ = 0;
  std::uint64_t read_bytes_ = 0;
};

}  // namespace weir::storage
