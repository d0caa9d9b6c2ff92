#include "broker/topic_trie.h"

#include "base/assert.h"
#include "broker/hash.h"

namespace weir::broker {

namespace {

// The words of a key: none in an empty key, else one more than it has dots.
template <typename Visit>
void for_each_word(std::string_view key, Visit&& visit) {
  if (key.empty()) return;
  for (;;) {
    const std::size_t dot = key.find('.');
    visit(key.substr(0, dot));
    if (dot == std::string_view::npos) return;
    key.remove_prefix(dot + 1);
  }
}

constexpr std::size_t edge_slots_min = 16;

}  // namespace

// --- edges ---

std::size_t TopicTrie::Edges::wanted(std::uint64_t key) const {
  return hash_mix(key, 0x9e3779b97f4a7c15ULL) & (slots_.size() - 1);
}

TopicTrie::NodeId TopicTrie::Edges::find(NodeId parent, WordId word) const {
  if (size_ == 0) return no_node;
  const std::uint64_t key = key_of(parent, word);
  for (std::size_t at = wanted(key); slots_[at].key != 0; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].key == key) return slots_[at].child;
  }
  return no_node;
}

void TopicTrie::Edges::place(Slot slot) {
  std::size_t at = wanted(slot.key);
  while (slots_[at].key != 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = slot;
}

void TopicTrie::Edges::insert(NodeId parent, WordId word, NodeId child) {
  if ((size_ + 1) * 4 > slots_.size() * 3) {
    std::vector<Slot> old(slots_.empty() ? edge_slots_min : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.key != 0) place(slot);
    }
  }
  place(Slot{key_of(parent, word), child});
  ++size_;
}

void TopicTrie::Edges::erase(NodeId parent, WordId word) {
  const std::uint64_t key = key_of(parent, word);
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = wanted(key);
  while (slots_[hole].key != key) {
    WEIR_ASSERT(slots_[hole].key != 0);
    hole = (hole + 1) & mask;
  }
  slots_[hole] = Slot{};
  --size_;
  // What comes after the hole moves up, unless it lies at or after its own first choice.
  for (std::size_t at = (hole + 1) & mask; slots_[at].key != 0; at = (at + 1) & mask) {
    if (((at - wanted(slots_[at].key)) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    slots_[at] = Slot{};
    hole = at;
  }
}

// --- words ---

TopicTrie::WordId TopicTrie::find_word(std::string_view text) const {
  const Word* word =
      words_by_text_.find(hash_text(text), [&](const Word& other) { return other.text == text; });
  return word == nullptr ? unknown_word : word->id;
}

TopicTrie::WordId TopicTrie::hold_word(std::string_view text) {
  if (text == "*") return star;
  if (text == "#") return hash;
  if (const WordId known = find_word(text); known != unknown_word) {
    ++words_[known]->references;
    return known;
  }
  if (free_words_.empty()) {
    free_words_.push_back(static_cast<WordId>(words_.size()));
    words_.emplace_back();
  }
  const WordId id = free_words_.back();
  free_words_.pop_back();
  words_[id] = std::make_unique<Word>(Word{std::string(text), id, 1});
  words_by_text_.insert(hash_text(text), words_[id].get());
  return id;
}

void TopicTrie::drop_word(WordId id) {
  if (id < literals_begin || --words_[id]->references > 0) return;
  words_by_text_.erase(hash_text(words_[id]->text), [&](const Word& other) { return other.id == id; });
  words_[id].reset();
  free_words_.push_back(id);
}

// --- nodes ---

TopicTrie::TopicTrie() : nodes_(1), words_(literals_begin) {}

TopicTrie::NodeId TopicTrie::child_of(NodeId parent, WordId word) const {
  if (word == star) return nodes_[parent].star_child;
  if (word == hash) return nodes_[parent].hash_child;
  return nodes_[parent].literal_children == 0 ? no_node : edges_.find(parent, word);
}

TopicTrie::NodeId TopicTrie::make_child(NodeId parent, WordId word) {
  if (free_nodes_.empty()) {
    free_nodes_.push_back(static_cast<NodeId>(nodes_.size()));
    nodes_.emplace_back();
  }
  const NodeId child = free_nodes_.back();
  free_nodes_.pop_back();
  nodes_[child] = Node{};
  nodes_[child].parent = parent;
  nodes_[child].word = word;
  if (word == star) {
    nodes_[parent].star_child = child;
  } else if (word == hash) {
    nodes_[parent].hash_child = child;
  } else {
    edges_.insert(parent, word, child);
    ++nodes_[parent].literal_children;
  }
  return child;
}

void TopicTrie::add(Binding& binding) {
  NodeId node = root;
  for_each_word(binding.routing_key, [&](std::string_view text) {
    const WordId word = hold_word(text);
    const NodeId child = child_of(node, word);
    // A node holds its word once, however many bindings pass through it.
    if (child != no_node) drop_word(word);
    node = child != no_node ? child : make_child(node, word);
  });
  binding.node = node;
  nodes_[node].bindings.add(binding);
}

void TopicTrie::remove(Binding& binding) {
  nodes_[binding.node].bindings.remove(binding);
  remove_empty(binding.node);
}

void TopicTrie::remove_empty(NodeId node) {
  while (node != root) {
    const Node& leaf = nodes_[node];
    if (!leaf.bindings.empty() || leaf.literal_children > 0 || leaf.star_child != no_node ||
        leaf.hash_child != no_node) {
      return;
    }
    const NodeId parent = leaf.parent;
    const WordId word = leaf.word;
    if (word == star) {
      nodes_[parent].star_child = no_node;
    } else if (word == hash) {
      nodes_[parent].hash_child = no_node;
    } else {
      edges_.erase(parent, word);
      --nodes_[parent].literal_children;
      drop_word(word);
    }
    free_nodes_.push_back(node);
    node = parent;
  }
}

// --- matching ---

void TopicTrie::begin_step() const {
  if (++step_ != 0) return;
  for (const Node& node : nodes_) node.reached = 0;
  step_ = 1;
}

// The node, and what no further word leads to from it.
void TopicTrie::reach(NodeId node, std::vector<NodeId>& into) const {
  do {
    if (nodes_[node].reached == step_) return;
    nodes_[node].reached = step_;
    into.push_back(node);
    node = nodes_[node].hash_child;
  } while (node != no_node);
}

void TopicTrie::find_matches(std::string_view routing_key) const {
  active_.clear();
  begin_step();
  reach(root, active_);
  for_each_word(routing_key, [&](std::string_view text) {
    if (active_.empty()) return;
    const WordId word = find_word(text);
    next_.clear();
    begin_step();
    for (const NodeId id : active_) {
      const Node& node = nodes_[id];
      if (node.word == hash) reach(id, next_);
      if (node.star_child != no_node) reach(node.star_child, next_);
      if (word != unknown_word && node.literal_children > 0) {
        if (const NodeId child = edges_.find(id, word); child != no_node) reach(child, next_);
      }
    }
    active_.swap(next_);
  });
}

}  // namespace weir::broker
