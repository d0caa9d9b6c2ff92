// What it is: settings that an administrator makes while the simulation runs, and what must be there of them after a
// restart: what was answered, and of the one that was not answered either what was or what was to be.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/rng.h"
#include "support/sim_node.h"

namespace weir::sim {

class KnownSettings {
 public:
  explicit KnownSettings(std::uint64_t seed) : rng_(seed) {}

  // Now and then sets, changes or removes one of a few policies that are for no queue, and one of a few limits.
  void act(node::SimNode& node);
  // What is wrong with what a start has found; empty: nothing. From then on it is what counts.
  std::string restarted(const broker::Topology& topology);
  std::uint64_t answered() const { return answered_; }

 private:
  using Value = std::optional<std::int64_t>;  // none: it is not there
  static Value find(const broker::Topology& topology, const std::string& name);

  Rng rng_;
  std::map<std::string, Value> known_;
  std::string asked_;  // not answered yet; empty: nothing is
  Value wanted_;
  std::uint64_t answered_ = 0;
};

}  // namespace weir::sim
