// What it is: the simulated twin of Disk: files in memory that know, per 512-byte sector, what is durable and what is
// still in flight; completions and faults come from a seed.
// A `SimStorage` is the machine's disk and outlives crashes; a `SimDisk` is one process's open view of it.
// Begun requests complete in an order by seed, some of them per poll(); a read that overlaps a write in flight sees the
// old or the new bytes of each sector. A buffer that changes while it is being written, or that is not aligned,
// is an assertion. A request that was queued but never submitted leaves no trace.
// Lifetime: the SimStorage outlives its views.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "runtime/disk.h"

namespace weir::runtime {

inline constexpr std::size_t sim_sector_bytes = 512;

struct SimFaults {
  // Each "1 in n" per operation; 0 = never.
  std::uint32_t write_error_one_in = 0;  // -EIO from write_durable
  std::uint32_t short_write_one_in = 0;
  std::uint32_t read_error_one_in = 0;        // -EIO from read; the blocking reads do not fail
  std::uint32_t slow_one_in = 0;              // the completion is held back for many polls
  std::uint64_t capacity_bytes = UINT64_MAX;  // of all files; prepare_file and write_file beyond it: -ENOSPC
};

class SimStorage {
 public:
  explicit SimStorage(std::uint64_t seed);
  ~SimStorage();

  // A new process's view. There is at most one at a time per directory prefix.
  std::unique_ptr<Disk> open_disk(SimFaults faults = {});

  // Power goes: every sector of a write that has not completed becomes, by seed: old, new, or torn (a prefix of new bytes);
  // what prepare_file, write_file, rename_file and remove_file were doing is done, or not, or has left a temporary file.
  // Views opened before are dead: they complete nothing more, and their blocking calls fail.
  void crash();
  // The process dies but the machine lives (kill -9): like crash(), but no sector is torn.
  void kill();

  // Flips one durable bit of a file. False if there is no such file or it is shorter.
  bool flip_bit(const std::string& path, std::uint64_t byte_offset, unsigned bit);
  // For the exhaustive model: the sectors now in flight, and a crash with a chosen outcome for each (bit set = new).
  // They are counted in the order of submission; an operation on names counts as one sector.
  std::size_t sectors_in_flight() const;
  void crash_with(const std::vector<bool>& persisted);

  // Copy of the whole durable state, to branch an exploration. What is in flight is copied too, for crash_with() on the
  // copy; it belongs to no view and completes nowhere.
  std::unique_ptr<SimStorage> clone(std::uint64_t seed) const;
  std::vector<std::byte> contents(const std::string& path) const;
  std::vector<std::string> paths() const;
  std::uint64_t writes_completed() const;

 private:
  friend class SimDisk;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::runtime
