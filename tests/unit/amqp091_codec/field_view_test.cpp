#include "protocol/amqp091/codec/field_view.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "protocol/amqp091/codec/field_table.h"
#include "unit/amqp091_codec/wire_bytes.h"

namespace weir::amqp091 {
namespace {

// A value of each type letter: the letter, then its bytes.
struct Sample {
  char letter;
  std::string_view hex;
};
constexpr Sample samples[] = {
    {'t', "01"},
    {'b', "ff"},
    {'B', "ff"},
    {'s', "fffe"},
    {'u', "fffe"},
    {'I', "fffffffd"},
    {'i', "fffffffd"},
    {'l', "fffffffffffffffc"},
    {'L', "fffffffffffffffc"},
    {'f', "3fc00000"},
    {'d', "4004000000000000"},
    {'D', "0200003039"},
    {'T', "000000006553f100"},
    {'V', ""},
    {'S', "00000003 616263"},
    {'x', "00000002 00ff"},
    {'A', "00000004 74017400"},
    {'F', "00000004 016b7401"},
};

std::string sample_table_hex() {
  std::string hex;
  for (const Sample& sample : samples) {
    hex += entry_hex({&sample.letter, 1}, letter_hex(sample.letter) + std::string(sample.hex));
  }
  return hex;
}

FieldView find(const std::vector<std::byte>& table, std::string_view name) {
  const auto found = find_in_table(table, name);
  EXPECT_TRUE(found) << name;
  return found.value_or(FieldView{});
}

std::vector<std::byte> nested_tables(unsigned depth) {
  FieldTable table;
  for (unsigned i = 1; i < depth; ++i) table = FieldTable().add("t", std::move(table));
  return encode_table(table);
}

std::vector<std::byte> array_of_voids(std::uint32_t count) {
  auto out = from_hex(entry_hex("a", "41"));
  out.resize(out.size() + 4);
  store_be(out.data() + out.size() - 4, count);
  out.insert(out.end(), count, std::byte{'V'});
  return out;
}

TEST(FieldView, each_type_letter_is_read_as_clients_mean_it) {
  const auto table = from_hex(sample_table_hex());
  ASSERT_TRUE(validate_table(table));
  EXPECT_EQ(find(table, "t").as_bool(), true);
  EXPECT_EQ(find(table, "b").as_integer(), -1);
  EXPECT_EQ(find(table, "B").as_integer(), 255);
  EXPECT_EQ(find(table, "s").as_integer(), -2);
  EXPECT_EQ(find(table, "u").as_integer(), 65'534);
  EXPECT_EQ(find(table, "I").as_integer(), -3);
  EXPECT_EQ(find(table, "i").as_integer(), 4'294'967'293);
  EXPECT_EQ(find(table, "l").as_integer(), -4);
  EXPECT_EQ(find(table, "L").as_integer(), -4);
  EXPECT_EQ(find(table, "f").as_number(), 1.5);
  EXPECT_EQ(find(table, "d").as_number(), 2.5);
  EXPECT_EQ(find(table, "T").as_timestamp_s(), 1'700'000'000U);
  EXPECT_EQ(find(table, "S").as_text(), "abc");
  EXPECT_EQ(find(table, "x").as_text(), std::string_view("\0\xff", 2));
  EXPECT_EQ(find(table, "V").type, FieldType::none);
  EXPECT_EQ(to_hex(find(table, "D").data), "0200003039");
  EXPECT_EQ(to_hex(*find(table, "A").as_array()), "74017400");
  EXPECT_EQ(to_hex(*find(table, "F").as_table()), "016b7401");
}

TEST(FieldView, answers_nothing_when_asked_for_another_kind) {
  const auto table = from_hex(sample_table_hex());
  for (TableCursor at(table); at.next();) {
    const FieldView& value = at.value();
    const int answers = value.as_integer().has_value() + value.as_number().has_value() +
                        value.as_bool().has_value() + value.as_timestamp_s().has_value() +
                        value.as_text().has_value() + value.as_table().has_value() +
                        value.as_array().has_value();
    const bool has_none = value.type == FieldType::none || value.type == FieldType::decimal;
    EXPECT_EQ(answers, has_none ? 0 : 1) << at.name();
  }
}

TEST(FieldView, any_bool_but_0_is_true) {
  const auto table = from_hex(entry_hex("a", "7402") + entry_hex("b", "7400"));
  EXPECT_EQ(find(table, "a").as_bool(), true);
  EXPECT_EQ(find(table, "b").as_bool(), false);
}

TEST(TableCursor, goes_through_the_entries_in_order) {
  const auto table = from_hex(sample_table_hex());
  std::size_t index = 0;
  TableCursor at(table);
  while (at.next()) {
    ASSERT_LT(index, std::size(samples));
    EXPECT_EQ(at.name(), std::string_view(&samples[index].letter, 1));
    EXPECT_EQ(static_cast<char>(at.value().type), samples[index].letter);
    ++index;
  }
  EXPECT_EQ(index, std::size(samples));
  EXPECT_TRUE(at.ok());
}

TEST(TableCursor, stops_and_is_not_ok_where_the_content_breaks_off) {
  const auto table = from_hex(entry_hex("a", "7401") + entry_hex("b", "49 0000"));
  TableCursor at(table);
  EXPECT_TRUE(at.next());
  EXPECT_FALSE(at.next());
  EXPECT_FALSE(at.ok());
  EXPECT_FALSE(at.next());
}

TEST(ArrayCursor, goes_through_the_values_in_order) {
  const auto array = from_hex("5300000001 61 56 4900000007");
  ArrayCursor at(array);
  ASSERT_TRUE(at.next());
  EXPECT_EQ(at.value().as_text(), "a");
  ASSERT_TRUE(at.next());
  EXPECT_EQ(at.value().type, FieldType::none);
  ASSERT_TRUE(at.next());
  EXPECT_EQ(at.value().as_integer(), 7);
  EXPECT_FALSE(at.next());
  EXPECT_TRUE(at.ok());
}

TEST(FindInTable, takes_the_first_of_two_entries_of_one_name) {
  const auto table = from_hex(entry_hex("a", "7401") + entry_hex("a", "7400"));
  EXPECT_EQ(find(table, "a").as_bool(), true);
}

TEST(FindInTable, finds_nothing_that_is_not_on_the_top_level) {
  const auto table = from_hex(sample_table_hex());
  EXPECT_FALSE(find_in_table(table, "k"));
  EXPECT_FALSE(find_in_table(table, ""));
  EXPECT_FALSE(find_in_table({}, "k"));
}

TEST(ValidateTable, refuses_a_table_cut_off_at_any_byte_that_is_not_between_entries) {
  for (const Sample& sample : samples) {
    const auto table = from_hex(entry_hex("name", letter_hex(sample.letter) + std::string(sample.hex)));
    EXPECT_TRUE(validate_table(table)) << sample.letter;
    for (std::size_t size = 1; size < table.size(); ++size) {
      const auto valid = validate_table(exact(Bytes(table).first(size)));
      ASSERT_FALSE(valid) << sample.letter << " " << size;
      EXPECT_EQ(valid.error(), (WireError{ReplyCode::syntax_error, "malformed field table"}));
    }
  }
  EXPECT_TRUE(validate_table({}));
}

TEST(ValidateTable, refuses_every_letter_that_is_no_type) {
  const std::string_view known = "tbBsuIilLfdDTVSxAF";
  for (int letter = 0; letter < 256; ++letter) {
    if (known.find(static_cast<char>(letter)) != std::string_view::npos) continue;
    const auto table = from_hex(entry_hex("a", letter_hex(static_cast<char>(letter)) + "0000000000000000"));
    EXPECT_FALSE(validate_table(table)) << letter;
  }
}

TEST(ValidateTable, looks_into_nested_tables_and_arrays) {
  EXPECT_FALSE(validate_table(from_hex(entry_hex("a", "46 00000003 016b7a"))));
  EXPECT_FALSE(validate_table(from_hex(entry_hex("a", "41 00000001 7a"))));
  EXPECT_FALSE(validate_table(from_hex(entry_hex("a", "41 00000006 41 00000001 7a"))));
  EXPECT_FALSE(validate_table(from_hex(entry_hex("a", "41 00000009 46 00000001 6b 7401"))));
}

TEST(ValidateTable, refuses_lengths_beyond_the_content) {
  EXPECT_FALSE(validate_table(from_hex(entry_hex("a", "53 ffffffff 61"))));
  EXPECT_FALSE(validate_table(from_hex("ff 61 7401")));
}

TEST(ValidateTable, takes_what_is_as_deep_as_the_limit_and_no_deeper) {
  EXPECT_TRUE(validate_table(nested_tables(table_depth_max)));
  EXPECT_FALSE(validate_table(nested_tables(table_depth_max + 1)));
}

TEST(ValidateTable, takes_as_many_values_as_the_limit_and_no_more) {
  // The array itself is one.
  EXPECT_TRUE(validate_table(array_of_voids(table_values_max - 1)));
  EXPECT_FALSE(validate_table(array_of_voids(table_values_max)));
}

TEST(ValidateTable, takes_as_many_bytes_as_the_limit_and_no_more) {
  const std::size_t around = encode_table(FieldTable().add("s", "")).size();
  EXPECT_TRUE(
      validate_table(encode_table(FieldTable().add("s", std::string(table_bytes_max - around, 'a')))));
  EXPECT_FALSE(
      validate_table(encode_table(FieldTable().add("s", std::string(table_bytes_max - around + 1, 'a')))));
}

}  // namespace
}  // namespace weir::amqp091
