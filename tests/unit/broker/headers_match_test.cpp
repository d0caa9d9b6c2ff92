#include "broker/headers_match.h"

#include <gtest/gtest.h>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

Table fields(std::initializer_list<Field> list) {
  Table table;
  for (const Field& field : list) table.append(field.key, field.value);
  return table;
}

Value number(std::int32_t value) { return Value{value}; }

TEST(HeadersMatch, all_wants_every_field) {
  const Table arguments = fields({{"x-match", text("all")}, {"a", number(1)}, {"b", text("two")}});
  EXPECT_TRUE(headers_match(arguments, fields({{"b", text("two")}, {"a", number(1)}, {"c", number(3)}})));
  EXPECT_FALSE(headers_match(arguments, fields({{"a", number(1)}})));
  EXPECT_FALSE(headers_match(arguments, fields({{"a", number(1)}, {"b", text("three")}})));
  EXPECT_FALSE(headers_match(arguments, {}));
}

TEST(HeadersMatch, any_is_content_with_one_field) {
  const Table arguments = fields({{"x-match", text("any")}, {"a", number(1)}, {"b", text("two")}});
  EXPECT_TRUE(headers_match(arguments, fields({{"b", text("two")}})));
  EXPECT_TRUE(headers_match(arguments, fields({{"a", number(1)}, {"b", text("other")}})));
  EXPECT_FALSE(headers_match(arguments, fields({{"a", number(2)}})));
  EXPECT_FALSE(headers_match(arguments, {}));
}

TEST(HeadersMatch, without_x_match_all_is_meant) {
  const Table arguments = fields({{"a", number(1)}, {"b", number(2)}});
  EXPECT_TRUE(headers_match(arguments, fields({{"a", number(1)}, {"b", number(2)}})));
  EXPECT_FALSE(headers_match(arguments, fields({{"a", number(1)}})));
}

TEST(HeadersMatch, no_fields_match_everything_with_all_and_nothing_with_any) {
  EXPECT_TRUE(headers_match({}, {}));
  EXPECT_TRUE(headers_match({}, fields({{"a", number(1)}})));
  EXPECT_FALSE(headers_match(fields({{"x-match", text("any")}}), fields({{"a", number(1)}})));
}

TEST(HeadersMatch, fields_that_begin_with_x_count_only_when_asked_for) {
  const Table headers = fields({{"a", number(1)}, {"x-b", number(3)}});
  for (const auto& [rule, expected] :
       {std::pair{"all", true}, {"all-with-x", false}, {"any", true}, {"any-with-x", true}}) {
    EXPECT_EQ(headers_match(fields({{"x-match", text(rule)}, {"a", number(1)}, {"x-b", number(2)}}), headers),
              expected)
        << rule;
  }
  EXPECT_FALSE(headers_match(fields({{"x-match", text("any")}, {"x-b", number(3)}}), headers));
  EXPECT_TRUE(headers_match(fields({{"x-match", text("any-with-x")}, {"x-b", number(3)}}), headers));
}

TEST(HeadersMatch, a_void_value_asks_for_the_header_to_be_there) {
  const Table arguments = fields({{"a", Value{}}});
  EXPECT_TRUE(headers_match(arguments, fields({{"a", number(1)}})));
  EXPECT_TRUE(headers_match(arguments, fields({{"a", text("")}})));
  EXPECT_FALSE(headers_match(arguments, fields({{"b", number(1)}})));
}

TEST(HeadersMatch, values_are_compared_and_not_their_widths) {
  const auto match = [](Value pattern, Value header) {
    return headers_match(one_field("a", std::move(pattern)), one_field("a", std::move(header)));
  };
  EXPECT_TRUE(match(Value{std::int8_t{1}}, Value{std::int64_t{1}}));
  EXPECT_TRUE(match(Value{std::int32_t{1}}, Value{1.0}));
  EXPECT_TRUE(match(Value{1.5F}, Value{1.5}));
  EXPECT_TRUE(match(Value{Timestamp{5}}, Value{std::int32_t{5}}));
  EXPECT_TRUE(match(text("a"), Value{ByteString{"a"}}));
  EXPECT_TRUE(match(Value{std::uint64_t{1} << 63}, Value{std::uint64_t{1} << 63}));
  EXPECT_FALSE(match(text("1"), Value{std::int32_t{1}}));
  EXPECT_FALSE(match(Value{true}, Value{std::int32_t{1}}));
  EXPECT_FALSE(match(Value{std::int32_t{1}}, Value{std::int32_t{2}}));
  EXPECT_FALSE(match(Value{Array{}}, Value{Table{}}));
}

TEST(HeadersBinding, with_an_unknown_x_match_is_refused) {
  for (const char* good : {"all", "any", "all-with-x", "any-with-x"}) {
    EXPECT_TRUE(check_headers_binding(one_field("x-match", text(good))).has_value());
  }
  EXPECT_TRUE(check_headers_binding({}).has_value());
  EXPECT_EQ(error_of(check_headers_binding(one_field("x-match", text("some")))),
            "precondition failed: Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, "
            "or any-with-x");
  EXPECT_EQ(error_of(check_headers_binding(one_field("x-match", number(1)))),
            "precondition failed: Invalid x-match field type signedint (value 1); expected longstr");
}

}  // namespace
}  // namespace weir::broker
