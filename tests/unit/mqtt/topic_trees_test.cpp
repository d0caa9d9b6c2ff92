#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/rng.h"
#include "protocol/mqtt/codec/topic.h"
#include "protocol/mqtt/subscription_tree.h"
#include "protocol/mqtt/topic_tree.h"

namespace weir::mqtt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

template <typename Tree>
std::vector<std::uint32_t> matched(const Tree& tree, std::string_view by) {
  std::vector<std::uint32_t> values;
  tree.match(by, [&](std::uint32_t value) { values.push_back(value); });
  std::sort(values.begin(), values.end());
  return values;
}

TEST(SubscriptionTree, finds_each_filter_that_matches_a_topic) {
  SubscriptionTree tree;
  const char* const filters[] = {"#",         "sport/#", "sport/+", "sport/tennis", "sport/tennis/+/score",
                                 "+/tennis",  "+",       "/+",      "sport",        "sport/tennis/#",
                                 "$SYS/#",    "$SYS/+",  "a//b",    "a/+/b",        "sport/",
                                 "+/tennis/#"};
  for (std::uint32_t i = 0; i < std::size(filters); ++i) {
    EXPECT_EQ(tree.put(filters[i], i), SubscriptionTree::no_value);
  }
  EXPECT_EQ(tree.size(), std::size(filters));
  for (const std::string_view topic : {"sport", "sport/", "sport/tennis", "sport/tennis/5/score", "/finance",
                                       "a//b", "$SYS/x", "$SYS", "x"}) {
    std::vector<std::uint32_t> expected;
    for (std::uint32_t i = 0; i < std::size(filters); ++i) {
      if (matches(filters[i], topic)) expected.push_back(i);
    }
    EXPECT_EQ(matched(tree, topic), expected) << topic;
  }
  EXPECT_THAT(matched(tree, "sport"), ElementsAre(0, 1, 6, 8));
}

TEST(SubscriptionTree, replaces_and_erases) {
  SubscriptionTree tree;
  EXPECT_EQ(tree.put("a/b/c/d", 1), SubscriptionTree::no_value);
  EXPECT_EQ(tree.put("a/b/c/d", 2), 1U);
  EXPECT_EQ(tree.find("a/b/c/d"), 2U);
  EXPECT_EQ(tree.find("a/b/c"), SubscriptionTree::no_value);
  EXPECT_EQ(tree.find("a"), SubscriptionTree::no_value);
  EXPECT_EQ(tree.find("a/b/c/d/e"), SubscriptionTree::no_value);
  EXPECT_EQ(tree.put("a/b", 3), SubscriptionTree::no_value);
  EXPECT_EQ(tree.find("a/b/c/d"), 2U);
  EXPECT_EQ(tree.erase("a/b/c"), SubscriptionTree::no_value);
  EXPECT_EQ(tree.erase("a/b"), 3U);
  EXPECT_EQ(tree.erase("a/b"), SubscriptionTree::no_value);
  EXPECT_THAT(matched(tree, "a/b/c/d"), ElementsAre(2));
  EXPECT_EQ(tree.erase("a/b/c/d"), 2U);
  EXPECT_EQ(tree.size(), 0U);
  EXPECT_EQ(tree.node_count(), 1U);  // the root
  EXPECT_THAT(matched(tree, "a/b/c/d"), IsEmpty());
}

TEST(SubscriptionTree, may_be_asked_while_it_answers) {
  SubscriptionTree tree;
  tree.put("a/+", 1);
  tree.put("a/#", 2);
  tree.put("b", 3);
  std::vector<std::uint32_t> values;
  tree.match("a/x", [&](std::uint32_t value) {
    values.push_back(value);
    tree.match("b", [&](std::uint32_t inner) { values.push_back(inner); });
  });
  EXPECT_THAT(values, UnorderedElementsAre(1, 3, 2, 3));
}

TEST(TopicTree, finds_each_topic_that_a_filter_matches) {
  TopicTree tree;
  const char* const topics[] = {"sport",    "sport/",     "sport/tennis", "sport/tennis/5/score",
                                "/finance", "a//b",       "$SYS/x/y",     "$SYS",
                                "x",        "sport/golf", "sport/a/b",    "a"};
  for (std::uint32_t i = 0; i < std::size(topics); ++i) tree.put(topics[i], i);
  for (const std::string_view filter :
       {"#", "+", "+/+", "sport/#", "sport/+", "+/tennis/#", "$SYS/#", "$SYS/+/+", "$SYS", "a/+/b", "a", "/+",
        "sport/tennis/+/score", "sport/tennis/+", "+/#", "x/#", "y/#"}) {
    std::vector<std::uint32_t> expected;
    for (std::uint32_t i = 0; i < std::size(topics); ++i) {
      if (matches(filter, topics[i])) expected.push_back(i);
    }
    EXPECT_EQ(matched(tree, filter), expected) << filter;
  }
  EXPECT_THAT(matched(tree, "sport/#"), ElementsAre(0, 1, 2, 3, 9, 10));
}

// Paths of a few levels, of which many begin alike; "" and "$x" are levels too.
std::string some_path(Rng& rng, bool filter) {
  constexpr const char* words[] = {"a", "b", "", "$x", "long level of its own"};
  std::string path;
  const std::uint64_t levels = 1 + rng.below(5);
  for (std::uint64_t i = 0; i < levels; ++i) {
    if (i > 0) path += '/';
    if (filter && i + 1 == levels && rng.chance(1, 4)) {
      path += '#';
    } else if (filter && rng.chance(1, 4)) {
      path += '+';
    } else {
      path += words[rng.below(std::size(words))];
    }
  }
  return path.empty() ? "a" : path;
}

// The tree against a plain map, through many puts and erasures.
template <typename Tree, typename Matches>
void compare_with_a_map(bool keys_are_filters, Matches&& key_matches) {
  Rng rng(7);
  Tree tree(99);
  std::map<std::string, std::uint32_t> model;
  for (std::uint32_t round = 0; round < 20'000; ++round) {
    const std::string key = some_path(rng, keys_are_filters);
    const auto known = model.find(key);
    const std::uint32_t before = known == model.end() ? Tree::no_value : known->second;
    // First it grows, then it shrinks.
    if (rng.chance(round < 10'000 ? 2 : 1, 3)) {
      ASSERT_EQ(tree.put(key, round), before) << key;
      model[key] = round;
    } else {
      ASSERT_EQ(tree.erase(key), before) << key;
      model.erase(key);
    }
    ASSERT_EQ(tree.size(), model.size());
    if (round % 20 != 0) continue;
    const std::string by = some_path(rng, !keys_are_filters);
    std::vector<std::uint32_t> expected;
    for (const auto& [path, value] : model) {
      ASSERT_EQ(tree.find(path), value);
      if (key_matches(path, by)) expected.push_back(value);
    }
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(matched(tree, by), expected) << by;
  }
  while (!model.empty()) {
    ASSERT_EQ(tree.erase(model.begin()->first), model.begin()->second);
    model.erase(model.begin());
  }
  EXPECT_EQ(tree.node_count(), 1U);
}

TEST(SubscriptionTree, agrees_with_a_list_of_filters) {
  compare_with_a_map<SubscriptionTree>(
      true, [](std::string_view filter, std::string_view topic) { return matches(filter, topic); });
}

TEST(TopicTree, agrees_with_a_list_of_topics) {
  compare_with_a_map<TopicTree>(
      false, [](std::string_view topic, std::string_view filter) { return matches(filter, topic); });
}

TEST(LevelTrie, gives_the_memory_of_erased_paths_to_new_ones) {
  LevelTrie trie(1);
  const auto path = [](std::uint32_t i) {
    return "region/device-" + std::to_string(i) + "/+/" + std::string(i % 300, 'x');
  };
  for (std::uint32_t i = 0; i < 5'000; ++i) trie.put(path(i), i);
  for (std::uint32_t i = 0; i < 5'000; ++i) ASSERT_EQ(trie.erase(path(i)), i);
  const std::size_t bytes = trie.bytes();
  for (std::uint32_t i = 0; i < 5'000; ++i) trie.put(path(i), i);
  EXPECT_EQ(trie.bytes(), bytes);
  EXPECT_EQ(trie.find(path(4'999)), 4'999U);
}

TEST(LevelTrie, takes_paths_of_as_many_levels_as_a_filter_can_have) {
  std::string deep;
  while (deep.size() < 65'000) deep += "+/";
  SubscriptionTree tree;
  tree.put(deep + "a", 1);
  tree.put(deep + "b", 2);
  EXPECT_GT(tree.node_count(), 32'000U);
  std::string topic;
  while (topic.size() < 65'000) topic += "x/";
  EXPECT_THAT(matched(tree, topic + "b"), ElementsAre(2));
  tree.erase(deep + "a");
  tree.erase(deep + "b");
  EXPECT_EQ(tree.node_count(), 1U);
}

}  // namespace
}  // namespace weir::mqtt
