#include "broker/death_history.h"

#include <algorithm>

#include "base/assert.h"
#include "base/cursor.h"

namespace weir::broker {

namespace {

constexpr unsigned is_first = 1, has_ttl = 2;

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
    deaths.erase(known);
  }
  deaths.insert(deaths.begin(), std::move(death));
  // The first one stays: it is told apart from the rest.
  while (deaths.size() > deaths_max) {
    const auto oldest = std::find_if(deaths.rbegin(), deaths.rend(), [](const Death& d) { return !d.first; });
    deaths.erase(std::next(oldest).base());
  }
}

std::vector<std::byte> encode_deaths(const DeathHistory& history) {
  std::vector<std::byte> out;
  Writer writer(out);
  writer.u8(static_cast<std::uint8_t>(history.deaths.size()));
  writer.text8(history.first_exchange);
  for (const Death& death : history.deaths) {
    writer.u8(static_cast<std::uint8_t>(death.reason));
    writer.u8(static_cast<std::uint8_t>((death.first ? is_first : 0U) | (death.ttl_ms ? has_ttl : 0U)));
    writer.le(death.ttl_ms.value_or(0));
    writer.le(death.count);
    writer.le(death.time_ms);
    writer.text8(death.queue);
    writer.text8(death.exchange);
    writer.text8(death.routing_key);
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
    good = reason >= 1 && reason <= death_reason_last && flags <= (is_first | has_ttl) &&
           (death.ttl_ms || ttl_ms == 0);
    history.deaths.push_back(std::move(death));
  }
  if (!good || !reader.ok() || !reader.at_end()) {
    return fail(ErrorCode::corrupt, "a message's history of deaths: not in its form");
  }
  return history;
}

}  // namespace weir::broker
