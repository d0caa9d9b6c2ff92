// What it is: the bindings of an x-consistent-hash exchange: for each key one of them, in proportion to their weights (the
// binding keys). Every binding draws a number from the key, and the highest wins (weighted rendezvous hashing): a binding
// that comes or goes moves only the keys that it wins or had won, and the shares are exact but for chance.
// A choice looks at every binding, some nanoseconds each; it depends on names alone, so that all shards choose alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "broker/binding.h"

namespace weir::broker {

class WeightedChoice {
 public:
  void add(Binding& binding);
  void remove(Binding& binding);

  template <typename Visit>
  void choose(std::uint64_t key_hash, Visit&& visit) const {
    if (const Binding* chosen = winner(key_hash)) visit(*chosen);
  }
  bool empty() const { return classes_.empty(); }

 private:
  struct Candidate {
    std::uint64_t hash = 0;  // of what the binding is
    const Binding* binding = nullptr;
  };
  // Of one weight: among them the highest number wins, without a logarithm for each.
  struct Class {
    std::uint64_t weight = 0;
    std::vector<Candidate> candidates;
  };
  const Binding* winner(std::uint64_t key_hash) const;

  std::vector<Class> classes_;
};

// Of a binding key; none: it is no whole number above 0.
std::optional<std::uint64_t> binding_weight(std::string_view routing_key);

}  // namespace weir::broker
