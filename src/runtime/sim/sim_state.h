// What it is: what a simulated machine's disk holds, and what it is doing. Private to runtime/sim.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "runtime/disk.h"
#include "runtime/sim/sim_disk.h"
#include "runtime/sim/sim_file.h"

namespace weir::runtime {

// A request that the disk has begun and not completed.
struct SimOperation {
  enum class Kind : std::uint8_t { write, read, prepare, rename, remove, write_file };

  Kind kind = Kind::read;
  const void* owner = nullptr;  // the view that submitted it
  IoRequest* request = nullptr;
  std::shared_ptr<SimFile> file;  // write, read
  std::uint64_t offset = 0;
  Bytes source;                 // write: the caller's buffer; must not change until completion
  std::vector<std::byte> data;  // write, write_file
  MutableBytes into;            // read
  std::string path;
  std::string to;                // rename
  std::uint64_t bytes = 0;       // prepare
  std::uint64_t held_until = 0;  // the view's count of polls before which it does not complete

  bool on_names() const { return kind != Kind::write && kind != Kind::read; }
  std::size_t sectors() const { return kind == Kind::write ? data.size() / sim_sector_bytes : 0; }
};

// How much a crash leaves of a write that was in flight.
enum class SimSector : std::uint8_t { old_bytes, new_bytes, torn };

struct SimStorage::State {
  explicit State(std::uint64_t seed) : rng(seed) {}

  bool parent_exists(std::string_view path) const;
  std::uint64_t used_bytes() const;
  // What a reader sees now: of a sector that is being written, the old or the new bytes.
  std::size_t read(const SimFile& file, std::uint64_t offset, MutableBytes into);
  void apply_sector(const SimOperation& write, std::size_t sector, SimSector outcome);
  // By seed, with whole writes, prefixes and scattered sectors all likely.
  void apply_some_sectors(const SimOperation& write, bool may_tear);
  // 0 or -errno.
  std::int64_t apply_names(const SimOperation& operation);
  void leave_behind(const SimOperation& operation);
  void power_off(bool may_tear);

  Rng rng;
  std::map<std::string, std::shared_ptr<SimFile>> files;
  std::set<std::string> directories{"."};
  std::vector<SimOperation> submitted;  // oldest first
  std::uint64_t boots = 0;              // views opened before the last crash are dead
  std::uint64_t writes_completed = 0;
};

}  // namespace weir::runtime
