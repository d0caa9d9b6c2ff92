// What it is: the content header (spec 2.3.5.2, 4.2.6.1) and the 14 properties of the basic class.
//
//   0          2        4           12                14
//   +----------+--------+-----------+-----------------+---------------------------+
//   | class id | weight | body size | property flags  | those properties whose    |
//   |   60     |   0    |           | bit 15 = first  | flag is set, in order     |
//   +----------+--------+-----------+-----------------+---------------------------+
//      u16        u16       u64     '----------- raw_properties ------------------'
//
// The raw properties are what is stored and sent on: a message leaves bit for bit as it came.
// Lifetime: everything here views into the bytes that it was made from.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "protocol/amqp091/codec/decoded.h"
#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

// In the order of the wire; the flag of property p is bit 15 - p.
enum class Property : std::uint8_t {
  content_type,
  content_encoding,
  headers,
  delivery_mode,
  priority,
  correlation_id,
  reply_to,
  expiration,
  message_id,
  timestamp,
  type,
  user_id,
  app_id,
  cluster_id,
};
inline constexpr std::size_t property_count = 14;

constexpr std::uint16_t flag_of(Property property) {
  return static_cast<std::uint16_t>(0x8000U >> static_cast<unsigned>(property));
}

inline constexpr std::size_t property_flags_bytes = 2;
inline constexpr std::size_t content_header_fixed_bytes = 12;  // before the property flags
inline constexpr std::uint16_t basic_class_id = 60;
inline constexpr std::uint8_t delivery_mode_persistent = 2;

struct ContentHeader {
  std::uint16_t class_id = basic_class_id;
  std::uint64_t body_bytes = 0;  // not checked against anything here: the caller has the limit
  Bytes raw_properties{};        // valid: PropertiesView may be used on them
};

// Decodes the payload of a header frame and checks every property, the headers table to its last leaf.
// Errors: 501 too short, a weight other than 0; 505 a class other than basic; 502 properties that do not hold:
// unknown flags, a property cut off, bytes after the last one, a bad table.
Decoded<ContentHeader> decode_content_header(Bytes payload);

// The check of the properties alone (flags and list), for raw properties that come from elsewhere.
Decoded<void> validate_properties(Bytes raw);

// Looks at single properties where they lie. Each call skips over the properties before the one asked for: a
// few nanoseconds. `raw` must have been validated. nullopt: the property is not there.
class PropertiesView {
 public:
  explicit PropertiesView(Bytes raw) : raw_(raw) {}

  std::uint16_t flags() const { return load_be<std::uint16_t>(raw_.data()); }
  bool has(Property property) const { return (flags() & flag_of(property)) != 0; }

  std::optional<std::string_view> content_type() const { return text(Property::content_type); }
  std::optional<std::string_view> content_encoding() const { return text(Property::content_encoding); }
  std::optional<TableBytes> headers() const;
  std::optional<std::uint8_t> delivery_mode() const { return octet(Property::delivery_mode); }
  std::optional<std::uint8_t> priority() const { return octet(Property::priority); }
  std::optional<std::string_view> correlation_id() const { return text(Property::correlation_id); }
  std::optional<std::string_view> reply_to() const { return text(Property::reply_to); }
  std::optional<std::string_view> expiration() const { return text(Property::expiration); }
  std::optional<std::string_view> message_id() const { return text(Property::message_id); }
  std::optional<std::uint64_t> timestamp_s() const;
  std::optional<std::string_view> type() const { return text(Property::type); }
  std::optional<std::string_view> user_id() const { return text(Property::user_id); }
  std::optional<std::string_view> app_id() const { return text(Property::app_id); }
  std::optional<std::string_view> cluster_id() const { return text(Property::cluster_id); }

  bool persistent() const { return delivery_mode() == delivery_mode_persistent; }

 private:
  // Where the property begins; it is there.
  const std::byte* locate(Property property) const;
  std::optional<std::string_view> text(Property property) const;
  std::optional<std::uint8_t> octet(Property property) const;

  Bytes raw_;
};

// The properties as a value, to be set by name and encoded: for clients, for tests, for what a broker
// rewrites.
struct Properties {
  std::optional<std::string_view> content_type{};
  std::optional<std::string_view> content_encoding{};
  std::optional<TableBytes> headers{};
  std::optional<std::uint8_t> delivery_mode{};
  std::optional<std::uint8_t> priority{};
  std::optional<std::string_view> correlation_id{};
  std::optional<std::string_view> reply_to{};
  std::optional<std::string_view> expiration{};
  std::optional<std::string_view> message_id{};
  std::optional<std::uint64_t> timestamp_s{};
  std::optional<std::string_view> type{};
  std::optional<std::string_view> user_id{};
  std::optional<std::string_view> app_id{};
  std::optional<std::string_view> cluster_id{};
  bool operator==(const Properties&) const = default;
};

Properties properties_of(PropertiesView view);

// Appends raw properties: flags and list. Strings are at most 255 bytes: asserted.
void append_properties(std::vector<std::byte>& out, const Properties& properties);

// The raw form of "no properties".
inline constexpr std::byte no_properties[property_flags_bytes] = {};

}  // namespace weir::amqp091
