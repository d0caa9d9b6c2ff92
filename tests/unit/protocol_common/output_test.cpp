#include "protocol/common/output.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/rng.h"

namespace weir {
namespace {

// Takes at most so many bytes in one call.
class NarrowStream final : public runtime::ByteStream {
 public:
  explicit NarrowStream(std::size_t room) : room_(room) {}
  void open(runtime::StreamHandler&) override {}
  Result<std::size_t> read(MutableBytes) override { return 0; }
  Result<std::size_t> write(std::span<const Bytes> pieces) override {
    if (broken) return fail(ErrorCode::closed, "gone");
    ++writes;
    std::size_t taken = 0;
    for (const Bytes piece : pieces) {
      const std::size_t part = std::min(piece.size(), room_ - taken);
      written.append(as_text(piece.first(part)));
      taken += part;
    }
    return taken;
  }
  void pause_reading() override {}
  void resume_reading() override {}
  void close() override {}
  const runtime::PeerInfo& peer() const override { return peer_; }

  std::string written;
  std::size_t writes = 0;
  bool broken = false;

 private:
  std::size_t room_;
  runtime::PeerInfo peer_;
};

void append(Output& output, std::string_view text) {
  std::memcpy(output.reserve(text.size()), text.data(), text.size());
  output.commit(text.size());
}

ChunkRef chunk_of(std::string_view text) {
  auto chunk = ChunkRef::adopt(Chunk::make(text.size()));
  std::memcpy(chunk->data(), text.data(), text.size());
  return chunk;
}

TEST(Output, small_pieces_leave_as_one_write) {
  OutputBlocks blocks;
  Output output(blocks);
  for (int i = 0; i < 100; ++i) append(output, "frame ");
  EXPECT_EQ(output.unsent_bytes(), 600U);
  NarrowStream stream(SIZE_MAX);
  EXPECT_TRUE(*output.flush(stream));
  EXPECT_EQ(stream.writes, 1U);
  EXPECT_EQ(stream.written.size(), 600U);
  EXPECT_TRUE(output.empty());
  EXPECT_EQ(output.sent_bytes(), 600U);
}

TEST(Output, what_is_referred_to_is_kept_until_it_is_sent) {
  OutputBlocks blocks;
  Output output(blocks);
  const ChunkRef body = chunk_of("body");
  append(output, "head ");
  output.refer(body, {body->data(), 4});
  append(output, " tail");
  EXPECT_FALSE(body->unique());
  NarrowStream stream(6);
  EXPECT_FALSE(*output.flush(stream));
  EXPECT_FALSE(body->unique());
  EXPECT_FALSE(*output.flush(stream));
  EXPECT_TRUE(body->unique());
  NarrowStream rest(SIZE_MAX);
  EXPECT_TRUE(*output.flush(rest));
  EXPECT_EQ(stream.written + rest.written, "head body tail");
}

TEST(Output, a_write_that_fails_is_told) {
  OutputBlocks blocks;
  Output output(blocks);
  append(output, "x");
  NarrowStream stream(1);
  stream.broken = true;
  EXPECT_FALSE(output.flush(stream).has_value());
  output.clear();
  EXPECT_TRUE(output.empty());
}

TEST(Output, any_mixture_leaves_in_order) {
  OutputBlocks blocks;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Rng rng(seed);
    Output output(blocks);
    std::string expected;
    NarrowStream stream(1 + rng.below(200'000));
    for (int step = 0; step < 2'000; ++step) {
      const std::string text(rng.chance(1, 50) ? rng.below(100'000) + 1 : rng.below(500) + 1,
                             static_cast<char>('a' + rng.below(26)));
      expected += text;
      if (rng.chance(1, 4)) {
        const ChunkRef chunk = chunk_of(text);
        output.refer(chunk, {chunk->data(), text.size()});
      } else {
        append(output, text);
      }
      if (rng.chance(1, 20)) {
        ASSERT_TRUE(output.flush(stream).has_value());
      }
      ASSERT_EQ(output.unsent_bytes() + stream.written.size(), expected.size());
    }
    while (!*output.flush(stream)) {
    }
    EXPECT_EQ(stream.written, expected);
  }
}

}  // namespace
}  // namespace weir
