#include "broker/message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/message_extras.h"

namespace weir::broker {
namespace {

struct Sample {
  std::string properties = "content-type: text/plain";
  std::string first = "hello, ", second = "world";
  std::vector<Bytes> pieces{as_bytes(first), as_bytes(second)};
  IncomingMessage message{.native = NativeForm::amqp091,
                          .persistent = true,
                          .priority = 5,
                          .exchange = "ex",
                          .routing_key = "key",
                          .properties = as_bytes(properties),
                          .body = pieces,
                          .body_bytes = first.size() + second.size()};

  std::vector<std::byte> encoded(std::uint64_t received_ms = 1'700'000'000'123) const {
    std::vector<std::byte> bytes(envelope_bytes(message));
    encode_envelope(message, received_ms, bytes.data());
    return bytes;
  }
};

void expect_sample(const StoredMessage& message) {
  EXPECT_EQ(message.native, NativeForm::amqp091);
  EXPECT_TRUE(message.persistent);
  EXPECT_EQ(message.priority, 5);
  EXPECT_EQ(message.exchange, "ex");
  EXPECT_EQ(message.routing_key, "key");
  EXPECT_EQ(as_text(message.properties), "content-type: text/plain");
  EXPECT_EQ(as_text(message.body), "hello, world");
  EXPECT_EQ(message.received_ms, 1'700'000'000'123U);
}

TEST(Envelope, gives_back_the_message_that_went_in) {
  const std::vector<std::byte> bytes = Sample().encoded();
  const auto decoded = decode_envelope(bytes);
  ASSERT_TRUE(decoded.has_value());
  expect_sample(*decoded);
  expect_sample(view_envelope(bytes.data()));
}

TEST(Envelope, is_laid_out_as_drawn) {
  const std::vector<std::byte> bytes = Sample().encoded(0x0102030405060708);
  const std::string expected_header(
      "\x01\x01\x05\x02\x03\x00\x00\x00"
      "\x18\x00\x00\x00\x0c\x00\x00\x00"
      "\x08\x07\x06\x05\x04\x03\x02\x01",
      24);
  EXPECT_EQ(as_text(Bytes(bytes).first(24)), expected_header);
  EXPECT_EQ(as_text(Bytes(bytes).subspan(24)), "exkeycontent-type: text/plainhello, world");
}

TEST(Envelope, of_an_empty_message_is_a_header) {
  const IncomingMessage message;
  std::vector<std::byte> bytes(envelope_bytes(message));
  EXPECT_EQ(bytes.size(), envelope_header_bytes);
  encode_envelope(message, 0, bytes.data());
  const auto decoded = decode_envelope(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->native, NativeForm::none);
  EXPECT_FALSE(decoded->persistent);
  EXPECT_TRUE(decoded->body.empty());
}

TEST(Envelope, holds_names_of_255_bytes) {
  const std::string longest(255, 'n');
  IncomingMessage message;
  message.exchange = longest;
  message.routing_key = longest;
  std::vector<std::byte> bytes(envelope_bytes(message));
  encode_envelope(message, 0, bytes.data());
  const auto decoded = decode_envelope(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->exchange, longest);
  EXPECT_EQ(decoded->routing_key, longest);
}

TEST(Envelope, is_corrupt_when_cut_off_at_any_byte_or_followed_by_more) {
  std::vector<std::byte> bytes = Sample().encoded();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = decode_envelope(Bytes(bytes).first(size));
    ASSERT_FALSE(decoded.has_value()) << size;
    EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(decode_envelope(bytes).has_value());
}

TEST(Envelope, is_corrupt_when_a_length_claims_more_than_there_is) {
  for (const std::size_t at : {3, 4, 6, 7, 8, 11, 12, 15}) {
    std::vector<std::byte> bytes = Sample().encoded();
    bytes[at] = std::byte{0xff};
    EXPECT_FALSE(decode_envelope(bytes).has_value()) << at;
  }
}

TEST(Envelope, carries_extras_and_refuses_those_that_are_none) {
  Sample sample;
  std::vector<std::byte> extras;
  MessageExtras of;
  of.ttl_ms = 1'000;
  append_extras(extras, of);
  sample.message.extras = extras;
  std::vector<std::byte> bytes = sample.encoded();
  const auto decoded = decode_envelope(bytes);
  ASSERT_TRUE(decoded.has_value());
  expect_sample(*decoded);
  EXPECT_EQ(view_extras(decoded->extras).ttl_ms, 1'000U);
  bytes[envelope_header_bytes + 5] = std::byte{0};  // behind exchange and key
  EXPECT_FALSE(decode_envelope(bytes).has_value());
}

TEST(Envelope, is_corrupt_with_an_unknown_form_or_a_reserved_bit) {
  for (const std::size_t at : {0, 1, 5}) {
    std::vector<std::byte> bytes = Sample().encoded();
    bytes[at] = std::byte{0x80};
    const auto decoded = decode_envelope(bytes);
    ASSERT_FALSE(decoded.has_value()) << at;
    EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
  }
}

}  // namespace
}  // namespace weir::broker
