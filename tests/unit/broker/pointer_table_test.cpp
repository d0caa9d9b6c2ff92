#include "broker/pointer_table.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/rng.h"
#include "broker/hash.h"

namespace weir::broker {
namespace {

struct Entry {
  std::string name;
  int value;
};

auto named(std::string_view name) {
  return [name](const Entry& entry) { return entry.name == name; };
}

// Few distinct hashes: clusters, and wrapping around the end.
std::uint64_t poor_hash(std::string_view name) { return (hash_text(name) % 7 + 5) << 32; }

TEST(PointerTable, does_what_a_map_does_whatever_the_hash) {
  for (const bool poor : {false, true}) {
    const auto hash = [&](std::string_view name) { return poor ? poor_hash(name) : hash_text(name); };
    PointerTable<std::unique_ptr<Entry>> table;
    std::map<std::string, int> model;
    Rng rng(42);
    for (int step = 0; step < 20'000; ++step) {
      const std::string name = "name-" + std::to_string(rng.below(200));
      Entry* const found = table.find(hash(name), named(name));
      ASSERT_EQ(found != nullptr, model.contains(name));
      ASSERT_EQ(found == nullptr ? -1 : found->value, model.contains(name) ? model[name] : -1);
      if (rng.chance(1, 2)) {
        const auto erased = table.erase(hash(name), named(name));
        ASSERT_EQ(erased != nullptr, model.erase(name) == 1);
      } else if (found == nullptr) {
        table.insert(hash(name), std::make_unique<Entry>(Entry{name, step}));
        model[name] = step;
      }
      ASSERT_EQ(table.size(), model.size());
    }
    std::size_t visited = 0;
    table.for_each([&](const Entry& entry) {
      ++visited;
      EXPECT_EQ(model.at(entry.name), entry.value);
    });
    EXPECT_EQ(visited, model.size());
  }
}

TEST(PointerTable, of_nothing_finds_nothing) {
  PointerTable<Entry*> table;
  EXPECT_EQ(table.find(1, named("a")), nullptr);
  EXPECT_EQ(table.erase(1, named("a")), nullptr);
  EXPECT_TRUE(table.empty());
}

TEST(PointerTable, replaces_a_pointer_in_its_place) {
  Entry one{"same", 1}, two{"same", 2};
  PointerTable<Entry*> table;
  table.insert(hash_text("same"), &one);
  table.replace(hash_text("same"), named("same"), &two);
  EXPECT_EQ(table.find(hash_text("same"), named("same")), &two);
  EXPECT_EQ(table.size(), 1U);
}

TEST(HashText, differs_for_texts_that_differ_in_any_byte_or_in_length) {
  for (std::size_t size = 1; size < 70; ++size) {
    const std::string text(size, 'a');
    EXPECT_EQ(hash_text(text), hash_text(std::string(size, 'a')));
    EXPECT_NE(hash_text(text), hash_text(text + 'a'));
    EXPECT_NE(hash_text(text), hash_text(text, 1));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = 'b';
      EXPECT_NE(hash_text(text), hash_text(other)) << size << " " << at;
    }
  }
}

}  // namespace
}  // namespace weir::broker
