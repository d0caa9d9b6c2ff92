#include "cli/mqtt_client.h"

#include <gtest/gtest.h>

#include "protocol/mqtt/codec/decode.h"
#include "raw_peer.h"

namespace weir::cli {
namespace {

using namespace mqtt;

struct Recorded final : MqttEvents {
  void on_ready(const Connack& connack) override {
    ++ready;
    receive_maximum = connack.properties.receive_maximum.value_or(0);
  }
  void on_packet(const PacketReader& packet) override { packets.push_back(packet.type()); }
  void on_failed(const Error& error) override { failures.push_back(error.message); }

  int ready = 0;
  std::uint16_t receive_maximum = 0;
  std::vector<PacketType> packets;
  std::vector<std::string> failures;
};

class MqttClientTest : public testing::Test {
 protected:
  void connect(MqttIdentity identity) {
    pair_ = runtime::make_memory_pair(1U << 20);
    broker_ = std::make_unique<RawPeer>(pair_->take_right());
    client_ = std::make_unique<MqttClient>(server_, std::move(identity), events_);
    client_->start(pair_->take_left());
    pair_->pump();
  }
  void connack(Version version, const Connack& packet) {
    std::vector<std::byte> bytes(size_of(version, packet));
    write(bytes.data(), version, packet);
    say(bytes);
  }
  void say(Bytes bytes, std::size_t bytes_max = SIZE_MAX) {
    broker_->send(bytes);
    pair_->pump(bytes_max);
  }
  // The next packet that the broker has got.
  PacketReader::Kind heard(PacketReader& reader) {
    Bytes input = Bytes(broker_->received).subspan(heard_);
    const PacketReader::Kind kind = reader.next(input, nullptr, {});
    heard_ = broker_->received.size() - input.size();
    return kind;
  }

  BenchServer server_{.user = "al", .password = "pw"};
  Recorded events_;
  std::unique_ptr<runtime::MemoryPair> pair_;
  std::unique_ptr<RawPeer> broker_;
  std::unique_ptr<MqttClient> client_;
  std::size_t heard_ = 0;
};

TEST_F(MqttClientTest, a_durable_session_says_who_it_is_and_that_it_stays) {
  connect({.version = Version::v5, .client_id = "me", .clean = false, .receive_maximum = 10});
  PacketReader reader;
  ASSERT_EQ(heard(reader), PacketReader::Kind::packet);
  ASSERT_EQ(reader.type(), PacketType::connect);
  const auto connect = decode_connect(reader.body());
  ASSERT_TRUE(connect);
  EXPECT_EQ(connect->client_id, "me");
  EXPECT_EQ(connect->user_name, "al");
  EXPECT_FALSE(connect->clean_start);
  EXPECT_GT(connect->properties.session_expiry_s, 0U);
  EXPECT_EQ(connect->properties.receive_maximum, 10U);

  EXPECT_FALSE(client_->may_write());
  connack(Version::v5, {.properties = {.receive_maximum = 20}});
  EXPECT_EQ(events_.ready, 1);
  EXPECT_EQ(events_.receive_maximum, 20U);
  EXPECT_TRUE(client_->may_write());
}

TEST_F(MqttClientTest, a_refused_connection_is_told_with_its_reason) {
  connect({.client_id = "me"});
  connack(Version::v3_1_1, {.code = ReasonCode::not_authorized});
  EXPECT_EQ(events_.ready, 0);
  ASSERT_EQ(events_.failures.size(), 1U);
  EXPECT_EQ(events_.failures[0], "the broker refuses the connection: Not authorized");
}

TEST_F(MqttClientTest, packets_come_whole_however_their_bytes_come) {
  connect({.client_id = "me"});
  connack(Version::v3_1_1, {});
  std::vector<std::byte> bytes(2 * plain_ack_bytes);
  write_plain_ack(write_plain_ack(bytes.data(), PacketType::puback, 1), PacketType::pubrec, 2);
  say(bytes, 3);
  EXPECT_EQ(events_.packets, (std::vector{PacketType::puback, PacketType::pubrec}));
  EXPECT_TRUE(events_.failures.empty());
}

TEST_F(MqttClientTest, goodbye_is_a_disconnect_and_no_failure) {
  connect({.client_id = "me"});
  connack(Version::v3_1_1, {});
  client_->close();
  pair_->pump();
  PacketReader reader;
  ASSERT_EQ(heard(reader), PacketReader::Kind::packet);
  ASSERT_EQ(heard(reader), PacketReader::Kind::packet);
  EXPECT_EQ(reader.type(), PacketType::disconnect);
  EXPECT_TRUE(broker_->closed);
  EXPECT_TRUE(events_.failures.empty());
}

TEST_F(MqttClientTest, what_the_broker_ends_is_told_once) {
  connect({.version = Version::v5, .client_id = "me"});
  connack(Version::v5, {});
  const Disconnect disconnect{.code = ReasonCode::session_taken_over};
  std::vector<std::byte> bytes(size_of(Version::v5, disconnect));
  write(bytes.data(), Version::v5, disconnect);
  broker_->send(bytes);
  broker_->hang_up();
  pair_->pump();
  ASSERT_EQ(events_.failures.size(), 1U);
  EXPECT_EQ(events_.failures[0], "the broker closed the connection: Session taken over");
}

TEST_F(MqttClientTest, a_connection_that_is_lost_is_told) {
  connect({.client_id = "me"});
  broker_->hang_up();
  pair_->pump();
  ASSERT_EQ(events_.failures.size(), 1U);
  EXPECT_TRUE(events_.failures[0].starts_with("connection lost: ")) << events_.failures[0];
}

}  // namespace
}  // namespace weir::cli
