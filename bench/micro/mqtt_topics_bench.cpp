// What it is: the memory and the time of a million subscriptions with wildcards, and of a million retained topics.
// Shown: ns for each match, bytes for each entry.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "protocol/mqtt/subscription_tree.h"
#include "protocol/mqtt/topic_tree.h"

namespace weir::mqtt {
namespace {

std::string region(std::uint64_t i) { return "region-" + std::to_string(i % 50); }
std::string device(std::uint64_t i) { return "device-" + std::to_string(i); }

// As a fleet of devices has them: nearly all name one device, a few a region. The shape: with one filter for each device,
// with several, with what differs last.
std::string filter_of(std::uint64_t i, int shape) {
  if (i % 10'000 == 0) return region(i / 10'000) + "/+/alarm/#";
  switch (shape) {
    case 0: return region(i) + "/" + device(i) + "/+/temperature";
    case 1: {
      const std::uint64_t of = i / 3;
      const char* const ends[] = {"/+/temperature", "/alarm/#", "/+"};
      return region(of) + "/" + device(of) + ends[i % 3];
    }
    default: return "plant/+/" + region(i) + "/line/" + device(i);
  }
}

std::string topic_of(std::uint64_t i, int shape) {
  if (shape == 2) return "plant/7/" + region(i) + "/line/" + device(i);
  const std::uint64_t of = shape == 1 ? i / 3 : i;
  return region(of) + "/" + device(of) + (i % 2 == 0 ? "/sensor/temperature" : "/alarm/fire");
}

template <typename Tree>
void tell_memory(benchmark::State& state, const Tree& tree) {
  state.counters["bytes_each"] = static_cast<double>(tree.bytes()) / static_cast<double>(tree.size());
  state.counters["MiB"] = static_cast<double>(tree.bytes()) / (1 << 20);
}

const SubscriptionTree& with_filters(std::uint64_t count, int shape) {
  static std::map<std::pair<std::uint64_t, int>, std::unique_ptr<SubscriptionTree>> made;
  auto& tree = made[{count, shape}];
  if (tree == nullptr) {
    tree = std::make_unique<SubscriptionTree>(1);
    for (std::uint64_t i = 0; i < count; ++i) tree->put(filter_of(i, shape), static_cast<std::uint32_t>(i));
  }
  return *tree;
}

void mqtt_subscriptions_match(benchmark::State& state) {
  const auto count = static_cast<std::uint64_t>(state.range(0));
  const int shape = static_cast<int>(state.range(1));
  const SubscriptionTree& tree = with_filters(count, shape);
  Rng rng(1);
  std::vector<std::string> topics;
  for (int i = 0; i < 65'536; ++i) topics.push_back(topic_of(rng.below(count), shape));
  std::size_t at = 0;
  std::uint64_t found = 0;
  for (auto step : state) {
    (void)step;
    tree.match(topics[at++ % topics.size()], [&](std::uint32_t) { ++found; });
  }
  state.counters["found_each"] = static_cast<double>(found) / static_cast<double>(state.iterations());
  tell_memory(state, tree);
}
BENCHMARK(mqtt_subscriptions_match)
    ->Args({1'000, 0})
    ->Args({1'000'000, 0})
    ->Args({1'000'000, 1})
    ->Args({1'000'000, 2});

void mqtt_subscriptions_put(benchmark::State& state) {
  for (auto step : state) {
    (void)step;
    SubscriptionTree tree(1);
    for (std::uint32_t i = 0; i < 1'000'000; ++i) tree.put(filter_of(i, 0), i);
    tell_memory(state, tree);
  }
}
BENCHMARK(mqtt_subscriptions_put)->Unit(benchmark::kMillisecond);

const TopicTree& with_topics() {
  static std::unique_ptr<TopicTree> tree;
  if (tree == nullptr) {
    tree = std::make_unique<TopicTree>(1);
    for (std::uint32_t i = 0; i < 1'000'000; ++i) tree->put(topic_of(i, 1) + std::to_string(i % 3), i);
  }
  return *tree;
}

void match_all(benchmark::State& state, const std::vector<std::string>& filters) {
  const TopicTree& tree = with_topics();
  std::size_t at = 0;
  std::uint64_t found = 0;
  for (auto step : state) {
    (void)step;
    tree.match(filters[at++ % filters.size()],
               [&](std::uint32_t value) { found += value < 1'000'000 ? 1 : 0; });
  }
  state.counters["found_each"] = static_cast<double>(found) / static_cast<double>(state.iterations());
  tell_memory(state, tree);
}

void mqtt_topics_match_a_device(benchmark::State& state) {
  Rng rng(1);
  std::vector<std::string> filters;
  for (int i = 0; i < 65'536; ++i) {
    const std::uint64_t of = rng.below(333'333);
    filters.push_back(region(of) + "/" + device(of) + "/#");
  }
  match_all(state, filters);
}
BENCHMARK(mqtt_topics_match_a_device);

void mqtt_topics_match_all(benchmark::State& state) { match_all(state, {"#"}); }
BENCHMARK(mqtt_topics_match_all)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::mqtt
