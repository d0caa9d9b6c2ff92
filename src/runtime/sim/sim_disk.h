// What it is: the simulated twin of Disk: files in memory that know, per 512-byte sector, what is durable and what is
// still in flight; completions and faults come from a seed.
// A `SimStorage` is the machine's disk and outlives crashes; a `SimDisk` is one process's open view of it.
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
  std::uint32_t write_error_one_in = 0;     // -EIO from write_durable
  std::uint32_t short_write_one_in = 0;
  std::uint32_t read_error_one_in = 0;
  std::uint32_t slow_one_in = 0;            // the completion is held back for many polls
  std::uint64_t capacity_bytes = UINT64_MAX;  // prepare_file beyond it: -ENOSPC
};

class SimStorage {
 public:
  explicit SimStorage(std::uint64_t seed);
  ~SimStorage();

  // A new process's view. There is at most one at a time per directory prefix.
  std::unique_ptr<Disk> open_disk(SimFaults faults = {});

  // Power goes: every sector of a write that has not completed becomes, by seed: old, new, or torn (a prefix of new bytes);
  // names made without a completed directory sync may vanish or stay. Views opened before are dead:
  // they complete nothing more.
  void crash();
  // The process dies but the machine lives (kill -9): writes in flight complete or not, each whole sector by seed.
  void kill();

  // Flips one durable bit of a file. False if there is no such file or it is shorter.
  bool flip_bit(const std::string& path, std::uint64_t byte_offset, unsigned bit);
  // For the exhaustive model: the sectors now in flight, and a crash with a chosen outcome for each (bit set = new).
  std::size_t sectors_in_flight() const;
  void crash_with(const std::vector<bool>& persisted);

  // Copy of the whole durable state, to branch an exploration.
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
