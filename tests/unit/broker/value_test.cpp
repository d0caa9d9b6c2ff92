#include "broker/value.h"

#include <gtest/gtest.h>

#include <limits>

namespace weir::broker {
namespace {

Value text(std::string value) { return Value{std::move(value)}; }

TEST(Table, finds_what_was_set_and_nothing_else) {
  Table table;
  EXPECT_TRUE(table.empty());
  table.set("a", Value{std::int32_t{1}});
  table.append("b", text("two"));
  ASSERT_NE(table.find("a"), nullptr);
  EXPECT_EQ(*table.find("a"), Value{std::int32_t{1}});
  EXPECT_EQ(*table.find("b")->as_string(), "two");
  EXPECT_EQ(table.find("c"), nullptr);
  EXPECT_EQ(table.size(), 2U);
}

TEST(Table, setting_a_key_again_replaces_its_value_and_keeps_its_place) {
  Table table;
  table.set("a", Value{true});
  table.set("b", Value{true});
  table.set("a", Value{false});
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table.fields()[0].key, "a");
  EXPECT_EQ(table.fields()[0].value, Value{false});
}

TEST(Table, equality_does_not_look_at_the_order_of_fields) {
  Table one, other;
  one.set("a", text("1"));
  one.set("b", text("2"));
  other.set("b", text("2"));
  EXPECT_FALSE(one == other);
  other.set("a", text("1"));
  EXPECT_TRUE(one == other);
  other.set("a", text("2"));
  EXPECT_FALSE(one == other);
}

TEST(Value, integers_of_different_widths_are_different_values) {
  EXPECT_FALSE((Value{std::int8_t{1}} == Value{std::int16_t{1}}));
  EXPECT_FALSE((Value{std::int32_t{1}} == Value{std::uint32_t{1}}));
  EXPECT_TRUE((Value{std::int64_t{1}} == Value{std::int64_t{1}}));
}

TEST(Value, every_integer_type_widens) {
  std::int64_t out = 0;
  EXPECT_TRUE(Value{std::int8_t{-5}}.as_integer(out));
  EXPECT_EQ(out, -5);
  EXPECT_TRUE(Value{std::uint8_t{200}}.as_integer(out));
  EXPECT_EQ(out, 200);
  EXPECT_TRUE(Value{std::int16_t{-300}}.as_integer(out));
  EXPECT_EQ(out, -300);
  EXPECT_TRUE(Value{std::uint16_t{60'000}}.as_integer(out));
  EXPECT_EQ(out, 60'000);
  EXPECT_TRUE(Value{std::int32_t{-70'000}}.as_integer(out));
  EXPECT_EQ(out, -70'000);
  EXPECT_TRUE(Value{std::uint32_t{4'000'000'000U}}.as_integer(out));
  EXPECT_EQ(out, 4'000'000'000);
  EXPECT_TRUE(Value{std::numeric_limits<std::int64_t>::min()}.as_integer(out));
  EXPECT_EQ(out, std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE((Value{std::uint64_t{1} << 62}.as_integer(out)));
  EXPECT_EQ(out, std::int64_t{1} << 62);
}

TEST(Value, what_is_no_integer_or_does_not_fit_is_refused) {
  std::int64_t out = 42;
  EXPECT_FALSE((Value{std::uint64_t{1} << 63}.as_integer(out)));
  EXPECT_FALSE(Value{true}.as_integer(out));
  EXPECT_FALSE(Value{1.0}.as_integer(out));
  EXPECT_FALSE(text("1").as_integer(out));
  EXPECT_FALSE(Value{Timestamp{1}}.as_integer(out));
  EXPECT_FALSE(Value{}.as_integer(out));
  EXPECT_EQ(out, 42);
}

TEST(Value, is_described_by_its_text_and_the_name_of_its_type) {
  EXPECT_EQ(describe(text("abc")), "the value 'abc' of type 'longstr'");
  EXPECT_EQ(describe(Value{std::int32_t{60'000}}), "the value '60000' of type 'signedint'");
  EXPECT_EQ(describe(Value{std::int64_t{-1}}), "the value '-1' of type 'long'");
  EXPECT_EQ(describe(Value{std::int8_t{7}}), "the value '7' of type 'byte'");
  EXPECT_EQ(describe(Value{std::uint8_t{7}}), "the value '7' of type 'unsignedbyte'");
  EXPECT_EQ(describe(Value{std::int16_t{7}}), "the value '7' of type 'short'");
  EXPECT_EQ(describe(Value{std::uint16_t{7}}), "the value '7' of type 'unsignedshort'");
  EXPECT_EQ(describe(Value{std::uint32_t{7}}), "the value '7' of type 'unsignedint'");
  EXPECT_EQ(describe(Value{std::uint64_t{7}}), "the value '7' of type 'unsignedlong'");
  EXPECT_EQ(describe(Value{true}), "the value 'true' of type 'bool'");
  EXPECT_EQ(describe(Value{1.5}), "the value '1.5' of type 'double'");
  EXPECT_EQ(describe(Value{2.0F}), "the value '2.0' of type 'float'");
  EXPECT_EQ(describe(Value{Decimal{2, 314}}), "the value '{2,314}' of type 'decimal'");
  EXPECT_EQ(describe(Value{Timestamp{9}}), "the value '9' of type 'timestamp'");
  EXPECT_EQ(describe(Value{}), "the value 'undefined' of type 'void'");
  EXPECT_EQ(describe(Value{ByteString{"raw"}}), "the value 'raw' of type 'binary'");
  EXPECT_EQ(describe(Value{Uuid{{1, 2}}}), "the value '01020000000000000000000000000000' of type 'uuid'");
  EXPECT_EQ(describe(Value{Array{Value{}, Value{}}}), "the value '[2 values]' of type 'array'");
  EXPECT_EQ(describe(Value{Table{}}), "the value '[0 fields]' of type 'table'");
}

}  // namespace
}  // namespace weir::broker
