// What it is: a binding in memory, the two kinds of things that it can lead to, and chains of bindings.
// Lifetime: the source exchange owns a binding; its destination lists it, so that removing a destination costs as much
// as it has bindings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/definitions.h"

namespace weir::broker {

class Exchange;
struct Binding;

// A queue or an exchange, as something that messages reach.
struct Destination {
  explicit Destination(DestinationKind of_kind) : kind(of_kind) {}
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;

  const DestinationKind kind;
  // The routing that reached it last: each is reached once.
  mutable std::uint64_t reached = 0;
  std::vector<Binding*> incoming;
};

struct Binding {
  Exchange* source = nullptr;
  Destination* destination = nullptr;
  std::unique_ptr<Table> arguments;  // null: none
  std::string routing_key;
  // Of the matcher that holds it.
  Binding* previous = nullptr;
  Binding* next = nullptr;
  std::uint32_t node = 0;
  std::uint32_t incoming_index = 0;

  const Table& table() const;
};

// Bindings that match together. A binding is in one chain.
class BindingChain {
 public:
  Binding* head() const { return head_; }
  bool empty() const { return head_ == nullptr; }
  void add(Binding& binding) {
    binding.previous = nullptr;
    binding.next = head_;
    if (head_ != nullptr) head_->previous = &binding;
    head_ = &binding;
  }
  void remove(Binding& binding) {
    (binding.previous != nullptr ? binding.previous->next : head_) = binding.next;
    if (binding.next != nullptr) binding.next->previous = binding.previous;
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Binding* binding = head_; binding != nullptr; binding = binding->next) visit(*binding);
  }

 private:
  Binding* head_ = nullptr;
};

}  // namespace weir::broker
