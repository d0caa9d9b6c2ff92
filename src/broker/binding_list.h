// What it is: the bindings of an exchange that chooses one of them: by a number modulo how many there are (x-modulus-hash),
// or at random. Their order follows from what they are, so that all shards choose alike, also after a restart.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "broker/binding.h"

namespace weir::broker {

class BindingList {
 public:
  void add(Binding& binding) {
    binding.node = static_cast<std::uint32_t>(bindings_.size());
    bindings_.push_back(&binding);
    sorted_ = false;
  }
  // The last one takes its place.
  void remove(Binding& binding) {
    bindings_[binding.node] = bindings_.back();
    bindings_[binding.node]->node = binding.node;
    bindings_.pop_back();
    sorted_ = false;
  }

  template <typename Visit>
  void choose(std::uint64_t number, Visit&& visit) const {
    if (bindings_.empty()) return;
    if (!sorted_) sort();
    visit(*bindings_[number % bindings_.size()]);
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Binding* binding : bindings_) visit(*binding);
  }
  bool empty() const { return bindings_.empty(); }

 private:
  void sort() const;

  mutable std::vector<Binding*> bindings_;  // a binding knows its place
  mutable bool sorted_ = true;
};

}  // namespace weir::broker
