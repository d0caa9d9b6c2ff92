// What it is: what a shard's sessions have published to each exchange: messages in, and how many queues they went to.
// Sessions keep the place with the route that they have cached, which is looked for anew after every change of definitions:
// a place stays valid until its exchange is removed.
// Shard: its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/counters.h"
#include "base/meter.h"

namespace weir::node {

enum class ExchangeCount : std::uint8_t { publish_in, publish_out, count };

struct ExchangeUse {
  Counters<ExchangeCount> counts;
  Meter<ExchangeCount> meter;
};

class ExchangeUses {
 public:
  using Key = std::pair<std::string, std::string>;  // vhost, name

  ExchangeUse& find(std::string_view vhost, std::string_view name, std::uint64_t now_ms) {
    const auto [at, made] = uses_.try_emplace(Key(vhost, name));
    if (made) at->second.meter.begin(at->second.counts, now_ms);
    return at->second;
  }
  void remove(const std::string& vhost, const std::string& name) { uses_.erase({vhost, name}); }
  void remove_vhost(const std::string& vhost) {
    std::erase_if(uses_, [&](const auto& one) { return one.first.first == vhost; });
  }
  bool empty() const { return uses_.empty(); }

  // At most `max` of those behind `after` (null: from the first on), in order; returns the last one, null when there are no
  // more.
  template <typename Each>
  const Key* visit(const Key* after, std::size_t max, Each&& each) {
    auto at = after == nullptr ? uses_.begin() : uses_.upper_bound(*after);
    const Key* last = nullptr;
    for (; max > 0 && at != uses_.end(); --max, ++at) {
      each(at->first, at->second);
      last = &at->first;
    }
    return at == uses_.end() ? nullptr : last;
  }

 private:
  std::map<Key, ExchangeUse> uses_;
};

}  // namespace weir::node
