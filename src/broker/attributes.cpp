#include "broker/attributes.h"

#include "base/cursor.h"

namespace weir::broker {

namespace {

enum Field : unsigned { expires, deliver, group, body_bytes, returns, priority, leaving, pieces, fields };

void put_time(Writer& writer, std::uint64_t unix_ms) {
  const std::uint64_t compact = compact_time(unix_ms);
  writer.le(static_cast<std::uint32_t>(compact));
  writer.u8(static_cast<std::uint8_t>(compact >> 32));
}

std::uint64_t get_time(Reader& reader) {
  const std::uint64_t low = reader.le<std::uint32_t>();
  return expand_time(low | std::uint64_t{reader.u8()} << 32);
}

}  // namespace

void encode_attributes(const MessageAttributes& of, std::vector<std::byte>& out) {
  unsigned there = 0;
  const auto note = [&](Field field, bool is) { there |= is ? 1U << field : 0U; };
  note(expires, of.expires_ms != 0);
  note(deliver, of.deliver_ms != 0);
  note(group, of.group != 0);
  note(body_bytes, of.body_bytes != 0);
  note(returns, of.returns != 0);
  note(priority, of.priority != 0);
  note(leaving, of.leaving != 0);
  note(pieces, of.pieces_end != 0);
  if (there == 0) return;
  Writer writer(out);
  writer.u8(static_cast<std::uint8_t>(there));
  if (of.expires_ms != 0) put_time(writer, of.expires_ms);
  if (of.deliver_ms != 0) put_time(writer, of.deliver_ms);
  if (of.group != 0) writer.le(of.group);
  if (of.body_bytes != 0) writer.le(of.body_bytes);
  if (of.returns != 0) writer.le(of.returns);
  if (of.priority != 0) writer.u8(of.priority);
  if (of.leaving != 0) writer.u8(of.leaving);
  if (of.pieces_end != 0) writer.le(of.pieces_end);
}

Result<MessageAttributes> decode_attributes(Bytes from) {
  MessageAttributes of;
  if (from.empty()) return of;
  Reader reader(from);
  const unsigned there = reader.u8();
  unsigned found = 0;
  const auto has = [&](Field field) { return (there & 1U << field) != 0; };
  const auto take = [&](Field field, auto& to, auto&& read) {
    if (!has(field)) return;
    to = read();
    if (to != 0) found |= 1U << field;
  };
  take(expires, of.expires_ms, [&] { return get_time(reader); });
  take(deliver, of.deliver_ms, [&] { return get_time(reader); });
  take(group, of.group, [&] { return reader.le<std::uint64_t>(); });
  take(body_bytes, of.body_bytes, [&] { return reader.le<std::uint32_t>(); });
  take(returns, of.returns, [&] { return reader.le<std::uint16_t>(); });
  take(priority, of.priority, [&] { return reader.u8(); });
  take(leaving, of.leaving, [&] { return reader.u8(); });
  take(pieces, of.pieces_end, [&] { return reader.le<std::uint64_t>(); });
  // `found` differs from `there` where a field that is there is 0, or where there are fields that nobody knows.
  if (!reader.ok() || !reader.at_end() || found != there || there == 0 || of.leaving > death_reason_last) {
    return fail(ErrorCode::corrupt, "attributes of a message: not in their form");
  }
  return of;
}

}  // namespace weir::broker
