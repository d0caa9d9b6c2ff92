#include "protocol/http/web_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/http/codec/web_socket_frame.h"

namespace weir::http {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view mask = "\x0A\x0B\x0C\x0D";
constexpr std::string_view good_key = "dGhlIHNhbXBsZSBub25jZQ==";  // that of RFC 6455 1.3

std::string frame(unsigned first, std::string_view payload) {
  std::string out;
  append_frame_head(out, WebSocketOpcode::binary, payload.size());
  out[0] = static_cast<char>(first);
  out[1] = static_cast<char>(static_cast<unsigned char>(out[1]) | 0x80U);
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

std::string request(std::vector<std::pair<std::string, std::string>> changes = {},
                    std::string_view line = "GET /ws HTTP/1.1") {
  std::vector<std::pair<std::string, std::string>> headers = {{"Host", "broker"},
                                                              {"Upgrade", "websocket"},
                                                              {"Connection", "keep-alive, Upgrade"},
                                                              {"Sec-WebSocket-Key", std::string(good_key)},
                                                              {"Sec-WebSocket-Version", "13"}};
  for (auto& [name, value] : changes) {
    std::erase_if(headers, [&](const auto& one) { return one.first == name; });
    if (!value.empty()) headers.emplace_back(name, value);
  }
  std::string text = std::string(line) + "\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

// Collects what comes; sends what it is given, as much as there is room for.
class End final : public runtime::StreamHandler {
 public:
  void use(std::unique_ptr<runtime::ByteStream> stream) {
    stream_ = std::move(stream);
    stream_->open(*this);
  }
  void send(std::string_view bytes) {
    unsent_ += bytes;
    flush();
  }
  std::string received() { return std::exchange(received_, {}); }
  const std::string& unsent() const { return unsent_; }
  runtime::ByteStream& stream() { return *stream_; }

  std::optional<std::string> closed;
  std::size_t read_bytes = 4'096, pieces = 1;
  bool reads = true;

 private:
  void on_readable() override {
    std::vector<std::byte> buffer(read_bytes);
    while (reads) {
      const auto count = stream_->read(buffer);
      if (!count || *count == 0) return;
      received_ += as_text(Bytes(buffer).first(*count));
    }
  }
  void on_writable() override { flush(); }
  void on_closed(const Error& reason) override {
    EXPECT_FALSE(closed.has_value()) << "it is told once";
    closed = reason.message;
  }
  void flush() {
    if (unsent_.empty()) return;
    std::vector<Bytes> gathered;
    const std::size_t step = std::max<std::size_t>(1, unsent_.size() / pieces);
    for (std::size_t at = 0; at < unsent_.size(); at += step)
      gathered.push_back(as_bytes(unsent_).subspan(at, std::min(step, unsent_.size() - at)));
    const auto taken = stream_->write(gathered);
    if (taken) unsent_.erase(0, *taken);
  }

  std::unique_ptr<runtime::ByteStream> stream_;
  std::string received_, unsent_;
};

class WebSocketStream : public testing::Test {
 protected:
  void connect(std::size_t capacity = 1U << 20) {
    pair_ = runtime::make_memory_pair(capacity);
    server_.use(make_web_socket(pair_->take_right(), timers_, clock_, options_));
    client_.use(pair_->take_left());
    run();
  }
  // Returns the answer's head.
  std::string upgrade(const std::string& text = request()) {
    connect();
    client_.send(text);
    run();
    return client_.received();
  }
  void run() {
    for (std::size_t moved = 1; moved > 0;) {
      moved = pair_->pump(bytes_per_read_);
      clock_.advance_ms(1);
      moved += timers_.advance(clock_.monotonic_ns() / 1'000'000);
    }
  }
  void pass_ms(std::uint64_t ms) {
    clock_.advance_ms(ms);
    timers_.advance(clock_.monotonic_ns() / 1'000'000);
    run();
  }
  void client_sends(const std::string& bytes) {
    client_.send(bytes);
    run();
  }

  ManualClock clock_;
  runtime::TimerWheel timers_;
  WebSocketOptions options_;
  std::unique_ptr<runtime::MemoryPair> pair_;
  End server_, client_;
  std::size_t bytes_per_read_ = SIZE_MAX;
};

TEST_F(WebSocketStream, begins_with_the_answer_that_the_key_demands) {
  const std::string answer = upgrade();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: Upgrade\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(answer, Not(HasSubstr("Sec-WebSocket-Protocol")));
  EXPECT_FALSE(server_.closed);
}

TEST_F(WebSocketStream, carries_bytes_both_ways_and_knows_no_messages) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{9}, SIZE_MAX}) {
    bytes_per_read_ = piece;
    upgrade();
    client_sends(frame(0x02, "SEND") + frame(0x89, "") + frame(0x00, " it") + frame(0x80, "") +
                 frame(0x82, "!"));
    EXPECT_EQ(server_.received(), "SEND it!");
    EXPECT_EQ(client_.received(), std::string("\x8A\x00", 2)) << "the ping is answered";
    server_.pieces = 3;
    server_.send("an answer");
    run();
    EXPECT_EQ(client_.received(),
              "\x82\x09"
              "an answer")
        << "one frame, however it was gathered";
  }
}

TEST_F(WebSocketStream, what_comes_right_behind_the_request_is_not_lost) {
  connect();
  client_sends(request() + frame(0x82, "at once") + frame(0x82, std::string(10'000, 'x')));
  EXPECT_EQ(server_.received(), "at once" + std::string(10'000, 'x'));
}

TEST_F(WebSocketStream, requests_that_are_no_good_get_the_status_that_says_why) {
  const struct {
    std::string text;
    const char* status;
  } table[] = {
      {request({}, "GET / HTTP/1.1"), "404"},
      {request({}, "GET /ws/other HTTP/1.1"), "404"},
      {request({}, "POST /ws HTTP/1.1"), "405"},
      {request({}, "GET /ws HTTP/1.0"), "400"},
      {request({}, "GET /ws HTTP/2.0"), "505"},
      {request({}, "GET /ws"), "400"},
      {request({{"Host", ""}}), "400"},
      {request({{"Upgrade", ""}}), "426"},
      {request({{"Upgrade", "h2c"}}), "426"},
      {request({{"Connection", "close"}}), "426"},
      {request({{"Sec-WebSocket-Version", ""}}), "426"},
      {request({{"Sec-WebSocket-Version", "8"}}), "426"},
      {request({{"Sec-WebSocket-Key", ""}}), "400"},
      {request({{"Sec-WebSocket-Key", "c2hvcnQ="}}), "400"},
      {request({{"Sec-WebSocket-Key", "not base64 at all!!!!!!!"}}), "400"},
      {request({{"sec-websocket-key", std::string(good_key)}}), "400"},  // a second one
      {request({{"Content-Length", "5"}}), "400"},
      {request({{"Transfer-Encoding", "chunked"}}), "400"},
      {request({{"Cookie", std::string(9'000, 'x')}}), "431"},
      {"\x16\x03\x01 TLS where there is none\r\n\r\n", "400"},
      {"CONNECT\naccept-version:1.2\n\n\n", "400"},
  };
  for (const auto& row : table) {
    End server, client;
    const auto pair = runtime::make_memory_pair(1U << 20);
    server.use(make_web_socket(pair->take_right(), timers_, clock_, options_));
    client.use(pair->take_left());
    client.send(row.text);
    pair->pump();
    const std::string answer = client.received();
    EXPECT_THAT(answer, StartsWith(std::string("HTTP/1.1 ") + row.status)) << row.text;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    ASSERT_TRUE(server.closed) << row.text;
    EXPECT_THAT(*server.closed, HasSubstr(std::string("no WebSocket: ") + row.status));
    EXPECT_TRUE(client.closed);
  }
  EXPECT_THAT(upgrade(request({{"Sec-WebSocket-Version", "7"}})),
              HasSubstr("\r\nSec-WebSocket-Version: 13\r\n"));
}

TEST_F(WebSocketStream, a_request_that_never_ends_is_given_up) {
  connect();
  client_sends(request().substr(0, 60));
  pass_ms(upgrade_ms_max - 100);
  EXPECT_FALSE(server_.closed);
  pass_ms(200);
  EXPECT_THAT(client_.received(), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_TRUE(server_.closed);
}

TEST_F(WebSocketStream, an_open_one_has_all_the_time) {
  upgrade();
  pass_ms(10 * upgrade_ms_max);
  EXPECT_FALSE(server_.closed);
}

TEST_F(WebSocketStream, the_best_sub_protocol_that_both_know_is_agreed_on) {
  options_.sub_protocols = {"v12.stomp", "v11.stomp"};
  EXPECT_THAT(upgrade(request({{"Sec-WebSocket-Protocol", "x, v11.stomp ,v12.stomp"}})),
              HasSubstr("\r\nSec-WebSocket-Protocol: v12.stomp\r\n"));
}

TEST_F(WebSocketStream, none_of_the_sub_protocols_is_no_fault_unless_one_is_needed) {
  options_.sub_protocols = {"mqtt"};
  EXPECT_THAT(upgrade(request({{"Sec-WebSocket-Protocol", "soap"}})),
              Not(HasSubstr("Sec-WebSocket-Protocol")));
  EXPECT_FALSE(server_.closed);
}

TEST_F(WebSocketStream, a_sub_protocol_that_is_needed_is_asked_for) {
  options_.sub_protocols = {"mqtt"};
  options_.sub_protocol_needed = true;
  EXPECT_THAT(upgrade(), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_F(WebSocketStream, pages_of_other_sites_are_refused_where_sites_are_named) {
  options_.allow_origins = {"https://shop.example"};
  EXPECT_THAT(upgrade(request({{"Origin", "https://evil.example"}})),
              StartsWith("HTTP/1.1 403 Forbidden\r\n"));
}

TEST_F(WebSocketStream, pages_of_a_named_site_may_come) {
  options_.allow_origins = {"https://shop.example"};
  EXPECT_THAT(upgrade(request({{"Origin", "https://shop.example"}})), StartsWith("HTTP/1.1 101 "));
}

TEST_F(WebSocketStream, a_frame_that_is_wrong_is_answered_with_its_code_and_its_words) {
  upgrade();
  client_sends(frame(0x82, "before") + frame(0xC2, "wrong") + frame(0x82, "after"));
  EXPECT_EQ(server_.received(), "before");
  const std::string close = client_.received();
  EXPECT_THAT(close, StartsWith("\x88"));
  EXPECT_EQ(close.substr(2, 2), "\x03\xEA");
  EXPECT_THAT(close, HasSubstr("reserved bits"));
  EXPECT_THAT(server_.closed.value_or(""), HasSubstr("1002"));
}

TEST_F(WebSocketStream, text_to_one_that_takes_none_is_unsupported_data) {
  options_.takes_text = false;
  upgrade();
  client_sends(frame(0x81, "text"));
  EXPECT_EQ(client_.received().substr(2, 2), "\x03\xEB");
}

TEST_F(WebSocketStream, a_close_frame_comes_back_when_all_before_it_was_handled) {
  upgrade();
  server_.reads = false;
  server_.stream().pause_reading();
  client_sends(frame(0x82, "the last words") + frame(0x88, "\x03\xE9"));
  EXPECT_FALSE(server_.closed);
  server_.reads = true;
  server_.stream().resume_reading();
  run();
  EXPECT_EQ(server_.received(), "the last words");
  EXPECT_EQ(client_.received(), "\x88\x02\x03\xE9");
  EXPECT_THAT(server_.closed.value_or(""), HasSubstr("1001"));
  EXPECT_TRUE(client_.closed);
}

TEST_F(WebSocketStream, whoever_pauses_behind_the_last_words_may_still_answer_them) {
  upgrade();
  struct Pausing final : runtime::StreamHandler {
    void on_readable() override {
      std::byte buffer[64];
      while (stream->read(buffer).value_or(0) > 0) stream->pause_reading();
    }
    void on_writable() override {}
    void on_closed(const Error&) override { closed = true; }
    runtime::ByteStream* stream = nullptr;
    bool closed = false;
  } pausing;
  const auto pair = runtime::make_memory_pair(1U << 20);
  const auto stream = make_web_socket(pair->take_right(), timers_, clock_, options_);
  pausing.stream = stream.get();
  stream->open(pausing);
  End client;
  client.use(pair->take_left());
  client.send(request() + frame(0x82, "BYE") + frame(0x88, ""));
  const auto turn = [&] {
    for (int i = 0; i < 3; ++i) {
      pair->pump();
      clock_.advance_ms(1);
      timers_.advance(clock_.monotonic_ns() / 1'000'000);
    }
  };
  turn();
  client.received();
  EXPECT_FALSE(pausing.closed);
  const Bytes answer = as_bytes("RECEIPT");
  EXPECT_EQ(stream->write({&answer, 1}).value_or(0), 7U);
  stream->resume_reading();
  turn();
  EXPECT_TRUE(pausing.closed);
  EXPECT_EQ(client.received(), std::string("\x82\x07RECEIPT\x88\x00", 11));
}

TEST_F(WebSocketStream, closing_it_says_so) {
  upgrade();
  server_.send("bye");
  server_.stream().close();
  run();
  EXPECT_EQ(client_.received(),
            "\x82\x03"
            "bye"
            "\x88\x02\x03\xE8");
  EXPECT_TRUE(client_.closed);
}

TEST_F(WebSocketStream, a_peer_that_is_gone_without_a_word_is_told_as_over_tcp) {
  upgrade();
  client_.stream().close();
  run();
  EXPECT_EQ(server_.closed.value_or(""), "the peer closed the stream");
}

TEST_F(WebSocketStream, a_client_that_speaks_text_gets_text_where_it_is_utf8) {
  upgrade();
  client_sends(frame(0x81, "CONNECT"));
  server_.pieces = 8;  // which cuts the characters
  server_.send("\xE2\x82\xAC\xE2\x82\xAC");
  run();
  EXPECT_EQ(client_.received(), "\x81\x06\xE2\x82\xAC\xE2\x82\xAC");
  server_.send("\xFF\x01");
  run();
  EXPECT_EQ(client_.received(), "\x82\x02\xFF\x01");
}

// What the frames from the server hold; they have to be whole.
std::string unframe(std::string_view bytes, std::size_t& pongs) {
  std::string payload;
  while (!bytes.empty()) {
    std::size_t length = static_cast<unsigned char>(bytes[1]), head = 2;
    if (length == 126) {
      length = load_be<std::uint16_t>(as_bytes(bytes).data() + 2);
      head = 4;
    } else if (length == 127) {
      length = load_be<std::uint64_t>(as_bytes(bytes).data() + 2);
      head = 10;
    }
    EXPECT_LE(length, frame_payload_bytes_max);
    if (bytes[0] == '\x82') payload += bytes.substr(head, length);
    if (bytes[0] == '\x8A') ++pongs;
    bytes.remove_prefix(std::min(bytes.size(), head + length));
  }
  return payload;
}

TEST_F(WebSocketStream, a_slow_reader_gets_everything_in_whole_frames_and_pongs_between_them) {
  upgrade();
  for (const std::size_t capacity : {1U, 3U, 17U, 1'000U, 70'000U}) {
    End server, client;
    const auto pair = runtime::make_memory_pair(capacity);
    server.use(make_web_socket(pair->take_right(), timers_, clock_, options_));
    client.use(pair->take_left());
    const auto turn = [&] {
      pair->pump();
      clock_.advance_ms(1);
      timers_.advance(clock_.monotonic_ns() / 1'000'000);
    };
    client.send(request());
    for (int i = 0; i < 3; ++i) turn();
    ASSERT_THAT(client.received(), HasSubstr("\r\n\r\n"));
    std::string sent;
    const std::size_t bytes = std::min<std::size_t>(200'000, 1'000 * capacity);
    for (std::size_t i = 0; i < bytes; ++i) sent += static_cast<char>(i * 31 / 7);
    server.pieces = 700;  // more than one write takes
    server.send(sent);
    EXPECT_FALSE(server.unsent().empty()) << "it pushes back";
    client.send(frame(0x89, "?") + frame(0x82, "x"));
    for (int i = 0; i < 10; ++i) turn();
    std::size_t pongs = 0;
    EXPECT_EQ(unframe(client.received(), pongs), sent) << capacity;
    EXPECT_EQ(pongs, 1U);
    EXPECT_EQ(server.received(), "x");
    EXPECT_TRUE(server.unsent().empty());
  }
}

TEST_F(WebSocketStream, while_it_is_paused_the_client_is_pushed_back) {
  connect(4'096);
  client_sends(request());
  server_.stream().pause_reading();
  client_sends(frame(0x82, std::string(100'000, 'x')));
  EXPECT_THAT(server_.received(), IsEmpty());
  EXPECT_GT(client_.unsent().size(), 90'000U);
  server_.stream().resume_reading();
  run();
  EXPECT_EQ(server_.received().size(), 100'000U);
}

TEST_F(WebSocketStream, a_flood_of_pings_to_one_that_reads_nothing_costs_one_pong) {
  connect(1'000);
  client_sends(request());
  client_.received();
  client_.reads = false;
  std::string flood;
  for (int i = 0; i < 10'000; ++i) flood += frame(0x89, std::string(100, 'x'));
  client_sends(flood);
  EXPECT_TRUE(client_.unsent().empty()) << "all of them were taken in";
  client_.reads = true;
  client_.stream().resume_reading();
  run();
  EXPECT_LT(client_.received().size(), 2'000U);
}

}  // namespace
}  // namespace weir::http
