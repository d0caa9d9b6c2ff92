#include "protocol/stomp/codec/frame_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::stomp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr FrameLimits limits{.head_bytes = 1'024, .headers = 8, .body_bytes = 100'000};

// What comes of a stream that is read in pieces of so many bytes: "COMMAND name=value|body", "error: why".
std::vector<std::string> read(const std::string& stream, std::size_t piece_bytes = SIZE_MAX,
                              bool pass_on = false) {
  std::vector<std::string> out;
  FrameReader reader;
  std::string passed;
  for (std::size_t at = 0; at < stream.size(); at += std::min(piece_bytes, stream.size() - at)) {
    const std::string piece = stream.substr(at, piece_bytes);  // its bytes go with the round
    const ChunkRef chunk = ChunkRef::adopt(Chunk::make(piece.size()));
    std::copy(piece.begin(), piece.end(), reinterpret_cast<char*>(chunk->data()));
    Bytes input(chunk->data(), piece.size());
    for (;;) {
      const FrameReader::Kind kind = reader.next(input, chunk.get(), limits);
      if (kind == FrameReader::Kind::none) break;
      std::string head(reader.command());
      for (const Header& header : reader.headers().all())
        head += " " + reader.headers().plain(header.name) + "=" + reader.headers().plain(header.value);
      switch (kind) {
        case FrameReader::Kind::frame: out.push_back(head + "|" + std::string(as_text(reader.body()))); break;
        case FrameReader::Kind::head:
          if (pass_on) reader.pass_body_on();
          break;
        case FrameReader::Kind::part: passed += as_text(reader.body()); break;
        case FrameReader::Kind::end: out.push_back(head + "|" + std::exchange(passed, {})); break;
        case FrameReader::Kind::error: out.push_back("error: " + std::string(reader.error())); return out;
        default: break;
      }
    }
  }
  return out;
}

std::string with_nul(std::string text) {
  for (char& c : text) {
    if (c == '^') c = '\0';
  }
  return text;
}

TEST(StompFrames, are_the_same_however_they_are_cut_and_whether_bodies_are_kept_or_passed_on) {
  const std::string stream = with_nul(
      "CONNECT\naccept-version:1.2\n\n^\n\r\nSEND\r\ndestination:/queue/a\r\ncontent-length:5\r\n\r\na^b^c^"
      "SEND\ndestination:/queue/b\n\nno length^\nDISCONNECT\n\n^\n");
  const auto whole = read(stream);
  EXPECT_THAT(whole, ElementsAre("CONNECT accept-version=1.2|",
                                 with_nul("SEND destination=/queue/a content-length=5|a^b^c"),
                                 "SEND destination=/queue/b|no length", "DISCONNECT|"));
  for (const std::size_t piece : {1, 2, 3, 7, 20, 50}) {
    EXPECT_EQ(read(stream, piece), whole) << piece;
    EXPECT_EQ(read(stream, piece, true), whole) << piece;
  }
}

TEST(StompFrames, keep_bodies_that_come_in_many_reads) {
  const std::string body(90'000, 'x');
  for (const std::string head : {"SEND\ncontent-length:90000\n\n", "SEND\n\n"}) {
    const auto frames = read(head + body + '\0' + "ACK\n\n" + '\0', 4'096);
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_THAT(frames[0], StartsWith("SEND"));
    EXPECT_EQ(frames[0].substr(frames[0].find('|') + 1), body);
    EXPECT_EQ(frames[1], "ACK|");
  }
}

TEST(StompFrames, know_the_escapes_of_their_version) {
  EXPECT_THAT(read(with_nul("SEND\na\\cb:1\\n2\\\\3\\r\n\n^")), ElementsAre("SEND a:b=1\n2\\3\r|"));
  EXPECT_THAT(read(with_nul("CONNECT\npasscode:a\\qb\n\n^")), ElementsAre("CONNECT passcode=a\\qb|"));
  EXPECT_THAT(read(with_nul("SEND\na:\\t\n\n^")), ElementsAre(HasSubstr("not valid")));
  EXPECT_THAT(read(with_nul("SEND\na:end\\\n\n^")), ElementsAre(HasSubstr("not valid")));
  FrameReader reader;
  reader.use(Version::v1_0);
  const std::string text = with_nul("SEND\na: \\n\n\n^");
  Bytes input = as_bytes(text);
  ASSERT_EQ(reader.next(input, nullptr, limits), FrameReader::Kind::frame);
  EXPECT_EQ(reader.headers().find("a"), "\\n");
}

TEST(StompFrames, of_a_repeated_header_the_first_counts) {
  FrameReader reader;
  const std::string text = with_nul("SEND\nfoo:1\nfoo:2\nescaped\\cname:\\c\n\n^");
  Bytes input = as_bytes(text);
  ASSERT_EQ(reader.next(input, nullptr, limits), FrameReader::Kind::frame);
  EXPECT_EQ(reader.headers().find("foo"), "1");
  EXPECT_EQ(reader.headers().find("escaped:name"), ":");
  EXPECT_EQ(reader.headers().find("bar"), std::nullopt);
}

TEST(StompFrames, that_are_wrong_are_told_and_nothing_comes_after) {
  const auto fault = [](const std::string& stream) {
    const auto out = read(with_nul(stream) + with_nul("SEND\n\n^"));
    return out.size() == 1 ? out[0] : "more than an error";
  };
  EXPECT_THAT(fault("SEND\nno colon\n\n^"), HasSubstr("header is not valid"));
  EXPECT_THAT(fault("SEND\n:no name\n\n^"), HasSubstr("header is not valid"));
  EXPECT_THAT(fault("SEND\na:1\nb:1\nc:1\nd:1\ne:1\nf:1\ng:1\nh:1\ni:1\n\n^"), HasSubstr("too many"));
  EXPECT_THAT(fault("^SEND\n\n"), HasSubstr("begins with its command"));
  EXPECT_THAT(fault("SEND\ncontent-length:x\n\n^"), HasSubstr("not a number"));
  EXPECT_THAT(fault("SEND\ncontent-length:-1\n\n^"), HasSubstr("not a number"));
  EXPECT_THAT(fault("SEND\ncontent-length:99999999999999999999\n\n^"), HasSubstr("not a number"));
  EXPECT_THAT(fault("SEND\ncontent-length:100001\n\n"), HasSubstr("too large"));
  EXPECT_THAT(fault("SEND\ncontent-length:2\n\nabc^"), HasSubstr("does not end where"));
  EXPECT_THAT(fault("SEND\n\n" + std::string(100'001, 'x') + "^"), HasSubstr("message is too large"));
  EXPECT_THAT(fault("SEND\na:" + std::string(1'100, 'x') + "\n\n^"), HasSubstr("headers are too large"));
}

TEST(StompFrames, that_are_too_large_cost_no_more_than_the_limit_however_they_come) {
  for (const std::size_t piece : {1, 100, 5'000}) {
    EXPECT_THAT(read("SEND\na:" + std::string(2'000, 'x'), piece), ElementsAre(HasSubstr("too large")));
    EXPECT_THAT(read("SEND\n\n" + std::string(120'000, 'x'), piece), ElementsAre(HasSubstr("too large")));
    EXPECT_THAT(read("SEND\n\n" + std::string(120'000, 'x'), piece, true),
                ElementsAre(HasSubstr("too large")));
  }
}

TEST(StompFrames, line_ends_between_them_are_beats) {
  FrameReader reader;
  const std::string text = "\n\r\n";
  Bytes input = as_bytes(text);
  EXPECT_EQ(reader.next(input, nullptr, limits), FrameReader::Kind::beat);
  EXPECT_EQ(reader.next(input, nullptr, limits), FrameReader::Kind::beat);
  EXPECT_EQ(reader.next(input, nullptr, limits), FrameReader::Kind::none);
  EXPECT_THAT(read("\n\n\n"), IsEmpty());
}

TEST(StompVersions, are_agreed_on_as_the_highest_of_both) {
  EXPECT_EQ(highest_version(""), Version::v1_0);
  EXPECT_EQ(highest_version("1.0,1.1,1.2"), Version::v1_2);
  EXPECT_EQ(highest_version("1.1, 1.0"), Version::v1_1);
  EXPECT_EQ(highest_version("1.3,2.0"), std::nullopt);
  EXPECT_EQ(highest_version("2.0,1.0"), Version::v1_0);
}

}  // namespace
}  // namespace weir::stomp
