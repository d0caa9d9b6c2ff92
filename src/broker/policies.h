// What it is: the policies of a vhost, compiled: which one is a queue's, or an exchange's.
// Shard: part of a shard's Topology.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "broker/declare_arguments.h"
#include "broker/definitions.h"

namespace weir::broker {

class Policies {
 public:
  Policies();
  ~Policies();

  bool empty() const { return entries_.empty(); }
  // A pattern that does not compile matches nothing: decide() refuses it, but an older log may hold one.
  void put(const PolicyDefinition& policy);
  // False: there was none.
  bool remove(std::string_view name, bool of_operator);

  const PolicyDefinition* find(std::string_view name, bool of_operator) const;
  // The one of the highest priority that is for it; of two, the one whose name comes first. Null: none is.
  const PolicyDefinition* of_queue(std::string_view queue, QueueType type, bool of_operator) const;
  const PolicyDefinition* of_exchange(std::string_view exchange, bool of_operator) const;
  // In order of name, those of operators behind the others.
  std::vector<const PolicyDefinition*> all() const;

 private:
  struct Entry;
  const PolicyDefinition* match(std::string_view name, unsigned target, bool of_operator) const;

  std::vector<std::unique_ptr<Entry>> entries_;  // by descending priority, then name
};

}  // namespace weir::broker
