// What it is: topic names, found by a filter: topic -> a number that the caller knows more of. For what is retained.
// Shard: one's own. Nothing changes during a match.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/mqtt/level_trie.h"

namespace weir::mqtt {

class TopicTree {
 public:
  using Value = LevelTrie::Value;
  static constexpr Value no_value = LevelTrie::no_value;

  explicit TopicTree(std::uint64_t seed = 0) : trie_(seed) {}

  // Of a valid topic name. Each gives the value that it had; no_value: none.
  Value put(std::string_view topic, Value value) { return trie_.put(topic, value); }
  Value find(std::string_view topic) const { return trie_.find(topic); }
  Value erase(std::string_view topic) { return trie_.erase(topic); }

  // Calls visit(value) for each topic that a valid filter matches, in no order. The time is that of the topics which match,
  // and of those beside a "+".
  template <typename Visit>
  void match(std::string_view filter, Visit&& visit) const {
    const std::size_t begin = open_.size();
    open_.push_back({.node = LevelTrie::root, .more = true, .left = filter});
    while (open_.size() > begin) {
      const Value value = step();
      if (value != no_value) visit(value);
    }
  }

  std::size_t size() const { return trie_.size(); }
  std::size_t node_count() const { return trie_.node_count(); }
  std::size_t bytes() const { return trie_.bytes(); }

 private:
  // A node whose levels have matched, and what is left of the filter; `more`: at least one level is. `siblings`: those behind
  // the node have matched too. `all`: everything below it has.
  struct Open {
    LevelTrie::NodeId node;
    bool more = false, siblings = false, all = false;
    std::string_view left{};
  };
  Value step() const;
  LevelTrie::NodeId shown(LevelTrie::NodeId node, bool first_level) const;
  void open_children(LevelTrie::NodeId parent, Open as) const;

  LevelTrie trie_;
  mutable std::vector<Open> open_;  // of the matches that go on
};

}  // namespace weir::mqtt
