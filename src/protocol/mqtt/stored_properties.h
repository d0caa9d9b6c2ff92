// What it is: a message's properties as MQTT keeps them with it (NativeForm::mqtt), and as other protocols see them.
//
//  0 u8: bits 0-1 QoS, 2 retain, 3 from the store of retained messages   1 u64 hash of the publisher's client id
//  9 bit 3 only: u16 bytes of the topic, and the topic (the routing key is the queue's name)
//    properties of MQTT 5.0 as they are in a PUBLISH, without their length: payload format, content type, response topic,
//    correlation data, user properties. What is of one hop (topic alias) or kept beside (message expiry) is not there.
//  Little endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "broker/definitions.h"
#include "node/session.h"
#include "protocol/mqtt/codec/properties.h"

namespace weir::mqtt {

struct StoredMark {
  std::uint8_t qos = 0;
  bool retain = false;
  bool of_store = false;
  std::uint64_t publisher = 0;
};
inline constexpr std::size_t stored_mark_bytes = 9;

void append_stored(std::vector<std::byte>& out, const StoredMark& mark, const PublishProperties& properties);
// Of bytes that append_stored made; what is shorter has nothing.
StoredMark mark_of(Bytes stored);
Bytes list_of(Bytes stored);
std::string_view topic_behind(Bytes stored);  // of one that is of_store
// The same as the store of retained messages sends it.
void append_of_store(std::vector<std::byte>& out, Bytes stored, std::string_view topic);

// By the names that AMQP 0-9-1 gives to properties ("content_type", "headers").
broker::Table properties_table(Bytes stored);
broker::Table headers_of(Bytes stored);
std::optional<std::string> property_of(Bytes stored, std::string_view name);
std::optional<std::string_view> header_text(Bytes stored, std::string_view name);
// A list as in a PUBLISH, of a message that came by another protocol. What MQTT has no property for is a user property.
void append_list(std::vector<std::byte>& out, const broker::Table& properties);

// The properties of a message on its way in, looked into only when an exchange asks for them.
class SentProperties final : public broker::HeaderSource {
 public:
  explicit SentProperties(Bytes stored) : stored_(stored) {}
  const broker::Table& headers() override;
  std::optional<std::string> property(std::string_view name) override { return property_of(stored_, name); }

 private:
  Bytes stored_;
  std::optional<broker::Table> table_;
};

}  // namespace weir::mqtt
