#include "broker/alarms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "base/rng.h"

namespace weir::broker {

TEST(Alarms, give_the_one_that_is_due_first) {
  Alarms alarms;
  Alarm a, b, c;
  alarms.arm(a, 30);
  alarms.arm(b, 10);
  alarms.arm(c, 20);
  EXPECT_EQ(alarms.first(), &b);
  alarms.cancel(b);
  EXPECT_EQ(alarms.first(), &c);
  alarms.arm(a, 5);
  EXPECT_EQ(alarms.first(), &a);
  alarms.arm(a, 25);
  EXPECT_EQ(alarms.first(), &c);
  alarms.arm_before(c, 90);
  EXPECT_EQ(c.at_ms(), 20U);
}

TEST(Alarms, forget_one_that_is_destroyed) {
  Alarms alarms;
  Alarm stays;
  alarms.arm(stays, 2);
  {
    Alarm goes;
    alarms.arm(goes, 1);
  }
  EXPECT_EQ(alarms.first(), &stays);
  EXPECT_EQ(alarms.size(), 1U);
}

TEST(Alarms, hold_for_any_order_of_arming_moving_and_cancelling) {
  Rng rng(5);
  Alarms alarms;
  std::vector<std::unique_ptr<Alarm>> all;
  for (int i = 0; i < 200; ++i) all.push_back(std::make_unique<Alarm>());
  for (int step = 0; step < 20'000; ++step) {
    Alarm& one = *all[rng.below(all.size())];
    if (rng.chance(1, 3)) {
      alarms.cancel(one);
    } else {
      alarms.arm(one, rng.below(1'000));
    }
    std::uint64_t first = UINT64_MAX;
    std::size_t armed = 0;
    for (const auto& alarm : all) {
      if (!alarm->armed()) continue;
      ++armed;
      first = std::min(first, alarm->at_ms());
    }
    ASSERT_EQ(alarms.size(), armed);
    if (armed > 0) ASSERT_EQ(alarms.first()->at_ms(), first);
  }
}

}  // namespace weir::broker
