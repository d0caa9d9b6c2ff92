#include "app/certificate_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/log.h"

namespace weir::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t day_s = 86'400;

std::vector<std::string> told;  // by the log, which is the process's

class CertificateWatchTest : public testing::Test {
 protected:
  CertificateWatchTest() {
    told.clear();
    set_log_sink([](const LogRecord& record) { told.emplace_back(record.message); }, LogLevel::warning);
  }
  ~CertificateWatchTest() override { mute_log(); }
  void pass_days(std::uint64_t days) {
    clock_.advance_ms(days * day_s * 1'000);
    timers_.advance(clock_.monotonic_ns() / 1'000'000 + 10);
  }
  std::int64_t in_days(std::int64_t days) const {
    return static_cast<std::int64_t>(clock_.wall_ms() / 1'000) + days * day_s + 60;
  }

  ManualClock clock_;
  runtime::TimerWheel timers_;
};

TEST_F(CertificateWatchTest, warns_every_day_before_the_end_and_after_it) {
  std::int64_t expires_s = in_days(15);
  CertificateWatch watch(timers_, clock_, [&] { return expires_s; });
  EXPECT_THAT(told, IsEmpty());
  pass_days(1);
  EXPECT_THAT(told, IsEmpty());
  pass_days(1);
  EXPECT_THAT(told, ElementsAre(HasSubstr("expires in 13 days")));
  expires_s = in_days(-1);
  pass_days(1);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_THAT(told.back(), HasSubstr("has expired"));
  expires_s = in_days(100);
  watch.look();
  pass_days(1);
  EXPECT_EQ(told.size(), 2U);
}

TEST_F(CertificateWatchTest, has_nothing_to_say_of_none) {
  const CertificateWatch watch(timers_, clock_, [] { return std::int64_t{0}; });
  pass_days(1);
  EXPECT_THAT(told, IsEmpty());
}

}  // namespace
}  // namespace weir::app
