#include "cli/amqp_client.h"

#include <gtest/gtest.h>

#include "protocol/amqp091/codec/basic_methods.h"
#include "protocol/amqp091/codec/channel_methods.h"
#include "protocol/amqp091/codec/connection_methods.h"

namespace weir::cli {
namespace {

using namespace amqp091;

// The broker's end of the connection: answers when told to, remembers what came.
class FakeBroker final : public runtime::StreamHandler {
 public:
  explicit FakeBroker(std::unique_ptr<runtime::ByteStream> stream) : stream_(std::move(stream)) {
    stream_->open(*this);
  }
  template <AnyMethod M>
  void send(std::uint16_t channel, const M& method) {
    std::vector<std::byte> bytes;
    append_method_frame(bytes, channel, method);
    send_bytes(bytes);
  }
  void send_bytes(Bytes bytes) {
    const Bytes pieces[] = {bytes};
    const Result<std::size_t> sent = stream_->write(pieces);
    ASSERT_TRUE(sent);
    ASSERT_EQ(*sent, bytes.size());
  }
  std::vector<std::byte> received;
  bool closed = false;

 private:
  void on_readable() override {
    std::byte buffer[4096];
    while (true) {
      const Result<std::size_t> got = stream_->read(buffer);
      if (!got || *got == 0) return;
      received.insert(received.end(), buffer, buffer + *got);
    }
  }
  void on_writable() override {}
  void on_closed(const Error&) override { closed = true; }

  std::unique_ptr<runtime::ByteStream> stream_;
};

struct Recorded final : ClientEvents {
  void on_ready() override { ++ready; }
  void on_input_begin() override {}
  void on_frame(const Frame& frame) override {
    frames.emplace_back(frame.payload.begin(), frame.payload.end());
  }
  void on_input_end() override {}
  void on_output_room() override { ++rooms; }
  void on_failed(const Error& error) override { failures.push_back(error.message); }
  void on_closed() override { ++closed; }

  int ready = 0;
  int rooms = 0;
  int closed = 0;
  std::vector<std::vector<std::byte>> frames;
  std::vector<std::string> failures;
};

class AmqpClientTest : public testing::Test {
 protected:
  void connect(std::size_t capacity = 1U << 20) {
    pair_ = runtime::make_memory_pair(capacity);
    broker_ = std::make_unique<FakeBroker>(pair_->take_right());
    client_ = std::make_unique<AmqpClient>(ClientOptions{.user = "al", .password = "pw"}, *loop_, events_);
    client_->start(pair_->take_left());
    pair_->pump();
  }
  void shake_hands() {
    broker_->send(0, ConnectionStart{.mechanisms = {"PLAIN"}, .locales = {"en_US"}});
    pair_->pump();
    broker_->send(0, ConnectionTune{.channel_max = 7, .frame_max = 16'384});
    pair_->pump();
    broker_->send(0, ConnectionOpenOk{});
    pair_->pump();
    broker_->send(1, ChannelOpenOk{});
    pair_->pump();
  }

  std::unique_ptr<runtime::Loop> loop_ = *runtime::Loop::make();
  Recorded events_;
  std::unique_ptr<runtime::MemoryPair> pair_;
  std::unique_ptr<FakeBroker> broker_;
  std::unique_ptr<AmqpClient> client_;
};

TEST_F(AmqpClientTest, the_handshake_sends_the_credentials_and_ends_with_an_open_channel) {
  connect();
  EXPECT_EQ(as_text(broker_->received), as_text(Bytes(protocol_header)));
  shake_hands();
  EXPECT_EQ(events_.ready, 1);
  EXPECT_EQ(client_->frame_max(), 16'384U);
  EXPECT_NE(as_text(broker_->received).find(std::string_view("\0al\0pw", 6)), std::string_view::npos);
}

TEST_F(AmqpClientTest, frames_that_come_in_single_bytes_are_handed_out_whole) {
  connect();
  shake_hands();
  broker_->send(1, BasicAck{.delivery_tag = 5, .multiple = true});
  pair_->pump(1);
  ASSERT_EQ(events_.frames.size(), 1U);
  EXPECT_EQ(decode_as<BasicAck>(events_.frames[0])->delivery_tag, 5U);
}

TEST_F(AmqpClientTest, what_the_broker_says_on_closing_is_the_failure) {
  connect();
  shake_hands();
  broker_->send(1, ChannelClose{.reply_code = 404, .reply_text = "NOT_FOUND - no queue"});
  pair_->pump();
  ASSERT_EQ(events_.failures.size(), 1U);
  EXPECT_NE(events_.failures[0].find("404 NOT_FOUND - no queue"), std::string::npos);
  EXPECT_TRUE(client_->finished());
}

TEST_F(AmqpClientTest, a_refused_login_is_the_failure) {
  connect();
  broker_->send(0, ConnectionStart{.mechanisms = {"PLAIN"}});
  pair_->pump();
  broker_->send(0, ConnectionClose{.reply_code = 403, .reply_text = "ACCESS_REFUSED"});
  pair_->pump();
  ASSERT_EQ(events_.failures.size(), 1U);
  EXPECT_NE(events_.failures[0].find("403 ACCESS_REFUSED"), std::string::npos);
}

TEST_F(AmqpClientTest, bytes_that_are_no_frame_end_the_connection_with_one_failure) {
  connect();
  shake_hands();
  broker_->send_bytes(as_bytes("no frame at all, and more of it"));
  pair_->pump();
  EXPECT_EQ(events_.failures.size(), 1U);
  EXPECT_TRUE(broker_->closed);
}

TEST_F(AmqpClientTest, a_lost_connection_is_a_failure) {
  connect();
  shake_hands();
  broker_.reset();
  pair_->pump();
  EXPECT_EQ(events_.failures.size(), 1U);
}

TEST_F(AmqpClientTest, output_beyond_what_the_stream_takes_leaves_in_order_and_then_there_is_room) {
  connect(1000);
  shake_hands();
  broker_->received.clear();
  const std::vector<std::byte> piece(300, std::byte{'x'});
  for (int i = 0; i < 2000; ++i) client_->queue_bytes(piece);
  client_->append(BasicAck{.delivery_tag = 1});
  client_->flush();
  EXPECT_FALSE(client_->output_idle());
  pair_->pump();
  EXPECT_TRUE(client_->output_idle());
  EXPECT_GE(events_.rooms, 1);
  ASSERT_EQ(broker_->received.size(), 2000 * piece.size() + method_frame_bytes(BasicAck{}));
  EXPECT_EQ(broker_->received[2000 * piece.size()], std::byte{1});
  EXPECT_EQ(broker_->received.back(), frame_end);
}

TEST_F(AmqpClientTest, closing_waits_for_the_answer) {
  connect();
  shake_hands();
  client_->close();
  pair_->pump();
  EXPECT_EQ(events_.closed, 0);
  broker_->send(0, ConnectionCloseOk{});
  pair_->pump();
  EXPECT_EQ(events_.closed, 1);
  EXPECT_TRUE(events_.failures.empty());
}

TEST_F(AmqpClientTest, publishers_are_held_while_the_broker_says_blocked) {
  connect();
  shake_hands();
  broker_->send(0, ConnectionBlocked{.reason = "low on memory"});
  pair_->pump();
  EXPECT_TRUE(client_->blocked_by_broker());
  broker_->send(0, ConnectionUnblocked{});
  pair_->pump();
  EXPECT_FALSE(client_->blocked_by_broker());
  EXPECT_EQ(events_.rooms, 1);
}

}  // namespace
}  // namespace weir::cli
