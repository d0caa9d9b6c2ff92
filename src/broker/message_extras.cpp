#include "broker/message_extras.h"

#include "base/cursor.h"
#include "base/limits.h"
#include "broker/death_history.h"

namespace weir::broker {

namespace {

constexpr unsigned has_ttl = 1, has_deliver = 2, has_group = 4, has_origin = 8, has_deaths = 16,
                   has_pieces = 32, has_id = 64, has_keys = 128;

// False: not in their form.
bool skip_keys(Reader& reader) {
  const unsigned keys = reader.u8();
  for (unsigned key = 0; key < keys && reader.ok(); ++key) reader.text8();
  return keys > 0 && reader.ok();
}

}  // namespace

void append_extras(std::vector<std::byte>& out, const MessageExtras& extras) {
  const unsigned there = (extras.ttl_ms ? has_ttl : 0U) | (extras.deliver_ms != 0 ? has_deliver : 0U) |
                         (extras.group != 0 ? has_group : 0U) | (extras.origin ? has_origin : 0U) |
                         (extras.deaths.empty() ? 0U : has_deaths) | (extras.id ? has_id : 0U) |
                         (extras.pieces ? has_pieces : 0U) | (extras.blind_keys.empty() ? 0U : has_keys);
  if (there == 0) return;
  Writer writer(out);
  writer.u8(static_cast<std::uint8_t>(there));
  if (extras.ttl_ms) writer.le(*extras.ttl_ms);
  if (extras.deliver_ms != 0) writer.le(extras.deliver_ms);
  if (extras.group != 0) writer.le(extras.group);
  if (extras.origin) {
    writer.le(extras.origin->queue.value);
    writer.le(extras.origin->seq.value);
  }
  if (extras.id) {
    writer.le(extras.id->low);
    writer.le(extras.id->high);
  }
  if (extras.pieces) {
    writer.le(extras.pieces->last.value);
    writer.le(extras.pieces->bytes);
  }
  writer.bytes(extras.blind_keys);
  writer.bytes(extras.deaths);
}

MessageExtras view_extras(Bytes from) {
  MessageExtras extras;
  if (from.empty()) return extras;
  Reader reader(from);
  const unsigned there = reader.u8();
  if ((there & has_ttl) != 0) extras.ttl_ms = reader.le<std::uint32_t>();
  if ((there & has_deliver) != 0) extras.deliver_ms = reader.le<std::uint64_t>();
  if ((there & has_group) != 0) extras.group = reader.le<std::uint64_t>();
  if ((there & has_origin) != 0) {
    const QueueId queue{reader.le<std::uint32_t>()};
    extras.origin = LetterOrigin{queue, Seq{reader.le<std::uint64_t>()}};
  }
  if ((there & has_id) != 0) {
    const std::uint64_t low = reader.le<std::uint64_t>();
    extras.id = DedupId{low, reader.le<std::uint64_t>()};
  }
  if ((there & has_pieces) != 0) {
    const Seq last{reader.le<std::uint64_t>()};
    extras.pieces = BodyPieces{last, reader.le<std::uint32_t>()};
  }
  if ((there & has_keys) != 0) {
    const Bytes rest = from.last(reader.left());
    if (skip_keys(reader)) extras.blind_keys = rest.first(rest.size() - reader.left());
  }
  if ((there & has_deaths) != 0) extras.deaths = reader.bytes(reader.left());
  return extras;
}

Result<MessageExtras> decode_extras(Bytes from) {
  if (from.empty()) return MessageExtras();
  const auto wrong = [] { return fail(ErrorCode::corrupt, "extras of a message: not in their form"); };
  const auto there = static_cast<unsigned>(from[0]);
  const std::size_t fixed = 1U + ((there & has_ttl) != 0 ? 4U : 0U) + ((there & has_deliver) != 0 ? 8U : 0U) +
                            ((there & has_group) != 0 ? 8U : 0U) + ((there & has_origin) != 0 ? 12U : 0U) +
                            ((there & has_id) != 0 ? 16U : 0U) + ((there & has_pieces) != 0 ? 12U : 0U);
  if (there == 0 || from.size() > extras_bytes_max || from.size() < fixed) return wrong();
  const MessageExtras extras = view_extras(from);
  if (((there & has_keys) != 0) == extras.blind_keys.empty()) return wrong();
  const std::size_t rest = from.size() - fixed - extras.blind_keys.size();
  if (((there & has_deaths) != 0) == (rest == 0)) return wrong();
  if ((there & has_deliver) != 0 && extras.deliver_ms == 0) return wrong();
  if ((there & has_group) != 0 && extras.group == 0) return wrong();
  if (extras.pieces && (extras.pieces->bytes == 0 || extras.pieces->last.value == UINT64_MAX)) return wrong();
  if (!extras.deaths.empty() && !decode_deaths(extras.deaths)) return wrong();
  return extras;
}

std::vector<std::byte> encode_blind_keys(std::span<const std::string_view> keys) {
  std::vector<std::byte> out{std::byte{0}};
  Writer writer(out);
  for (const std::string_view key : keys) {
    if (key.size() > limits::name_bytes_max || out.size() + 1 + key.size() > blind_keys_bytes_max ||
        out[0] == std::byte{UINT8_MAX}) {
      continue;
    }
    writer.text8(key);
    out[0] = static_cast<std::byte>(static_cast<unsigned>(out[0]) + 1);
  }
  if (out.size() == 1) out.clear();
  return out;
}

std::vector<std::string_view> blind_keys_of(Bytes encoded) {
  std::vector<std::string_view> keys;
  if (encoded.empty()) return keys;
  Reader reader(encoded);
  for (unsigned left = reader.u8(); left > 0 && reader.ok(); --left) keys.push_back(reader.text8());
  return keys;
}

}  // namespace weir::broker
