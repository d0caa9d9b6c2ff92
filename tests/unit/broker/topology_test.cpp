#include "broker/topology.h"

#include <gtest/gtest.h>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

PutQueue put_queue(const std::string& name, std::uint32_t id, bool durable = true) {
  return {{.vhost = "/",
           .name = name,
           .id = QueueId{id},
           .shard = {},
           .durable = durable,
           .owner = {},
           .arguments = {}}};
}

TEST(Topology, of_nothing_answers_every_question) {
  const Topology topology;
  EXPECT_EQ(topology.find_vhost("/"), nullptr);
  EXPECT_EQ(topology.find_exchange("/", "x"), nullptr);
  EXPECT_EQ(topology.find_queue("/", "q"), nullptr);
  EXPECT_EQ(topology.find_queue(QueueId{1}), nullptr);
  EXPECT_EQ(topology.find_user("u"), nullptr);
  EXPECT_FALSE(topology.has_binding({}));
  EXPECT_TRUE(topology.vhosts().empty());
  EXPECT_TRUE(topology.exchanges("/").empty());
  EXPECT_TRUE(topology.queues("/").empty());
  EXPECT_TRUE(topology.bindings("/").empty());
  EXPECT_TRUE(topology.bindings_from("/", "x").empty());
  EXPECT_TRUE(topology.bindings_to("/", DestinationKind::queue, "q").empty());
  EXPECT_TRUE(topology.sources_of("/", DestinationKind::queue, "q").empty());
  EXPECT_TRUE(topology.users().empty());
  EXPECT_TRUE(topology.permissions().empty());
  EXPECT_TRUE(topology.queues_owned_by(SessionId{1}).empty());
  EXPECT_EQ(topology.count_bindings_from("/", "x"), 0U);
  std::vector<Change> state;
  topology.durable_state(state);
  EXPECT_TRUE(state.empty());
}

TEST(Topology, a_new_vhost_has_the_predeclared_exchanges) {
  const SmallNode node;
  std::vector<std::string> names;
  for (const ExchangeDefinition* exchange : node.topology.exchanges("/")) {
    names.push_back(exchange->name + ":" + std::string(to_string(exchange->type)));
    EXPECT_TRUE(exchange->durable);
    EXPECT_FALSE(exchange->auto_delete);
  }
  EXPECT_EQ(names, (Names{":direct", "amq.direct:direct", "amq.fanout:fanout", "amq.headers:headers",
                          "amq.match:headers", "amq.rabbitmq.trace:topic", "amq.topic:topic"}));
}

TEST(Topology, the_version_grows_with_every_change) {
  SmallNode node;
  const std::uint64_t before = node.topology.version();
  node.topology.apply(put_queue("q", 1));
  EXPECT_EQ(node.topology.version(), before + 1);
  node.topology.apply(RemoveVhost{"nowhere"});
  EXPECT_EQ(node.topology.version(), before + 2);
}

TEST(Topology, changes_that_make_no_sense_change_nothing) {
  SmallNode node;
  node.queue("q");
  node.run(PutUserRequest{{.name = "ann", .password_hash = {}, .tags = {}}});
  const auto id = node.topology.find_queue("/", "q")->id;
  const std::vector<Change> senseless{
      RemoveVhost{"nowhere"},
      PutExchange{{.vhost = "nowhere", .name = "x", .arguments = {}}},
      RemoveExchange{"/", "nope"},
      RemoveExchange{"nowhere", "nope"},
      PutQueue{
          {.vhost = "nowhere", .name = "q2", .id = QueueId{900}, .shard = {}, .owner = {}, .arguments = {}}},
      put_queue("other", id.value),
      RemoveQueue{"/", "nope", QueueId{1}},
      RemoveQueue{"/", "q", QueueId{id.value + 1}},
      RemoveQueue{"nowhere", "q", id},
      PutBinding{SmallNode::binding("amq.direct", "nope")},
      PutBinding{SmallNode::binding("nope", "q")},
      PutBinding{SmallNode::binding("", "q", "q")},
      PutBinding{SmallNode::exchange_binding("amq.direct", "nope")},
      RemoveBinding{SmallNode::binding("amq.direct", "q")},
      RemoveBinding{SmallNode::binding("nope", "q")},
      RemoveUser{"nobody"},
      PutPermission{{.user = "nobody", .vhost = "/", .configure = {}, .write = {}, .read = {}}},
      PutPermission{{.user = "ann", .vhost = "nowhere", .configure = {}, .write = {}, .read = {}}},
      RemovePermission{"ann", "/"},
      RemovePermission{"nobody", "/"},
      SetNextQueueId{QueueId{1}},
  };
  for (const Change& change : senseless) node.topology.apply(change);
  EXPECT_EQ(node.topology.vhosts().size(), 1U);
  EXPECT_EQ(node.topology.exchanges("/").size(), 7U);
  EXPECT_EQ(node.topology.queues("/").size(), 1U);
  EXPECT_TRUE(node.topology.bindings("/").empty());
  EXPECT_EQ(node.topology.users().size(), 1U);
  EXPECT_TRUE(node.topology.permissions().empty());
  EXPECT_EQ(node.topology.find_queue(id)->name, "q");
}

TEST(Topology, lists_everything_in_order_of_name) {
  SmallNode node;
  for (const char* name : {"c", "a", "b"}) {
    node.queue(name);
    node.exchange(name);
    node.run(PutUserRequest{{.name = name, .password_hash = {}, .tags = {}}});
    node.run(PutVhostRequest{{.name = name, .description = {}}});
  }
  Names queues, vhosts, users;
  for (const auto* queue : node.topology.queues("/")) queues.push_back(queue->name);
  for (const auto* vhost : node.topology.vhosts()) vhosts.push_back(vhost->name);
  for (const auto* user : node.topology.users()) users.push_back(user->name);
  EXPECT_EQ(queues, (Names{"a", "b", "c"}));
  EXPECT_EQ(vhosts, (Names{"/", "a", "b", "c"}));
  EXPECT_EQ(users, (Names{"a", "b", "c"}));
}

TEST(Topology, lists_bindings_from_both_ends) {
  SmallNode node;
  node.queue("q");
  node.queue("r");
  node.exchange("x");
  node.bind("amq.direct", "q", "2");
  node.bind("amq.direct", "q", "1");
  node.bind("amq.fanout", "q");
  node.bind("amq.fanout", "r");
  node.bind_exchange("amq.fanout", "x");
  EXPECT_EQ(node.topology.bindings("/").size(), 5U);
  const auto to_q = node.topology.bindings_to("/", DestinationKind::queue, "q");
  EXPECT_EQ(to_q,
            (std::vector{SmallNode::binding("amq.direct", "q", "1"),
                         SmallNode::binding("amq.direct", "q", "2"), SmallNode::binding("amq.fanout", "q")}));
  const auto from_fanout = node.topology.bindings_from("/", "amq.fanout");
  EXPECT_EQ(from_fanout,
            (std::vector{SmallNode::binding("amq.fanout", "q"), SmallNode::binding("amq.fanout", "r"),
                         SmallNode::exchange_binding("amq.fanout", "x")}));
  EXPECT_EQ(node.topology.sources_of("/", DestinationKind::queue, "q"),
            (std::vector<std::pair<std::string, std::size_t>>{{"amq.direct", 2}, {"amq.fanout", 1}}));
  EXPECT_EQ(node.topology.count_bindings_from("/", "amq.fanout"), 3U);
}

TEST(Topology, a_binding_is_its_ends_its_key_and_its_arguments) {
  SmallNode node;
  node.queue("q");
  Table one, other;
  one.set("a", text("1"));
  one.set("b", text("2"));
  other.set("b", text("2"));
  other.set("a", text("1"));
  node.bind("amq.topic", "q", "k");
  node.bind("amq.topic", "q", "k", one);
  node.bind("amq.topic", "q", "k", one_field("a", text("2")));
  EXPECT_EQ(node.topology.bindings("/").size(), 3U);
  node.bind("amq.topic", "q", "k", other);
  EXPECT_EQ(node.topology.bindings("/").size(), 3U);
  EXPECT_TRUE(node.topology.has_binding(SmallNode::binding("amq.topic", "q", "k", other)));
  node.run(Unbind{SmallNode::binding("amq.topic", "q", "k", other)});
  EXPECT_EQ(node.topology.bindings("/").size(), 2U);
  EXPECT_FALSE(node.topology.has_binding(SmallNode::binding("amq.topic", "q", "k", one)));
}

TEST(Topology, removing_a_queue_takes_its_bindings_and_no_others) {
  SmallNode node;
  for (const char* name : {"q", "r"}) {
    node.queue(name);
    for (const char* exchange : {"amq.direct", "amq.fanout", "amq.topic", "amq.headers"}) {
      node.bind(exchange, name, "k");
      node.bind(exchange, name, "l");
    }
  }
  node.run(DeleteQueue{"/", "q"});
  EXPECT_EQ(node.topology.bindings("/").size(), 8U);
  for (const char* exchange : {"amq.direct", "amq.fanout", "amq.topic", "amq.headers"}) {
    EXPECT_EQ(node.route(exchange, "k"), Names{"r"}) << exchange;
  }
  EXPECT_EQ(node.route("", "q"), Names{});
}

TEST(Topology, removing_an_exchange_takes_its_bindings_both_ways) {
  SmallNode node;
  node.queue("q");
  node.exchange("x", "fanout");
  node.bind("x", "q");
  node.bind_exchange("x", "x");
  node.bind_exchange("amq.fanout", "x");
  node.bind_exchange("x", "amq.topic", "k");
  EXPECT_EQ(node.route("amq.fanout", ""), Names{"q"});
  node.run(DeleteExchange{"/", "x"});
  EXPECT_TRUE(node.topology.bindings("/").empty());
  EXPECT_TRUE(node.topology.bindings_to("/", DestinationKind::queue, "q").empty());
  EXPECT_TRUE(node.topology.bindings_to("/", DestinationKind::exchange, "amq.topic").empty());
  EXPECT_EQ(node.route("amq.fanout", ""), Names{});
}

TEST(Topology, removing_a_vhost_takes_everything_in_it) {
  SmallNode node;
  node.run(PutVhostRequest{{.name = "v", .description = {}}});
  const auto declared = node.run(DeclareQueue{.vhost = "v", .name = "q", .exclusive = true, .arguments = {}});
  node.run(
      Bind{{.vhost = "v", .source = "amq.topic", .destination = "q", .routing_key = "#", .arguments = {}}});
  ASSERT_EQ(node.topology.queues_owned_by(SessionId{1}).size(), 1U);
  node.run(DeleteVhost{"v"});
  EXPECT_EQ(node.topology.find_vhost("v"), nullptr);
  EXPECT_EQ(node.topology.find_queue(declared->queue), nullptr);
  EXPECT_TRUE(node.topology.queues_owned_by(SessionId{1}).empty());
}

TEST(Topology, putting_a_queue_again_with_its_id_keeps_its_bindings) {
  SmallNode node;
  node.topology.apply(put_queue("q", 5));
  node.bind("amq.direct", "q", "k");
  PutQueue again = put_queue("q", 5);
  again.queue.shard = ShardId{2};
  node.topology.apply(again);
  EXPECT_EQ(node.topology.find_queue(QueueId{5})->shard, ShardId{2});
  EXPECT_EQ(node.route("amq.direct", "k"), Names{"q"});
}

TEST(Topology, putting_a_queue_with_another_id_is_another_queue) {
  SmallNode node;
  node.topology.apply(put_queue("q", 5));
  node.bind("amq.direct", "q", "k");
  node.topology.apply(put_queue("q", 6));
  EXPECT_EQ(node.topology.find_queue(QueueId{5}), nullptr);
  EXPECT_EQ(node.topology.find_queue(QueueId{6})->name, "q");
  EXPECT_EQ(node.route("amq.direct", "k"), Names{});
}

TEST(Topology, putting_an_exchange_again_keeps_its_bindings_unless_its_type_changes) {
  SmallNode node;
  node.queue("q");
  node.exchange("x");
  node.bind("x", "q", "k");
  ExchangeDefinition definition = *node.topology.find_exchange("/", "x");
  definition.arguments = one_field("alternate-exchange", text("amq.fanout"));
  node.topology.apply(PutExchange{definition});
  EXPECT_EQ(node.route("x", "k"), Names{"q"});
  node.bind("amq.fanout", "q");
  EXPECT_EQ(node.route("x", "other"), Names{"q"});
  definition.type = ExchangeType::fanout;
  definition.arguments = {};
  node.topology.apply(PutExchange{definition});
  EXPECT_EQ(node.route("x", "k"), Names{});
}

TEST(Topology, putting_a_vhost_again_changes_its_description_only) {
  SmallNode node;
  node.queue("q");
  node.topology.apply(PutVhost{{.name = "/", .description = "new"}});
  EXPECT_EQ(node.topology.find_vhost("/")->description, "new");
  EXPECT_NE(node.topology.find_queue("/", "q"), nullptr);
}

TEST(Topology, knows_which_queues_a_session_owns) {
  SmallNode node;
  for (const char* name : {"b", "a"}) {
    node.run(DeclareQueue{.vhost = "/", .name = name, .exclusive = true, .arguments = {}}, 7);
  }
  node.queue("shared");
  ASSERT_EQ(node.topology.queues_owned_by(SessionId{7}).size(), 2U);
  EXPECT_EQ(node.topology.queues_owned_by(SessionId{7})[0]->name, "a");
  node.run(DeleteQueue{"/", "a"}, 7);
  EXPECT_EQ(node.topology.queues_owned_by(SessionId{7}).size(), 1U);
  EXPECT_TRUE(node.topology.queues_owned_by(SessionId{8}).empty());
}

}  // namespace
}  // namespace weir::broker
