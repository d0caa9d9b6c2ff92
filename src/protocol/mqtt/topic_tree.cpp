#include "protocol/mqtt/topic_tree.h"

#include "protocol/mqtt/codec/topic.h"

namespace weir::mqtt {

// The node, or the first one behind it that a wildcard may stand for.
LevelTrie::NodeId TopicTree::shown(LevelTrie::NodeId node, bool first_level) const {
  while (first_level && node != LevelTrie::no_node && trie_.label(trie_.node(node)).starts_with('$')) {
    node = trie_.node(node).next;
  }
  return node;
}

void TopicTree::open_children(LevelTrie::NodeId parent, Open as) const {
  as.node = shown(trie_.node(parent).first_child, parent == LevelTrie::root);
  if (as.node != LevelTrie::no_node) open_.push_back(as);
}

TopicTree::Value TopicTree::step() const {
  const Open open = open_.back();
  open_.pop_back();
  const LevelTrie::Node& node = trie_.node(open.node);
  if (open.siblings) {
    Open next = open;
    next.node = shown(node.next, node.parent == LevelTrie::root);
    if (next.node != LevelTrie::no_node) open_.push_back(next);
  }
  if (open.all) {
    open_children(open.node, {.node = {}, .siblings = true, .all = true});
    return node.value;
  }
  if (node.has_tail()) {
    return open.more && matches_below(open.left, trie_.tail(node)) ? node.value : no_value;
  }
  if (!open.more) return node.value;
  std::string_view below = open.left;
  const Level level = take_level(below);
  if (level.text == "#") {
    open_children(open.node, {.node = {}, .siblings = true, .all = true});
    return node.value;  // "sport/#" matches "sport"
  }
  if (level.text == "+") {
    open_children(open.node, {.node = {}, .more = level.more, .siblings = true, .left = below});
    return no_value;
  }
  const LevelTrie::NodeId literal = trie_.child(open.node, level.text);
  if (literal != LevelTrie::no_node) open_.push_back({.node = literal, .more = level.more, .left = below});
  return no_value;
}

}  // namespace weir::mqtt
