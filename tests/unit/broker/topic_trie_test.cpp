#include "broker/topic_trie.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>

#include "base/rng.h"
#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

std::vector<std::string> words_of(const std::string& key) {
  std::vector<std::string> words;
  if (key.empty()) return words;
  std::size_t start = 0;
  for (;;) {
    const std::size_t dot = key.find('.', start);
    words.push_back(key.substr(start, dot - start));
    if (dot == std::string::npos) return words;
    start = dot + 1;
  }
}

// By the definition, word by word.
bool plainly_matches(const std::vector<std::string>& pattern, std::size_t p,
                     const std::vector<std::string>& key, std::size_t k) {
  if (p == pattern.size()) return k == key.size();
  if (pattern[p] == "#") {
    for (std::size_t skip = k; skip <= key.size(); ++skip) {
      if (plainly_matches(pattern, p + 1, key, skip)) return true;
    }
    return false;
  }
  return k < key.size() && (pattern[p] == "*" || pattern[p] == key[k]) &&
         plainly_matches(pattern, p + 1, key, k + 1);
}
bool plainly_matches(const std::string& pattern, const std::string& key) {
  return plainly_matches(words_of(pattern), 0, words_of(key), 0);
}

struct Bound {
  TopicTrie trie;
  std::vector<std::unique_ptr<Binding>> bindings;

  Binding& add(std::string pattern) {
    Binding& binding = *bindings.emplace_back(std::make_unique<Binding>());
    binding.routing_key = std::move(pattern);
    trie.add(binding);
    return binding;
  }
  std::multiset<std::string> match(const std::string& key) const {
    std::multiset<std::string> found;
    trie.match(key, [&](const Binding& binding) { found.insert(binding.routing_key); });
    return found;
  }
};

using Found = std::multiset<std::string>;

TEST(TopicTrie, matches_words_stars_and_hashes) {
  const std::vector<std::tuple<std::string, std::string, bool>> cases{
      {"a.b", "a.b", true},
      {"a.b", "a.c", false},
      {"a.b", "a", false},
      {"a.b", "a.b.c", false},
      {"a.*", "a.b", true},
      {"a.*", "a", false},
      {"a.*", "a.b.c", false},
      {"*.b", "a.b", true},
      {"#", "", true},
      {"#", "a", true},
      {"#", "a.b.c", true},
      {"a.#", "a", true},
      {"a.#", "a.b.c", true},
      {"a.#", "b", false},
      {"#.b", "b", true},
      {"#.b", "a.a.b", true},
      {"#.b", "b.a", false},
      {"a.#.b", "a.b", true},
      {"a.#.b", "a.x.y.b", true},
      {"a.#.b", "a.x.y", false},
      {"#.#", "", true},
      {"#.#", "a.b", true},
      {"a.*.#", "a", false},
      {"a.*.#", "a.b", true},
      {"a.*.#", "a.b.c.d", true},
      {"*", "", false},
      {"", "", true},
      {"", "a", false},
      {"*", ".", false},
      {"*.*", ".", true},
      {"a..b", "a..b", true},
      {"a.*.b", "a..b", true},
      {"a.", "a.", true},
      {"a.*", "a.", true},
      {"a", "a.", false},
      {"A", "a", false},
      {"*.#.*", "a", false},
      {"*.#.*", "a.b", true},
      {"#.a.#.a.#", "a", false},
      {"#.a.#.a.#", "x.a.a", true},
      {"a.*", "a.*", true},
      {"a.b", "a.*", false},
      {"#", "#", true},
      {"*", "#", true},
  };
  for (const auto& [pattern, key, expected] : cases) {
    Bound bound;
    bound.add(pattern);
    EXPECT_EQ(bound.match(key) == Found{pattern}, expected) << pattern << " on " << key;
    EXPECT_EQ(plainly_matches(pattern, key), expected) << pattern << " on " << key;
  }
}

TEST(TopicTrie, finds_every_binding_of_a_pattern_once) {
  Bound bound;
  bound.add("a.#");
  bound.add("a.#");
  bound.add("#");
  EXPECT_EQ(bound.match("a.b"), (Found{"#", "a.#", "a.#"}));
}

TEST(TopicTrie, agrees_with_the_definition_while_bindings_come_and_go) {
  Rng rng(7);
  const auto random_key = [&](bool pattern) {
    static const std::vector<std::string> literals{"a", "b", "c", ""};
    std::string key;
    const std::uint64_t count = rng.below(6);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i > 0) key += '.';
      const std::uint64_t kind = pattern ? rng.below(6) : 9;
      key += kind == 0 ? "*" : kind == 1 ? "#" : literals[rng.below(literals.size())];
    }
    return key;
  };
  Bound bound;
  for (int step = 0; step < 5'000; ++step) {
    if (bound.bindings.size() > 60 || (!bound.bindings.empty() && rng.chance(2, 5))) {
      const std::size_t at = rng.below(bound.bindings.size());
      bound.trie.remove(*bound.bindings[at]);
      bound.bindings.erase(bound.bindings.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
      bound.add(random_key(true));
    }
    const std::string key = random_key(false);
    Found expected;
    for (const auto& binding : bound.bindings) {
      if (plainly_matches(binding->routing_key, key)) expected.insert(binding->routing_key);
    }
    ASSERT_EQ(bound.match(key), expected) << key;
  }
}

TEST(TopicTrie, keeps_nothing_of_bindings_that_went) {
  Bound bound;
  for (int i = 0; i < 1'000; ++i) bound.add("device." + std::to_string(i) + ".*.#.end");
  EXPECT_GT(bound.trie.node_count(), 4'000U);
  EXPECT_EQ(bound.trie.word_count(), 1'002U);
  for (const auto& binding : bound.bindings) bound.trie.remove(*binding);
  EXPECT_EQ(bound.trie.node_count(), 1U);
  EXPECT_EQ(bound.trie.word_count(), 0U);
  EXPECT_EQ(bound.match("device.1.x.end"), Found{});
}

TEST(TopicTrie, removing_a_binding_leaves_those_above_and_below_it) {
  Bound bound;
  bound.add("a");
  Binding& middle = bound.add("a.b");
  bound.add("a.b.c");
  bound.trie.remove(middle);
  EXPECT_EQ(bound.match("a"), Found{"a"});
  EXPECT_EQ(bound.match("a.b"), Found{});
  EXPECT_EQ(bound.match("a.b.c"), Found{"a.b.c"});
}

TEST(TopicTrie, many_hashes_in_a_pattern_do_not_blow_up) {
  Bound bound;
  std::string pattern = "#";
  for (int i = 0; i < 60; ++i) pattern += ".a.#";
  bound.add(pattern + ".b");
  bound.add(pattern);
  std::string key = "a";
  for (int i = 0; i < 126; ++i) key += ".a";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(bound.match(key), Found{pattern});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

}  // namespace
}  // namespace weir::broker
