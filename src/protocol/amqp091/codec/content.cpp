#include "protocol/amqp091/codec/content.h"

#include <bit>

#include "base/assert.h"
#include "base/cursor.h"
#include "protocol/amqp091/codec/field_view.h"

namespace weir::amqp091 {

namespace {

enum class Kind : std::uint8_t { text, table, octet, longlong };

constexpr Kind kinds[property_count] = {
    Kind::text,      // content_type
    Kind::text,      // content_encoding
    Kind::table,     // headers
    Kind::octet,     // delivery_mode
    Kind::octet,     // priority
    Kind::text,      // correlation_id
    Kind::text,      // reply_to
    Kind::text,      // expiration
    Kind::text,      // message_id
    Kind::longlong,  // timestamp
    Kind::text,      // type
    Kind::text,      // user_id
    Kind::text,      // app_id
    Kind::text,      // cluster_id
};

constexpr unsigned known_flags = 0xFFFC;

// What the property at `at` measures; only a valid one may be asked.
std::size_t size_of(Kind kind, const std::byte* at) {
  switch (kind) {
    case Kind::text: return 1U + static_cast<std::uint8_t>(*at);
    case Kind::table: return sizeof(std::uint32_t) + load_be<std::uint32_t>(at);
    case Kind::octet: return 1;
    case Kind::longlong: return sizeof(std::uint64_t);
  }
  WEIR_UNREACHABLE();
}

// The place of the highest flag set: the index of the property that comes next. `flags` is not 0.
unsigned first_of(unsigned flags) {
  return static_cast<unsigned>(std::countl_zero(static_cast<std::uint16_t>(flags)));
}

unsigned without(unsigned flags, unsigned index) { return flags & ~(0x8000U >> index); }

}  // namespace

Decoded<void> validate_properties(Bytes raw) {
  constexpr auto broken = ReplyCode::syntax_error;
  Reader reader(raw);
  unsigned flags = reader.be<std::uint16_t>();
  if (!reader.ok()) return refuse(broken, "content header without property flags");
  if ((flags & ~known_flags) != 0) return refuse(broken, "unknown property flags");
  while (flags != 0) {
    const unsigned index = first_of(flags);
    flags = without(flags, index);
    switch (kinds[index]) {
      case Kind::text: reader.text8(); break;
      case Kind::table:
        if (auto valid = validate_table(reader.bytes32_be()); !valid) return valid;
        break;
      case Kind::octet: reader.u8(); break;
      case Kind::longlong: reader.be<std::uint64_t>(); break;
    }
  }
  if (!reader.ok()) return refuse(broken, "property cut off");
  if (!reader.at_end()) return refuse(broken, "bytes after the last property");
  return {};
}

Decoded<ContentHeader> decode_content_header(Bytes payload) {
  if (payload.size() < content_header_fixed_bytes + property_flags_bytes) {
    return refuse(ReplyCode::frame_error, "content header too short");
  }
  const auto class_id = load_be<std::uint16_t>(payload.data());
  const auto weight = load_be<std::uint16_t>(payload.data() + 2);
  if (class_id != basic_class_id)
    return refuse(ReplyCode::unexpected_frame,
                  "expected content header for class 60, got one for another class instead");
  if (weight != 0) return refuse(ReplyCode::frame_error, "content header with a weight");
  const Bytes raw = payload.subspan(content_header_fixed_bytes);
  if (auto valid = validate_properties(raw); !valid) return std::unexpected(valid.error());
  return ContentHeader{class_id, load_be<std::uint64_t>(payload.data() + 4), raw};
}

const std::byte* PropertiesView::locate(Property property) const {
  const std::byte* at = raw_.data() + property_flags_bytes;
  const unsigned wanted = static_cast<unsigned>(property);
  // The flags of the properties before this one.
  unsigned before = flags() & ~(0xFFFFU >> wanted);
  while (before != 0) {
    const unsigned index = first_of(before);
    before = without(before, index);
    at += size_of(kinds[index], at);
  }
  return at;
}

std::optional<std::string_view> PropertiesView::text(Property property) const {
  if (!has(property)) return std::nullopt;
  const std::byte* at = locate(property);
  return as_text(Bytes(at + 1, static_cast<std::uint8_t>(*at)));
}

std::optional<std::uint8_t> PropertiesView::octet(Property property) const {
  if (!has(property)) return std::nullopt;
  return static_cast<std::uint8_t>(*locate(property));
}

std::optional<TableBytes> PropertiesView::headers() const {
  if (!has(Property::headers)) return std::nullopt;
  const std::byte* at = locate(Property::headers);
  return TableBytes{Bytes(at + sizeof(std::uint32_t), load_be<std::uint32_t>(at))};
}

std::optional<std::uint64_t> PropertiesView::timestamp_s() const {
  if (!has(Property::timestamp)) return std::nullopt;
  return load_be<std::uint64_t>(locate(Property::timestamp));
}

Properties properties_of(PropertiesView view) {
  return {
      .content_type = view.content_type(),
      .content_encoding = view.content_encoding(),
      .headers = view.headers(),
      .delivery_mode = view.delivery_mode(),
      .priority = view.priority(),
      .correlation_id = view.correlation_id(),
      .reply_to = view.reply_to(),
      .expiration = view.expiration(),
      .message_id = view.message_id(),
      .timestamp_s = view.timestamp_s(),
      .type = view.type(),
      .user_id = view.user_id(),
      .app_id = view.app_id(),
      .cluster_id = view.cluster_id(),
  };
}

namespace {

class PropertyWriter {
 public:
  PropertyWriter(Writer& out, std::uint16_t& flags) : out_(out), flags_(flags) {}

  template <typename T>
  void add(Property property, const std::optional<T>& value) {
    if (!value) return;
    flags_ |= flag_of(property);
    put(*value);
  }

 private:
  void put(std::string_view value) {
    WEIR_ASSERT(value.size() <= short_string_bytes_max);
    out_.text8(value);
  }
  void put(const TableBytes& value) { out_.bytes32_be(value.content); }
  void put(std::uint8_t value) { out_.u8(value); }
  void put(std::uint64_t value) { out_.be(value); }

  Writer& out_;
  std::uint16_t& flags_;
};

}  // namespace

void append_properties(std::vector<std::byte>& out, const Properties& properties) {
  Writer writer(out);
  const std::size_t flags_at = writer.size();
  std::uint16_t flags = 0;
  writer.be(flags);
  PropertyWriter list(writer, flags);
  list.add(Property::content_type, properties.content_type);
  list.add(Property::content_encoding, properties.content_encoding);
  list.add(Property::headers, properties.headers);
  list.add(Property::delivery_mode, properties.delivery_mode);
  list.add(Property::priority, properties.priority);
  list.add(Property::correlation_id, properties.correlation_id);
  list.add(Property::reply_to, properties.reply_to);
  list.add(Property::expiration, properties.expiration);
  list.add(Property::message_id, properties.message_id);
  list.add(Property::timestamp, properties.timestamp_s);
  list.add(Property::type, properties.type);
  list.add(Property::user_id, properties.user_id);
  list.add(Property::app_id, properties.app_id);
  list.add(Property::cluster_id, properties.cluster_id);
  writer.patch_be(flags_at, flags);
}

}  // namespace weir::amqp091
