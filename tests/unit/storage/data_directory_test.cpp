#include "storage/data_directory.h"

#include <gtest/gtest.h>

#include "runtime/sim/sim_disk.h"

namespace weir::storage {
namespace {

class DataDirectory : public ::testing::Test {
 protected:
  DataDirectory() : storage(1), disk(storage.open_disk()) {}
  runtime::SimStorage storage;
  std::unique_ptr<runtime::Disk> disk;
};

TEST_F(DataDirectory, is_made_once_and_keeps_its_identity_and_shards) {
  const auto made = open_identity(*disk, "data", 4, 99);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->node_id.size(), 32U);
  EXPECT_EQ(made->shards, 4);
  const auto again = open_identity(*disk, "data", 8, 1234);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->node_id, made->node_id);
  EXPECT_EQ(again->shards, 4);
}

TEST_F(DataDirectory, another_seed_makes_another_identity) {
  EXPECT_NE(open_identity(*disk, "a", 1, 1)->node_id, open_identity(*disk, "b", 1, 2)->node_id);
}

TEST_F(DataDirectory, any_change_of_its_file_is_noticed) {
  ASSERT_TRUE(open_identity(*disk, "data", 4, 99).has_value());
  const std::size_t size = storage.contents("data/node.id").size();
  for (std::size_t at = 0; at < size; ++at) {
    storage.flip_bit("data/node.id", at, 0);
    const auto opened = open_identity(*disk, "data", 4, 99);
    ASSERT_FALSE(opened.has_value()) << at;
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
    storage.flip_bit("data/node.id", at, 0);
  }
}

TEST_F(DataDirectory, data_without_an_identity_is_not_taken_for_a_new_directory) {
  ASSERT_TRUE(disk->make_directories(shard_directory("data", 0)).has_value());
  ASSERT_TRUE(disk->write_file_now(shard_directory("data", 0) + "/super.A", as_bytes("x")).has_value());
  EXPECT_EQ(open_identity(*disk, "data", 4, 99).error().code, ErrorCode::corrupt);
}

TEST_F(DataDirectory, shards_have_two_digits) {
  EXPECT_EQ(shard_directory("data", 0), "data/shard-00");
  EXPECT_EQ(shard_directory("data", 63), "data/shard-63");
}

}  // namespace
}  // namespace weir::storage
