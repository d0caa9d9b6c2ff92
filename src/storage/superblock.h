// What it is: the journal's superblock: where its log begins, which incarnation writes it and what of it is known to be
// durable. Two files of one block, `super.A` and `super.B`, written in turn and in place (no space is needed on a full
// disk); the valid one with the higher generation counts (docs/formats/journal.md).
//
//   0 u32 magic "WJS1"   4 u16 version   6 u16 flags
//       1: the last run ended in order, its log ends at `durable`
//       2: the log goes on at `start` in a file that is not made yet: all before it was released, the disk was full
//       4: there is a checkpoint; without one nothing before `start` is needed
//   8 u64 identity       the journal's own random number, for its life
//  16 u64 generation     the number of this write; even ones go to super.A
//  24 u64 start          the log begins here: the start of a file
//  32 u64 begin          the incarnation's first batch is here; below it all is durable
//  40 u64 durable        at the time of writing: all below it is durable; >= begin
//  48 u32 incarnation    one more at every start; 0: made, nothing was appended yet
//  52 u32 count of what follows
//  56 u64 checkpoint     those of a lower generation say nothing; with flag 4, one of this generation is there
//  64 earlier incarnations whose batches are still in the log, ascending, of 16 bytes: u64 begin, u32 incarnation, u32 zero
//  4064 u64 seqs_end     the seqs that were given, when the log's start was moved last, are below it
//  4092 u32 crc32c of all bytes before it
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/ids.h"
#include "runtime/disk.h"

namespace weir::storage {

inline constexpr std::size_t superblock_bytes = 4096;
// Of the earliest ones only the order is checked, not the place.
inline constexpr std::size_t earlier_incarnations_max = 250;

struct Superblock {
  struct Incarnation {
    Lsn begin;
    std::uint32_t number = 0;
    bool operator==(const Incarnation&) const = default;
  };
  struct Range {
    std::uint32_t least = 0, most = 0;
  };

  std::uint64_t identity = 0;
  std::uint64_t generation = 0;
  Lsn start;
  Lsn begin;
  Lsn durable;
  std::uint32_t incarnation = 0;
  bool clean = false;
  bool awaits_file = false;
  bool has_checkpoint = false;
  std::uint64_t checkpoint = 0;
  Seq seqs_end;
  std::vector<Incarnation> earlier{};

  // A torn tail is written over by the next incarnation, so every place belongs to one: a batch of another one there is what
  // a crash or a lost write left.
  Range incarnations_at(Lsn at) const;
  void begin_incarnation(Lsn at);
  // What is before the log's start needs no telling any more.
  void forget_before(Lsn start);

  std::uint32_t salt() const { return static_cast<std::uint32_t>(identity ^ identity >> 32); }
  bool operator==(const Superblock&) const = default;
};

// `to` has superblock_bytes.
void encode_superblock(const Superblock& superblock, std::byte* to);
Result<Superblock> decode_superblock(Bytes from);

std::string superblock_path(const std::string& directory, std::uint64_t generation);

// The newest valid one; none if there never was one; corrupt if files are there and none is valid.
Result<std::optional<Superblock>> load_superblock(runtime::Disk& disk, const std::string& directory);
// Writes it twice, as the next two generations, so that either file alone tells all. Durable on return.
Status store_superblock_now(runtime::Disk& disk, const std::string& directory, Superblock& superblock);

}  // namespace weir::storage
