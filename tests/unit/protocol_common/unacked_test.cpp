#include "protocol/common/unacked.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "base/rng.h"

namespace weir {
namespace {

Unacked delivery(std::uint64_t tag) { return {tag, Seq{tag * 10}, QueueId{1}, 7}; }

std::vector<std::uint64_t> through(UnackedWindow& window, std::uint64_t tag, bool& known) {
  std::vector<std::uint64_t> taken;
  known = window.take_through(tag, [&](const Unacked& one) { taken.push_back(one.tag); });
  return taken;
}

TEST(UnackedWindow, one_is_taken_by_its_tag_once) {
  UnackedWindow window;
  for (std::uint64_t tag = 1; tag <= 3; ++tag) window.push(delivery(tag));
  Unacked taken;
  ASSERT_TRUE(window.take(2, taken));
  EXPECT_EQ(taken.seq, Seq{20});
  EXPECT_EQ(taken.queue, QueueId{1});
  EXPECT_EQ(taken.consumer, 7U);
  EXPECT_FALSE(window.take(2, taken));
  EXPECT_FALSE(window.take(0, taken));
  EXPECT_FALSE(window.take(4, taken));
  EXPECT_EQ(window.size(), 2U);
}

TEST(UnackedWindow, many_are_taken_in_order_without_those_that_went_before) {
  UnackedWindow window;
  for (std::uint64_t tag = 1; tag <= 6; ++tag) window.push(delivery(tag));
  Unacked one;
  ASSERT_TRUE(window.take(2, one));
  bool known = false;
  EXPECT_EQ(through(window, 4, known), (std::vector<std::uint64_t>{1, 3, 4}));
  EXPECT_TRUE(known);
  EXPECT_EQ(through(window, 4, known), (std::vector<std::uint64_t>{}));
  EXPECT_FALSE(known);
  EXPECT_EQ(through(window, 7, known), (std::vector<std::uint64_t>{}));
  EXPECT_FALSE(known);
  EXPECT_EQ(window.size(), 2U);
}

TEST(UnackedWindow, taking_may_bring_new_deliveries) {
  UnackedWindow window;
  for (std::uint64_t tag = 1; tag <= 100; ++tag) window.push(delivery(tag));
  std::uint64_t next = 101;
  std::vector<std::uint64_t> taken;
  window.take_all([&](const Unacked& one) {
    taken.push_back(one.tag);
    window.push(delivery(next++));
  });
  ASSERT_EQ(taken.size(), 100U);
  EXPECT_EQ(taken.front(), 1U);
  EXPECT_EQ(taken.back(), 100U);
  EXPECT_EQ(window.size(), 100U);
}

TEST(UnackedWindow, does_what_a_map_does) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    UnackedWindow window;
    std::map<std::uint64_t, std::uint64_t> model;
    std::uint64_t next = 1;
    for (int step = 0; step < 5'000; ++step) {
      const std::uint64_t low = model.empty() ? 0 : model.begin()->first;
      const std::uint64_t tag = low + rng.below(next - low + 2);
      switch (rng.below(8)) {
        case 0: {
          std::vector<std::uint64_t> expected;
          const bool there = model.contains(tag);
          if (there) {
            for (auto at = model.begin(); at != model.end() && at->first <= tag; at = model.erase(at)) {
              expected.push_back(at->first);
            }
          }
          bool known = false;
          ASSERT_EQ(through(window, tag, known), expected);
          ASSERT_EQ(known, there);
          break;
        }
        case 1:
        case 2:
        case 3: {
          Unacked taken;
          const bool there = model.erase(tag) > 0;
          ASSERT_EQ(window.take(tag, taken), there);
          if (there) {
            ASSERT_EQ(taken.tag, tag);
          }
          break;
        }
        default:
          next += rng.chance(1, 10) ? rng.below(5) : 0;  // deliveries that need no acknowledgement
          window.push(delivery(next));
          model[next] = next;
          ++next;
      }
      ASSERT_EQ(window.size(), model.size());
    }
  }
}

}  // namespace
}  // namespace weir
