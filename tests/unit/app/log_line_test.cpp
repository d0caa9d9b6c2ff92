#include "app/log_line.h"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

constexpr LogTime some_time{std::chrono::milliseconds(1'785'664'800'007)};

LogRecord event(std::string_view message, LogLevel level = LogLevel::info) {
  return {level, "journal", message};
}

TEST(LogLine, text_has_time_level_component_and_message) {
  EXPECT_EQ(log_line_as_text(some_time, event("recovered 12 records")),
            "2026-08-02T10:00:00.007Z info    journal: recovered 12 records");
  EXPECT_EQ(log_line_as_text(some_time, event("slow", LogLevel::warning)),
            "2026-08-02T10:00:00.007Z warning journal: slow");
}

TEST(LogLine, json_is_one_object) {
  EXPECT_EQ(
      log_line_as_json(some_time, event("recovered", LogLevel::error)),
      R"({"time":"2026-08-02T10:00:00.007Z","level":"error","component":"journal","message":"recovered"})");
}

TEST(LogLine, whatever_a_client_sends_stays_one_line) {
  EXPECT_EQ(log_line_as_text(some_time, event("user 'a\n2026 error: fake\x1b[31m'")),
            "2026-08-02T10:00:00.007Z info    journal: user 'a\\x0a2026 error: fake\\x1b[31m'");
  EXPECT_EQ(
      log_line_as_json(some_time, event("\"\\\n\x7f")),
      R"({"time":"2026-08-02T10:00:00.007Z","level":"info","component":"journal","message":"\"\\\u000a\u007f"})");
}

TEST(LogLine, json_is_utf8_even_if_the_message_is_not) {
  EXPECT_EQ(log_line_as_json(some_time, event("caf\xc3\xa9")),
            "{\"time\":\"2026-08-02T10:00:00.007Z\",\"level\":\"info\",\"component\":\"journal\",\"message\":"
            "\"caf\xc3\xa9\"}");
  EXPECT_EQ(
      log_line_as_json(some_time, event("caf\xe9")),
      R"({"time":"2026-08-02T10:00:00.007Z","level":"info","component":"journal","message":"caf\u00e9"})");
}

TEST(LogLine, fields_follow_the_message_and_are_quoted_where_they_are_no_word) {
  const LogField fields[] = {{"user", "shop"},
                             {"reason", "it's \"over\""},
                             {"messages_in", std::uint64_t{7}},
                             {"duration_s", 1.5},
                             {"tls", true},
                             {"empty", ""}};
  LogRecord record = event("closed");
  record.fields = fields;
  EXPECT_EQ(
      log_line_as_text(some_time, record),
      "2026-08-02T10:00:00.007Z info    journal: closed user=shop reason=\"it's \\\"over\\\"\" messages_in=7 "
      "duration_s=1.500 tls=true empty=\"\"");
  EXPECT_EQ(
      log_line_as_json(some_time, record),
      R"({"time":"2026-08-02T10:00:00.007Z","level":"info","component":"journal","message":"closed",)"
      R"("user":"shop","reason":"it's \"over\"","messages_in":7,"duration_s":1.500,"tls":true,"empty":""})");
}

TEST(LogLine, a_hostile_field_stays_on_the_line) {
  const LogField fields[] = {{"user", "a\nb=c"}};
  LogRecord record = event("x");
  record.fields = fields;
  EXPECT_EQ(log_line_as_text(some_time, record),
            "2026-08-02T10:00:00.007Z info    journal: x user=\"a\\x0ab=c\"");
}

}  // namespace
}  // namespace weir::app
