#include "cli/rush_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::cli {
namespace {

using testing::HasSubstr;

RushView some_view() {
  RushView view;
  view.title = "a rush";
  view.orders = 100'000;
  view.arrived = 50'000;
  view.done = 1'000;
  view.broker_up = true;
  view.depth = 49'000;
  view.oldest_s = 2.5;
  view.workers = {{true, 250}, {false, 0}};
  view.events = {"first", "second"};
  return view;
}

TEST(RushView, a_bar_is_as_long_as_its_share) {
  EXPECT_EQ(bar_text(0, 4), "");
  EXPECT_EQ(bar_text(0.5, 4), "██");
  EXPECT_EQ(bar_text(0.5625, 2), "█▏");
  EXPECT_EQ(bar_text(7, 2), "██");
}

TEST(RushView, a_curve_shows_the_last_values_up_to_the_highest) {
  EXPECT_EQ(curve_text({}, 3), "");
  EXPECT_EQ(curve_text({0, 4, 8}, 3), " ▄█");
  EXPECT_EQ(curve_text({8, 8, 0, 0}, 2), "  ");
}

TEST(RushView, depth_age_and_time_to_drain_are_on_the_screen) {
  std::string screen;
  for (const std::string& line : rush_screen(some_view(), {80, 24}, Paint(false))) screen += line + "\n";
  EXPECT_THAT(screen, HasSubstr("49,000   oldest message 2.5 s   empty in –"));
  EXPECT_THAT(screen, HasSubstr("worker 1   holds 250 orders"));
  EXPECT_THAT(screen, HasSubstr("worker 2   away"));
  EXPECT_THAT(screen, HasSubstr("second"));
}

TEST(RushView, a_small_screen_shows_the_last_events_or_none) {
  RushView view = some_view();
  view.events.assign(20, "an event");
  EXPECT_EQ(rush_screen(view, {80, 16}, Paint(false)).size(), 16U);
  EXPECT_LE(rush_screen(view, {20, 5}, Paint(false)).size(), 13U);
}

TEST(RushView, a_line_says_when_the_broker_is_down) {
  RushView view = some_view();
  EXPECT_THAT(rush_line(view), HasSubstr("arrived 50,000"));
  view.broker_up = false;
  EXPECT_THAT(rush_line(view), HasSubstr("down"));
}

}  // namespace
}  // namespace weir::cli
