#include "protocol/amqp091/frame_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"
#include "protocol/amqp091/codec/methods.h"

namespace weir::amqp091 {
namespace {

using Kind = FrameReader::Item::Kind;

void append_frame(std::vector<std::byte>& out, FrameType type, std::uint16_t channel,
                  std::string_view payload) {
  const std::size_t at = out.size();
  out.resize(at + frame_overhead_bytes + payload.size());
  std::byte* to =
      write_frame_header(out.data() + at, type, channel, static_cast<std::uint32_t>(payload.size()));
  std::ranges::copy(as_bytes(payload), to);
  write_frame_end(to + payload.size());
}

// What was read, in words: "1:method:abc 2:body:defg …"
class Reading {
 public:
  void read(Bytes input) {
    for (;;) {
      const auto item = reader_.next(input, 4'096);
      if (item.kind == Kind::none) break;
      take(item);
    }
    EXPECT_TRUE(input.empty() || input.size() < 4'096);
    reader_.keep(input);
  }
  std::string words;

 private:
  void take(const FrameReader::Item& item) {
    const std::string channel = std::to_string(item.frame.channel);
    const std::string payload(as_text(item.frame.payload));
    switch (item.kind) {
      case Kind::frame:
        words += channel + ':' + std::to_string(static_cast<int>(item.frame.type)) + ':' + payload + ' ';
        break;
      case Kind::body_begin:
        body_bytes_ = item.body_bytes;
        body_.clear();
        break;
      case Kind::body_bytes: body_ += payload; break;
      case Kind::body_end:
        EXPECT_EQ(body_.size(), body_bytes_);
        words += channel + ":3:" + body_ + ' ';
        break;
      case Kind::error: FAIL() << item.error.text;
      case Kind::none: break;
    }
  }
  FrameReader reader_;
  std::string body_;
  std::size_t body_bytes_ = 0;
};

TEST(FrameReader, reads_the_same_however_the_bytes_are_cut) {
  std::vector<std::byte> bytes;
  append_frame(bytes, FrameType::method, 1, "method");
  append_frame(bytes, FrameType::header, 1, "header");
  append_frame(bytes, FrameType::body, 1, std::string(1'000, 'b'));
  append_frame(bytes, FrameType::body, 2, "");
  append_frame(bytes, FrameType::heartbeat, 0, "");
  append_frame(bytes, FrameType::body, 3, "x");
  append_frame(bytes, FrameType::method, 4, std::string(3'000, 'm'));
  Reading whole;
  whole.read(bytes);
  EXPECT_TRUE(whole.words.starts_with("1:1:method 1:2:header 1:3:bbb")) << whole.words;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Rng rng(seed);
    Reading cut;
    const std::size_t most = seed < 4 ? seed : 1 + rng.below(2'000);
    for (Bytes rest(bytes); !rest.empty();) {
      const std::size_t count = std::min<std::size_t>(rest.size(), 1 + rng.below(most));
      const std::vector<std::byte> read(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count));
      cut.read(read);
      rest = rest.subspan(count);
    }
    ASSERT_EQ(cut.words, whole.words) << seed;
  }
}

TEST(FrameReader, a_cut_body_without_its_end_octet_is_an_error) {
  std::vector<std::byte> bytes;
  append_frame(bytes, FrameType::body, 1, "abc");
  bytes.back() = std::byte{0};
  FrameReader reader;
  Bytes first = Bytes(bytes).first(9);
  EXPECT_EQ(reader.next(first, 4'096).kind, Kind::body_begin);
  EXPECT_EQ(reader.next(first, 4'096).kind, Kind::body_bytes);
  EXPECT_EQ(reader.next(first, 4'096).kind, Kind::none);
  reader.keep(first);
  Bytes rest = Bytes(bytes).subspan(9);
  EXPECT_EQ(reader.next(rest, 4'096).kind, Kind::body_bytes);
  EXPECT_EQ(reader.next(rest, 4'096).kind, Kind::error);
}

TEST(FrameReader, a_frame_that_is_too_large_is_refused_on_its_header) {
  std::byte header[frame_header_bytes];
  write_frame_header(header, FrameType::body, 1, 4'089);
  FrameReader reader;
  Bytes first = Bytes(header).first(3);
  EXPECT_EQ(reader.next(first, 4'096).kind, Kind::none);
  reader.keep(first);
  Bytes rest = Bytes(header).subspan(3);
  EXPECT_EQ(reader.next(rest, 4'096).kind, Kind::error);
}

}  // namespace
}  // namespace weir::amqp091
