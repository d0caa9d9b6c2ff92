#include "protocol/mqtt/marks.h"

#include <fmt/format.h>

namespace weir::mqtt {

std::array<std::byte, mark_bytes> encode_mark(const Mark& mark) {
  std::array<std::byte, mark_bytes> out{static_cast<std::byte>(mark.kind)};
  store_le(out.data() + 1, mark.packet_id);
  return out;
}

std::optional<Mark> decode_mark(Bytes body) {
  if (body.size() != mark_bytes) return std::nullopt;
  const auto kind = static_cast<MarkKind>(body[0]);
  const auto packet_id = load_le<std::uint16_t>(body.data() + 1);
  if ((kind != MarkKind::received && kind != MarkKind::released) || packet_id == 0) return std::nullopt;
  return Mark{kind, packet_id};
}

std::string mark_queue(std::string_view vhost, std::string_view client_id, ShardId shard,
                       std::uint16_t shards) {
  std::string name = fmt::format("mqtt-state-{}", client_id);
  for (unsigned n = 1; broker::place_queue(vhost, name, shards) != shard; ++n)
    name = fmt::format("mqtt-state-{}.{}", client_id, n);
  return name;
}

}  // namespace weir::mqtt
