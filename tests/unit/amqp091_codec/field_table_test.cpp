#include "protocol/amqp091/codec/field_table.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "unit/amqp091_codec/wire_bytes.h"

namespace weir::amqp091 {
namespace {

FieldTable table_of_everything() {
  FieldArray array;
  array.values = {true, std::int8_t{-1}, "in an array", FieldValue(), FieldTable().add("deep", 1)};
  FieldTable table;
  table.add("none", FieldValue())
      .add("bool", false)
      .add("i8", std::numeric_limits<std::int8_t>::min())
      .add("u8", std::numeric_limits<std::uint8_t>::max())
      .add("i16", std::numeric_limits<std::int16_t>::min())
      .add("u16", std::numeric_limits<std::uint16_t>::max())
      .add("i32", std::numeric_limits<std::int32_t>::min())
      .add("u32", std::numeric_limits<std::uint32_t>::max())
      .add("i64", std::numeric_limits<std::int64_t>::min())
      .add("float", 1.5F)
      .add("double", -2.25)
      .add("decimal", Decimal{2, 12'345})
      .add("timestamp", Timestamp{1'700'000'000})
      .add("text", std::string("longstr"))
      .add("bytes", ByteString{std::string("\0\xff", 2)})
      .add("array", std::move(array))
      .add("table", FieldTable().add("inner", FieldTable()));
  return table;
}

TEST(FieldTable, decodes_to_what_was_encoded) {
  const FieldTable table = table_of_everything();
  const auto encoded = encode_table(table);
  const auto decoded = decode_table(encoded);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, table);
  EXPECT_EQ(to_hex(encode_table(*decoded)), to_hex(encoded));
}

TEST(FieldTable, encodes_each_type_with_its_letter) {
  const auto hex = [](FieldValue value) {
    return to_hex(encode_table(FieldTable().add("k", std::move(value))));
  };
  EXPECT_EQ(hex({}), "016b56");
  EXPECT_EQ(hex(true), "016b7401");
  EXPECT_EQ(hex(std::int8_t{-2}), "016b62fe");
  EXPECT_EQ(hex(std::uint8_t{254}), "016b42fe");
  EXPECT_EQ(hex(std::int16_t{-2}), "016b73fffe");
  EXPECT_EQ(hex(std::uint16_t{65534}), "016b75fffe");
  EXPECT_EQ(hex(std::int32_t{-2}), "016b49fffffffe");
  EXPECT_EQ(hex(std::uint32_t{5}), "016b6900000005");
  EXPECT_EQ(hex(std::int64_t{-2}), "016b6cfffffffffffffffe");
  EXPECT_EQ(hex(1.5F), "016b663fc00000");
  EXPECT_EQ(hex(2.5), "016b644004000000000000");
  EXPECT_EQ(hex(Decimal{2, 12'345}), "016b440200003039");
  EXPECT_EQ(hex(Timestamp{1'700'000'000}), "016b54000000006553f100");
  EXPECT_EQ(hex("abc"), "016b5300000003616263");
  EXPECT_EQ(hex(ByteString{"abc"}), "016b7800000003616263");
  EXPECT_EQ(hex(FieldArray{{true, "a"}}),
            "016b410000000874015300000001"
            "61");
  EXPECT_EQ(hex(FieldTable().add("x", true)), "016b460000000401787401");
}

TEST(FieldTable, the_letter_L_is_a_signed_integer_and_leaves_as_l) {
  const auto decoded = decode_table(from_hex(entry_hex("big", "4c ffffffffffffffff")));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, FieldTable().add("big", std::int64_t{-1}));
  EXPECT_EQ(to_hex(encode_table(*decoded)), entry_hex("big", "6cffffffffffffffff"));
}

TEST(FieldTable, keeps_the_bits_of_numbers_that_are_none) {
  const std::string hex = entry_hex("f", "667fa00001") + entry_hex("d", "647ff4000000000001");
  const auto decoded = decode_table(from_hex(hex));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(to_hex(encode_table(*decoded)), hex);
}

TEST(FieldTable, is_refused_when_its_content_does_not_hold) {
  const auto decoded = decode_table(from_hex("016b7a"));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error(), (WireError{ReplyCode::syntax_error, "malformed field table"}));
}

TEST(FieldTable, finds_the_first_entry_of_a_name) {
  const FieldTable table = FieldTable().add("a", 1).add("b", "text").add("a", 2);
  ASSERT_NE(table.find("a"), nullptr);
  EXPECT_EQ(*table.find("a")->get<std::int32_t>(), 1);
  EXPECT_EQ(*table.find("b")->get<std::string>(), "text");
  EXPECT_EQ(table.find("b")->get<bool>(), nullptr);
  EXPECT_EQ(table.find("c"), nullptr);
}

TEST(FieldTable, a_value_found_in_place_becomes_a_tree) {
  const FieldTable table = table_of_everything();
  const auto encoded = encode_table(table);
  for (const FieldEntry& entry : table.entries) {
    const auto view = find_in_table(encoded, entry.name);
    ASSERT_TRUE(view) << entry.name;
    EXPECT_EQ(value_of(*view), entry.value) << entry.name;
  }
}

TEST(AppendEntry, extends_a_table_that_came_from_the_wire) {
  auto content = encode_table(FieldTable().add("a", 1));
  append_entry(content, "b", FieldValue("text"));
  const auto decoded = decode_table(content);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, FieldTable().add("a", 1).add("b", "text"));
}

TEST(AppendEntry, copies_entries_bit_for_bit) {
  auto content = encode_table(table_of_everything());
  const auto odd = from_hex(entry_hex("L", "4c ffffffffffffffff") + entry_hex("t", "74 02"));
  content.insert(content.end(), odd.begin(), odd.end());
  std::vector<std::byte> copy;
  for (TableCursor at(content); at.next();) append_entry(copy, at.name(), at.value());
  EXPECT_EQ(to_hex(copy), to_hex(content));
}

TEST(FieldTableDeathTest, a_name_of_256_bytes_is_a_bug_of_the_caller) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(encode_table(FieldTable().add(std::string(256, 'n'), true)), "short_string_bytes_max");
}

}  // namespace
}  // namespace weir::amqp091
