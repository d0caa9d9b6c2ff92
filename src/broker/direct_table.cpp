#include "broker/direct_table.h"

namespace weir::broker {

void DirectTable::add(Binding& binding) {
  const std::uint64_t hash = hash_text(binding.routing_key);
  Binding* head =
      heads_.find(hash, [&](const Binding& other) { return other.routing_key == binding.routing_key; });
  binding.previous = head;
  binding.next = nullptr;
  if (head == nullptr) {
    heads_.insert(hash, &binding);
    return;
  }
  // After the head, which stays in its slot.
  binding.next = head->next;
  if (binding.next != nullptr) binding.next->previous = &binding;
  head->next = &binding;
}

void DirectTable::remove(Binding& binding) {
  if (binding.next != nullptr) binding.next->previous = binding.previous;
  if (binding.previous != nullptr) {
    binding.previous->next = binding.next;
    return;
  }
  const std::uint64_t hash = hash_text(binding.routing_key);
  const auto is_it = [&](const Binding& other) { return &other == &binding; };
  if (binding.next != nullptr) {
    heads_.replace(hash, is_it, binding.next);
  } else {
    heads_.erase(hash, is_it);
  }
}

}  // namespace weir::broker
