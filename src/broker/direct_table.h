// What it is: the bindings of a direct exchange: one chain per routing key.
#pragma once

#include <string_view>

#include "broker/binding.h"
#include "broker/hash.h"
#include "broker/pointer_table.h"

namespace weir::broker {

class DirectTable {
 public:
  void add(Binding& binding);
  void remove(Binding& binding);

  template <typename Visit>
  void match(std::string_view routing_key, Visit&& visit) const {
    const Binding* binding = heads_.find(
        hash_text(routing_key), [&](const Binding& head) { return head.routing_key == routing_key; });
    for (; binding != nullptr; binding = binding->next) visit(*binding);
  }

 private:
  PointerTable<Binding*> heads_;  // the first of each chain, found by its key
};

}  // namespace weir::broker
