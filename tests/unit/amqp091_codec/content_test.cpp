#include "protocol/amqp091/codec/content.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/amqp091/codec/field_table.h"
#include "unit/amqp091_codec/wire_bytes.h"

namespace weir::amqp091 {
namespace {

const auto header_table = encode_table(FieldTable().add("tenant", "acme").add("retry", 3));

Properties all_properties() {
  return {
      .content_type = "application/json",
      .content_encoding = "gzip",
      .headers = TableBytes{header_table},
      .delivery_mode = delivery_mode_persistent,
      .priority = 9,
      .correlation_id = "c-1",
      .reply_to = "amq.rabbitmq.reply-to",
      .expiration = "60000",
      .message_id = "m-1",
      .timestamp_s = 1'700'000'000,
      .type = "order",
      .user_id = "guest",
      .app_id = "shop",
      .cluster_id = "",
  };
}

std::vector<std::byte> encode(const Properties& properties) {
  std::vector<std::byte> raw;
  append_properties(raw, properties);
  return raw;
}

// Keeps those properties whose bit is set in `mask` (bit 0: the first).
Properties subset(const Properties& all, unsigned mask) {
  Properties some;
  unsigned index = 0;
  const auto take = [&](auto& to, const auto& from) {
    if ((mask >> index++ & 1U) != 0) to = from;
  };
  take(some.content_type, all.content_type);
  take(some.content_encoding, all.content_encoding);
  take(some.headers, all.headers);
  take(some.delivery_mode, all.delivery_mode);
  take(some.priority, all.priority);
  take(some.correlation_id, all.correlation_id);
  take(some.reply_to, all.reply_to);
  take(some.expiration, all.expiration);
  take(some.message_id, all.message_id);
  take(some.timestamp_s, all.timestamp_s);
  take(some.type, all.type);
  take(some.user_id, all.user_id);
  take(some.app_id, all.app_id);
  take(some.cluster_id, all.cluster_id);
  return some;
}

WireError error_of(std::string_view hex) {
  const auto decoded = decode_content_header(from_hex(hex));
  EXPECT_FALSE(decoded) << hex;
  return decoded ? WireError{} : decoded.error();
}

TEST(Properties, every_combination_is_read_as_it_was_written) {
  const Properties all = all_properties();
  for (unsigned mask = 0; mask < 1U << property_count; ++mask) {
    const Properties some = subset(all, mask);
    const auto raw = encode(some);
    ASSERT_TRUE(validate_properties(raw)) << mask;
    ASSERT_EQ(properties_of(PropertiesView(raw)), some) << mask;
  }
}

TEST(Properties, are_in_the_order_of_the_wire_with_a_flag_for_each) {
  EXPECT_EQ(to_hex(encode({})), "0000");
  EXPECT_EQ(to_hex(encode({.content_type = "a"})), "80000161");
  EXPECT_EQ(to_hex(encode({.cluster_id = "a"})), "00040161");
  EXPECT_EQ(to_hex(encode({.delivery_mode = 2, .priority = 1})), "18000201");
  EXPECT_EQ(to_hex(encode({.headers = TableBytes{}, .timestamp_s = 1})), "2040000000000000000000000001");
  EXPECT_EQ(load_be<std::uint16_t>(encode(all_properties()).data()), 0xFFFC);
}

TEST(Properties, cut_off_at_any_byte_are_refused) {
  const auto raw = encode(all_properties());
  for (std::size_t size = 0; size < raw.size(); ++size) {
    const auto valid = validate_properties(exact(Bytes(raw).first(size)));
    ASSERT_FALSE(valid) << size;
    EXPECT_EQ(valid.error().code, ReplyCode::syntax_error);
  }
}

TEST(PropertiesView, knows_which_messages_are_persistent) {
  EXPECT_TRUE(PropertiesView(encode({.delivery_mode = 2})).persistent());
  EXPECT_FALSE(PropertiesView(encode({.delivery_mode = 1})).persistent());
  EXPECT_FALSE(PropertiesView(no_properties).persistent());
}

TEST(PropertiesView, shows_the_headers_as_a_table_to_look_into) {
  const auto raw = encode(all_properties());
  const auto headers = PropertiesView(raw).headers();
  ASSERT_TRUE(headers);
  const auto tenant = find_in_table(headers->content, "tenant");
  ASSERT_TRUE(tenant);
  EXPECT_EQ(tenant->as_text(), "acme");
}

TEST(ContentHeader, keeps_the_properties_as_they_came) {
  auto payload = from_hex("003c 0000 0000000000001000");
  const auto raw = encode(all_properties());
  payload.insert(payload.end(), raw.begin(), raw.end());
  const auto header = decode_content_header(payload);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->class_id, basic_class_id);
  EXPECT_EQ(header->body_bytes, 4'096U);
  EXPECT_EQ(to_hex(header->raw_properties), to_hex(raw));
}

TEST(ContentHeader, takes_any_body_size) {
  const auto header = decode_content_header(from_hex("003c 0000 ffffffffffffffff 0000"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->body_bytes, ~std::uint64_t{0});
}

TEST(ContentHeader, cut_off_at_any_byte_is_refused) {
  const auto payload = from_hex("003c 0000 0000000000000001 8000 0161");
  ASSERT_TRUE(decode_content_header(payload));
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const auto decoded = decode_content_header(exact(Bytes(payload).first(size)));
    ASSERT_FALSE(decoded) << size;
    EXPECT_EQ(decoded.error().code, size < 14 ? ReplyCode::frame_error : ReplyCode::syntax_error) << size;
  }
}

TEST(ContentHeader, of_another_class_or_with_a_weight_is_refused) {
  EXPECT_EQ(error_of("0032 0000 0000000000000000 0000"),
            (WireError{ReplyCode::unexpected_frame,
                       "expected content header for class 60, got one for another class instead"}));
  EXPECT_EQ(error_of("003c 0001 0000000000000000 0000"),
            (WireError{ReplyCode::frame_error, "content header with a weight"}));
}

TEST(ContentHeader, with_flags_that_name_no_property_is_refused) {
  const WireError expected{ReplyCode::syntax_error, "unknown property flags"};
  EXPECT_EQ(error_of("003c 0000 0000000000000000 0002"), expected);
  EXPECT_EQ(error_of("003c 0000 0000000000000000 0001 0000"), expected);  // more flags follow
  EXPECT_EQ(error_of("003c 0000 0000000000000000 0003"), expected);
}

TEST(ContentHeader, with_bytes_after_the_last_property_is_refused) {
  EXPECT_EQ(error_of("003c 0000 0000000000000000 0000 00"),
            (WireError{ReplyCode::syntax_error, "bytes after the last property"}));
  EXPECT_EQ(error_of("003c 0000 0000000000000000 1000 0201"),
            (WireError{ReplyCode::syntax_error, "bytes after the last property"}));
}

TEST(ContentHeader, with_a_bad_headers_table_is_refused) {
  EXPECT_EQ(error_of("003c 0000 0000000000000000 2000 00000003 016b7a"),
            (WireError{ReplyCode::syntax_error, "malformed field table"}));
}

TEST(PropertiesDeathTest, a_property_of_256_bytes_is_a_bug_of_the_caller) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string text(256, 'a');
  EXPECT_DEATH(encode({.message_id = text}), "short_string_bytes_max");
}

}  // namespace
}  // namespace weir::amqp091
