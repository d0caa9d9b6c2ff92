#include "protocol/amqp091/codec/methods.h"

#include <array>
#include <utility>

namespace weir::amqp091 {

namespace {

struct MethodEntry {
  MethodInfo info;
  Decoded<Method> (*decode)(Bytes payload);
};

template <AnyMethod M>
Decoded<Method> decode_one(Bytes payload) {
  auto decoded = decode_as<M>(payload);
  if (!decoded) return std::unexpected(decoded.error());
  return Method(std::in_place_type<M>, *decoded);
}

constexpr std::size_t method_count = std::variant_size_v<Method>;

template <std::size_t... I>
constexpr auto make_entries(std::index_sequence<I...>) {
  std::array<MethodEntry, method_count> entries{MethodEntry{
      std::variant_alternative_t<I, Method>::info, decode_one<std::variant_alternative_t<I, Method>>}...};
  std::ranges::sort(entries, {}, [](const MethodEntry& entry) { return entry.info.id.value(); });
  return entries;
}

// By ascending id.
constexpr auto method_entries = make_entries(std::make_index_sequence<method_count>());

const MethodEntry* find_entry(MethodId id) {
  const auto* found = std::ranges::lower_bound(
      method_entries, id.value(), {}, [](const MethodEntry& entry) { return entry.info.id.value(); });
  return found != method_entries.end() && found->info.id == id ? found : nullptr;
}

}  // namespace

Decoded<Method> decode_method(Bytes payload) {
  if (payload.size() < method_id_bytes)
    return refuse(ReplyCode::frame_error, "method frame without a method");
  const MethodEntry* entry = find_entry(method_id_of(payload));
  if (entry == nullptr) return refuse(ReplyCode::not_implemented, "unknown method");
  return entry->decode(payload);
}

const MethodInfo* find_method(MethodId id) {
  const MethodEntry* entry = find_entry(id);
  return entry == nullptr ? nullptr : &entry->info;
}

const MethodInfo& info_of(const Method& method) {
  return std::visit([](const auto& any) -> const MethodInfo& { return any.info; }, method);
}

void append_any_method_frame(std::vector<std::byte>& out, std::uint16_t channel, const Method& method) {
  std::visit([&](const auto& any) { append_method_frame(out, channel, any); }, method);
}

}  // namespace weir::amqp091
