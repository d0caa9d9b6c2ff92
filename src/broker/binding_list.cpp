#include "broker/binding_list.h"

#include <tuple>

#include "broker/topology_state.h"

namespace weir::broker {

void BindingList::sort() const {
  std::sort(bindings_.begin(), bindings_.end(), [](const Binding* a, const Binding* b) {
    return std::tuple(a->destination->kind, std::string_view(name_of(*a->destination)),
                      std::string_view(a->routing_key)) <
           std::tuple(b->destination->kind, std::string_view(name_of(*b->destination)),
                      std::string_view(b->routing_key));
  });
  for (std::size_t i = 0; i < bindings_.size(); ++i) bindings_[i]->node = static_cast<std::uint32_t>(i);
  sorted_ = true;
}

}  // namespace weir::broker
