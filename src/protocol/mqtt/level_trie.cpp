#include "protocol/mqtt/level_trie.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/assert.h"
#include "protocol/mqtt/codec/topic.h"

namespace weir::mqtt {

namespace {

constexpr std::size_t first_slots = 8;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

}  // namespace

std::uint64_t LevelTrie::hash(NodeId parent, std::string_view label) const {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15U, start = 0xd6e8feb86659fd93U;
  std::uint64_t state = mix(seed_ ^ start ^ parent, factor ^ label.size());
  while (!label.empty()) {
    std::uint64_t word = 0;
    const std::size_t count = std::min(label.size(), sizeof word);
    std::memcpy(&word, label.data(), count);
    state = mix(state ^ word, factor);
    label.remove_prefix(count);
  }
  return state;
}

LevelTrie::NodeId LevelTrie::child(NodeId parent, std::string_view label) const {
  if (slots_.empty()) return no_node;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash(parent, label) & mask; slots_[at] != no_node; at = (at + 1) & mask) {
    const Node& candidate = nodes_[slots_[at]];
    if (candidate.parent == parent && texts_.get(candidate.label) == label) return slots_[at];
  }
  return no_node;
}

void LevelTrie::insert_slot(NodeId id) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash(nodes_[id].parent, label(nodes_[id])) & mask;
  while (slots_[at] != no_node) at = (at + 1) & mask;
  slots_[at] = id;
}

void LevelTrie::erase_slot(NodeId id) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = hash(nodes_[id].parent, label(nodes_[id])) & mask;
  while (slots_[hole] != id) hole = (hole + 1) & mask;
  // What lies behind moves up, if it may lie that far in front.
  for (std::size_t at = (hole + 1) & mask; slots_[at] != no_node; at = (at + 1) & mask) {
    const Node& moved = nodes_[slots_[at]];
    const std::size_t wanted = hash(moved.parent, label(moved)) & mask;
    if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = no_node;
}

void LevelTrie::grow_slots() {
  const std::size_t wanted = std::max(first_slots, slots_.size() * 2);
  std::vector<NodeId> old(wanted, no_node);
  old.swap(slots_);
  for (const NodeId id : old) {
    if (id != no_node) insert_slot(id);
  }
}

LevelTrie::NodeId LevelTrie::make_child(NodeId parent, std::string_view label) {
  // The children are all nodes but the root: what there are, and this one.
  if (node_count() * 4 > slots_.size() * 3) grow_slots();
  NodeId id = first_free_;
  if (id != no_node) {
    first_free_ = nodes_[id].next;
    --free_count_;
    nodes_[id] = {};
  } else {
    WEIR_ASSERT(nodes_.size() < UINT32_MAX);
    id = static_cast<NodeId>(nodes_.size());
    if (nodes_.size() == nodes_.capacity()) nodes_.reserve(nodes_.size() + nodes_.size() / 4 + 1);
    nodes_.emplace_back();
  }
  Node& made = nodes_[id];
  made.parent = parent;
  made.label = texts_.put(label);
  Node& above = nodes_[parent];
  made.next = above.first_child;
  if (made.next != no_node) nodes_[made.next].previous = id;
  above.first_child = id;
  if (label == "+") above.has_plus = true;
  if (label == "#") above.has_hash = true;
  insert_slot(id);
  return id;
}

// Makes nodes of the tail as far as the path (what is left of it behind the node) goes along with it, and of one level more.
void LevelTrie::unfold_tail(NodeId id, std::string_view path, bool more) {
  const std::string tail(texts_.get(nodes_[id].tail));
  const Value value = nodes_[id].value;
  texts_.drop(nodes_[id].tail);
  nodes_[id].tail = TextStore::none;
  nodes_[id].value = no_value;
  std::string_view left = tail;
  for (;;) {
    const Level level = take_level(left);
    id = make_child(id, level.text);
    bool together = false;
    if (more && level.more) {
      const Level other = take_level(path);
      together = other.text == level.text;
      more = other.more;
    }
    if (together && more) continue;
    if (level.more) nodes_[id].tail = texts_.put(left);
    nodes_[id].value = value;
    return;
  }
}

LevelTrie::Value LevelTrie::put(std::string_view path, Value value) {
  WEIR_ASSERT(value != no_value);
  NodeId id = root;
  bool more = true;
  for (std::string_view left = path; more;) {
    if (nodes_[id].has_tail()) {
      if (texts_.get(nodes_[id].tail) == left) break;
      unfold_tail(id, left, true);
    }
    const Level level = take_level(left);
    more = level.more;
    const NodeId below = child(id, level.text);
    id = below != no_node ? below : make_child(id, level.text);
    if (below != no_node) continue;
    if (more) nodes_[id].tail = texts_.put(left);
    break;
  }
  if (!more && nodes_[id].has_tail()) unfold_tail(id, {}, false);
  const Value before = nodes_[id].value;
  nodes_[id].value = value;
  if (before == no_value) ++size_;
  return before;
}

// The node that has the path's value.
LevelTrie::NodeId LevelTrie::locate(std::string_view path) const {
  NodeId id = root;
  for (bool more = true; more;) {
    if (nodes_[id].has_tail()) return texts_.get(nodes_[id].tail) == path ? id : no_node;
    const Level level = take_level(path);
    more = level.more;
    id = child(id, level.text);
    if (id == no_node) return no_node;
  }
  return nodes_[id].has_tail() ? no_node : id;
}

LevelTrie::Value LevelTrie::find(std::string_view path) const {
  const NodeId id = locate(path);
  return id == no_node ? no_value : nodes_[id].value;
}

LevelTrie::Value LevelTrie::erase(std::string_view path) {
  const NodeId id = locate(path);
  if (id == no_node || nodes_[id].value == no_value) return no_value;
  const Value before = nodes_[id].value;
  nodes_[id].value = no_value;
  texts_.drop(nodes_[id].tail);
  nodes_[id].tail = TextStore::none;
  --size_;
  remove_empty(id);
  return before;
}

void LevelTrie::remove_empty(NodeId id) {
  while (id != root && nodes_[id].value == no_value && nodes_[id].first_child == no_node) {
    Node& gone = nodes_[id];
    const NodeId above = gone.parent;
    erase_slot(id);
    if (label(gone) == "+") nodes_[above].has_plus = false;
    if (label(gone) == "#") nodes_[above].has_hash = false;
    if (gone.next != no_node) nodes_[gone.next].previous = gone.previous;
    (gone.previous != no_node ? nodes_[gone.previous].next : nodes_[above].first_child) = gone.next;
    texts_.drop(gone.label);
    gone.next = first_free_;
    first_free_ = id;
    ++free_count_;
    id = above;
  }
}

}  // namespace weir::mqtt
