#include "storage/superblock.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "runtime/sim/sim_disk.h"

namespace weir::storage {
namespace {

Superblock some_superblock() {
  Superblock superblock;
  superblock.identity = 0x0123'4567'89ab'cdef;
  superblock.generation = 9;
  superblock.start = Lsn{0x10000};
  superblock.begin = Lsn{0x24000};
  superblock.durable = Lsn{0x28000};
  superblock.incarnation = 4;
  superblock.clean = true;
  superblock.seqs_end = Seq{77};
  superblock.earlier = {{Lsn{0x8000}, 2}, {Lsn{0x14000}, 3}};
  return superblock;
}

std::vector<std::byte> encoded(const Superblock& superblock) {
  std::vector<std::byte> bytes(superblock_bytes);
  encode_superblock(superblock, bytes.data());
  return bytes;
}

TEST(Superblock, every_field_comes_back) {
  Superblock superblock = some_superblock();
  EXPECT_EQ(decode_superblock(encoded(superblock)).value(), superblock);
  superblock.clean = false;
  superblock.awaits_file = true;
  EXPECT_EQ(decode_superblock(encoded(superblock)).value(), superblock);
}

TEST(Superblock, a_change_of_any_bit_is_noticed) {
  std::vector<std::byte> bytes = encoded(some_superblock());
  for (std::size_t bit = 0; bit < superblock_bytes * 8; bit += bit < 96 * 8 ? 1 : 501) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(decode_superblock(bytes).has_value()) << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST(Superblock, every_place_belongs_to_one_incarnation) {
  const Superblock superblock = some_superblock();
  const auto at = [&](std::uint64_t lsn) {
    const Superblock::Range range = superblock.incarnations_at(Lsn{lsn});
    return std::pair(range.least, range.most);
  };
  EXPECT_EQ(at(0x7000), std::pair(1U, 1U)) << "older than what is told: any that came before";
  EXPECT_EQ(at(0x8000), std::pair(2U, 2U));
  EXPECT_EQ(at(0x13000), std::pair(2U, 2U));
  EXPECT_EQ(at(0x14000), std::pair(3U, 3U));
  EXPECT_EQ(at(0x24000), std::pair(4U, 4U));
  EXPECT_EQ(at(UINT64_MAX), std::pair(4U, 4U));
}

TEST(Superblock, incarnations_that_wrote_nothing_and_those_before_the_start_are_forgotten) {
  Superblock superblock;
  superblock.begin_incarnation(Lsn{0});
  superblock.begin_incarnation(Lsn{0});
  EXPECT_TRUE(superblock.earlier.empty());
  superblock.begin_incarnation(Lsn{4096});
  superblock.begin_incarnation(Lsn{4096});
  superblock.begin_incarnation(Lsn{8192});
  EXPECT_EQ(superblock.incarnation, 5U);
  EXPECT_EQ(superblock.earlier, (std::vector<Superblock::Incarnation>{{Lsn{0}, 2}, {Lsn{4096}, 4}}));
  superblock.forget_before(Lsn{4095});
  EXPECT_EQ(superblock.earlier.size(), 2U);
  superblock.forget_before(Lsn{4096});
  EXPECT_EQ(superblock.earlier, (std::vector<Superblock::Incarnation>{{Lsn{4096}, 4}}));
  superblock.forget_before(Lsn{9000});
  EXPECT_TRUE(superblock.earlier.empty());
  for (std::uint64_t i = 3; i < 1000; ++i) superblock.begin_incarnation(Lsn{i * 4096});
  EXPECT_EQ(superblock.earlier.size(), earlier_incarnations_max);
  EXPECT_EQ(decode_superblock(encoded(Superblock{superblock})).has_value(), false)
      << "durable is behind begin";
  superblock.durable = superblock.begin;
  EXPECT_EQ(decode_superblock(encoded(superblock)).value(), superblock);
}

TEST(Superblock, positions_that_contradict_each_other_are_refused) {
  Superblock superblock = some_superblock();
  superblock.begin = Lsn{superblock.durable.value + 4096};
  EXPECT_FALSE(decode_superblock(encoded(superblock)).has_value());
  superblock = some_superblock();
  superblock.start = Lsn{superblock.durable.value + 4096};
  EXPECT_FALSE(decode_superblock(encoded(superblock)).has_value());
  superblock = some_superblock();
  superblock.durable.value += 512;
  EXPECT_FALSE(decode_superblock(encoded(superblock)).has_value());
}

TEST(Superblock, another_size_is_refused) {
  const std::vector<std::byte> bytes = encoded(some_superblock());
  EXPECT_FALSE(decode_superblock(Bytes(bytes).first(4095)).has_value());
  EXPECT_FALSE(decode_superblock({}).has_value());
}

TEST(Superblock, the_newest_valid_one_counts_and_is_written_twice) {
  runtime::SimStorage storage(1);
  const auto disk = storage.open_disk();
  ASSERT_TRUE(disk->make_directories("d").has_value());
  EXPECT_FALSE(load_superblock(*disk, "d").value().has_value());
  Superblock superblock = some_superblock();
  ASSERT_TRUE(store_superblock_now(*disk, "d", superblock).has_value());
  EXPECT_EQ(superblock.generation, 11U);
  EXPECT_EQ(load_superblock(*disk, "d").value(), superblock);
  storage.flip_bit(superblock_path("d", 11), 20, 1);
  EXPECT_EQ(load_superblock(*disk, "d").value()->generation, 10U);
  EXPECT_EQ(load_superblock(*disk, "d").value()->start, superblock.start);
  storage.flip_bit(superblock_path("d", 10), 20, 1);
  ASSERT_FALSE(load_superblock(*disk, "d").has_value());
  EXPECT_EQ(load_superblock(*disk, "d").error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace weir::storage
