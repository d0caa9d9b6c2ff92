// What it is: a map from paths of levels ("a/b/c") to numbers, as a trie of levels. Wildcards are levels like any other here:
// what they match is up to SubscriptionTree and TopicTree, which walk it.
// Memory: a node of 32 bytes, four to eight for finding it, and its text. Where only one path goes on, what is left of it is
// kept as one text at the last node (its tail) and not as nodes, so that a path costs about one node.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/mqtt/text_store.h"

namespace weir::mqtt {

class LevelTrie {
 public:
  using Value = std::uint32_t;
  static constexpr Value no_value = UINT32_MAX;
  using NodeId = std::uint32_t;
  static constexpr NodeId root = 0, no_node = 0;  // the root is nobody's child

  // `tail` is what follows the node's own levels: then it has no children, and the value is that of the longer path.
  struct Node {
    NodeId parent = no_node, first_child = no_node, next = no_node, previous = no_node;
    TextStore::Ref label = TextStore::none, tail = TextStore::none;
    Value value = no_value;
    bool has_plus = false, has_hash = false;  // a child "+", "#"
    bool has_tail() const { return tail != TextStore::none; }
  };

  // `seed` is of the hash: who does not know it can't make paths that collide.
  explicit LevelTrie(std::uint64_t seed) : seed_(seed), nodes_(1) {}

  // The value that the path had before; no_value: none. `value` is a number below no_value.
  Value put(std::string_view path, Value value);
  Value find(std::string_view path) const;
  Value erase(std::string_view path);

  std::size_t size() const { return size_; }
  std::size_t node_count() const { return nodes_.size() - free_count_; }
  std::size_t bytes() const {
    return nodes_.capacity() * sizeof(Node) + slots_.capacity() * sizeof(NodeId) + texts_.bytes();
  }

  // For the walks.
  const Node& node(NodeId id) const { return nodes_[id]; }
  std::string_view label(const Node& node) const { return texts_.get(node.label); }
  std::string_view tail(const Node& node) const { return texts_.get(node.tail); }
  NodeId child(NodeId parent, std::string_view label) const;

 private:
  NodeId locate(std::string_view path) const;
  NodeId make_child(NodeId parent, std::string_view label);
  void unfold_tail(NodeId id, std::string_view path, bool more);
  void remove_empty(NodeId id);

  std::uint64_t hash(NodeId parent, std::string_view label) const;
  void insert_slot(NodeId id);
  void erase_slot(NodeId id);
  void grow_slots();

  std::uint64_t seed_;
  std::vector<Node> nodes_;
  NodeId first_free_ = no_node;  // linked by `next`
  std::size_t free_count_ = 0, size_ = 0;
  std::vector<NodeId> slots_;  // (parent, label) -> child, by hash; no_node: free
  TextStore texts_;
};

}  // namespace weir::mqtt
