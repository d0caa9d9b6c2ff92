#include <gtest/gtest.h>

#include <string>

#include "protocol/mqtt/codec/decode.h"
#include "wire_text.h"

namespace weir::mqtt {
namespace {

using enum ReasonCode;

// What a decoder says to a body that a client sent: `success` when it takes it.
ReasonCode answer(PacketType type, Version version, std::uint8_t flags, Bytes body) {
  const auto code = [](const auto& decoded) { return decoded ? success : decoded.error().code; };
  switch (type) {
    case PacketType::connect: return code(decode_connect(body));
    case PacketType::publish: return code(decode_publish(version, flags, body));
    case PacketType::subscribe: return code(decode_subscribe(version, body));
    case PacketType::unsubscribe: return code(decode_unsubscribe(version, body));
    case PacketType::disconnect: return code(decode_disconnect(version, body));
    case PacketType::auth: return code(decode_auth(body));
    default: return code(decode_ack(version, type, body));
  }
}

struct Case {
  std::string_view what;  // the statement that it breaks, or keeps
  PacketType type;
  Version version;
  std::uint8_t flags;
  std::string_view body;
  ReasonCode expected;
};

constexpr auto v31 = Version::v3_1, v311 = Version::v3_1_1, v5 = Version::v5;

void expect_all(std::initializer_list<Case> cases) {
  for (const Case& one : cases) {
    const auto body = wire(one.body);
    EXPECT_EQ(answer(one.type, one.version, one.flags, body), one.expected)
        << one.what << ": " << to_string(one.type) << " of " << to_string(one.version) << " " << one.body;
  }
}

TEST(MqttConnect, of_a_version_that_is_not_known_is_told_so) {
  constexpr auto type = PacketType::connect;
  expect_all({
      {"MQTT-3.1.2-1 the name", type, v5, 0, "s'mqtt' 05 02 003c 00 s'a'", unsupported_protocol_version},
      {"MQTT-3.1.2-1 the name", type, v5, 0, "s'HTTP' 04 02 003c s'a'", unsupported_protocol_version},
      {"MQTT-3.1.2-2 the level", type, v5, 0, "s'MQTT' 06 02 003c 00 s'a'", unsupported_protocol_version},
      {"MQTT-3.1.2-2 the level", type, v5, 0, "s'MQTT' 03 02 003c s'a'", unsupported_protocol_version},
      {"the level of a bridge", type, v5, 0, "s'MQTT' 84 02 003c s'a'", unsupported_protocol_version},
      {"3.1 by its own name only", type, v5, 0, "s'MQIsdp' 04 02 003c s'a'", unsupported_protocol_version},
      {"a cut name", type, v5, 0, "0004 'MQ'", malformed_packet},
      {"nothing at all", type, v5, 0, "", malformed_packet},
  });
  EXPECT_EQ(answer_to_connect(wire("s'MQTT' 05 ff")), Version::v5);
  EXPECT_EQ(answer_to_connect(wire("s'MQIsdp' 03")), Version::v3_1);
  EXPECT_EQ(answer_to_connect(wire("s'MQTT' 07")), Version::v5);
  EXPECT_EQ(answer_to_connect(wire("s'MQTT' 03")), Version::v3_1_1);
  EXPECT_EQ(answer_to_connect(wire("s'AMQP' 05")), std::nullopt);
  EXPECT_EQ(answer_to_connect(wire("s'MQTT'")), std::nullopt);
}

TEST(MqttConnect, has_flags_that_agree_with_each_other) {
  constexpr auto type = PacketType::connect;
  expect_all({
      {"MQTT-3.1.2-3 reserved flag", type, v311, 0, "s'MQTT' 04 03 003c s'a'", malformed_packet},
      {"MQTT-3.1.2-3 reserved flag", type, v5, 0, "s'MQTT' 05 03 003c 00 s'a'", malformed_packet},
      {"MQTT-3.1.2-11 QoS without will", type, v311, 0, "s'MQTT' 04 0a 003c s'a'", malformed_packet},
      {"MQTT-3.1.2-13 retain without will", type, v5, 0, "s'MQTT' 05 22 003c 00 s'a'", malformed_packet},
      {"MQTT-3.1.2-12 QoS 3 of a will", type, v5, 0, "s'MQTT' 05 1e 003c 00 s'a' 00 s't' s'm'",
       malformed_packet},
      {"MQTT-3.1.2-22 a password alone", type, v311, 0, "s'MQTT' 04 42 003c s'a' s'p'", malformed_packet},
      {"5.0 has a password alone", type, v5, 0, "s'MQTT' 05 42 003c 00 s'a' s'p'", success},
      {"all flags", type, v5, 0, "s'MQTT' 05 f6 003c 00 s'a' 00 s't' s'm' s'u' s'p'", success},
  });
}

TEST(MqttConnect, has_a_payload_that_the_flags_announce) {
  constexpr auto type = PacketType::connect;
  expect_all({
      {"MQTT-3.1.3-4 UTF-8", type, v311, 0, "s'MQTT' 04 02 003c 0002 c080", malformed_packet},
      {"MQTT-1.5.4-2 a null character", type, v5, 0, "s'MQTT' 05 02 003c 00 0001 00", malformed_packet},
      {"MQTT-3.1.3-8 empty, to be kept", type, v311, 0, "s'MQTT' 04 00 003c s''",
       client_identifier_not_valid},
      {"MQTT-3.1.3-7 empty and clean", type, v311, 0, "s'MQTT' 04 02 003c s''", success},
      {"3.1 has no empty ones", type, v31, 0, "s'MQIsdp' 03 02 003c s''", client_identifier_not_valid},
      {"3.1, longer than 23", type, v31, 0, "s'MQIsdp' 03 02 003c s'abcdefghijklmnopqrstuvwxyz'", success},
      {"MQTT-3.1.3-6 empty", type, v5, 0, "s'MQTT' 05 00 003c 00 s''", success},
      {"MQTT-3.1.3-1 no will there", type, v311, 0, "s'MQTT' 04 06 003c s'a'", malformed_packet},
      {"MQTT-3.1.2-19 no user name there", type, v311, 0, "s'MQTT' 04 82 003c s'a'", malformed_packet},
      {"MQTT-3.1.2-16 a user name too many", type, v311, 0, "s'MQTT' 04 02 003c s'a' s'u'", malformed_packet},
      {"MQTT-3.1.3-12 the user name is UTF-8", type, v311, 0, "s'MQTT' 04 82 003c s'a' 0001 ff",
       malformed_packet},
      {"the password need not be", type, v311, 0, "s'MQTT' 04 c2 003c s'a' s'u' 0001 ff", success},
      {"MQTT-4.7.1-1 wildcards of the will", type, v311, 0, "s'MQTT' 04 06 003c s'a' s't/#' s'm'",
       topic_name_invalid},
      {"MQTT-4.7.3-1 empty topic of the will", type, v5, 0, "s'MQTT' 05 06 003c 00 s'a' 00 s'' s'm'",
       topic_name_invalid},
  });
}

TEST(MqttConnect, has_properties_that_hold) {
  constexpr auto type = PacketType::connect;
  const auto with = [](std::string_view list) { return "s'MQTT' 05 02 003c " + std::string(list) + " s'a'"; };
  const auto expect = [&](std::string_view what, std::string_view list, ReasonCode expected) {
    const std::string body = with(list);
    expect_all({{what, type, v5, 0, body, expected}});
  };
  expect("all", "27 11 00000078 21 0010 27 00000400 22 0005 19 01 17 00 15 s'm' 16 s'd' 26 s'a' s'b'",
         malformed_packet);  // 5 + 3 + 5 + 3 + 2 + 2 + 4 + 4 + 7 = 35 = 0x23
  expect("all", "23 11 00000078 21 0010 27 00000400 22 0005 19 01 17 00 15 s'm' 16 s'd' 26 s'a' s'b'",
         success);
  expect("3.1.2.11.2 twice", "0a 11 00000001 11 00000001", protocol_error);
  expect("3.1.2.11.3 receive maximum 0", "03 21 0000", protocol_error);
  expect("3.1.2.11.4 packet size 0", "05 27 00000000", protocol_error);
  expect("3.1.2.11.6 neither 0 nor 1", "02 19 02", protocol_error);
  expect("3.1.2.11.7 neither 0 nor 1", "02 17 ff", protocol_error);
  expect("3.1.2.11.10 data without a method", "04 16 s'd'", protocol_error);
  expect("user properties repeat", "0e 26 s'a' s'b' 26 s'a' s'b'", success);
  expect("2.2.2.2 of another packet", "02 01 01", malformed_packet);
  expect("2.2.2.2 no such property", "02 7f 01", malformed_packet);
  expect("2.2.2.2 no such property", "02 80 01", malformed_packet);
  expect("a cut property", "03 11 0000", malformed_packet);
  expect("a list longer than the packet", "7f 11 00000001", malformed_packet);
  expect("MQTT-1.5.5-1 longer than it needs to be", "8000", malformed_packet);
  expect("1.5.5 of five bytes", "8080808001", malformed_packet);
  expect("MQTT-1.5.4-1 not UTF-8", "07 26 0001 ff 0001 62", malformed_packet);
  expect("MQTT-1.5.4-1 a surrogate", "06 15 0003 eda080", malformed_packet);
}

TEST(MqttPublish, is_checked) {
  constexpr auto type = PacketType::publish;
  expect_all({
      {"MQTT-3.3.1-4 QoS 3", type, v311, 6, "s't' 0001", malformed_packet},
      {"MQTT-3.3.1-2 DUP with QoS 0", type, v5, 8, "s't' 00", malformed_packet},
      {"MQTT-2.3.1-1 identifier 0", type, v311, 2, "s't' 0000", protocol_error},
      {"MQTT-2.2.1-3 identifier 0", type, v5, 4, "s't' 0000 00", protocol_error},
      {"MQTT-3.3.2-2 +", type, v311, 0, "s'a/+'", topic_name_invalid},
      {"MQTT-3.3.2-2 #", type, v5, 0, "s'#' 00", topic_name_invalid},
      {"MQTT-4.7.3-1 empty", type, v311, 0, "s''", topic_name_invalid},
      {"MQTT-4.7.3-1 empty", type, v31, 0, "s''", topic_name_invalid},
      {"3.3.2.1 neither topic nor alias", type, v5, 0, "s'' 00", protocol_error},
      {"3.3.2.3.4 an alias alone", type, v5, 0, "s'' 03 23 0001", success},
      {"MQTT-3.3.2-8 alias 0", type, v5, 0, "s't' 03 23 0000", topic_alias_invalid},
      {"3.3.2.3.4 alias twice", type, v5, 0, "s't' 06 23 0001 23 0001", protocol_error},
      {"3.3.2.3.2 twice", type, v5, 0, "s't' 04 01 01 01 01", protocol_error},
      {"3.3.2.3.2 neither 0 nor 1", type, v5, 0, "s't' 02 01 02", protocol_error},
      {"MQTT-3.3.2-14 a response topic with wildcards", type, v5, 0, "s't' 06 08 s'a/#'", protocol_error},
      {"MQTT-3.3.4-6 subscription identifier", type, v5, 0, "s't' 02 0b 01", protocol_error},
      {"2.2.2.2 will delay", type, v5, 0, "s't' 05 18 00000001", malformed_packet},
      {"MQTT-3.3.2-1 not UTF-8", type, v311, 0, "0002 c3 28", malformed_packet},
      {"a cut topic", type, v311, 0, "0005 'abc'", malformed_packet},
      {"a cut identifier", type, v311, 2, "s't' 00", malformed_packet},
      {"no properties", type, v5, 0, "s't'", malformed_packet},
      {"an empty payload", type, v311, 0, "s't'", success},
  });
}

TEST(MqttAcknowledgement, is_checked) {
  using enum PacketType;
  expect_all({
      {"2.2.1 identifier 0", puback, v311, 0, "0000", protocol_error},
      {"cut", puback, v311, 0, "00", malformed_packet},
      {"a code before 5.0", puback, v311, 0, "0001 00", malformed_packet},
      {"MQTT-3.4.2-1 a code of others", puback, v5, 0, "0001 92", protocol_error},
      {"MQTT-3.5.2-1 no such code", pubrec, v5, 0, "0001 42", protocol_error},
      {"MQTT-3.6.2-1 a code of others", pubrel, v5, 2, "0001 87", protocol_error},
      {"MQTT-3.7.2-1 a code of others", pubcomp, v5, 0, "0001 10", protocol_error},
      {"3.4.2.1 without properties", puback, v5, 0, "0001 10", success},
      {"3.7.2.1", pubcomp, v5, 0, "0001 92 00", success},
      {"3.4.2.2.2 twice", puback, v5, 0, "0001 00 08 1f s'a' 1f s'b'", protocol_error},
      {"behind the end", puback, v5, 0, "0001 00 00 00", malformed_packet},
      {"2.2.2.2 of another packet", pubrec, v5, 0, "0001 00 02 24 01", malformed_packet},
  });
}

TEST(MqttSubscribe, is_checked) {
  constexpr auto type = PacketType::subscribe;
  expect_all({
      {"MQTT-2.2.1-3 identifier 0", type, v5, 2, "0000 00 s'a' 00", protocol_error},
      {"MQTT-3.8.3-2 no filter", type, v5, 2, "0001 00", protocol_error},
      {"3.1.1 MQTT-3.8.3-3 no filter", type, v311, 2, "0001", protocol_error},
      {"3.1.1 MQTT-3-8.3-4 QoS 3", type, v311, 2, "0001 s'a' 03", malformed_packet},
      {"3.1.1 MQTT-3-8.3-4 reserved", type, v311, 2, "0001 s'a' 04", malformed_packet},
      {"3.8.3.1 QoS 3", type, v5, 2, "0001 00 s'a' 03", protocol_error},
      {"3.8.3.1 retain handling 3", type, v5, 2, "0001 00 s'a' 30", protocol_error},
      {"MQTT-3.8.3-5 reserved", type, v5, 2, "0001 00 s'a' 40", malformed_packet},
      {"MQTT-3.8.3-4 no local, shared", type, v5, 2, "0001 00 s'$share/g/a' 04", protocol_error},
      {"no local alone", type, v5, 2, "0001 00 s'a' 04", success},
      {"3.8.2.1.2 identifier 0", type, v5, 2, "0001 02 0b 00 s'a' 00", protocol_error},
      {"3.8.2.1.2 twice", type, v5, 2, "0001 04 0b 01 0b 02 s'a' 00", protocol_error},
      {"MQTT-4.7.1-2 # inside", type, v5, 2, "0001 00 s'a/#/b' 00", topic_filter_invalid},
      {"MQTT-4.7.1-3 + in a level", type, v311, 2, "0001 s'a+' 00", topic_filter_invalid},
      {"MQTT-4.7.3-1 empty", type, v311, 2, "0001 s'' 00", topic_filter_invalid},
      {"MQTT-4.8.2-1 no group", type, v5, 2, "0001 00 s'$share//a' 00", topic_filter_invalid},
      {"MQTT-4.8.2-2 wildcard of a group", type, v5, 2, "0001 00 s'$share/+/a' 00", topic_filter_invalid},
      {"MQTT-4.8.2-2 no filter", type, v5, 2, "0001 00 s'$share/g' 00", topic_filter_invalid},
      {"no options", type, v311, 2, "0001 s'a'", malformed_packet},
      {"MQTT-3.8.3-1 not UTF-8", type, v311, 2, "0001 0001 80 00", malformed_packet},
      {"the second is wrong", type, v311, 2, "0001 s'a' 00 s'b/#' 01 s'#c' 02", topic_filter_invalid},
      {"several", type, v5, 2, "0001 02 0b 01 s'a' 2e s'b/#' 11 s'$share/g/+' 0a", success},
  });
}

TEST(MqttUnsubscribe, is_checked) {
  constexpr auto type = PacketType::unsubscribe;
  expect_all({
      {"MQTT-2.2.1-3 identifier 0", type, v5, 2, "0000 00 s'a'", protocol_error},
      {"MQTT-3.10.3-2 no filter", type, v5, 2, "0001 00", protocol_error},
      {"3.1.1 MQTT-3.10.3-2 no filter", type, v311, 2, "0001", protocol_error},
      {"MQTT-4.7.1-2", type, v311, 2, "0001 s'#/a'", topic_filter_invalid},
      {"cut", type, v311, 2, "0001 0003 'ab'", malformed_packet},
      {"2.2.2.2 of another packet", type, v5, 2, "0001 02 0b 01 s'a'", malformed_packet},
      {"several", type, v5, 2, "0001 00 s'a' s'$share/g/b'", success},
  });
}

TEST(MqttDisconnect, and_auth_are_checked) {
  using enum PacketType;
  expect_all({
      {"before 5.0 it is empty", disconnect, v311, 0, "00", malformed_packet},
      {"empty", disconnect, v311, 0, "", success},
      {"empty", disconnect, v5, 0, "", success},
      {"MQTT-3.14.2-1 with the will", disconnect, v5, 0, "04", success},
      {"MQTT-3.14.2-1 a server's code", disconnect, v5, 0, "8b", protocol_error},
      {"3.14.2.2.2", disconnect, v5, 0, "00 05 11 0000003c", success},
      {"3.14.2.2.2 twice", disconnect, v5, 0, "00 0a 11 0000003c 11 0000003c", protocol_error},
      {"behind the end", disconnect, v5, 0, "00 00 00", malformed_packet},
      {"3.15.2.2.2 no method", auth, v5, 0, "18 00", protocol_error},
      {"3.15.2.2.2 no method", auth, v5, 0, "", protocol_error},
      {"MQTT-3.15.2-1 a server's code", auth, v5, 0, "00 04 15 s'm'", protocol_error},
      {"no properties' length", auth, v5, 0, "18", malformed_packet},
      {"3.15", auth, v5, 0, "19 09 15 s'm' 16 s'xy'", success},
  });
}

// Every cut of a good packet is refused, and nothing is read beyond the end. One that ends where the list would begin has an
// empty list.
TEST(MqttPackets, that_are_cut_are_malformed) {
  constexpr std::size_t nowhere = SIZE_MAX;
  const auto cut = [](PacketType type, std::uint8_t flags, std::string_view text, std::size_t list_begins) {
    const auto whole = wire(text);
    ASSERT_EQ(answer(type, v5, flags, whole), success) << text;
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
      const std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes));
      EXPECT_EQ(answer(type, v5, flags, part), bytes == list_begins ? protocol_error : malformed_packet)
          << to_string(type) << " " << bytes;
    }
  };
  cut(PacketType::connect, 0, "s'MQTT' 05 f6 003c 05 11 00000001 s'id' 05 18 00000001 s't' s'm' s'u' s'p'",
      nowhere);
  cut(PacketType::subscribe, 2, "0001 07 26 s'a' s'b' s'filter' 01", 10);
  cut(PacketType::unsubscribe, 2, "0001 07 26 s'a' s'b' s'filter'", 10);
  cut(PacketType::auth, 0, "18 08 15 s'm' 16 s'd'", 0);
}

}  // namespace
}  // namespace weir::mqtt
