#include "broker/packed_entries.h"

#include <gtest/gtest.h>

#include <array>

#include "base/rng.h"
#include "broker/index_columns.h"

namespace weir::broker {
namespace {

constexpr std::uint64_t record(std::uint64_t slot, std::uint64_t at, std::uint64_t length) {
  return slot << 46 | at << 22 | length;
}

using Chunk = std::array<Entry, chunk_entries>;

std::size_t packed_bytes(const Chunk& chunk) {
  std::vector<std::byte> packed{std::byte{1}};
  EXPECT_TRUE(pack_entries(chunk, packed));
  Chunk back;
  back.fill(Entry(99, true));
  unpack_entries(packed, back);
  EXPECT_EQ(back, chunk);
  return packed.size();
}

TEST(PackedEntries, messages_of_one_size_that_follow_each_other_take_a_few_bytes) {
  Chunk chunk;
  for (std::size_t i = 0; i < chunk.size(); ++i) chunk[i] = Entry(record(3, 4 + i * 67, 67), false);
  EXPECT_LE(packed_bytes(chunk), 16U);
}

TEST(PackedEntries, a_gap_between_batches_costs_two_or_three_bytes) {
  Chunk chunk;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    if (i % 16 == 0) at += 170;
    chunk[i] = Entry(record(3, at, 67), false);
    at += 67;
  }
  EXPECT_LE(packed_bytes(chunk), 16U + 32U * 4U);
}

TEST(PackedEntries, messages_of_many_sizes_take_about_half) {
  Rng rng(7);
  Chunk chunk;
  std::uint64_t at = 0;
  for (Entry& entry : chunk) {
    const std::uint64_t length = 4 + rng.below(200);
    entry = Entry(record(9000, at, length), false);
    at += length;
  }
  EXPECT_LE(packed_bytes(chunk), chunk.size() * 5);
}

TEST(PackedEntries, what_little_is_left_of_a_chunk_takes_little) {
  Chunk chunk;
  chunk[77] = Entry(record(5, 1000, 67), false, true);
  chunk[400] = Entry(record(6, 9000, 12), false);
  chunk[400].set_state(EntryState::held);
  EXPECT_LE(packed_bytes(chunk), 40U);
}

TEST(PackedEntries, what_is_out_is_not_packed) {
  Chunk chunk;
  for (std::size_t i = 0; i < chunk.size(); ++i) chunk[i] = Entry(record(3, i * 67, 67), false);
  chunk[8].set_state(EntryState::out);
  std::vector<std::byte> packed;
  EXPECT_FALSE(pack_entries(chunk, packed));
}

TEST(PackedEntries, what_would_not_get_smaller_is_not_packed) {
  Rng rng(8);
  Chunk chunk;
  for (Entry& entry : chunk) entry = Entry(rng.next() >> 4, rng.chance(1, 2));
  std::vector<std::byte> packed;
  EXPECT_FALSE(pack_entries(chunk, packed));
}

TEST(PackedEntries, every_chunk_comes_back_as_it_was) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    Rng rng(seed);
    Chunk chunk;
    std::uint64_t at = rng.below(1000), slot = rng.below(16'384), length = 1 + rng.below(100);
    for (Entry& entry : chunk) {
      if (rng.chance(1, 8)) continue;
      if (rng.chance(1, 20)) slot = rng.below(16'384);
      if (rng.chance(1, 10)) at = rng.below(1U << 24);
      if (rng.chance(1, 10)) length = 1 + rng.below(1U << 22 >> rng.below(22));
      entry = Entry(record(slot, at & 0xff'ffff, length & 0x3f'ffff), rng.chance(1, 50), rng.chance(1, 50));
      if (rng.chance(1, 30)) entry.set_state(EntryState::held);
      at += length;
    }
    packed_bytes(chunk);
  }
}

}  // namespace
}  // namespace weir::broker
