#include "broker/death_history.h"

#include <algorithm>

#include "base/assert.h"
#include "base/cursor.h"

namespace weir::broker {

namespace {

constexpr unsigned is_first = 1, has_ttl = 2, has_keys = 4, was_rekeyed = 8;
constexpr unsigned known_flags = 15;

std::size_t encoded_bytes(const DeathHistory& history) {
  std::size_t bytes = 2 + history.first_exchange.size();
  for (const Death& death : history.deaths) {
    bytes += 26 + death.queue.size() + death.exchange.size() + death.routing_key.size();
    for (const std::string& key : death.more_keys) bytes += 1 + key.size();
  }
  return bytes;
}

// That it was rekeyed stays known.
void forget_oldest(DeathHistory& history) {
  auto& deaths = history.deaths;
  const auto oldest = std::find_if(deaths.rbegin(), deaths.rend(), [](const Death& d) { return !d.first; });
  const bool rekeyed = oldest->rekeyed;
  deaths.erase(std::next(oldest).base());
  deaths.back().rekeyed = deaths.back().rekeyed || rekeyed;
}

}  // namespace

std::string_view to_string(DeathReason reason) {
  switch (reason) {
    case DeathReason::rejected: return "rejected";
    case DeathReason::expired: return "expired";
    case DeathReason::maxlen: return "maxlen";
    case DeathReason::delivery_limit: return "delivery_limit";
    case DeathReason::due: return "due";
  }
  WEIR_UNREACHABLE();
}

bool DeathHistory::is_cycle(std::string_view to_queue) const {
  for (const Death& death : deaths) {
    if (death.reason == DeathReason::rejected) return false;
    if (death.queue == to_queue) return true;
  }
  return false;
}

bool DeathHistory::rekeyed() const {
  return std::any_of(deaths.begin(), deaths.end(), [](const Death& death) { return death.rekeyed; });
}

void DeathHistory::record(Death death) {
  const auto same = [&](const Death& known) {
    return known.queue == death.queue && known.reason == death.reason;
  };
  death.count = 1;
  if (deaths.empty()) {
    death.first = true;
    first_exchange = death.exchange;
  }
  if (const auto known = std::find_if(deaths.begin(), deaths.end(), same); known != deaths.end()) {
    death.count = known->count + 1;
    death.first = known->first;
    death.time_ms = known->time_ms;
    if (known->ttl_ms) death.ttl_ms = known->ttl_ms;
    death.rekeyed = death.rekeyed || known->rekeyed;
    deaths.erase(known);
  }
  deaths.insert(deaths.begin(), std::move(death));
  // The first one stays: it is told apart from the rest.
  while (deaths.size() > deaths_max || (deaths.size() > 1 && encoded_bytes(*this) > deaths_bytes_max))
    forget_oldest(*this);
}

std::vector<std::byte> encode_deaths(const DeathHistory& history) {
  std::vector<std::byte> out;
  Writer writer(out);
  writer.u8(static_cast<std::uint8_t>(history.deaths.size()));
  writer.text8(history.first_exchange);
  for (const Death& death : history.deaths) {
    writer.u8(static_cast<std::uint8_t>(death.reason));
    writer.u8(static_cast<std::uint8_t>((death.first ? is_first : 0U) | (death.ttl_ms ? has_ttl : 0U) |
                                        (death.more_keys.empty() ? 0U : has_keys) |
                                        (death.rekeyed ? was_rekeyed : 0U)));
    writer.le(death.ttl_ms.value_or(0));
    writer.le(death.count);
    writer.le(death.time_ms);
    writer.text8(death.queue);
    writer.text8(death.exchange);
    writer.text8(death.routing_key);
    if (death.more_keys.empty()) continue;
    writer.u8(static_cast<std::uint8_t>(death.more_keys.size()));
    for (const std::string& key : death.more_keys) writer.text8(key);
  }
  return out;
}

Result<DeathHistory> decode_deaths(Bytes from) {
  DeathHistory history;
  Reader reader(from);
  const std::size_t count = reader.u8();
  history.first_exchange = reader.text8();
  bool good = count > 0 && count <= deaths_max;
  for (std::size_t i = 0; good && i < count && reader.ok(); ++i) {
    Death death;
    const std::uint8_t reason = reader.u8();
    const unsigned flags = reader.u8();
    const auto ttl_ms = reader.le<std::uint32_t>();
    death.reason = static_cast<DeathReason>(reason);
    death.first = (flags & is_first) != 0;
    if ((flags & has_ttl) != 0) death.ttl_ms = ttl_ms;
    death.count = reader.le<std::uint64_t>();
    death.time_ms = reader.le<std::uint64_t>();
    death.queue = reader.text8();
    death.exchange = reader.text8();
    death.routing_key = reader.text8();
    death.rekeyed = (flags & was_rekeyed) != 0;
    const unsigned keys = (flags & has_keys) != 0 ? reader.u8() : 0U;
    for (unsigned key = 0; key < keys && reader.ok(); ++key) death.more_keys.emplace_back(reader.text8());
    good = reason >= 1 && reason <= death_reason_last && flags <= known_flags &&
           (death.ttl_ms || ttl_ms == 0) && (keys > 0 || (flags & has_keys) == 0);
    history.deaths.push_back(std::move(death));
  }
  if (!good || !reader.ok() || !reader.at_end()) {
    return fail(ErrorCode::corrupt, "a message's history of deaths: not in its form");
  }
  return history;
}

}  // namespace weir::broker
