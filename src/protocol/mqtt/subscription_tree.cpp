#include "protocol/mqtt/subscription_tree.h"

#include "protocol/mqtt/codec/topic.h"

namespace weir::mqtt {

SubscriptionTree::Value SubscriptionTree::value_of_hash(LevelTrie::NodeId node) const {
  return trie_.node(trie_.child(node, "#")).value;
}

SubscriptionTree::Value SubscriptionTree::step() const {
  const auto [id, more, left] = open_.back();
  open_.pop_back();
  const LevelTrie::Node& node = trie_.node(id);
  if (node.has_tail()) {
    const bool matched = more ? matches_below(trie_.tail(node), left) : trie_.tail(node) == "#";
    return matched ? node.value : no_value;
  }
  if (!more) {
    // "sport/#" matches "sport": besides the node's own value there is that of its "#", which is told in its turn.
    if (node.has_hash) open_.push_back({trie_.child(id, "#"), false, {}});
    return node.value;
  }
  const bool hidden = id == LevelTrie::root && left.starts_with('$');
  std::string_view below = left;
  const Level level = take_level(below);
  if (node.has_plus && !hidden) open_.push_back({trie_.child(id, "+"), level.more, below});
  const LevelTrie::NodeId literal = trie_.child(id, level.text);
  if (literal != LevelTrie::no_node) open_.push_back({literal, level.more, below});
  return node.has_hash && !hidden ? value_of_hash(id) : no_value;
}

}  // namespace weir::mqtt
