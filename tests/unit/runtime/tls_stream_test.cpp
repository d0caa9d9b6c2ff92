#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "certificates.h"
#include "loop_probe.h"
#include "runtime/tls.h"

namespace weir::runtime {
namespace {

class TlsStreamTest : public ::testing::Test {
 protected:
  TlsStreamTest() : directory_(::testing::TempDir() + "/weir-tls-XXXXXX") {
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    authority_ = std::make_unique<CertificateAuthority>(directory_, "authority");
    files_ = authority_->issue("server", "127.0.0.1");
    loop_ = Loop::make().value();
    listener_ =
        loop_->listen("127.0.0.1:0", [this](Socket socket) { accepted_.push_back(std::move(socket)); })
            .value();
  }
  ~TlsStreamTest() override { std::filesystem::remove_all(directory_); }

  TlsServerOptions server_options() const {
    TlsServerOptions options;
    options.certificate_file = files_.certificate;
    options.key_file = files_.key;
    return options;
  }
  TlsClientOptions client_options() const {
    TlsClientOptions options;
    options.ca_file = authority_->ca_file();
    return options;
  }
  bool until(std::function<bool()> holds) { return run_until(*loop_, std::move(holds)); }
  Socket connect() { return Loop::connect_now("127.0.0.1", listener_->port()).value(); }

  // Both ends of a connection; the handshake runs as the loop does.
  void connect_both(TlsContext& server, TlsContext& client, const std::string& host = "127.0.0.1") {
    Socket socket = connect();
    ASSERT_TRUE(until([this] { return !accepted_.empty(); }));
    peer_ = std::make_unique<Endpoint>(loop_->adopt_tls(std::move(accepted_.front()), server));
    accepted_.clear();
    client_ = std::make_unique<Endpoint>(loop_->adopt_tls_client(std::move(socket), client, host));
  }
  void connect_both(const TlsServerOptions& server, const TlsClientOptions& client) {
    server_ = TlsContext::server(server).value();
    client_context_ = TlsContext::client(client).value();
    connect_both(*server_, *client_context_);
  }
  bool exchange() {
    client_->send("ping");
    peer_->on_bytes = [this] {
      if (peer_->received == "ping") peer_->send("pong");
    };
    return until([this] {
             return client_->received == "pong" || !client_->closed.empty() || !peer_->closed.empty();
           }) &&
           client_->received == "pong";
  }

  std::string directory_;
  std::unique_ptr<CertificateAuthority> authority_;
  CertificateAuthority::Files files_;
  std::unique_ptr<TlsContext> server_;
  std::unique_ptr<TlsContext> client_context_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Listener> listener_;
  std::vector<Socket> accepted_;
  std::unique_ptr<Endpoint> peer_;
  std::unique_ptr<Endpoint> client_;
};

TEST_F(TlsStreamTest, bytes_go_both_ways_by_tls_1_3) {
  connect_both(server_options(), client_options());
  ASSERT_TRUE(exchange());
  EXPECT_TRUE(peer_->stream->peer().tls);
  EXPECT_EQ(peer_->stream->peer().tls_version, "TLSv1.3");
  EXPECT_FALSE(peer_->stream->peer().tls_cipher.empty());
  EXPECT_EQ(peer_->stream->peer().certificate_subject, "");
  EXPECT_EQ(client_->stream->peer().certificate_subject, "CN=server,O=Weir");
}

TEST_F(TlsStreamTest, megabytes_pass_through_full_buffers_unchanged) {
  connect_both(server_options(), client_options());
  ASSERT_TRUE(exchange());
  std::string text;
  for (int i = 0; text.size() < 12U << 20; ++i) text += std::to_string(i) + ",";
  client_->send(text);
  peer_->send(text);
  EXPECT_FALSE(client_->pending.empty());
  EXPECT_TRUE(until(
      [&] { return peer_->received.size() >= text.size() && client_->received.size() >= text.size(); }));
  EXPECT_TRUE(peer_->received == "ping" + text);
  EXPECT_TRUE(client_->received == "pong" + text);
}

TEST_F(TlsStreamTest, small_pieces_share_records) {
  connect_both(server_options(), client_options());
  ASSERT_TRUE(exchange());
  peer_->on_bytes = nullptr;
  const std::string text(100'000, 'x');
  std::vector<Bytes> pieces;
  for (std::size_t i = 0; i < text.size(); i += 100) pieces.push_back(as_bytes(text).subspan(i, 100));
  peer_->read_bytes = 1U << 20;
  peer_->readable = 0;
  EXPECT_EQ(client_->stream->write(pieces), text.size());
  EXPECT_TRUE(until([&] { return peer_->received.size() == text.size() + 4; }));
  EXPECT_LE(peer_->readable, 10);
}

TEST_F(TlsStreamTest, a_paused_stream_reads_nothing_and_pushes_back) {
  connect_both(server_options(), client_options());
  ASSERT_TRUE(exchange());
  peer_->on_bytes = nullptr;
  peer_->stream->pause_reading();
  const std::string text(32U << 20, 'x');
  client_->send(text);
  EXPECT_FALSE(client_->pending.empty());
  peer_->readable = 0;
  bool turned = false;
  loop_->post([&] { turned = true; });
  EXPECT_TRUE(until([&] { return turned; }));
  EXPECT_EQ(peer_->readable, 0);
  peer_->stream->resume_reading();
  EXPECT_TRUE(until([&] { return peer_->received.size() == text.size() + 4; }));
}

// The rest of what was decrypted lies in the process: no edge of the socket tells of it.
TEST_F(TlsStreamTest, what_was_left_by_a_pause_inside_of_on_readable_comes_after_it) {
  connect_both(server_options(), client_options());
  ASSERT_TRUE(exchange());
  peer_->read_bytes = 10;
  peer_->on_bytes = [&] { peer_->stream->pause_reading(); };
  client_->send(std::string(1'000, 'x'));
  EXPECT_TRUE(until([&] {
    if (peer_->received.size() < 1'004) {
      peer_->stream->resume_reading();
      loop_->wake();
      return false;
    }
    return true;
  }));
}

TEST_F(TlsStreamTest, the_end_comes_after_the_last_byte_and_once) {
  connect_both(server_options(), client_options());
  ASSERT_TRUE(exchange());
  peer_->on_bytes = nullptr;
  const std::string text(300'000, 'x');
  client_->send(text);
  ASSERT_TRUE(until([&] { return client_->pending.empty(); }));
  client_.reset();
  EXPECT_TRUE(until([&] { return !peer_->closed.empty(); }));
  EXPECT_EQ(peer_->received.size(), text.size() + 4);
  ASSERT_EQ(peer_->closed.size(), 1U);
  EXPECT_EQ(peer_->closed[0].code, ErrorCode::closed);
}

TEST_F(TlsStreamTest, bytes_that_the_kernel_has_not_taken_are_sent_after_close) {
  connect_both(server_options(), client_options());
  ASSERT_TRUE(exchange());
  peer_->stream->pause_reading();
  peer_->on_bytes = nullptr;
  const std::string chunk(1U << 20, 'x');
  std::size_t taken = 0;
  for (;;) {
    const Bytes piece = as_bytes(chunk);
    const std::size_t count = client_->stream->write({&piece, 1}).value();
    taken += count;
    if (count < chunk.size()) break;
  }
  client_.reset();
  peer_->stream->resume_reading();
  EXPECT_TRUE(until([&] { return !peer_->closed.empty(); }));
  EXPECT_EQ(peer_->received.size(), taken + 4);
}

TEST_F(TlsStreamTest, a_client_certificate_names_the_peer) {
  TlsServerOptions server = server_options();
  server.ca_file = authority_->ca_file();
  server.require_client_certificate = true;
  TlsClientOptions client = client_options();
  const CertificateAuthority::Files person = authority_->issue("mira");
  client.certificate_file = person.certificate;
  client.key_file = person.key;
  connect_both(server, client);
  ASSERT_TRUE(exchange());
  EXPECT_EQ(peer_->stream->peer().certificate_subject, "CN=mira,O=Weir");
}

TEST_F(TlsStreamTest, a_client_without_the_required_certificate_is_refused) {
  TlsServerOptions server = server_options();
  server.ca_file = authority_->ca_file();
  server.require_client_certificate = true;
  connect_both(server, client_options());
  EXPECT_FALSE(exchange());
  EXPECT_TRUE(until([&] { return !peer_->closed.empty() && !client_->closed.empty(); }));
  EXPECT_NE(peer_->closed[0].message.find("did not return a certificate"), std::string::npos);
  EXPECT_EQ(peer_->received, "");
}

TEST_F(TlsStreamTest, a_certificate_of_another_authority_is_refused) {
  CertificateAuthority other(directory_, "other");
  TlsClientOptions client;
  client.ca_file = other.ca_file();
  connect_both(server_options(), client);
  EXPECT_FALSE(exchange());
  EXPECT_TRUE(until([&] { return !client_->closed.empty(); }));
  EXPECT_NE(client_->closed[0].message.find("verify failed"), std::string::npos);
}

TEST_F(TlsStreamTest, a_certificate_for_another_host_is_refused) {
  files_ = authority_->issue("server", "broker.example");
  connect_both(server_options(), client_options());
  EXPECT_FALSE(exchange());
  server_ = TlsContext::server(server_options()).value();
  connect_both(*server_, *client_context_, "broker.example");
  EXPECT_TRUE(exchange());
}

TEST_F(TlsStreamTest, without_an_authority_the_client_checks_nothing) {
  files_ = authority_->issue("server", "broker.example");
  connect_both(server_options(), TlsClientOptions{});
  EXPECT_TRUE(exchange());
}

TEST_F(TlsStreamTest, after_a_reload_new_connections_get_the_new_certificate) {
  connect_both(server_options(), client_options());
  ASSERT_TRUE(exchange());
  const CertificateAuthority::Files next = authority_->issue("next", "127.0.0.1");
  std::filesystem::copy_file(next.key, files_.key, std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(server_->reload());  // the key does not fit the certificate yet
  connect_both(*server_, *client_context_);
  ASSERT_TRUE(exchange());
  EXPECT_EQ(client_->stream->peer().certificate_subject, "CN=server,O=Weir");
  std::filesystem::copy_file(next.certificate, files_.certificate,
                             std::filesystem::copy_options::overwrite_existing);
  ASSERT_TRUE(server_->reload());
  connect_both(*server_, *client_context_);
  ASSERT_TRUE(exchange());
  EXPECT_EQ(client_->stream->peer().certificate_subject, "CN=next,O=Weir");
}

TEST_F(TlsStreamTest, a_peer_that_does_not_speak_tls_is_refused) {
  server_ = TlsContext::server(server_options()).value();
  Socket plain = connect();
  ASSERT_TRUE(until([this] { return !accepted_.empty(); }));
  Endpoint peer(loop_->adopt_tls(std::move(accepted_.front()), *server_));
  Endpoint client(loop_->adopt(std::move(plain)));
  client.send("AMQP and not TLS");
  EXPECT_TRUE(until([&] { return !peer.closed.empty(); }));
  EXPECT_EQ(peer.closed[0].code, ErrorCode::closed);
  EXPECT_EQ(peer.readable, 0);
}

TEST_F(TlsStreamTest, a_handshake_that_does_not_come_times_out) {
  server_ = TlsContext::server(server_options()).value();
  const Socket silent = connect();
  ASSERT_TRUE(until([this] { return !accepted_.empty(); }));
  Endpoint peer(loop_->adopt_tls(std::move(accepted_.front()), *server_));
  bool turned = false;
  loop_->post([&] { turned = true; });
  ASSERT_TRUE(until([&] { return turned; }));
  loop_->timers().advance(loop_->timers().now_ms() + 10'000);
  EXPECT_TRUE(until([&] { return !peer.closed.empty(); }));
  EXPECT_EQ(peer.closed[0].code, ErrorCode::timed_out);
}

TEST_F(TlsStreamTest, settings_that_make_no_sense_are_refused) {
  TlsServerOptions missing = server_options();
  missing.certificate_file = directory_ + "/none";
  EXPECT_EQ(TlsContext::server(missing).error().code, ErrorCode::config);
  TlsServerOptions strange = server_options();
  strange.minimum_version = "SSLv3";
  EXPECT_EQ(TlsContext::server(strange).error().code, ErrorCode::config);
  TlsServerOptions unchecked = server_options();
  unchecked.require_client_certificate = true;
  EXPECT_EQ(TlsContext::server(unchecked).error().code, ErrorCode::config);
  EXPECT_EQ(TlsContext::server(TlsServerOptions{}).error().code, ErrorCode::config);
}

}  // namespace
}  // namespace weir::runtime
