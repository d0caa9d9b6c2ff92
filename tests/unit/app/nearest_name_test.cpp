#include "app/nearest_name.h"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

TEST(NearestName, distance_counts_insertions_deletions_replacements_and_swaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("amqp", "amqps"), 1U);
  EXPECT_EQ(edit_distance("amqp", "ampq"), 1U);
  EXPECT_EQ(edit_distance("shards", "shard"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(NearestName, a_slip_finds_its_name_and_a_strange_word_finds_none) {
  constexpr std::string_view names[] = {"listeners.amqp", "listeners.amqps", "amqp.heartbeat_s", "shards"};
  EXPECT_EQ(nearest_name("listeners.ampq", names), "listeners.amqp");
  EXPECT_EQ(nearest_name("listener.amqps", names), "listeners.amqps");
  EXPECT_EQ(nearest_name("shrads", names), "shards");
  EXPECT_EQ(nearest_name("wibble", names), "");
}

TEST(NearestName, the_last_part_alone_is_enough) {
  constexpr std::string_view names[] = {"listeners.amqp", "amqp.heartbeat_s"};
  EXPECT_EQ(nearest_name("heartbeat_s", names), "amqp.heartbeat_s");
}

TEST(NearestName, an_absurdly_long_name_is_not_compared) {
  constexpr std::string_view names[] = {"shards"};
  EXPECT_EQ(nearest_name(std::string(100'000, 'x'), names), "");
}

}  // namespace
}  // namespace weir::app
