#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "protocol/mqtt/codec/client.h"
#include "protocol/mqtt/codec/decode.h"
#include "protocol/mqtt/codec/encode.h"
#include "protocol/mqtt/codec/packet_reader.h"
#include "wire_text.h"

namespace weir::mqtt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto v31 = Version::v3_1, v311 = Version::v3_1_1, v5 = Version::v5;

// A packet that was written, and is read again.
struct Packet {
  template <typename... Parts>
  explicit Packet(const Parts&... parts) {
    bytes.resize(size_of(parts...));
    EXPECT_EQ(write(bytes.data(), parts...), bytes.data() + bytes.size());
  }
  Bytes body() {
    Bytes input = bytes;
    reader.use(Version::v5);
    EXPECT_EQ(reader.next(input, nullptr, {}), PacketReader::Kind::packet);
    EXPECT_TRUE(input.empty());
    return reader.body();
  }
  std::vector<std::byte> bytes;
  PacketReader reader;

 protected:
  Packet() = default;
};

struct PublishPacket : Packet {
  PublishPacket(Version version, const PublishHead& head, std::string_view payload = {}) {
    bytes.resize(size_of(version, head));
    EXPECT_EQ(write(bytes.data(), version, head).end, bytes.data() + bytes.size());
    for (const char c : payload) bytes.push_back(static_cast<std::byte>(c));
  }
};

std::string hex_of(std::string_view text) { return hex(wire(text)); }

std::vector<std::byte> some_user_properties() {
  std::vector<std::byte> raw;
  append_user_property(raw, "a", "1");
  append_user_property(raw, "a", "2");
  append_user_property(raw, "", "");
  return raw;
}
const UserProperty expected_user[] = {{"a", "1"}, {"a", "2"}, {"", ""}};

std::vector<UserProperty> list_of(const UserProperties& user) {
  std::vector<UserProperty> all;
  for (const UserProperty& property : user) all.push_back(property);
  return all;
}

TEST(MqttEncoding, of_connack_is_what_each_version_knows) {
  EXPECT_EQ(hex(Packet(v31, Connack{.session_present = true}).bytes), "20020000");
  EXPECT_EQ(hex(Packet(v311, Connack{.session_present = true}).bytes), "20020100");
  EXPECT_EQ(hex(Packet(v5, Connack{.session_present = true}).bytes), "2003010000");
  // [MQTT-3.2.2-6]: no session with a refusal.
  EXPECT_EQ(hex(Packet(v311, Connack{true, ReasonCode::not_authorized}).bytes), "20020005");
  EXPECT_EQ(hex(Packet(v5, Connack{true, ReasonCode::not_authorized}).bytes), "2003008700");
  const std::pair<ReasonCode, std::uint8_t> codes[] = {{ReasonCode::unsupported_protocol_version, 1},
                                                       {ReasonCode::client_identifier_not_valid, 2},
                                                       {ReasonCode::server_busy, 3},
                                                       {ReasonCode::quota_exceeded, 3},
                                                       {ReasonCode::bad_user_name_or_password, 4},
                                                       {ReasonCode::bad_authentication_method, 4},
                                                       {ReasonCode::banned, 5}};
  for (const auto& [code, number] : codes) {
    Packet packet(v311, Connack{.code = code});
    EXPECT_EQ(packet.bytes.back(), std::byte{number}) << to_string(code);
    const auto decoded = decode_connack(v311, packet.body());
    ASSERT_TRUE(decoded);
    EXPECT_EQ(connect_return_code_of(decoded->code), ConnectReturnCode{number});
  }
}

TEST(MqttEncoding, of_connack_has_all_properties) {
  const auto user = some_user_properties();
  const auto data = wire("00ff");
  Packet packet(v5, Connack{.session_present = true,
                            .properties = {.session_expiry_s = 60,
                                           .receive_maximum = 10,
                                           .maximum_qos = 1,
                                           .retain_available = false,
                                           .maximum_packet_bytes = 70'000,
                                           .assigned_client_id = "id",
                                           .topic_alias_maximum = 5,
                                           .reason_string = "why",
                                           .wildcard_subscriptions = true,
                                           .subscription_identifiers = false,
                                           .shared_subscriptions = true,
                                           .server_keep_alive_s = 30,
                                           .response_information = "r/",
                                           .server_reference = "other",
                                           .authentication_method = "m",
                                           .authentication_data = data,
                                           .user = UserProperties(user)}});
  const auto decoded = decode_connack(v5, packet.body());
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->session_present);
  const ConnackProperties& properties = decoded->properties;
  EXPECT_EQ(properties.session_expiry_s, 60U);
  EXPECT_EQ(properties.receive_maximum, 10);
  EXPECT_EQ(properties.maximum_qos, 1);
  EXPECT_EQ(properties.retain_available, false);
  EXPECT_EQ(properties.maximum_packet_bytes, 70'000U);
  EXPECT_EQ(properties.assigned_client_id, "id");
  EXPECT_EQ(properties.topic_alias_maximum, 5);
  EXPECT_EQ(properties.reason_string, "why");
  EXPECT_EQ(properties.wildcard_subscriptions, true);
  EXPECT_EQ(properties.subscription_identifiers, false);
  EXPECT_EQ(properties.shared_subscriptions, true);
  EXPECT_EQ(properties.server_keep_alive_s, 30);
  EXPECT_EQ(properties.response_information, "r/");
  EXPECT_EQ(properties.server_reference, "other");
  EXPECT_EQ(properties.authentication_method, "m");
  EXPECT_EQ(hex(*properties.authentication_data), "00ff");
  EXPECT_THAT(list_of(properties.user), testing::ElementsAreArray(expected_user));
}

TEST(MqttEncoding, of_connect_comes_back) {
  const auto user = some_user_properties();
  const Connect sent{.version = v5,
                     .clean_start = false,
                     .keep_alive_s = 15,
                     .client_id = "c",
                     .will = Will{.topic = "w",
                                  .payload = as_bytes("gone"),
                                  .qos = 2,
                                  .retain = true,
                                  .properties = {.payload_format = std::uint8_t{1}, .will_delay_s = 7}},
                     .user_name = "u",
                     .password = as_bytes("p"),
                     .properties = {.session_expiry_s = never_expires_s,
                                    .receive_maximum = 9,
                                    .maximum_packet_bytes = 5'000,
                                    .topic_alias_maximum = 3,
                                    .request_response_information = true,
                                    .request_problem_information = false,
                                    .authentication_method = "m",
                                    .authentication_data = as_bytes("d"),
                                    .user = UserProperties(user)}};
  Packet packet(sent);
  const auto got = decode_connect(packet.body());
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->version, v5);
  EXPECT_FALSE(got->clean_start);
  EXPECT_EQ(got->keep_alive_s, 15);
  EXPECT_EQ(got->client_id, "c");
  ASSERT_TRUE(got->will);
  EXPECT_EQ(got->will->topic, "w");
  EXPECT_EQ(as_text(got->will->payload), "gone");
  EXPECT_EQ(got->will->qos, 2);
  EXPECT_TRUE(got->will->retain);
  EXPECT_EQ(got->will->properties.payload_format, 1);
  EXPECT_EQ(got->will->properties.will_delay_s, 7U);
  EXPECT_EQ(got->user_name, "u");
  EXPECT_EQ(as_text(*got->password), "p");
  EXPECT_EQ(got->properties.session_expiry_s, never_expires_s);
  EXPECT_EQ(got->properties.receive_maximum, 9);
  EXPECT_EQ(got->properties.maximum_packet_bytes, 5'000U);
  EXPECT_EQ(got->properties.topic_alias_maximum, 3);
  EXPECT_TRUE(got->properties.request_response_information);
  EXPECT_FALSE(got->properties.request_problem_information);
  EXPECT_EQ(got->properties.authentication_method, "m");
  EXPECT_EQ(as_text(*got->properties.authentication_data), "d");
  EXPECT_EQ(list_of(got->properties.user).size(), 3U);
  EXPECT_EQ(hex(Packet(Connect{.version = v31, .client_id = "c"}).bytes),
            hex_of("10 0f s'MQIsdp' 03 02 0000 s'c'"));
  EXPECT_EQ(hex(Packet(Connect{.version = v311, .client_id = "c"}).bytes),
            hex_of("10 0d s'MQTT' 04 02 0000 s'c'"));
}

TEST(MqttEncoding, of_a_publish_comes_back) {
  const auto user = some_user_properties();
  const std::uint32_t ids[] = {1, 128, subscription_identifier_max};
  const PublishHead head{.topic = "a/b",
                         .qos = 1,
                         .dup = true,
                         .retain = true,
                         .packet_id = 513,
                         .payload_bytes = 4,
                         .properties = {.payload_format = std::uint8_t{0},
                                        .message_expiry_s = 3'600,
                                        .content_type = "text/plain",
                                        .response_topic = "r",
                                        .correlation_data = as_bytes("id"),
                                        .topic_alias = 2,
                                        .user = UserProperties(user)},
                         .subscription_ids = ids};
  PublishPacket packet(v5, head, "data");
  const Bytes body = packet.body();
  const auto got = decode_server_publish(v5, packet.reader.flags(), body);
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->topic, "a/b");
  EXPECT_EQ(got->qos, 1);
  EXPECT_TRUE(got->dup);
  EXPECT_TRUE(got->retain);
  EXPECT_EQ(got->packet_id, 513);
  EXPECT_EQ(as_text(got->payload), "data");
  EXPECT_EQ(got->properties.payload_format, 0);
  EXPECT_EQ(got->properties.message_expiry_s, 3'600U);
  EXPECT_EQ(got->properties.content_type, "text/plain");
  EXPECT_EQ(got->properties.response_topic, "r");
  EXPECT_EQ(as_text(*got->properties.correlation_data), "id");
  EXPECT_EQ(got->properties.topic_alias, 2);
  EXPECT_THAT(list_of(got->properties.user), testing::ElementsAreArray(expected_user));
  std::vector<std::uint32_t> got_ids;
  got->subscription_ids.for_each([&](std::uint32_t id) { got_ids.push_back(id); });
  EXPECT_THAT(got_ids, testing::ElementsAreArray(ids));
  EXPECT_FALSE(decode_publish(v5, packet.reader.flags(), body));

  EXPECT_EQ(hex(PublishPacket(v311, {.topic = "a/b", .payload_bytes = 1}, "x").bytes),
            hex_of("30 06 s'a/b' 'x'"));
  EXPECT_EQ(hex(PublishPacket(v5, {.topic = "a/b", .payload_bytes = 1}, "x").bytes),
            hex_of("30 07 s'a/b' 00 'x'"));
  EXPECT_EQ(size_of(v311, PublishHead{.topic = "t", .payload_bytes = 200}), 1U + 2 + 3);
}

TEST(MqttEncoding, of_one_publish_is_patched_for_each_subscriber) {
  for (const std::size_t payload_bytes : {0U, 200U, 20'000U, 3'000'000U}) {
    const PublishHead head{.topic = "a/b", .qos = 1, .packet_id = 0xFFFF, .payload_bytes = payload_bytes};
    std::vector<std::byte> bytes(size_of(v5, head));
    const WrittenHead written = write(bytes.data(), v5, head);
    patch_publish(bytes.data(), written.packet_id_at, 2, true, true, 0x1234);
    PublishHead other = head;
    other.qos = 2;
    other.dup = other.retain = true;
    other.packet_id = 0x1234;
    EXPECT_EQ(hex(bytes), hex(PublishPacket(v5, other).bytes));
  }
  std::byte plain[64];
  EXPECT_EQ(write(plain, v5, PublishHead{.topic = "a"}).packet_id_at, 0U);
}

TEST(MqttEncoding, of_acknowledgements_is_as_short_as_it_may_be) {
  using enum PacketType;
  EXPECT_EQ(hex(Packet(v311, Ack{puback, 1, ReasonCode::not_authorized}).bytes), "40020001");
  EXPECT_EQ(hex(Packet(v5, Ack{pubrel, 1}).bytes), "62020001");
  EXPECT_EQ(hex(Packet(v5, Ack{pubrec, 1, ReasonCode::quota_exceeded}).bytes), "5003000197");
  const Ack full{pubcomp, 1, ReasonCode::packet_identifier_not_found, {.reason_string = "no"}};
  Packet packet(v5, full);
  const auto got = decode_ack(v5, pubcomp, packet.body());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->code, full.code);
  EXPECT_EQ(got->properties.reason_string, "no");
  std::byte plain[plain_ack_bytes];
  for (const PacketType type : {puback, pubrec, pubrel, pubcomp}) {
    EXPECT_EQ(write_plain_ack(plain, type, 0x102), plain + sizeof plain);
    EXPECT_EQ(hex(plain), hex(Packet(v5, Ack{type, 0x102}).bytes));
  }
}

TEST(MqttEncoding, of_subscription_acknowledgements_has_a_code_for_each) {
  using enum PacketType;
  const ReasonCode codes[] = {ReasonCode::granted_qos_2, ReasonCode::topic_filter_invalid};
  EXPECT_EQ(hex(Packet(v311, SubscriptionAck{suback, 7, codes}).bytes), "900400070280");
  EXPECT_EQ(hex(Packet(v5, SubscriptionAck{suback, 7, codes}).bytes), "9005000700028f");
  const ReasonCode gone[] = {ReasonCode::success, ReasonCode::no_subscription_existed};
  EXPECT_EQ(hex(Packet(v311, SubscriptionAck{unsuback, 7, gone}).bytes), "b0020007");
  Packet packet(v5, SubscriptionAck{unsuback, 7, gone, {.reason_string = "so"}});
  const auto got = decode_subscription_ack(v5, unsuback, packet.body());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->packet_id, 7);
  EXPECT_THAT(got->codes, testing::ElementsAreArray(gone));
  EXPECT_EQ(got->properties.reason_string, "so");
}

TEST(MqttEncoding, of_subscribe_and_unsubscribe_comes_back) {
  const Subscription list[] = {{.filter = "a/+", .qos = 1},
                               {.filter = "$share/g/#", .qos = 2, .retain_as_published = true},
                               {.filter = "b", .no_local = true, .retain_handling = 2}};
  Packet subscribe(v5, SubscribeRequest{.packet_id = 3, .subscriptions = list, .properties = {200, {}}});
  const auto got = decode_subscribe(v5, subscribe.body());
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->packet_id, 3);
  EXPECT_EQ(got->properties.subscription_id, 200U);
  EXPECT_EQ(got->subscriptions.size(), 3U);
  std::size_t at = 0;
  for (const Subscription& subscription : got->subscriptions) EXPECT_EQ(subscription, list[at++]);
  EXPECT_EQ(at, 3U);

  const std::string_view filters[] = {"a/+", "$share/g/#"};
  Packet unsubscribe(v311, UnsubscribeRequest{.packet_id = 4, .filters = filters});
  const auto gone = decode_unsubscribe(v311, unsubscribe.body());
  ASSERT_TRUE(gone);
  std::vector<std::string_view> listed;
  for (const std::string_view filter : gone->filters) listed.push_back(filter);
  EXPECT_THAT(listed, testing::ElementsAreArray(filters));
}

TEST(MqttEncoding, of_disconnect_auth_and_pings) {
  EXPECT_EQ(hex(Packet(v311, Disconnect{ReasonCode::server_busy}).bytes), "e000");
  EXPECT_EQ(hex(Packet(v5, Disconnect{}).bytes), "e000");
  EXPECT_EQ(hex(Packet(v5, Disconnect{ReasonCode::session_taken_over}).bytes), "e0018e");
  Packet moved(
      v5, Disconnect{ReasonCode::use_another_server, {.reason_string = "full", .server_reference = "other"}});
  const auto got = decode_server_disconnect(v5, moved.body());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->properties.server_reference, "other");
  EXPECT_EQ(got->properties.reason_string, "full");
  EXPECT_FALSE(decode_server_disconnect(v5, wire("00 05 11 00000001")));

  Packet auth(Auth{ReasonCode::continue_authentication,
                   {.authentication_method = "m", .authentication_data = as_bytes("d")}});
  const auto step = decode_auth(auth.body());
  ASSERT_TRUE(step);
  EXPECT_EQ(step->properties.authentication_method, "m");
  EXPECT_TRUE(decode_server_auth({}));
  std::byte ping[ping_bytes];
  write_pingresp(ping);
  EXPECT_EQ(hex(ping), "d000");
  write_pingreq(ping);
  EXPECT_EQ(hex(ping), "c000");
}

TEST(MqttUserProperties, are_found_among_others) {
  const auto body = wire("s't' 15 26 s'a' s'1' 01 01 26 s'b' s'2' 02 0000003c 'payload'");
  const auto publish = decode_publish(v5, 0, body);
  ASSERT_TRUE(publish) << publish.error().text;
  EXPECT_THAT(list_of(publish->properties.user), ElementsAre(UserProperty{"a", "1"}, UserProperty{"b", "2"}));
  EXPECT_EQ(publish->properties.message_expiry_s, 60U);
  EXPECT_EQ(as_text(publish->payload), "payload");
  EXPECT_THAT(list_of(UserProperties()), IsEmpty());
}

}  // namespace
}  // namespace weir::mqtt
