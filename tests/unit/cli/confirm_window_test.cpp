#include "cli/confirm_window.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace weir::cli {
namespace {

using Runs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

struct Settled {
  Runs runs;
  void operator()(std::uint64_t sent_ns, std::uint64_t count) { runs.emplace_back(sent_ns, count); }
};

TEST(ConfirmWindow, room_shrinks_with_each_message_and_comes_back_with_its_confirm) {
  ConfirmWindow window(3);
  EXPECT_EQ(window.room(), 3U);
  for (int i = 0; i < 3; ++i) window.add(10);
  EXPECT_EQ(window.room(), 0U);
  Settled settled;
  EXPECT_TRUE(window.settle(1, false, settled));
  EXPECT_EQ(window.room(), 1U);
  EXPECT_EQ(window.unconfirmed(), 2U);
}

TEST(ConfirmWindow, a_multiple_confirm_settles_all_up_to_it_in_runs_of_equal_times) {
  ConfirmWindow window(10);
  for (const std::uint64_t sent : {5, 5, 5, 8, 8, 9}) window.add(sent);
  Settled settled;
  EXPECT_TRUE(window.settle(5, true, settled));
  EXPECT_EQ(settled.runs, (Runs{{5, 3}, {8, 2}}));
  EXPECT_EQ(window.unconfirmed(), 1U);
}

TEST(ConfirmWindow, a_multiple_confirm_passes_over_what_was_confirmed_singly) {
  ConfirmWindow window(10);
  for (int i = 0; i < 5; ++i) window.add(7);
  Settled settled;
  EXPECT_TRUE(window.settle(3, false, settled));
  EXPECT_TRUE(window.settle(5, true, settled));
  EXPECT_EQ(settled.runs, (Runs{{7, 1}, {7, 4}}));
  EXPECT_EQ(window.unconfirmed(), 0U);
}

TEST(ConfirmWindow, a_confirm_of_nothing_that_waits_is_refused) {
  ConfirmWindow window(4);
  Settled settled;
  EXPECT_FALSE(window.settle(1, false, settled));
  window.add(1);
  window.add(1);
  EXPECT_FALSE(window.settle(3, true, settled));
  EXPECT_TRUE(window.settle(2, false, settled));
  EXPECT_FALSE(window.settle(2, false, settled));
  EXPECT_TRUE(window.settle(1, false, settled));
  EXPECT_FALSE(window.settle(1, true, settled));
  EXPECT_EQ(settled.runs.size(), 2U);
}

TEST(ConfirmWindow, one_confirm_that_stays_away_does_not_overwrite_its_entry) {
  ConfirmWindow window(4);
  Settled settled;
  window.add(99);
  std::uint64_t tag = 1;
  while (window.room() > 0) {
    window.add(1);
    ASSERT_TRUE(window.settle(++tag, false, settled));
  }
  EXPECT_EQ(window.unconfirmed(), 1U);
  settled.runs.clear();
  EXPECT_TRUE(window.settle(1, false, settled));
  EXPECT_EQ(settled.runs, (Runs{{99, 1}}));
  EXPECT_EQ(window.room(), 4U);
}

}  // namespace
}  // namespace weir::cli
