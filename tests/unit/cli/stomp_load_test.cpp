#include "cli/stomp_load.h"

#include <gtest/gtest.h>

#include "protocol/stomp/codec/frame_reader.h"

namespace weir::cli {
namespace {

using namespace std::literals;

TEST(StompForm, every_send_is_a_frame_with_its_own_receipt_and_stamp) {
  for (const std::uint32_t size : {0U, 24U, 1024U, 4096U, 5000U}) {
    PublishBatch batch(stomp_form({.destinations = {"/queue/a.1", "/queue/a.2"}, .size_bytes = size}), 10);
    for (std::uint64_t number = 41; number < 44; ++number)
      batch.add(number % 2, {.lane = 3, .seq = number}, number);
    std::vector<std::byte> written;
    batch.pieces([&](Bytes piece) { written.insert(written.end(), piece.begin(), piece.end()); });

    stomp::FrameReader reader;
    Bytes input = written;
    for (std::uint64_t number = 41; number < 44; ++number) {
      ASSERT_EQ(reader.next(input, nullptr, {.body_bytes = size}), stomp::FrameReader::Kind::frame) << size;
      EXPECT_EQ(reader.command(), "SEND");
      EXPECT_EQ(reader.headers().find("destination"), number % 2 == 0 ? "/queue/a.1" : "/queue/a.2");
      EXPECT_EQ(reader.headers().find("persistent"), "true");
      EXPECT_EQ(reader.headers().find("receipt"), "0000000000" + std::to_string(number));
      ASSERT_EQ(reader.body().size(), size);
      EXPECT_EQ(read_stamp(reader.body().data(), size, number).seq, number);
    }
    EXPECT_TRUE(input.empty());
  }
}

TEST(StompForm, without_receipts_none_is_asked_for) {
  const PublishForm form =
      stomp_form({.destinations = {"/queue/a"}, .persistent = false, .receipts = false, .size_bytes = 1});
  EXPECT_EQ(form.number, NumberField::none);
  const std::vector<std::byte> frame = form.message(0);
  EXPECT_EQ(as_text(frame).find("receipt"), std::string_view::npos);
  EXPECT_EQ(as_text(frame).find("persistent"), std::string_view::npos);
}

TEST(StompFrame, names_and_values_are_escaped) {
  EXPECT_EQ(stomp_frame("ACK", {{"id", "a:b"}}), "ACK\nid:a\\cb\n\n\0"sv);
}

}  // namespace
}  // namespace weir::cli
