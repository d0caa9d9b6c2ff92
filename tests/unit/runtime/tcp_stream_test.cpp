#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_probe.h"
#include "runtime/address.h"

namespace weir::runtime {
namespace {

// A loop that listens, and what it accepted.
struct Server {
  explicit Server(const std::string& address = "127.0.0.1:0", LoopOptions options = {})
      : loop(Loop::make(options).value()) {
    listener =
        loop->listen(address, [this](Socket socket) { accepted.push_back(std::move(socket)); }).value();
  }
  // A plain blocking socket of the test.
  Socket connect(const std::string& host = "127.0.0.1") {
    return Loop::connect_now(host, listener->port()).value();
  }
  std::unique_ptr<Endpoint> accept() {
    EXPECT_TRUE(run_until(*loop, [this] { return !accepted.empty(); }));
    Socket socket = std::move(accepted.front());
    accepted.erase(accepted.begin());
    return std::make_unique<Endpoint>(loop->adopt(std::move(socket)));
  }
  std::unique_ptr<Endpoint> client(const std::string& host = "127.0.0.1") {
    return std::make_unique<Endpoint>(loop->adopt(connect(host)));
  }
  bool until(std::function<bool()> holds) { return run_until(*loop, std::move(holds)); }

  std::unique_ptr<Loop> loop;
  std::unique_ptr<Listener> listener;
  std::vector<Socket> accepted;
};

int descriptor_of(Socket& socket) {
  const PeerInfo peer = socket.peer();
  const int descriptor = socket.release();
  socket = Socket(descriptor, peer);
  return descriptor;
}

void send_raw(Socket& socket, std::string_view text) {
  ASSERT_EQ(::send(descriptor_of(socket), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

std::string receive_all(Socket& socket) {
  std::string all;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::recv(descriptor_of(socket), buffer, sizeof buffer, 0);
    if (count <= 0) return count == 0 ? all : all + "<reset>";
    all.append(buffer, static_cast<std::size_t>(count));
  }
}

TEST(TcpStream, bytes_go_both_ways) {
  Server server;
  const auto client = server.client();
  const auto peer = server.accept();
  client->send("ping");
  EXPECT_TRUE(server.until([&] { return peer->received == "ping"; }));
  peer->send("pong");
  EXPECT_TRUE(server.until([&] { return client->received == "pong"; }));
  EXPECT_EQ(client->stream->peer().port, server.listener->port());
  EXPECT_EQ(peer->stream->peer().address, "127.0.0.1");
  EXPECT_EQ(peer->stream->peer().local_port, server.listener->port());
  EXPECT_TRUE(peer->stream->peer().loopback);
  EXPECT_FALSE(peer->stream->peer().tls);
}

TEST(TcpStream, megabytes_pass_through_full_buffers_unchanged) {
  Server server;
  const auto client = server.client();
  const auto peer = server.accept();
  std::string text;
  for (int i = 0; text.size() < 24U << 20; ++i) text += std::to_string(i) + ",";
  client->send(text);
  EXPECT_FALSE(client->pending.empty());
  EXPECT_TRUE(server.until([&] { return peer->received.size() >= text.size(); }));
  EXPECT_TRUE(peer->received == text);
  EXPECT_GT(client->writable, 0);
}

TEST(TcpStream, a_gathered_write_of_more_pieces_than_one_call_takes_is_whole) {
  Server server;
  const auto client = server.client();
  const auto peer = server.accept();
  std::string text;
  for (int i = 0; text.size() < 3 * write_pieces_max; ++i) text += std::to_string(i);
  std::vector<Bytes> pieces;
  for (std::size_t i = 0; i < text.size(); ++i) pieces.push_back(as_bytes(text).subspan(i, 1));
  EXPECT_EQ(client->stream->write(pieces), text.size());
  EXPECT_TRUE(server.until([&] { return peer->received.size() == text.size(); }));
  EXPECT_EQ(peer->received, text);
}

TEST(TcpStream, a_paused_stream_reads_nothing_and_pushes_back) {
  Server server;
  const auto client = server.client();
  const auto peer = server.accept();
  peer->stream->pause_reading();
  const std::string text(64U << 20, 'x');
  client->send(text);
  client->send("end");
  struct Count final : Timer {
    void on_timer() override { fired = true; }
    bool fired = false;
  } quiet;
  server.loop->timers().arm(quiet, 50);
  EXPECT_TRUE(server.until([&] { return quiet.fired; }));
  EXPECT_EQ(peer->readable, 0);
  EXPECT_FALSE(client->pending.empty());
  peer->stream->resume_reading();
  EXPECT_TRUE(server.until([&] { return peer->received.size() == text.size() + 3; }));
  EXPECT_TRUE(peer->received.ends_with("xend"));
}

TEST(TcpStream, one_stream_with_endless_data_does_not_starve_the_turn) {
  Server server("127.0.0.1:0", {.read_chunk_bytes = 1'000});
  Socket raw = server.connect();
  const auto peer = server.accept();
  send_raw(raw, std::string(100'000, 'x'));
  std::size_t largest = 0;
  std::size_t before = 0;
  EXPECT_TRUE(server.until([&] {
    largest = std::max(largest, peer->received.size() - before);
    before = peer->received.size();
    return before == 100'000;
  }));
  EXPECT_LE(largest, 2'000U);
  EXPECT_GE(peer->readable, 100);
}

TEST(TcpStream, the_end_comes_after_the_last_byte_and_once) {
  Server server;
  Socket raw = server.connect();
  const auto peer = server.accept();
  send_raw(raw, "last words");
  ASSERT_EQ(::shutdown(descriptor_of(raw), SHUT_WR), 0);
  EXPECT_TRUE(server.until([&] { return !peer->closed.empty(); }));
  EXPECT_EQ(peer->received, "last words");
  ASSERT_EQ(peer->closed.size(), 1U);
  EXPECT_EQ(peer->closed[0].code, ErrorCode::closed);
}

TEST(TcpStream, what_is_answered_to_a_half_closed_peer_arrives) {
  Server server;
  Socket raw = server.connect();
  const auto peer = server.accept();
  peer->on_bytes = [&] { peer->send("answer"); };
  send_raw(raw, "question");
  ASSERT_EQ(::shutdown(descriptor_of(raw), SHUT_WR), 0);
  EXPECT_TRUE(server.until([&] { return !peer->closed.empty(); }));
  EXPECT_EQ(receive_all(raw), "answer");
}

TEST(TcpStream, a_reset_is_told_as_closed) {
  Server server;
  Socket raw = server.connect();
  const auto peer = server.accept();
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_of(raw), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  raw = Socket();
  EXPECT_TRUE(server.until([&] { return !peer->closed.empty(); }));
  EXPECT_EQ(peer->closed[0].code, ErrorCode::closed);
}

TEST(TcpStream, a_reset_reaches_a_paused_stream) {
  Server server;
  Socket raw = server.connect();
  const auto peer = server.accept();
  peer->stream->pause_reading();
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_of(raw), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  raw = Socket();
  EXPECT_TRUE(server.until([&] { return !peer->closed.empty(); }));
}

TEST(TcpStream, writing_to_a_peer_that_went_away_closes) {
  Server server;
  Socket raw = server.connect();
  const auto peer = server.accept();
  peer->stream->pause_reading();
  raw = Socket();
  EXPECT_TRUE(server.until([&] {
    peer->send(peer->stream != nullptr ? "x" : "");
    server.loop->wake();
    return !peer->closed.empty();
  }));
  EXPECT_EQ(peer->closed[0].code, ErrorCode::closed);
}

// Closing with unread input resets a TCP connection; the peer must get the last answer all the same.
TEST(TcpStream, the_last_answer_arrives_though_input_was_left_unread) {
  Server server;
  Socket raw = server.connect();
  const auto peer = server.accept();
  send_raw(raw, std::string(200'000, 'x'));
  peer->on_bytes = [&] {
    peer->send("refused");
    peer->stream->close();
    peer->stream.reset();
  };
  peer->read_bytes = 10;
  std::string answer;
  std::thread reader([&] {
    send_raw(raw, "more after the close");
    answer = receive_all(raw);
    ::shutdown(descriptor_of(raw), SHUT_WR);
    server.loop->stop();
  });
  server.loop->run(nullptr);
  reader.join();
  EXPECT_EQ(answer, "refused");
}

TEST(TcpStream, a_lingering_socket_is_closed_after_a_while_though_the_peer_stays) {
  Server server;
  Socket raw = server.connect();
  auto peer = server.accept();
  peer.reset();
  EXPECT_EQ(receive_all(raw), "");
  // The peer never closes; then writing to the closed socket is refused by a reset.
  bool reset = false;
  EXPECT_TRUE(server.until([&] {
    reset = ::send(descriptor_of(raw), "x", 1, MSG_NOSIGNAL) < 0;
    server.loop->wake();
    return reset;
  }));
}

TEST(TcpStream, a_stream_may_be_destroyed_inside_of_any_callback) {
  Server server;
  const auto client = server.client();
  const auto peer = server.accept();
  peer->refuses = true;
  client->send("x");
  EXPECT_TRUE(server.until([&] { return !client->closed.empty(); }));
  EXPECT_EQ(peer->stream, nullptr);
  EXPECT_TRUE(peer->closed.empty());
}

TEST(TcpStream, one_stream_may_destroy_another_that_is_ready_in_the_same_turn) {
  Server server;
  Socket first = server.connect();
  const auto left = server.accept();
  Socket second = server.connect();
  const auto right = server.accept();
  left->on_bytes = [&] { right->stream.reset(); };
  right->on_bytes = [&] { left->stream.reset(); };
  send_raw(first, "x");
  send_raw(second, "x");
  EXPECT_TRUE(server.until([&] { return left->stream == nullptr || right->stream == nullptr; }));
  EXPECT_EQ(left->received.size() + right->received.size(), 1U);
}

TEST(Listener, takes_all_forms_of_addresses) {
  for (const char* address : {"127.0.0.1:0", "0.0.0.0:0", ":0", "localhost:0"}) {
    SCOPED_TRACE(address);
    Server server(address);
    EXPECT_NE(server.listener->port(), 0);
    const auto client = server.client();
    EXPECT_EQ(server.accept()->stream->peer().address, "127.0.0.1");
  }
}

TEST(Listener, an_address_without_host_accepts_both_families) {
  const int probe = ::socket(AF_INET6, SOCK_STREAM, 0);
  if (probe < 0) GTEST_SKIP() << "no IPv6 here";
  ::close(probe);
  Server server(":0");
  const auto client = server.client("::1");
  const auto peer = server.accept();
  EXPECT_EQ(peer->stream->peer().address, "::1");
  EXPECT_TRUE(peer->stream->peer().loopback);
  Server six("[::]:0");
  const auto other = six.client("::1");
  EXPECT_EQ(six.accept()->stream->peer().address, "::1");
}

TEST(Listener, a_port_in_use_is_an_error_that_names_the_address) {
  Server server;
  const std::string taken = "127.0.0.1:" + std::to_string(server.listener->port());
  const auto second = server.loop->listen(taken, [](Socket) {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(taken), std::string::npos);
}

TEST(Listener, addresses_that_make_no_sense_are_refused) {
  for (const char* address :
       {"", "5672", "host:", "host:70000", "host:56x", "::1:5672", "[::1:5672", "[]:1"}) {
    EXPECT_FALSE(parse_host_port(address)) << address;
  }
}

// The undefined behaviour sanitizer opens pipes to check virtual tables, and there are no descriptors here.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_SANITIZER_NEEDS_DESCRIPTORS
#endif
#endif
#ifndef WEIR_SANITIZER_NEEDS_DESCRIPTORS

TEST(Listener, goes_on_after_running_out_of_descriptors) {
  Server server;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  Socket raw = server.connect();
  const rlimit tight{.rlim_cur = static_cast<rlim_t>(descriptor_of(raw)) + 1, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  struct Relax final : Timer {
    void on_timer() override { ::setrlimit(RLIMIT_NOFILE, &limit); }
    rlimit limit{};
  } relax;
  relax.limit = limit;
  server.loop->timers().arm(relax, 150);
  EXPECT_TRUE(server.until([&] { return !server.accepted.empty(); }));
  EXPECT_FALSE(relax.armed());
}

#endif

TEST(Listener, a_paused_listener_accepts_nothing) {
  Server server;
  server.listener->pause();
  Socket raw = server.connect();
  bool fired = false;
  server.loop->post([&] { fired = true; });
  EXPECT_TRUE(server.until([&] { return fired; }));
  EXPECT_TRUE(server.accepted.empty());
}

}  // namespace
}  // namespace weir::runtime
