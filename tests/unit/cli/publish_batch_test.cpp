#include "cli/publish_batch.h"

#include <gtest/gtest.h>

#include "cli/amqp_messages.h"
#include "protocol/amqp091/codec/basic_methods.h"
#include "protocol/amqp091/codec/content.h"
#include "protocol/amqp091/codec/frame.h"
#include "protocol/amqp091/codec/method_codec.h"

namespace weir::cli {
namespace {

using namespace amqp091;

constexpr std::uint32_t frame_max = 8192;

struct Published {
  std::string routing_key{};
  std::uint8_t delivery_mode = 0;
  std::vector<std::byte> body{};
};

std::vector<std::byte> written(const PublishBatch& batch) {
  std::vector<std::byte> bytes;
  batch.pieces([&](Bytes piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
  return bytes;
}

// Reads frames as a broker would; each message must be complete.
std::vector<Published> parse(Bytes bytes) {
  std::vector<Published> messages;
  std::uint64_t body_bytes = 0;
  while (!bytes.empty()) {
    const DecodedFrame decoded = decode_frame(bytes, frame_max);
    if (decoded.answer != DecodedFrame::Answer::frame) {
      ADD_FAILURE() << "not a frame";
      break;
    }
    bytes = bytes.subspan(decoded.bytes);
    const Bytes payload = decoded.frame.payload;
    if (decoded.frame.type == FrameType::method) {
      EXPECT_TRUE(messages.empty() || messages.back().body.size() == body_bytes);
      messages.push_back({.routing_key = std::string(decode_as<BasicPublish>(payload)->routing_key)});
    } else if (decoded.frame.type == FrameType::header) {
      const auto header = decode_content_header(payload);
      body_bytes = header->body_bytes;
      messages.back().delivery_mode = PropertiesView(header->raw_properties).delivery_mode().value_or(0);
    } else {
      messages.back().body.insert(messages.back().body.end(), payload.begin(), payload.end());
    }
  }
  return messages;
}

TEST(PublishBatch, messages_of_every_size_come_out_whole_with_their_stamps) {
  for (const std::uint32_t size : {0U, 1U, 16U, 24U, 1000U, 4096U, 4097U, 8184U, 8185U, 100'000U}) {
    PublishBatch batch(
        amqp_form({.routing_keys = {"q.1", "q.2"}, .size_bytes = size, .frame_max = frame_max}), 10);
    for (std::uint64_t round = 0; round < 3; ++round) {
      batch.clear();
      const std::size_t count = std::min<std::size_t>(batch.room(), 5);
      for (std::uint64_t i = 0; i < count; ++i) {
        batch.add((i + round) % 2,
                  {.lane = static_cast<std::uint32_t>(i), .seq = round * 100 + i, .sent_ns = 7, .run = 8},
                  i + 1);
      }
      const std::vector<Published> messages = parse(written(batch));
      ASSERT_EQ(messages.size(), count) << size;
      for (std::uint64_t i = 0; i < count; ++i) {
        ASSERT_EQ(messages[i].body.size(), size);
        EXPECT_EQ(messages[i].routing_key, (i + round) % 2 == 0 ? "q.1" : "q.2");
        EXPECT_EQ(messages[i].delivery_mode, 2);
        EXPECT_EQ(read_stamp(messages[i].body.data(), size, round * 100 + i).seq, round * 100 + i);
      }
    }
  }
}

TEST(PublishBatch, it_holds_no_more_messages_than_asked_for) {
  PublishBatch batch(amqp_form({.routing_keys = {"q"}, .size_bytes = 10, .frame_max = frame_max}), 3);
  EXPECT_EQ(batch.room(), 3U);
  batch.add(0, {}, 1);
  EXPECT_EQ(batch.room(), 2U);
  batch.clear();
  EXPECT_EQ(batch.room(), 3U);
}

TEST(PublishBatch, the_number_of_a_message_is_found_again_by_its_packet_id) {
  for (const std::uint64_t lowest : {1ULL, 65'530ULL, 65'535ULL, 65'536ULL, 1'000'000ULL}) {
    for (std::uint64_t number = lowest; number < lowest + 8'000; ++number) {
      ASSERT_NE(packet_id_of(number), 0U);
      ASSERT_EQ(number_of_packet(packet_id_of(number), lowest), number);
    }
  }
}

}  // namespace
}  // namespace weir::cli
