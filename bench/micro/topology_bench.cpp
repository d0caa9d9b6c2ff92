// What it is: what routing costs: by the default, a direct and a topic exchange, among few and many definitions; and
// what removing a queue costs beside many bindings of others.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "broker/decide.h"
#include "broker/topology.h"

namespace {

using namespace weir;
using namespace weir::broker;

class NoHeaders final : public HeaderSource {
 public:
  const Table& headers() override { return none_; }

 private:
  Table none_;
};

std::string queue_name(std::uint64_t i) { return "queue." + std::to_string(i); }

std::unique_ptr<Topology> with_queues(std::uint32_t count) {
  auto topology = std::make_unique<Topology>();
  std::vector<Change> changes;
  new_vhost_changes("/", changes);
  for (const Change& change : changes) topology->apply(change);
  for (std::uint32_t i = 0; i < count; ++i) {
    topology->apply(PutQueue{{.vhost = "/",
                              .name = queue_name(i),
                              .id = QueueId{i + 1},
                              .shard = {},
                              .durable = true,
                              .owner = {},
                              .arguments = {}}});
  }
  return topology;
}

void add_binding(Topology& topology, const char* exchange, const std::string& queue, std::string key) {
  topology.apply(PutBinding{{.vhost = "/",
                             .source = exchange,
                             .kind = DestinationKind::queue,
                             .destination = queue,
                             .routing_key = std::move(key),
                             .arguments = {}}});
}

// Routes by each key in turn.
void route_all(benchmark::State& state, const Topology& topology, const char* exchange,
               const std::vector<std::string>& keys) {
  NoHeaders headers;
  std::vector<Target> targets;
  std::size_t at = 0, reached = 0;
  for (auto step : state) {
    (void)step;
    targets.clear();
    const Status status = topology.route("/", exchange, keys[at], headers, true, targets);
    benchmark::DoNotOptimize(status.has_value());
    reached += targets.size();
    if (++at == keys.size()) at = 0;
  }
  state.counters["reached"] =
      benchmark::Counter(static_cast<double>(reached), benchmark::Counter::kAvgIterations);
}

std::vector<std::string> some_names(std::uint32_t count) {
  Rng rng(1);
  std::vector<std::string> names;
  for (int i = 0; i < 1'024; ++i) names.push_back(queue_name(rng.below(count)));
  return names;
}

void default_route(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  auto topology = with_queues(count);
  route_all(state, *topology, "", some_names(count));
}
BENCHMARK(default_route)->Arg(1)->Arg(1'000)->Arg(100'000);

void direct_route(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  auto topology = with_queues(count);
  for (std::uint32_t i = 0; i < count; ++i)
    add_binding(*topology, "amq.direct", queue_name(i), queue_name(i));
  route_all(state, *topology, "amq.direct", some_names(count));
}
BENCHMARK(direct_route)->Arg(1)->Arg(1'000)->Arg(100'000);

void fanout_route(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  auto topology = with_queues(count);
  for (std::uint32_t i = 0; i < count; ++i) add_binding(*topology, "amq.fanout", queue_name(i), "");
  route_all(state, *topology, "amq.fanout", {"key"});
}
BENCHMARK(fanout_route)->Arg(10)->Arg(1'000);

constexpr std::uint32_t topic_queues = 10'000;

// Bindings as a fleet of devices has them: most name one device, some a region, a few everything.
std::string topic_pattern(Rng& rng, std::uint64_t i) {
  const std::string region = "region-" + std::to_string(rng.below(50)),
                    device = "device-" + std::to_string(i);
  switch (rng.below(1'000)) {
    case 0: return region + ".*.alarm.#";
    case 1: return region + ".#.temperature";
    default: break;
  }
  switch (rng.below(4)) {
    case 0: return region + "." + device + ".alarm";
    case 1: return region + "." + device + ".#";
    case 2: return "*." + device + ".*";
    default: return "#." + device + ".temperature";
  }
}

// Building a million bindings takes seconds: it is done once per size.
const Topology& with_topics(std::uint32_t count) {
  static std::map<std::uint32_t, std::unique_ptr<Topology>> made;
  std::unique_ptr<Topology>& topology = made[count];
  if (topology == nullptr) {
    topology = with_queues(topic_queues);
    Rng rng(2);
    for (std::uint32_t i = 0; i < count; ++i) {
      add_binding(*topology, "amq.topic", queue_name(rng.below(topic_queues)), topic_pattern(rng, i));
    }
  }
  return *topology;
}

void topic_route(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  const Topology& topology = with_topics(count);
  Rng rng(3);
  std::vector<std::string> keys;
  for (int i = 0; i < 1'024; ++i) {
    keys.push_back("region-" + std::to_string(rng.below(50)) + ".device-" + std::to_string(rng.below(count)) +
                   "." + (rng.chance(1, 2) ? "temperature" : "humidity"));
  }
  route_all(state, topology, "amq.topic", keys);
}
BENCHMARK(topic_route)->Arg(100'000)->Arg(1'000'000);

void encode_the_definitions(benchmark::State& state) {
  const Topology& topology = with_topics(static_cast<std::uint32_t>(state.range(0)));
  for (auto step : state) {
    (void)step;
    std::vector<std::byte> encoded;
    topology.encode_durable_state(encoded);
    benchmark::DoNotOptimize(encoded.data());
  }
}
BENCHMARK(encode_the_definitions)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void decide_bindings(benchmark::State& state) {
  const Topology& topology = with_topics(static_cast<std::uint32_t>(state.range(0)));
  std::uint64_t number = 0;
  for (auto step : state) {
    (void)step;
    const auto decision = decide(topology, {"guest", SessionId{1}},
                                 Bind{{.vhost = "/",
                                       .source = "amq.topic",
                                       .kind = DestinationKind::queue,
                                       .destination = queue_name(number % topic_queues),
                                       .routing_key = "new." + std::to_string(number),
                                       .arguments = {}}},
                                 {4, 1});
    benchmark::DoNotOptimize(decision->durable);
    ++number;
  }
}
BENCHMARK(decide_bindings)->Arg(1'000'000);

void consistent_hash_route(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  auto topology = with_queues(count);
  topology->apply(
      PutExchange{{.vhost = "/", .name = "hash", .type = ExchangeType::consistent_hash, .arguments = {}}});
  for (std::uint32_t i = 0; i < count; ++i)
    add_binding(*topology, "hash", queue_name(i), i % 2 == 0 ? "1" : "3");
  route_all(state, *topology, "hash", some_names(1'000'000));
}
BENCHMARK(consistent_hash_route)->Arg(10)->Arg(1'000);

void topic_route_of_many_hashes(benchmark::State& state) {
  auto topology = with_queues(1);
  for (int i = 0; i < 20; ++i)
    add_binding(*topology, "amq.topic", queue_name(0), "#.a.#.a.#.a.#.w" + std::to_string(i));
  route_all(state, *topology, "amq.topic", {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.w7"});
}
BENCHMARK(topic_route_of_many_hashes);

void remove_a_queue_beside_many_bindings(benchmark::State& state) {
  auto topology = with_queues(1'000);
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    add_binding(*topology, "amq.topic", queue_name(static_cast<std::uint64_t>(i) % 1'000),
                "k." + std::to_string(i));
  }
  const QueueDefinition queue{
      .vhost = "/", .name = "extra", .id = QueueId{5'000'000}, .shard = {}, .owner = {}, .arguments = {}};
  for (auto step : state) {
    (void)step;
    topology->apply(PutQueue{queue});
    for (int i = 0; i < 10; ++i) add_binding(*topology, "amq.topic", "extra", "extra." + std::to_string(i));
    topology->apply(RemoveQueue{"/", "extra", queue.id});
  }
}
BENCHMARK(remove_a_queue_beside_many_bindings)->Arg(1'000)->Arg(100'000);

void authorize(benchmark::State& state) {
  auto topology = with_queues(1);
  topology->apply(PutUser{{.name = "guest", .password_hash = {}, .tags = {}}});
  topology->apply(PutPermission{
      {.user = "guest", .vhost = "/", .configure = ".*", .write = "^(orders|events)\\.", .read = ""}});
  for (auto step : state) {
    (void)step;
    benchmark::DoNotOptimize(topology->authorize("guest", "/", Access::write, "orders.new").has_value());
  }
}
BENCHMARK(authorize);

}  // namespace
