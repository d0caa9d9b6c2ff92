#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "unit/broker/sample_changes.h"
#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

std::vector<std::byte> durable_bytes(const Topology& topology) {
  std::vector<Change> state;
  topology.durable_state(state);
  return encoded(state);
}

// Of what comes back from the state as snapshots hold it.
std::vector<std::byte> durable_bytes_of_snapshot(const Topology& topology) {
  std::vector<std::byte> snapshot;
  topology.encode_durable_state(snapshot);
  const auto changes = decode_changes(snapshot);
  Topology copy;
  if (changes) {
    for (const Change& change : *changes) copy.apply(change);
  }
  return durable_bytes(copy);
}

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : rng_(seed) {}

  Request request() {
    switch (rng_.below(16)) {
      case 0:
        return DeclareExchange{.vhost = vhost(),
                               .name = name("x"),
                               .type = type(),
                               .durable = flag(),
                               .auto_delete = flag(),
                               .internal = false,
                               .arguments = arguments()};
      case 1: return DeleteExchange{vhost(), name("x"), flag()};
      case 2:
      case 3:
        return DeclareQueue{.vhost = vhost(),
                            .name = name("q"),
                            .durable = flag(),
                            .exclusive = rng_.chance(1, 4),
                            .auto_delete = flag(),
                            .arguments = {}};
      case 4: return DeleteQueue{vhost(), name("q")};
      case 5:
      case 6:
      case 7: return Bind{binding()};
      case 8: return Unbind{binding()};
      case 9: return PutUserRequest{{.name = name("u"), .password_hash = name("hash"), .tags = {}}};
      case 10:
        return rng_.chance(1, 3) ? Request(DeleteUser{name("u")})
                                 : Request(EndSession{SessionId{1 + rng_.below(3)}});
      case 11:
        return PutPermissionRequest{
            {.user = name("u"), .vhost = vhost(), .configure = name("c"), .write = ".*", .read = ""}};
      case 12: return DeletePermission{name("u"), vhost()};
      case 13: return setting();
      case 14: return taken_back();
      default:
        if (rng_.chance(9, 10)) return AutoDeleteQueue{QueueId{static_cast<std::uint32_t>(rng_.below(400))}};
        return flag() ? Request(PutVhostRequest{{.name = vhost(), .description = name("d")}})
                      : Request(DeleteVhost{"v"});
    }
  }
  Request setting() {
    switch (rng_.below(4)) {
      case 0:
        return PutPolicyRequest{{.vhost = vhost(),
                                 .name = name("p"),
                                 .of_operator = flag(),
                                 .pattern = name("q"),
                                 .priority = static_cast<std::int64_t>(rng_.below(3)),
                                 .definition = one_field("max-length", Value{std::int64_t{3}})}};
      case 1: return PutLimitRequest{{LimitOf::vhost, vhost(), "max-queues", 3}};
      case 2: return PutParameterRequest{{"c", vhost(), name("m"), Value{name("v")}}};
      default: return PutTopicPermissionRequest{{name("u"), vhost(), name("x"), "", ".*"}};
    }
  }
  Request taken_back() {
    switch (rng_.below(4)) {
      case 0: return DeletePolicy{vhost(), name("p"), flag()};
      case 1: return DeleteLimit{LimitOf::vhost, vhost(), "max-queues"};
      case 2: return DeleteParameter{"c", vhost(), name("m")};
      default: return DeleteTopicPermission{name("u"), vhost(), ""};
    }
  }
  std::uint64_t session() { return 1 + rng_.below(3); }

 private:
  bool flag() { return rng_.chance(1, 2); }
  std::string vhost() { return rng_.chance(3, 4) ? "/" : "v"; }
  std::string name(std::string prefix) { return prefix + std::to_string(rng_.below(5)); }
  std::string type() {
    static const Names types{"direct", "fanout", "topic", "headers", "x-recent-history"};
    return types[rng_.below(types.size())];
  }
  Table arguments() {
    return flag() ? Table{} : one_field("a", Value{static_cast<std::int32_t>(rng_.below(2))});
  }
  BindingDefinition binding() {
    const bool to_queue = rng_.chance(2, 3);
    return {.vhost = vhost(),
            .source = flag() ? name("x") : "amq.topic",
            .kind = to_queue ? DestinationKind::queue : DestinationKind::exchange,
            .destination = name(to_queue ? "q" : "x"),
            .routing_key = name("k"),
            .arguments = arguments()};
  }
  Rng rng_;
};

// What a server logs and reads back is what a snapshot of it holds, and both are the durable part of what it had.
TEST(DurableState, is_what_the_log_gives_and_what_a_snapshot_gives) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Chance chance(seed);
    SmallNode node;
    Topology replayed;
    std::vector<std::byte> log;
    std::vector<Change> first;
    new_vhost_changes("/", first);
    for (const Change& change : first) encode_change(change, log);

    for (int step = 0; step < 400; ++step) {
      const Request request = chance.request();
      const auto decision =
          decide(node.topology, {"guest", SessionId{chance.session()}}, request, {4, seed * 1'000 + step});
      if (!decision) continue;
      bool logged = false;
      for (const Change& change : decision->changes) {
        if (!is_durable(change, node.topology)) continue;
        logged = true;
        encode_change(change, log);
      }
      ASSERT_EQ(logged, decision->durable);
      for (const Change& change : decision->changes) node.topology.apply(change);
    }

    const auto changes = decode_changes(log);
    ASSERT_TRUE(changes.has_value()) << changes.error().message;
    for (const Change& change : *changes) replayed.apply(change);
    ASSERT_TRUE(durable_bytes(replayed) == durable_bytes(node.topology)) << "seed " << seed;

    Topology restored;
    std::vector<Change> snapshot;
    node.topology.durable_state(snapshot);
    for (const Change& change : snapshot) restored.apply(change);
    ASSERT_TRUE(durable_bytes(restored) == durable_bytes(node.topology)) << "seed " << seed;
    ASSERT_TRUE(durable_bytes_of_snapshot(node.topology) == durable_bytes(node.topology)) << "seed " << seed;
    for (const VhostDefinition* vhost : restored.vhosts()) {
      for (const QueueDefinition* queue : restored.queues(vhost->name))
        ASSERT_TRUE(queue->durable && !queue->exclusive);
      for (const ExchangeDefinition* exchange : restored.exchanges(vhost->name))
        ASSERT_TRUE(exchange->durable);
    }
  }
}

TEST(DurableState, holds_what_lasts_and_nothing_else) {
  SmallNode node;
  node.queue("durable", true);
  node.queue("transient");
  node.run(DeclareQueue{.vhost = "/", .name = "mine", .durable = true, .exclusive = true, .arguments = {}});
  node.exchange("x");
  for (const char* queue : {"durable", "transient", "mine"}) {
    node.bind("amq.direct", queue);
    node.bind("x", queue);
  }
  std::vector<Change> state;
  node.topology.durable_state(state);
  Topology restored;
  for (const Change& change : state) restored.apply(change);
  ASSERT_EQ(restored.queues("/").size(), 1U);
  EXPECT_EQ(*restored.queues("/")[0], *node.topology.find_queue("/", "durable"));
  EXPECT_EQ(restored.exchanges("/").size(), 7U);
  EXPECT_EQ(restored.bindings("/"), std::vector{SmallNode::binding("amq.direct", "durable")});
}

TEST(DurableState, everything_applied_twice_is_the_same) {
  SmallNode node;
  node.queue("q", true);
  node.bind("amq.topic", "q", "a.#");
  std::vector<Change> state;
  node.topology.durable_state(state);
  Topology restored;
  for (int i = 0; i < 2; ++i) {
    for (const Change& change : state) restored.apply(change);
  }
  EXPECT_TRUE(durable_bytes(restored) == durable_bytes(node.topology));
}

// Routing by all ways at once, against a plain walk over the listed bindings.
TEST(Routing, agrees_with_the_listed_bindings_while_definitions_come_and_go) {
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    Chance chance(seed);
    SmallNode node;
    for (int step = 0; step < 300; ++step) {
      const auto decision =
          decide(node.topology, {"guest", SessionId{chance.session()}}, chance.request(), {4, seed + step});
      if (!decision) continue;
      for (const Change& change : decision->changes) node.topology.apply(change);

      Names seen{"amq.topic"}, expected;
      for (std::size_t i = 0; i < seen.size(); ++i) {
        const ExchangeDefinition* exchange = node.topology.find_exchange("/", seen[i]);
        if (exchange->type == ExchangeType::recent_history)
          expected.push_back(exchange->name);  // its own queue
        for (const BindingDefinition& binding : node.topology.bindings_from("/", seen[i])) {
          const bool matches = exchange->type == ExchangeType::fanout ||
                               exchange->type == ExchangeType::recent_history ||
                               (exchange->type == ExchangeType::headers ? binding.arguments.empty()
                                                                        : binding.routing_key == "k1");
          Names& into = binding.kind == DestinationKind::queue ? expected : seen;
          if (matches && std::find(into.begin(), into.end(), binding.destination) == into.end()) {
            into.push_back(binding.destination);
          }
        }
      }
      std::sort(expected.begin(), expected.end());
      ASSERT_EQ(node.route("amq.topic", "k1"), expected) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace weir::broker
