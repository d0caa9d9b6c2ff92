#include "app/log_line.h"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

LogEvent event(std::string_view message, LogLevel level = LogLevel::info) {
  return {std::chrono::system_clock::time_point(std::chrono::milliseconds(1'785'664'800'007)), level,
          "journal", message};
}

TEST(LogLine, text_has_time_level_component_and_message) {
  EXPECT_EQ(log_line_as_text(event("recovered 12 records")),
            "2026-08-02T10:00:00.007Z info    journal: recovered 12 records");
  EXPECT_EQ(log_line_as_text(event("slow", LogLevel::warning)),
            "2026-08-02T10:00:00.007Z warning journal: slow");
}

TEST(LogLine, json_is_one_object) {
  EXPECT_EQ(
      log_line_as_json(event("recovered", LogLevel::error)),
      R"({"time":"2026-08-02T10:00:00.007Z","level":"error","component":"journal","message":"recovered"})");
}

TEST(LogLine, whatever_a_client_sends_stays_one_line) {
  EXPECT_EQ(log_line_as_text(event("user 'a\n2026 error: fake\x1b[31m'")),
            "2026-08-02T10:00:00.007Z info    journal: user 'a\\x0a2026 error: fake\\x1b[31m'");
  EXPECT_EQ(
      log_line_as_json(event("\"\\\n\x7f")),
      R"({"time":"2026-08-02T10:00:00.007Z","level":"info","component":"journal","message":"\"\\\u000a\u007f"})");
}

TEST(LogLine, json_is_utf8_even_if_the_message_is_not) {
  EXPECT_EQ(log_line_as_json(event("caf\xc3\xa9")),
            "{\"time\":\"2026-08-02T10:00:00.007Z\",\"level\":\"info\",\"component\":\"journal\",\"message\":"
            "\"caf\xc3\xa9\"}");
  EXPECT_EQ(
      log_line_as_json(event("caf\xe9")),
      R"({"time":"2026-08-02T10:00:00.007Z","level":"info","component":"journal","message":"caf\u00e9"})");
}

}  // namespace
}  // namespace weir::app
