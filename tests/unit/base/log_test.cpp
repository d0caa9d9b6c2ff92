#include "base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir {
namespace {

struct Line {
  LogLevel level;
  std::string component;
  std::string message;
};

std::vector<Line>& lines() {
  static std::vector<Line> all;
  return all;
}

void keep_line(const LogRecord& record) {
  lines().push_back({record.level, std::string(record.component), std::string(record.message)});
}

struct Unprintable {
  int* formatted;
};

TEST(Log, lines_below_the_least_level_reach_no_sink_and_are_not_enabled) {
  lines().clear();
  set_log_sink(&keep_line, LogLevel::info);
  log_debug("journal", "not {}", "seen");
  log_info("journal", "{} files", 3);
  log_error("amqp", "closed");
  EXPECT_FALSE(log_enabled(LogLevel::debug));
  EXPECT_TRUE(log_enabled(LogLevel::info));
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_EQ(lines()[0].level, LogLevel::info);
  EXPECT_EQ(lines()[0].component, "journal");
  EXPECT_EQ(lines()[0].message, "3 files");
  EXPECT_EQ(lines()[1].level, LogLevel::error);
}

TEST(Log, the_least_level_can_be_lowered_while_running) {
  lines().clear();
  set_log_sink(&keep_line, LogLevel::error);
  log_warning("node", "hidden");
  set_log_sink(&keep_line, LogLevel::debug);
  log_debug("node", "shown");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0].message, "shown");
}

}  // namespace
}  // namespace weir

template <>
struct fmt::formatter<weir::Unprintable> {
  static constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  static auto format(const weir::Unprintable& value, fmt::format_context& context) {
    ++*value.formatted;
    return context.out();
  }
};

namespace weir {
namespace {

TEST(Log, a_line_that_is_not_wanted_is_not_formatted) {
  int formatted = 0;
  set_log_sink(&keep_line, LogLevel::info);
  log_debug("node", "{}", Unprintable{&formatted});
  EXPECT_EQ(formatted, 0);
  log_info("node", "{}", Unprintable{&formatted});
  EXPECT_EQ(formatted, 1);
}

}  // namespace
}  // namespace weir
