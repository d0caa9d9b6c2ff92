// What it is: the routes that a session used last, so that publishers who repeat themselves pay for routing and for the
// permission check once. One place at first; more when the keys turn out to vary: then a key may be in any of the few
// places of its set, so that a hundred keys do not push each other out.
// Shard: its session's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/topology.h"
#include "node/exchange_uses.h"

namespace weir::node {

class RouteCache {
 public:
  struct Route {
    std::string exchange, key;
    std::size_t hash = 0;       // of both
    std::uint64_t version = 0;  // of the topology that it was found in
    bool valid = false;
    std::vector<broker::Target> targets;  // grouped by shard
    ExchangeUse* use = nullptr;           // of the exchange, as long as the route is valid
  };

  // The place for this route, which holds it already if is_for() says so.
  Route& place(std::string_view exchange, std::string_view key) {
    if (routes_.size() == 1) return routes_.front();
    const std::hash<std::string_view> hash_of;
    const std::size_t hash = exchange.empty() ? hash_of(key) : hash_of(key) ^ 3 * hash_of(exchange);
    Route* const set = &routes_[hash % sets * places_per_set];
    Route* free = nullptr;
    for (std::size_t i = 0; i < places_per_set; ++i) {
      if (set[i].hash == hash && set[i].key == key && set[i].exchange == exchange) return set[i];
      if (!set[i].valid) free = &set[i];
    }
    Route& place = free != nullptr ? *free : set[next_to_go_++ % places_per_set];
    place.hash = hash;
    place.valid = false;
    return place;
  }
  static bool is_for(const Route& route, std::string_view exchange, std::string_view key,
                     std::uint64_t version) {
    return route.valid && route.version == version && route.exchange == exchange && route.key == key;
  }
  // `route` held another one. True if all places moved: ask for the place again.
  bool note_miss(const Route& route) {
    if (!route.valid || routes_.size() > 1 || ++misses_ < misses_until_growth) return false;
    routes_.clear();
    routes_.resize(sets * places_per_set);
    return true;
  }

 private:
  static constexpr std::size_t sets = 64;
  static constexpr std::size_t places_per_set = 4;
  static constexpr unsigned misses_until_growth = 64;
  std::vector<Route> routes_{1};
  unsigned misses_ = 0;
  std::size_t next_to_go_ = 0;  // of a set, in turn
};

}  // namespace weir::node
