#include "cli/message_stamp.h"

#include <gtest/gtest.h>

#include <array>

namespace weir::cli {
namespace {

TEST(MessageStamp, a_whole_stamp_comes_back_as_it_was_written) {
  std::array<std::byte, stamp_bytes> body{};
  write_stamp(body.data(), body.size(),
              {.lane = 1'000'000, .seq = stamp_seq_mask, .sent_ns = 123, .run = 456});
  const MessageStamp got = read_stamp(body.data(), body.size(), 0);
  EXPECT_EQ(got.lane, 1'000'000U);
  EXPECT_EQ(got.seq, stamp_seq_mask);
  EXPECT_EQ(got.sent_ns, 123U);
  EXPECT_EQ(got.run, 456U);
}

TEST(MessageStamp, a_shorter_body_holds_the_fields_that_fit_and_nothing_behind_its_end_is_touched) {
  std::array<std::byte, stamp_bytes> body{};
  body[16] = std::byte{0xEE};
  write_stamp(body.data(), 16, {.lane = 3, .seq = 9, .sent_ns = 77, .run = 5});
  EXPECT_EQ(body[16], std::byte{0xEE});
  EXPECT_EQ(read_stamp(body.data(), 16, 0).sent_ns, 77U);
  EXPECT_EQ(read_stamp(body.data(), 16, 0).run, 0U);
  body[8] = std::byte{0xEE};
  write_stamp(body.data(), 8, {.lane = 3, .seq = 9, .sent_ns = 1});
  EXPECT_EQ(body[8], std::byte{0xEE});
  EXPECT_EQ(read_stamp(body.data(), 8, 0).seq, 9U);
  EXPECT_EQ(read_stamp(body.data(), 8, 0).lane, 3U);
}

TEST(MessageStamp, the_low_bytes_of_a_sequence_are_completed_to_the_nearest_number) {
  std::array<std::byte, stamp_bytes> body{};
  for (std::size_t bytes = 1; bytes < stamp_with_lane_bytes; ++bytes) {
    for (const std::uint64_t expected : {std::uint64_t{0}, std::uint64_t{300}, std::uint64_t{70'000}}) {
      for (std::int64_t off = -20; off <= 20; ++off) {
        if (off < 0 && expected < static_cast<std::uint64_t>(-off)) continue;
        const std::uint64_t seq = expected + static_cast<std::uint64_t>(off);
        write_stamp(body.data(), bytes, {.seq = seq});
        ASSERT_EQ(read_stamp(body.data(), bytes, expected).seq, seq)
            << bytes << " bytes, " << expected << off;
      }
    }
  }
}

TEST(MessageStamp, an_empty_body_is_taken_for_what_is_expected) {
  EXPECT_EQ(read_stamp(nullptr, 0, 42).seq, 42U);
}

}  // namespace
}  // namespace weir::cli
