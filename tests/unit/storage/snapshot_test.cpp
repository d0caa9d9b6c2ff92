#include "storage/snapshot.h"

#include <gtest/gtest.h>

#include "runtime/sim/sim_disk.h"

namespace weir::storage {
namespace {

TEST(Snapshot, comes_back_whole) {
  const auto snapshot = decode_snapshot(encode_snapshot(Lsn{77}, as_bytes("definitions")));
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_EQ(snapshot->lsn, Lsn{77});
  EXPECT_EQ(as_text(snapshot->contents), "definitions");
  EXPECT_TRUE(decode_snapshot(encode_snapshot(Lsn{0}, {})).value().contents.empty());
}

TEST(Snapshot, a_change_of_any_bit_and_any_cut_are_noticed) {
  std::vector<std::byte> file = encode_snapshot(Lsn{77}, as_bytes("definitions"));
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    file[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(decode_snapshot(file).has_value()) << bit;
    file[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(decode_snapshot(Bytes(file).first(size)).has_value());
  }
  file.push_back(std::byte{0});
  EXPECT_FALSE(decode_snapshot(file).has_value());
}

class SnapshotFiles : public ::testing::Test {
 protected:
  SnapshotFiles() : storage(1), disk(storage.open_disk()) {
    EXPECT_TRUE(disk->make_directories("d").has_value());
  }
  void write(std::uint64_t generation, Lsn lsn, std::string_view contents) {
    ASSERT_TRUE(disk->write_file_now(snapshot_path("d", generation), encode_snapshot(lsn, as_bytes(contents)))
                    .has_value());
  }
  runtime::SimStorage storage;
  std::unique_ptr<runtime::Disk> disk;
};

TEST_F(SnapshotFiles, none_is_not_found) {
  EXPECT_EQ(load_newest_snapshot(*disk, "d").error().code, ErrorCode::not_found);
}

TEST_F(SnapshotFiles, each_next_one_replaces_the_older_of_two) {
  std::uint64_t generation = 0;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    write(generation, Lsn{i * 10}, "state " + std::to_string(i));
    const auto loaded = load_newest_snapshot(*disk, "d");
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ(as_text(loaded->snapshot.contents), "state " + std::to_string(i));
    EXPECT_EQ(snapshot_path("d", loaded->generation), snapshot_path("d", generation));
    generation = loaded->generation + 1;
  }
  EXPECT_EQ(storage.paths().size(), 2U);
}

TEST_F(SnapshotFiles, the_older_one_counts_when_the_newer_one_is_damaged) {
  write(0, Lsn{10}, "older");
  write(1, Lsn{20}, "newer");
  storage.flip_bit(snapshot_path("d", 1), 24, 0);
  EXPECT_EQ(as_text(load_newest_snapshot(*disk, "d")->snapshot.contents), "older");
  storage.flip_bit(snapshot_path("d", 0), 24, 0);
  EXPECT_EQ(load_newest_snapshot(*disk, "d").error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace weir::storage
