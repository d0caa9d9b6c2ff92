// What has no state: error codes, SASL responses, tables and properties.
#include <gtest/gtest.h>

#include "protocol/amqp091/errors.h"
#include "protocol/amqp091/mapping.h"
#include "protocol/amqp091/sasl.h"
#include "protocol/common/login_delays.h"

namespace weir::amqp091 {
namespace {

TEST(Errors, every_reason_has_a_code_and_the_code_says_what_dies) {
  const std::pair<ErrorCode, ReplyCode> cases[] = {
      {ErrorCode::not_found, ReplyCode::not_found},
      {ErrorCode::already_exists, ReplyCode::precondition_failed},
      {ErrorCode::inequivalent, ReplyCode::precondition_failed},
      {ErrorCode::access_refused, ReplyCode::access_refused},
      {ErrorCode::resource_locked, ReplyCode::resource_locked},
      {ErrorCode::precondition_failed, ReplyCode::precondition_failed},
      {ErrorCode::not_allowed, ReplyCode::not_allowed},
      {ErrorCode::invalid_argument, ReplyCode::precondition_failed},
      {ErrorCode::limit_exceeded, ReplyCode::precondition_failed},
      {ErrorCode::overloaded, ReplyCode::resource_error},
      {ErrorCode::not_implemented, ReplyCode::not_implemented},
      {ErrorCode::no_space, ReplyCode::resource_error},
      {ErrorCode::io_error, ReplyCode::internal_error},
      {ErrorCode::timed_out, ReplyCode::internal_error},
  };
  for (const auto& [reason, code] : cases) EXPECT_EQ(reply_code_of(reason), code) << to_string(reason);
  EXPECT_EQ(scope_of(reply_code_of(ErrorCode::not_found)), ErrorScope::channel);
  EXPECT_EQ(scope_of(reply_code_of(ErrorCode::not_allowed)), ErrorScope::connection);
}

TEST(Errors, a_reply_text_fits_a_short_string_and_ends_between_characters) {
  EXPECT_EQ(full_reply_text(ReplyCode::not_found, "no queue 'q' in vhost '/'"),
            "NOT_FOUND - no queue 'q' in vhost '/'");
  std::string long_text;
  for (int i = 0; i < 200; ++i) long_text += "\xc3\xa4";
  const std::string cut = full_reply_text(ReplyCode::not_found, long_text);
  EXPECT_EQ(cut.size(), 254U);  // 12 bytes and 121 characters of two
  EXPECT_TRUE(cut.ends_with("\xc3\xa4"));
  EXPECT_EQ(cut_text("\x80\x80", 1), "");
}

std::string_view text(const char* bytes, std::size_t size) { return {bytes, size}; }

TEST(Sasl, plain_responses) {
  const auto login = decode_sasl_response(SaslMechanism::plain, text("\0user\0pass", 10));
  ASSERT_TRUE(login);
  EXPECT_EQ(login->user, "user");
  EXPECT_EQ(login->password, "pass");
  EXPECT_TRUE(decode_sasl_response(SaslMechanism::plain, text("user\0user\0pass", 14)));
  EXPECT_TRUE(decode_sasl_response(SaslMechanism::plain, text("\0user\0", 6)));
  EXPECT_FALSE(decode_sasl_response(SaslMechanism::plain, text("root\0user\0pass", 14)));
  EXPECT_FALSE(decode_sasl_response(SaslMechanism::plain, text("\0user", 5)));
  EXPECT_FALSE(decode_sasl_response(SaslMechanism::plain, text("\0user\0pass\0more", 15)));
  EXPECT_FALSE(decode_sasl_response(SaslMechanism::plain, ""));
}

TEST(Sasl, amqplain_responses) {
  const auto encoded = [](const FieldTable& table) { return std::string(as_text(encode_table(table))); };
  const auto login = decode_sasl_response(SaslMechanism::amqplain,
                                          encoded(FieldTable().add("LOGIN", "user").add("PASSWORD", "pass")));
  ASSERT_TRUE(login);
  EXPECT_EQ(login->user, "user");
  EXPECT_EQ(login->password, "pass");
  EXPECT_FALSE(decode_sasl_response(SaslMechanism::amqplain, encoded(FieldTable().add("LOGIN", "user"))));
  EXPECT_FALSE(decode_sasl_response(
      SaslMechanism::amqplain, encoded(FieldTable().add("LOGIN", "user").add("PASSWORD", std::int32_t{1}))));
  EXPECT_FALSE(decode_sasl_response(SaslMechanism::amqplain, "garbage"));
}

TEST(Sasl, mechanisms_by_name) {
  EXPECT_EQ(find_sasl_mechanism("PLAIN", false), SaslMechanism::plain);
  EXPECT_EQ(find_sasl_mechanism("AMQPLAIN", true), SaslMechanism::amqplain);
  EXPECT_FALSE(find_sasl_mechanism("EXTERNAL", false));
  EXPECT_EQ(find_sasl_mechanism("EXTERNAL", true), SaslMechanism::external);
  for (const char* none : {"plain", "ANONYMOUS", "RABBIT-CR-DEMO"})
    EXPECT_FALSE(find_sasl_mechanism(none, true));
}

TEST(Mapping, a_table_survives_the_way_to_the_broker_and_back) {
  const FieldTable inner = FieldTable().add("deep", FieldArray{{std::int16_t{-1}, "x", FieldValue()}});
  const FieldTable table = FieldTable()
                               .add("bool", true)
                               .add("i8", std::int8_t{-8})
                               .add("u8", std::uint8_t{8})
                               .add("i16", std::int16_t{-16})
                               .add("u16", std::uint16_t{16})
                               .add("i32", std::int32_t{-32})
                               .add("u32", std::uint32_t{32})
                               .add("i64", std::int64_t{-64})
                               .add("float", 1.5F)
                               .add("double", 2.5)
                               .add("decimal", Decimal{2, 314})
                               .add("time", Timestamp{1'700'000'000})
                               .add("text", "hello")
                               .add("bytes", ByteString{"\xff\x00"})
                               .add("nothing", FieldValue())
                               .add("table", inner);
  const auto encoded = encode_table(table);
  const broker::Table seen = table_from_wire({encoded});
  ASSERT_NE(seen.find("i8"), nullptr);
  EXPECT_TRUE(std::holds_alternative<std::int8_t>(seen.find("i8")->v));
  EXPECT_EQ(*seen.find("text")->as_string(), "hello");
  EXPECT_EQ(table_to_wire(seen), table);
}

TEST(Mapping, of_a_name_that_comes_twice_the_first_value_counts) {
  const auto encoded = encode_table(FieldTable().add("a", "first").add("a", "second"));
  const broker::Table seen = table_from_wire({encoded});
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_EQ(*seen.find("a")->as_string(), "first");
}

TEST(Mapping, what_has_no_type_on_the_wire_takes_the_nearest) {
  broker::Table table;
  table.append("small", {std::uint64_t{7}});
  table.append("large", {UINT64_MAX});
  table.append("uuid", {broker::Uuid{{1, 2, 3}}});
  const FieldTable wire = table_to_wire(table);
  EXPECT_EQ(*wire.find("small")->get<std::int64_t>(), 7);
  EXPECT_EQ(*wire.find("large")->get<std::string>(), "18446744073709551615");
  EXPECT_EQ(wire.find("uuid")->get<ByteString>()->bytes.size(), 16U);
}

TEST(Mapping, expirations) {
  EXPECT_EQ(expiration_fault("0"), "");
  EXPECT_EQ(expiration_fault("4294967295"), "");
  EXPECT_EQ(expiration_fault("4294967296"), "{value_too_big,4294967296}");
  EXPECT_EQ(expiration_fault("99999999999999999999"), "{value_too_big,99999999999999999999}");
  EXPECT_EQ(expiration_fault("-5"), "{value_negative,-5}");
  EXPECT_EQ(expiration_fault("5s"), "{leftover_string,\"s\"}");
  EXPECT_EQ(expiration_fault(" 5"), "no_integer");
  EXPECT_EQ(expiration_fault(""), "no_integer");
}

TEST(Mapping, headers_are_decoded_when_they_are_asked_for) {
  const auto table = encode_table(FieldTable().add("k", "v"));
  std::vector<std::byte> raw;
  append_properties(raw, {.content_type = "t", .headers = TableBytes{table}});
  MessageHeaders headers{Bytes(raw)};
  EXPECT_EQ(*headers.headers().find("k")->as_string(), "v");
  MessageHeaders none{Bytes(no_properties)};
  EXPECT_TRUE(none.headers().empty());
}

TEST(LoginDelays, grow_with_failures_and_end_with_a_login_that_is_right) {
  LoginDelays delays;
  const auto fail_times = [&](unsigned times) {
    for (unsigned i = 0; i < times; ++i) delays.note("10.0.0.1", "guest", false, 1'000);
  };
  fail_times(LoginDelays::free_failures);
  EXPECT_EQ(delays.delay_ms("10.0.0.1", "guest", 1'000), 0U);
  fail_times(1);
  EXPECT_EQ(delays.delay_ms("10.0.0.1", "guest", 1'000), LoginDelays::first_delay_ms);
  EXPECT_EQ(delays.delay_ms("10.0.0.2", "guest", 1'000), 0U);
  EXPECT_EQ(delays.delay_ms("10.0.0.1", "other", 1'000), 0U);
  fail_times(1);
  EXPECT_EQ(delays.delay_ms("10.0.0.1", "guest", 1'000), 2 * LoginDelays::first_delay_ms);
  fail_times(100);
  EXPECT_EQ(delays.delay_ms("10.0.0.1", "guest", 1'000), LoginDelays::delay_ms_max);
  EXPECT_EQ(delays.delay_ms("10.0.0.1", "guest", 1'000 + LoginDelays::forget_after_ms), 0U);
  delays.note("10.0.0.1", "guest", true, 1'001);
  EXPECT_EQ(delays.delay_ms("10.0.0.1", "guest", 1'001), 0U);
}

TEST(LoginDelays, remember_no_more_than_their_bound) {
  LoginDelays delays;
  for (std::size_t i = 0; i < 2 * LoginDelays::entries_max; ++i)
    delays.note("10.0.0.1", std::to_string(i), false, i);
  EXPECT_EQ(delays.size(), LoginDelays::entries_max);
}

}  // namespace
}  // namespace weir::amqp091
