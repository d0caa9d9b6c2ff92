#include "app/resource_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ResourceWatchTest : public testing::Test {
 protected:
  std::unique_ptr<ResourceWatch> watch() {
    return std::make_unique<ResourceWatch>(
        timers_, ResourceLimits{1000, 50, "/data"},
        [this](const char* alarm) { told_.emplace_back(alarm == nullptr ? "none" : alarm); },
        [this](const std::string&) { return use_; });
  }
  void pass_time() { timers_.advance(timers_.now_ms() + resource_watch_ms + 1); }

  runtime::TimerWheel timers_;
  ResourceUse use_{100, 100};
  std::vector<std::string> told_;
};

TEST_F(ResourceWatchTest, while_all_is_well_nothing_is_told) {
  const auto watching = watch();
  pass_time();
  pass_time();
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(ResourceWatchTest, each_change_is_told_once) {
  const auto watching = watch();
  use_ = {1001, 100};
  pass_time();
  pass_time();
  EXPECT_THAT(told_, ElementsAre("memory"));
  use_ = {1001, 49};
  pass_time();
  use_ = {1000, 49};
  pass_time();
  EXPECT_THAT(told_, ElementsAre("memory", "disk"));
  use_ = {1000, 50};
  pass_time();
  EXPECT_THAT(told_, ElementsAre("memory", "disk", "none"));
}

TEST_F(ResourceWatchTest, what_is_short_from_the_start_is_told_at_once) {
  use_ = {100, 0};
  const auto watching = watch();
  EXPECT_THAT(told_, ElementsAre("disk"));
}

TEST_F(ResourceWatchTest, it_stops_looking_when_it_is_gone) {
  watch().reset();
  EXPECT_EQ(timers_.armed_count(), 0U);
}

TEST_F(ResourceWatchTest, this_process_uses_memory_and_the_disk_has_room) {
  const ResourceUse use = measure_resources(testing::TempDir());
  EXPECT_GT(use.memory_bytes, 1U << 20);
  EXPECT_LT(use.memory_bytes, 1ULL << 40);
  EXPECT_LE(use.disk_free_bytes, file_system_bytes(testing::TempDir()));
  EXPECT_EQ(measure_resources("/nowhere/at/all").disk_free_bytes, UINT64_MAX);
}

}  // namespace
}  // namespace weir::app
