#include "protocol/amqp091/codec/reply_code.h"

#include <gtest/gtest.h>

namespace weir::amqp091 {
namespace {

struct Row {
  std::uint16_t number;
  std::string_view text;
  ErrorScope scope;
};

constexpr Row rows[] = {
    {200, "REPLY_SUCCESS", ErrorScope::none},
    {311, "CONTENT_TOO_LARGE", ErrorScope::channel},
    {312, "NO_ROUTE", ErrorScope::channel},
    {313, "NO_CONSUMERS", ErrorScope::channel},
    {320, "CONNECTION_FORCED", ErrorScope::connection},
    {402, "INVALID_PATH", ErrorScope::connection},
    {403, "ACCESS_REFUSED", ErrorScope::channel},
    {404, "NOT_FOUND", ErrorScope::channel},
    {405, "RESOURCE_LOCKED", ErrorScope::channel},
    {406, "PRECONDITION_FAILED", ErrorScope::channel},
    {501, "FRAME_ERROR", ErrorScope::connection},
    {502, "SYNTAX_ERROR", ErrorScope::connection},
    {503, "COMMAND_INVALID", ErrorScope::connection},
    {504, "CHANNEL_ERROR", ErrorScope::connection},
    {505, "UNEXPECTED_FRAME", ErrorScope::connection},
    {506, "RESOURCE_ERROR", ErrorScope::connection},
    {530, "NOT_ALLOWED", ErrorScope::connection},
    {540, "NOT_IMPLEMENTED", ErrorScope::connection},
    {541, "INTERNAL_ERROR", ErrorScope::connection},
};

TEST(ReplyCode, has_the_text_and_the_scope_that_the_specification_gives_it) {
  for (const Row& row : rows) {
    const auto code = static_cast<ReplyCode>(row.number);
    EXPECT_EQ(reply_text(code), row.text);
    EXPECT_EQ(reply_text(row.number), row.text);
    EXPECT_EQ(scope_of(code), row.scope) << row.number;
    EXPECT_EQ(number_of(code), row.number);
  }
}

TEST(ReplyCode, of_another_number_is_unknown) {
  EXPECT_EQ(reply_text(std::uint16_t{0}), "UNKNOWN");
  EXPECT_EQ(reply_text(std::uint16_t{310}), "UNKNOWN");
}

}  // namespace
}  // namespace weir::amqp091
