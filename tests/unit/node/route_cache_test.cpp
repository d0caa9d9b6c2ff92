#include "node/route_cache.h"

#include <gtest/gtest.h>

namespace weir::node {
namespace {

constexpr std::uint64_t version = 1;

// As a session does it; true if the route was there.
bool look_up(RouteCache& cache, const std::string& exchange, const std::string& key) {
  RouteCache::Route* route = &cache.place(exchange, key);
  if (RouteCache::is_for(*route, exchange, key, version)) return true;
  if (cache.note_miss(*route)) route = &cache.place(exchange, key);
  route->exchange = exchange;
  route->key = key;
  route->version = version;
  route->valid = true;
  return false;
}

unsigned misses(RouteCache& cache, int keys, int rounds, const std::string& exchange = "") {
  unsigned count = 0;
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < keys; ++i) count += look_up(cache, exchange, "queue-" + std::to_string(i)) ? 0 : 1;
  }
  return count;
}

TEST(RouteCache, a_route_that_repeats_is_found) {
  RouteCache cache;
  EXPECT_EQ(misses(cache, 1, 100), 1U);
}

TEST(RouteCache, a_hundred_keys_keep_their_places) {
  RouteCache cache;
  misses(cache, 100, 3);
  EXPECT_LT(misses(cache, 100, 10), 100U);  // of 1,000
}

TEST(RouteCache, keys_of_two_exchanges_are_kept_apart) {
  RouteCache cache;
  misses(cache, 30, 4, "one");
  misses(cache, 30, 1, "two");
  EXPECT_FALSE(look_up(cache, "six", "queue-1"));
  EXPECT_TRUE(look_up(cache, "two", "queue-1"));
  EXPECT_TRUE(look_up(cache, "six", "queue-1"));
}

TEST(RouteCache, far_more_keys_than_places_are_routed_anew) {
  RouteCache cache;
  EXPECT_EQ(misses(cache, 5'000, 2), 10'000U);
}

TEST(RouteCache, a_route_of_an_older_topology_is_no_route) {
  RouteCache cache;
  look_up(cache, "", "a");
  EXPECT_TRUE(RouteCache::is_for(cache.place("", "a"), "", "a", version));
  EXPECT_FALSE(RouteCache::is_for(cache.place("", "a"), "", "a", version + 1));
}

}  // namespace
}  // namespace weir::node
