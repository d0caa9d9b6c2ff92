#include "base/ids.h"

#include <gtest/gtest.h>

#include <concepts>
#include <unordered_set>

namespace weir {
namespace {

// The point of a strong id: neither another kind of id nor a plain number passes for it.
static_assert(!std::convertible_to<QueueId, ExchangeId>);
static_assert(!std::convertible_to<std::uint32_t, QueueId>);
static_assert(!std::convertible_to<QueueId, std::uint32_t>);
static_assert(sizeof(QueueId) == 4 && sizeof(Seq) == 8 && sizeof(ShardId) == 2);

TEST(Ids, are_ordered_by_their_value) {
  EXPECT_LT(Seq{1}, Seq{2});
  EXPECT_EQ(Lsn{4096}, Lsn{4096});
  EXPECT_EQ(QueueId{}, QueueId{0});
}

TEST(Ids, dense_ids_do_not_share_hashes) {
  std::unordered_set<std::size_t> hashes;
  for (std::uint32_t i = 0; i < 10'000; ++i) hashes.insert(std::hash<QueueId>{}(QueueId{i}));
  EXPECT_EQ(hashes.size(), 10'000U);
}

}  // namespace
}  // namespace weir
