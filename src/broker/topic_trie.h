// What it is: the bindings of a topic exchange, as a trie of words. `*` stands for one word, `#` for none or more.
// Words are interned: a node is found by (parent, number of the word) in one hash table, so that a million bindings
// cost two cache misses per word and not a map per node.
// A match walks all nodes that a prefix of the key reaches, word by word, each at most once per word: several `#` cost
// no more than (nodes reached) x (words).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/binding.h"
#include "broker/pointer_table.h"

namespace weir::broker {

class TopicTrie {
 public:
  TopicTrie();

  void add(Binding& binding);
  void remove(Binding& binding);

  // Calls `visit` for each binding that matches. Not from within another match of this trie.
  template <typename Visit>
  void match(std::string_view routing_key, Visit&& visit) const {
    find_matches(routing_key);
    for (const NodeId node : active_) nodes_[node].bindings.for_each(visit);
  }

  std::size_t node_count() const { return nodes_.size() - free_nodes_.size(); }
  std::size_t word_count() const { return words_by_text_.size(); }

 private:
  using NodeId = std::uint32_t;
  using WordId = std::uint32_t;
  static constexpr NodeId root = 0, no_node = 0;  // the root is nobody's child
  static constexpr WordId unknown_word = 0, star = 1, hash = 2, literals_begin = 3;

  struct Node {
    NodeId parent = no_node;
    WordId word = unknown_word;
    NodeId star_child = no_node, hash_child = no_node;
    std::uint32_t literal_children = 0;
    mutable std::uint32_t reached = 0;  // the step of a match that reached it last
    BindingChain bindings;
  };
  struct Word {
    std::string text;
    WordId id = unknown_word;
    std::uint32_t references = 0;
  };

  // (parent, literal word) -> child.
  class Edges {
   public:
    NodeId find(NodeId parent, WordId word) const;
    void insert(NodeId parent, WordId word, NodeId child);
    void erase(NodeId parent, WordId word);

   private:
    struct Slot {
      std::uint64_t key = 0;  // 0: free; no literal word has number 0
      NodeId child = no_node;
    };
    static std::uint64_t key_of(NodeId parent, WordId word) { return std::uint64_t{parent} << 32 | word; }
    std::size_t wanted(std::uint64_t key) const;
    void place(Slot slot);
    std::vector<Slot> slots_;
    std::size_t size_ = 0;
  };

  WordId find_word(std::string_view text) const;
  WordId hold_word(std::string_view text);
  void drop_word(WordId id);
  NodeId child_of(NodeId parent, WordId word) const;
  NodeId make_child(NodeId parent, WordId word);
  void remove_empty(NodeId node);

  void find_matches(std::string_view routing_key) const;
  void begin_step() const;
  void reach(NodeId node, std::vector<NodeId>& into) const;

  std::vector<Node> nodes_;
  std::vector<NodeId> free_nodes_;
  Edges edges_;
  std::vector<std::unique_ptr<Word>> words_;  // by number
  std::vector<WordId> free_words_;
  PointerTable<Word*> words_by_text_;

  // Of a match, kept so that it allocates nothing.
  mutable std::vector<NodeId> active_, next_;
  mutable std::uint32_t step_ = 0;
};

}  // namespace weir::broker
