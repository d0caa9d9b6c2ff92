// What it is: an exchange of the topology: its definition, the bindings that lead out of it, and the matcher of its type.
// Shard: part of a shard's Topology.
#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include "broker/binding.h"
#include "broker/binding_list.h"
#include "broker/direct_table.h"
#include "broker/headers_match.h"
#include "broker/pointer_table.h"
#include "broker/topic_trie.h"
#include "broker/topology.h"
#include "broker/weighted_choice.h"

namespace weir::broker {

class Exchange : public Destination {
 public:
  explicit Exchange(ExchangeDefinition definition);
  ~Exchange();

  const ExchangeDefinition& definition() const { return definition_; }
  // Where messages go that no binding takes; null if nowhere.
  const std::string* alternate() const { return alternate_; }
  // What its policies say of that, where its arguments say nothing; null: nothing.
  void use_alternate(const std::string* by_policy);
  // Other properties, the same type.
  void update(ExchangeDefinition definition);
  // The queue that it has for itself, for as long as it is there.
  void set_own_queue(const Destination* queue) { own_queue_ = queue; }
  // Where the message goes instead of being routed, for it is to wait; null: it is not.
  const Destination* waiting_room(HeaderSource& message) const {
    if (definition_.type != ExchangeType::delayed) [[likely]]
      return nullptr;
    return must_wait(message) ? own_queue_ : nullptr;
  }
  // What keeps the message for those who bind later; null: nothing does.
  const Destination* history(HeaderSource& message) const {
    if (definition_.type != ExchangeType::recent_history) [[likely]]
      return nullptr;
    return must_keep(message) ? own_queue_ : nullptr;
  }

  std::size_t binding_count() const { return bindings_.size(); }
  Binding* find(const Destination& destination, std::string_view routing_key, const Table& arguments) const;
  // The caller knows that it is new.
  void add(Destination& destination, std::string_view routing_key, const Table& arguments);
  void remove(Binding& binding);
  // Takes its bindings out of their destinations' lists: what is left to do is to destroy it.
  void detach();
  template <typename Visit>
  void for_each_binding(Visit&& visit) const {
    bindings_.for_each(visit);
  }

  // Calls `visit` for each binding that takes the message.
  template <typename Visit>
  void match(std::string_view routing_key, HeaderSource& headers, Visit&& visit) const {
    switch (matching_) {
      case ExchangeType::direct: return std::get<DirectTable>(matcher_).match(routing_key, visit);
      case ExchangeType::topic: return std::get<TopicTrie>(matcher_).match(routing_key, visit);
      case ExchangeType::headers: return match_headers(headers, visit);
      case ExchangeType::consistent_hash:
        return std::get<WeightedChoice>(matcher_).choose(hash_of(routing_key, headers), visit);
      case ExchangeType::modulus_hash:
        return std::get<BindingList>(matcher_).choose(hash_of(routing_key, headers), visit);
      case ExchangeType::random:
      case ExchangeType::local_random: return std::get<BindingList>(matcher_).choose(headers.random(), visit);
      case ExchangeType::fanout:
      case ExchangeType::recent_history:
      case ExchangeType::delayed: return std::get<BindingChain>(matcher_).for_each(visit);
    }
  }

 private:
  template <typename Visit>
  void match_headers(HeaderSource& source, Visit& visit) const {
    const BindingChain& chain = std::get<BindingChain>(matcher_);
    if (chain.empty()) return;
    const Table& headers = source.headers();
    chain.for_each([&](const Binding& binding) {
      if (headers_match(binding.table(), headers)) visit(binding);
    });
  }
  void read_arguments();
  void find_alternate();
  std::uint64_t hash_of(std::string_view routing_key, HeaderSource& message) const;
  static bool must_wait(HeaderSource& message);
  static bool must_keep(HeaderSource& message);

  ExchangeDefinition definition_;
  ExchangeType matching_{};  // its type; of a delayed one: how it routes what need not wait
  std::unique_ptr<std::string> alternate_by_policy_;
  const std::string* alternate_ = nullptr;      // into definition_, or that
  const std::string* hash_header_ = nullptr;    // what is hashed, if not the routing key; into definition_
  const std::string* hash_property_ = nullptr;  // the same
  const Destination* own_queue_ = nullptr;
  std::variant<BindingChain, DirectTable, TopicTrie, BindingList, WeightedChoice> matcher_;
  PointerTable<std::unique_ptr<Binding>> bindings_;  // by destination, routing key and arguments
};

}  // namespace weir::broker
