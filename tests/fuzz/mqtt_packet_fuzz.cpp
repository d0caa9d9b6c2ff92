// Any bytes are packets or an error, the same however they are cut and whether a large PUBLISH comes in parts, and cost no
// more than the limit. What a decoder takes comes back from the encoder.
// The first byte chooses the version.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/chunk.h"
#include "protocol/mqtt/codec/client.h"
#include "protocol/mqtt/codec/decode.h"
#include "protocol/mqtt/codec/encode.h"
#include "protocol/mqtt/codec/packet_reader.h"
#include "protocol/mqtt/codec/topic.h"

namespace {

using namespace weir::mqtt;
using weir::Bytes;

constexpr std::size_t packet_bytes = 64U << 10;

struct Read {
  PacketType type{};
  std::uint8_t flags = 0;
  std::string body;
  bool operator==(const Read&) const = default;
};

std::vector<Read> read(Bytes input, std::size_t piece_bytes, std::size_t large_bytes, Version version) {
  const PacketLimits limits{
      .packet_bytes = packet_bytes, .large_bytes = large_bytes, .large_head_bytes = packet_bytes};
  PacketReader reader;
  reader.use(version);
  std::vector<Read> out;
  Read parts;
  std::size_t payload_bytes = 0;
  while (!input.empty()) {
    const Bytes piece = input.first(std::min(piece_bytes, input.size()));
    input = input.subspan(piece.size());
    const weir::ChunkRef chunk = weir::ChunkRef::adopt(weir::Chunk::make(piece.size()));
    std::copy(piece.begin(), piece.end(), chunk->data());
    Bytes rest(chunk->data(), piece.size());
    for (;;) {
      const PacketReader::Kind kind = reader.next(rest, chunk.get(), limits);
      WEIR_ASSERT(reader.kept_bytes() <= packet_bytes);
      if (kind == PacketReader::Kind::none) break;
      if (kind == PacketReader::Kind::error) {
        out.push_back({.type = {}, .flags = number_of(reader.error().code), .body = "error"});
        return out;
      }
      const std::string body(weir::as_text(reader.body()));
      switch (kind) {
        case PacketReader::Kind::packet: out.push_back({reader.type(), reader.flags(), body}); break;
        case PacketReader::Kind::head:
          parts = {reader.type(), reader.flags(), body};
          payload_bytes = reader.payload_bytes();
          break;
        case PacketReader::Kind::part:
          WEIR_ASSERT(body.size() <= payload_bytes);
          payload_bytes -= body.size();
          parts.body += body;
          break;
        default:
          WEIR_ASSERT(payload_bytes == 0);
          out.push_back(parts);
          break;
      }
    }
    WEIR_ASSERT(rest.empty());
  }
  return out;
}

// The body of a packet that was written.
template <typename... Parts>
std::vector<std::byte> body_of(const Parts&... parts) {
  std::vector<std::byte> packet(size_of(parts...));
  WEIR_ASSERT(write(packet.data(), parts...) == packet.data() + packet.size());
  std::size_t header = 1;
  while ((packet[header++] & std::byte{0x80}) != std::byte{0}) continue;
  return {packet.begin() + static_cast<std::ptrdiff_t>(header), packet.end()};
}

std::string text_of(const UserProperties& user) {
  std::string out;
  for (const UserProperty& property : user)
    out += std::string(property.name) + "=" + std::string(property.value) + ";";
  return out;
}

bool same(const PublishProperties& a, const PublishProperties& b) {
  const auto data = [](const PublishProperties& of) {
    return of.correlation_data ? "+" + std::string(weir::as_text(*of.correlation_data)) : std::string();
  };
  return a.payload_format == b.payload_format && a.message_expiry_s == b.message_expiry_s &&
         a.content_type == b.content_type && a.response_topic == b.response_topic && data(a) == data(b) &&
         a.topic_alias == b.topic_alias && a.will_delay_s == b.will_delay_s &&
         text_of(a.user) == text_of(b.user);
}

void check_connect(Bytes body) {
  const auto connect = decode_connect(body);
  if (!connect) return;
  WEIR_ASSERT(answer_to_connect(body) == connect->version);
  const auto written = body_of(*connect);
  const auto again = decode_connect(written);
  WEIR_ASSERT(again && again->client_id == connect->client_id && again->user_name == connect->user_name);
  WEIR_ASSERT(again->clean_start == connect->clean_start && again->keep_alive_s == connect->keep_alive_s);
  WEIR_ASSERT(again->password.has_value() == connect->password.has_value());
  WEIR_ASSERT(again->will.has_value() == connect->will.has_value());
  if (connect->will) WEIR_ASSERT(same(again->will->properties, connect->will->properties));
  WEIR_ASSERT(text_of(again->properties.user) == text_of(connect->properties.user));
}

void check_publish(Version version, std::uint8_t flags, Bytes body) {
  const auto from_client = decode_publish(version, flags, body);
  const auto publish = decode_server_publish(version, flags, body);
  if (from_client) WEIR_ASSERT(publish && same(publish->properties, from_client->properties));
  if (!publish) return;
  std::vector<std::uint32_t> ids;
  publish->subscription_ids.for_each([&](std::uint32_t id) { ids.push_back(id); });
  WEIR_ASSERT(!from_client || ids.empty());
  const PublishHead head{.topic = publish->topic,
                         .qos = publish->qos,
                         .dup = publish->dup,
                         .retain = publish->retain,
                         .packet_id = publish->packet_id,
                         .payload_bytes = publish->payload.size(),
                         .properties = publish->properties,
                         .subscription_ids = ids};
  std::vector<std::byte> packet(size_of(version, head));
  const WrittenHead written = write(packet.data(), version, head);
  WEIR_ASSERT(written.end == packet.data() + packet.size());
  if (publish->qos > 0) {
    WEIR_ASSERT(weir::load_be<std::uint16_t>(packet.data() + written.packet_id_at) == publish->packet_id);
  }
  packet.insert(packet.end(), publish->payload.begin(), publish->payload.end());
  PacketReader reader;
  reader.use(version);
  Bytes input = packet;
  WEIR_ASSERT(reader.next(input, nullptr, {}) == PacketReader::Kind::packet && input.empty());
  WEIR_ASSERT(reader.flags() == flags);
  const auto again = decode_server_publish(version, reader.flags(), reader.body());
  WEIR_ASSERT(again && again->topic == publish->topic && again->packet_id == publish->packet_id);
  WEIR_ASSERT(weir::as_text(again->payload) == weir::as_text(publish->payload));
  WEIR_ASSERT(same(again->properties, publish->properties));
}

void check_lists(Version version, PacketType type, Bytes body) {
  if (type == PacketType::subscribe) {
    const auto subscribe = decode_subscribe(version, body);
    if (!subscribe) return;
    std::vector<Subscription> all;
    for (const Subscription& subscription : subscribe->subscriptions) {
      WEIR_ASSERT(is_subscribable(subscription.filter) && subscription.qos < 3);
      all.push_back(subscription);
    }
    WEIR_ASSERT(!all.empty() && all.size() == subscribe->subscriptions.size());
    const auto written = body_of(version, SubscribeRequest{subscribe->packet_id, all, subscribe->properties});
    const auto again = decode_subscribe(version, written);
    WEIR_ASSERT(again && again->subscriptions.size() == all.size());
    std::size_t at = 0;
    for (const Subscription& subscription : again->subscriptions) WEIR_ASSERT(subscription == all[at++]);
    return;
  }
  const auto unsubscribe = decode_unsubscribe(version, body);
  if (!unsubscribe) return;
  std::vector<std::string_view> all;
  for (const std::string_view filter : unsubscribe->filters) all.push_back(filter);
  WEIR_ASSERT(!all.empty() && all.size() == unsubscribe->filters.size());
  WEIR_ASSERT(decode_unsubscribe(
      version, body_of(version, UnsubscribeRequest{unsubscribe->packet_id, all, unsubscribe->properties})));
}

void check_answers(Version version, PacketType type, Bytes body) {
  switch (type) {
    case PacketType::connack:
      if (const auto connack = decode_connack(version, body)) {
        WEIR_ASSERT(decode_connack(version, body_of(version, *connack)));
      }
      break;
    case PacketType::suback:
    case PacketType::unsuback:
      if (const auto ack = decode_subscription_ack(version, type, body)) {
        WEIR_ASSERT(decode_subscription_ack(version, type, body_of(version, *ack)));
      }
      break;
    case PacketType::disconnect:
      if (const auto disconnect = decode_server_disconnect(version, body)) {
        WEIR_ASSERT(decode_server_disconnect(version, body_of(version, *disconnect)));
      }
      if (const auto disconnect = decode_disconnect(version, body)) {
        WEIR_ASSERT(decode_disconnect(version, body_of(version, *disconnect)));
      }
      break;
    case PacketType::auth:
      if (const auto auth = decode_auth(body)) WEIR_ASSERT(decode_auth(body_of(*auth)));
      if (const auto auth = decode_server_auth(body)) WEIR_ASSERT(decode_server_auth(body_of(*auth)));
      break;
    default: {
      const auto ack = decode_ack(version, type, body);
      if (!ack) break;
      const auto written = body_of(version, *ack);
      const auto again = decode_ack(version, type, written);
      WEIR_ASSERT(again && again->packet_id == ack->packet_id && again->code == ack->code);
      WEIR_ASSERT(again->properties.reason_string == ack->properties.reason_string);
    }
  }
}

void check_packet(Version version, const Read& packet) {
  if (packet.type == PacketType{}) return;  // the error
  const Bytes body = weir::as_bytes(packet.body);
  switch (packet.type) {
    case PacketType::connect: return check_connect(body);
    case PacketType::publish: return check_publish(version, packet.flags, body);
    case PacketType::subscribe:
    case PacketType::unsubscribe: return check_lists(version, packet.type, body);
    case PacketType::pingreq:
    case PacketType::pingresp: WEIR_ASSERT(body.empty()); return;
    default: return check_answers(version, packet.type, body);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 100'000) return 0;
  constexpr Version versions[] = {Version::v3_1, Version::v3_1_1, Version::v5};
  const Version version = versions[data[0] % 3];
  const Bytes stream(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  const std::vector<Read> packets = read(stream, SIZE_MAX, 0, version);
  for (const std::size_t piece : {1, 7, 1'000}) {
    if (piece == 1 && size > 10'000) continue;
    WEIR_ASSERT(read(stream, piece, 0, version) == packets);
    WEIR_ASSERT(read(stream, piece, 16, version) == packets);
  }
  for (const Read& packet : packets) check_packet(version, packet);
  return 0;
}
