// What it is: filters and who has them, found by a topic: filter -> a number that the caller knows more of.
// Two subscriptions with one filter are one entry: the caller's number stands for both. Of "$share/g/a" it holds "a" (or
// however the caller tells groups apart): a filter is matched as it is.
// Shard: one's own. A match may be made from within another; changes not.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/mqtt/level_trie.h"

namespace weir::mqtt {

class SubscriptionTree {
 public:
  using Value = LevelTrie::Value;
  static constexpr Value no_value = LevelTrie::no_value;

  explicit SubscriptionTree(std::uint64_t seed = 0) : trie_(seed) {}

  // Of a valid filter. Each gives the value that it had; no_value: none.
  Value put(std::string_view filter, Value value) { return trie_.put(filter, value); }
  Value find(std::string_view filter) const { return trie_.find(filter); }
  Value erase(std::string_view filter) { return trie_.erase(filter); }

  // Calls visit(value) for each filter that matches a valid topic name, in no order.
  template <typename Visit>
  void match(std::string_view topic, Visit&& visit) const {
    const std::size_t begin = open_.size();
    open_.push_back({LevelTrie::root, true, topic});
    while (open_.size() > begin) {
      const Value value = step();
      if (value != no_value) visit(value);
    }
  }

  std::size_t size() const { return trie_.size(); }
  std::size_t node_count() const { return trie_.node_count(); }
  std::size_t bytes() const { return trie_.bytes(); }

 private:
  // A node whose levels have matched, and what is left of the topic; `more`: at least one level is. Otherwise the node's
  // own value is to be told.
  struct Open {
    LevelTrie::NodeId node;
    bool more;
    std::string_view left;
  };
  // Takes one, opens what comes of it, and gives the value that was found with it.
  Value step() const;
  Value value_of_hash(LevelTrie::NodeId node) const;

  LevelTrie trie_;
  mutable std::vector<Open> open_;  // of the matches that go on
};

}  // namespace weir::mqtt
