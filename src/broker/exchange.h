// What it is: an exchange of the topology: its definition, the bindings that lead out of it, and the matcher of its type.
// Shard: part of a shard's Topology.
#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include "broker/binding.h"
#include "broker/direct_table.h"
#include "broker/headers_match.h"
#include "broker/pointer_table.h"
#include "broker/topic_trie.h"
#include "broker/topology.h"

namespace weir::broker {

class Exchange : public Destination {
 public:
  explicit Exchange(ExchangeDefinition definition);
  ~Exchange();

  const ExchangeDefinition& definition() const { return definition_; }
  // Where messages go that no binding takes; null if nowhere.
  const std::string* alternate() const { return alternate_; }
  // Other properties, the same type.
  void update(ExchangeDefinition definition);

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
    switch (definition_.type) {
      case ExchangeType::direct: std::get<DirectTable>(matcher_).match(routing_key, visit); break;
      case ExchangeType::fanout: std::get<BindingChain>(matcher_).for_each(visit); break;
      case ExchangeType::topic: std::get<TopicTrie>(matcher_).match(routing_key, visit); break;
      case ExchangeType::headers: match_headers(headers, visit); break;
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
  void find_alternate();

  ExchangeDefinition definition_;
  const std::string* alternate_ = nullptr;  // into definition_
  std::variant<BindingChain, DirectTable, TopicTrie> matcher_;
  PointerTable<std::unique_ptr<Binding>> bindings_;  // by destination, routing key and arguments
};

}  // namespace weir::broker
