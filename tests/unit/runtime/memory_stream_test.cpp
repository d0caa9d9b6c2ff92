#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "runtime/stream.h"

namespace weir::runtime {
namespace {

// Reads all that is there, in reads of `read_bytes`, and remembers what happened.
class Collector final : public StreamHandler {
 public:
  explicit Collector(std::unique_ptr<ByteStream> taken) : stream(std::move(taken)) { stream->open(*this); }

  void on_readable() override {
    ++readable;
    std::string buffer(read_bytes, '\0');
    while (stream != nullptr) {
      const auto count = stream->read({reinterpret_cast<std::byte*>(buffer.data()), buffer.size()});
      ASSERT_TRUE(count);
      if (*count == 0) break;
      received.append(buffer, 0, *count);
      if (on_bytes) on_bytes();
    }
  }
  void on_writable() override {
    ++writable;
    if (on_room) on_room();
  }
  void on_closed(const Error& reason) override {
    ++closed;
    EXPECT_EQ(reason.code, ErrorCode::closed);
    stream.reset();
  }
  std::size_t send(std::string_view text) {
    const Bytes piece = as_bytes(text);
    return stream->write({&piece, 1}).value();
  }

  std::unique_ptr<ByteStream> stream;
  std::string received;
  std::size_t read_bytes = 16;
  int readable = 0;
  int writable = 0;
  int closed = 0;
  std::function<void()> on_bytes;
  std::function<void()> on_room;
};

struct Ends {
  explicit Ends(std::size_t capacity = 1024)
      : pair(make_memory_pair(capacity)), left(pair->take_left()), right(pair->take_right()) {}
  std::unique_ptr<MemoryPair> pair;
  Collector left;
  Collector right;
};

TEST(MemoryStream, bytes_come_out_at_the_other_end_and_only_when_pumped) {
  Ends ends;
  EXPECT_EQ(ends.left.send("hello"), 5U);
  EXPECT_EQ(ends.right.readable, 0);
  EXPECT_GT(ends.pair->pump(), 0U);
  EXPECT_EQ(ends.right.received, "hello");
  EXPECT_EQ(ends.pair->pump(), 0U);
}

TEST(MemoryStream, a_pump_of_one_byte_offers_each_byte_in_its_own_callback) {
  Ends ends;
  ends.left.send("hello");
  ends.pair->pump(1);
  EXPECT_EQ(ends.right.received, "hello");
  EXPECT_EQ(ends.right.readable, 5);
}

TEST(MemoryStream, a_full_pipe_takes_part_and_tells_when_there_is_room) {
  Ends ends(4);
  std::string rest = "abcdefghij";
  ends.left.on_room = [&] { rest.erase(0, ends.left.send(rest)); };
  rest.erase(0, ends.left.send(rest));
  EXPECT_EQ(rest, "efghij");
  ends.pair->pump();
  EXPECT_EQ(ends.right.received, "abcdefghij");
  EXPECT_EQ(ends.left.writable, 2);
}

TEST(MemoryStream, a_paused_reader_gets_nothing_until_it_resumes) {
  Ends ends;
  ends.right.stream->pause_reading();
  ends.left.send("hello");
  ends.pair->pump();
  EXPECT_EQ(ends.right.readable, 0);
  ends.right.stream->resume_reading();
  ends.pair->pump();
  EXPECT_EQ(ends.right.received, "hello");
}

TEST(MemoryStream, what_was_written_before_a_close_arrives_before_it) {
  Ends ends;
  ends.left.send("bye");
  ends.left.stream->close();
  ends.pair->pump();
  EXPECT_EQ(ends.right.received, "bye");
  EXPECT_EQ(ends.right.closed, 1);
  EXPECT_EQ(ends.left.closed, 0);
  EXPECT_EQ(ends.pair->pump(), 0U);
}

TEST(MemoryStream, writing_to_a_closed_peer_is_an_error) {
  Ends ends;
  ends.right.stream.reset();
  const Bytes piece = as_bytes("x");
  EXPECT_EQ(ends.left.stream->write({&piece, 1}).error().code, ErrorCode::closed);
  ends.pair->pump();
  EXPECT_EQ(ends.left.closed, 1);
}

TEST(MemoryStream, a_paused_reader_learns_of_a_closed_peer_by_writing) {
  Ends ends;
  ends.left.stream->pause_reading();
  ends.right.send("unread");
  ends.right.stream.reset();
  ends.pair->pump();
  EXPECT_EQ(ends.left.closed, 0);
  const Bytes piece = as_bytes("x");
  EXPECT_FALSE(ends.left.stream->write({&piece, 1}));
  ends.pair->pump();
  EXPECT_EQ(ends.left.closed, 1);
}

TEST(MemoryStream, a_stream_may_be_destroyed_inside_of_its_own_callback) {
  Ends ends;
  ends.right.read_bytes = 1;
  ends.right.on_bytes = [&] { ends.right.stream.reset(); };
  ends.left.send("hello");
  ends.pair->pump();
  EXPECT_EQ(ends.right.received, "h");
  EXPECT_EQ(ends.left.closed, 1);
}

TEST(MemoryStream, streams_outlive_their_pair) {
  PeerInfo peer;
  peer.address = "10.0.0.1";
  auto pair = make_memory_pair(16, peer);
  auto left = pair->take_left();
  auto right = pair->take_right();
  pair.reset();
  EXPECT_EQ(left->peer().address, "10.0.0.1");
  const Bytes piece = as_bytes("x");
  EXPECT_EQ(left->write({&piece, 1}), 1U);
  std::byte byte{};
  EXPECT_EQ(right->read({&byte, 1}), 1U);
}

}  // namespace
}  // namespace weir::runtime
