#include <gtest/gtest.h>

#include <map>
#include <set>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

const std::string locked_text =
    "resource locked: cannot obtain exclusive access to locked queue 'q' in vhost '/'. It could be "
    "originally declared "
    "on another connection or the exclusive property value does not match that of the original declaration.";

DeclareQueue declare(const std::string& name) { return {.vhost = "/", .name = name, .arguments = {}}; }
DeclareQueue passive(const std::string& name) {
  return {.vhost = "/", .name = name, .passive = true, .arguments = {}};
}
DeclareQueue exclusive(const std::string& name) {
  return {.vhost = "/", .name = name, .exclusive = true, .arguments = {}};
}
DeclareQueue durable(const std::string& name) {
  return {.vhost = "/", .name = name, .durable = true, .arguments = {}};
}

TEST(DeclareQueue, makes_it_as_asked_and_says_where_it_is) {
  SmallNode node;
  DeclareQueue request = durable("q");
  request.auto_delete = true;
  request.arguments = one_field("x-unknown", text("kept"));
  const auto decision = node.run(request);
  ASSERT_TRUE(decision.has_value()) << decision.error().message;
  EXPECT_TRUE(decision->durable);
  const QueueDefinition* made = node.topology.find_queue("/", "q");
  ASSERT_NE(made, nullptr);
  EXPECT_TRUE(made->durable && made->auto_delete);
  EXPECT_FALSE(made->exclusive);
  EXPECT_EQ(made->owner, SessionId{0});
  EXPECT_EQ(made->arguments, request.arguments);
  EXPECT_EQ(decision->queue_name, "q");
  EXPECT_EQ(decision->queue, made->id);
  EXPECT_EQ(decision->queue_shard, made->shard);
  EXPECT_EQ(made->shard, place_queue("/", "q", 4));
  EXPECT_EQ(node.topology.find_queue(made->id), made);
}

TEST(DeclareQueue, again_with_the_same_properties_finds_it) {
  SmallNode node;
  const auto first = node.run(durable("q"));
  const auto again = node.run(durable("q"), 2);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->changes.empty());
  EXPECT_FALSE(again->durable);
  EXPECT_EQ(again->queue, first->queue);
  EXPECT_EQ(again->queue_shard, first->queue_shard);
  EXPECT_EQ(again->queue_name, "q");
}

TEST(DeclareQueue, again_with_other_properties_is_refused) {
  SmallNode node;
  node.run(declare("q"));
  EXPECT_EQ(error_of(node.run(durable("q"))),
            "inequivalent: inequivalent arg 'durable' for queue 'q' in vhost '/': received 'true' but "
            "current is 'false'");
  DeclareQueue request = declare("q");
  request.auto_delete = true;
  EXPECT_EQ(error_of(node.run(request)),
            "inequivalent: inequivalent arg 'auto_delete' for queue 'q' in vhost '/': received 'true' but "
            "current is 'false'");
  EXPECT_EQ(error_of(node.run(exclusive("q"))), locked_text);
}

TEST(DeclareQueue, again_with_other_arguments_is_refused) {
  SmallNode node;
  node.run(durable("q"));
  DeclareQueue request = durable("q");
  request.arguments = one_field("x-message-ttl", Value{std::int32_t{60'000}});
  EXPECT_EQ(error_of(node.run(request)),
            "inequivalent: inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received the value "
            "'60000' of type "
            "'signedint' but current is none");
  request.arguments = one_field("x-queue-type", text("quorum"));
  EXPECT_EQ(error_of(node.run(request)),
            "inequivalent: inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received the value "
            "'quorum' of type "
            "'longstr' but current is none");
  request.arguments = one_field("x-queue-type", text("classic"));
  EXPECT_EQ(error_of(node.run(request)), "");
  request.arguments = one_field("x-unknown", text("y"));
  EXPECT_EQ(error_of(node.run(request)), "");
}

TEST(DeclareQueue, passively_asks_only_whether_it_is_there) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(passive("q"))), "not found: no queue 'q' in vhost '/'");
  const auto made = node.run(durable("q"));
  const auto found = node.run(passive("q"));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->queue, made->queue);
  EXPECT_TRUE(found->changes.empty());
}

TEST(DeclareQueue, in_a_vhost_that_is_not_there_is_refused) {
  SmallNode node;
  DeclareQueue request = declare("q");
  request.vhost = "nowhere";
  EXPECT_EQ(error_of(node.run(request)), "not found: vhost 'nowhere' not found");
}

TEST(DeclareQueue, with_a_reserved_name_is_refused) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(declare("amq.foo"))),
            "access refused: queue name 'amq.foo' contains reserved prefix 'amq.*'");
  EXPECT_EQ(error_of(node.run(declare("amq.foo"), 0)), "");
  EXPECT_EQ(error_of(node.run(passive("amq.foo"))), "");
}

TEST(DeclareQueue, with_a_name_that_can_not_be_stored_is_refused) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(declare(std::string(255, 'q')))), "");
  EXPECT_EQ(error_of(node.run(declare(std::string(256, 'q')))),
            "invalid argument: queue name is longer than 255 bytes");
}

TEST(DeclareQueue, without_a_name_is_given_one) {
  SmallNode node;
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) {
    const auto decision = node.run(declare(""));
    ASSERT_TRUE(decision.has_value());
    const std::string& name = decision->queue_name;
    EXPECT_EQ(name.size(), 30U);
    EXPECT_TRUE(name.starts_with("amq.gen-"));
    EXPECT_EQ(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", 0),
              std::string::npos);
    EXPECT_NE(node.topology.find_queue("/", name), nullptr);
    names.insert(name);
  }
  EXPECT_EQ(names.size(), 100U);
}

TEST(DeclareQueue, without_a_name_avoids_those_that_are_taken) {
  SmallNode node;
  const Request request = declare("");
  const auto first = decide(node.topology, {"guest", SessionId{1}}, request, {1, 99});
  ASSERT_TRUE(first.has_value());
  for (const Change& change : first->changes) node.topology.apply(change);
  const auto second = decide(node.topology, {"guest", SessionId{1}}, request, {1, 99});
  ASSERT_TRUE(second.has_value());
  EXPECT_NE(second->queue_name, first->queue_name);
  EXPECT_NE(second->queue, first->queue);
}

TEST(ExclusiveQueue, is_its_connections_own) {
  SmallNode node;
  ASSERT_TRUE(node.run(exclusive("q"), 7).has_value());
  EXPECT_EQ(node.topology.find_queue("/", "q")->owner, SessionId{7});
  EXPECT_EQ(error_of(node.run(exclusive("q"), 7)), "");
  EXPECT_EQ(error_of(node.run(passive("q"), 7)), "");
  EXPECT_EQ(error_of(node.run(exclusive("q"), 8)), locked_text);
  EXPECT_EQ(error_of(node.run(declare("q"), 8)), locked_text);
  EXPECT_EQ(error_of(node.run(declare("q"), 7)), locked_text);
  EXPECT_EQ(error_of(node.run(passive("q"), 8)), locked_text);
  EXPECT_EQ(error_of(node.run(DeleteQueue{"/", "q"}, 8)), locked_text);
  EXPECT_EQ(error_of(node.run(Bind{SmallNode::binding("amq.fanout", "q")}, 8)), locked_text);
  EXPECT_EQ(error_of(node.run(Bind{SmallNode::binding("amq.fanout", "q")}, 7)), "");
  EXPECT_EQ(error_of(node.run(Unbind{SmallNode::binding("amq.fanout", "q")}, 8)), locked_text);
  EXPECT_EQ(error_of(node.run(passive("q"), 0)), "");
  EXPECT_EQ(error_of(node.run(DeleteQueue{"/", "q"}, 7)), "");
}

TEST(ExclusiveQueue, does_not_last_even_when_it_asks_to) {
  SmallNode node;
  DeclareQueue request = exclusive("q");
  request.durable = true;
  node.run(exclusive("first"));  // the ids of transient queues are reserved once
  const auto decision = node.run(request);
  ASSERT_TRUE(decision.has_value());
  EXPECT_FALSE(decision->durable);
  EXPECT_FALSE(node.topology.find_queue("/", "q")->durable);
  EXPECT_EQ(error_of(node.run(request)), "");
  EXPECT_EQ(error_of(node.run(exclusive("q"))), "");
}

TEST(EndSession, takes_the_exclusive_queues_of_the_connection_and_what_follows) {
  SmallNode node;
  node.run(exclusive("a"), 7);
  node.run(exclusive("b"), 7);
  node.run(exclusive("c"), 8);
  node.run(durable("d"), 7);
  node.exchange("x", "fanout", true);
  node.run(Bind{SmallNode::binding("x", "a")}, 7);
  node.run(Bind{SmallNode::binding("x", "b")}, 7);
  const auto decision = node.run(EndSession{SessionId{7}}, 0);
  ASSERT_TRUE(decision.has_value());
  EXPECT_FALSE(decision->durable);
  EXPECT_EQ(node.topology.find_queue("/", "a"), nullptr);
  EXPECT_EQ(node.topology.find_queue("/", "b"), nullptr);
  EXPECT_NE(node.topology.find_queue("/", "c"), nullptr);
  EXPECT_NE(node.topology.find_queue("/", "d"), nullptr);
  EXPECT_EQ(node.topology.find_exchange("/", "x"), nullptr);
  EXPECT_TRUE(node.run(EndSession{SessionId{7}}, 0)->changes.empty());
}

TEST(DeleteQueue, takes_it_away_and_says_which_it_was) {
  SmallNode node;
  const auto made = node.run(durable("q"));
  const auto decision = node.run(DeleteQueue{"/", "q"});
  ASSERT_TRUE(decision.has_value());
  EXPECT_TRUE(decision->durable);
  EXPECT_EQ(decision->queue, made->queue);
  EXPECT_EQ(decision->queue_shard, made->queue_shard);
  EXPECT_EQ(node.topology.find_queue("/", "q"), nullptr);
}

TEST(DeleteQueue, that_is_not_there_succeeds) {
  SmallNode node;
  const auto decision = node.run(DeleteQueue{"/", "nope"});
  ASSERT_TRUE(decision.has_value());
  EXPECT_TRUE(decision->changes.empty());
  EXPECT_EQ(decision->queue, QueueId{0});
}

TEST(AutoDeleteQueue, goes_if_it_still_is_one) {
  SmallNode node;
  DeclareQueue request = durable("q");
  request.auto_delete = true;
  const auto made = node.run(request);
  const auto kept = node.run(durable("kept"));
  EXPECT_TRUE(node.run(AutoDeleteQueue{kept->queue}, 0)->changes.empty());
  EXPECT_TRUE(node.run(AutoDeleteQueue{QueueId{999'999}}, 0)->changes.empty());
  const auto decision = node.run(AutoDeleteQueue{made->queue}, 0);
  ASSERT_TRUE(decision.has_value());
  EXPECT_TRUE(decision->durable);
  EXPECT_EQ(decision->queue_name, "q");
  EXPECT_EQ(node.topology.find_queue("/", "q"), nullptr);
  EXPECT_NE(node.topology.find_queue("/", "kept"), nullptr);
}

DeclareQueue quorum(const std::string& name) {
  DeclareQueue request = durable(name);
  request.arguments = one_field("x-queue-type", text("quorum"));
  return request;
}

TEST(QuorumQueue, is_durable_shared_and_named) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(quorum("q"))), "");
  DeclareQueue request = quorum("r");
  request.auto_delete = request.exclusive = true;
  request.durable = false;
  EXPECT_EQ(error_of(node.run(request)),
            "precondition failed: invalid property 'auto-delete' for queue 'r' in vhost '/'");
  request.auto_delete = false;
  EXPECT_EQ(error_of(node.run(request)),
            "precondition failed: invalid property 'exclusive-owner' for queue 'r' in vhost '/'");
  request.exclusive = false;
  EXPECT_EQ(error_of(node.run(request)),
            "precondition failed: invalid property 'non-durable' for queue 'r' in vhost '/'");
  EXPECT_EQ(error_of(node.run(quorum(""))),
            "precondition failed: Cannot declare a server-named queue for type rabbit_quorum_queue");
}

TEST(QuorumQueue, is_not_found_by_a_declaration_without_type) {
  SmallNode node;
  node.run(quorum("q"));
  EXPECT_EQ(error_of(node.run(durable("q"))),
            "inequivalent: inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received none but "
            "current is the "
            "value 'quorum' of type 'longstr'");
  DeclareQueue request = durable("q");
  request.arguments = one_field("x-queue-type", text("classic"));
  EXPECT_EQ(error_of(node.run(request)),
            "inequivalent: inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received 'classic' "
            "but current is "
            "'quorum'");
}

// --- ids ---

std::vector<Change> durable_changes(const Decision& decision, const Topology& topology) {
  std::vector<Change> logged;
  for (const Change& change : decision.changes) {
    if (is_durable(change, topology)) logged.push_back(change);
  }
  return logged;
}

TEST(QueueIds, are_never_given_twice_whatever_is_deleted) {
  SmallNode node;
  std::set<QueueId> ids;
  for (int i = 0; i < 3'000; ++i) {
    DeclareQueue request = i % 3 == 0 ? durable("d") : i % 3 == 1 ? exclusive("e") : declare("t");
    request.name += std::to_string(i % 50);
    const auto made = node.run(request);
    ASSERT_TRUE(made.has_value());
    ASSERT_TRUE(ids.insert(made->queue).second) << made->queue.value;
    node.run(DeleteQueue{"/", request.name});
  }
}

TEST(QueueIds, are_not_given_again_after_a_restart_not_even_those_of_transient_queues) {
  std::set<QueueId> ids;
  std::vector<Change> log;
  for (int restart = 0; restart < 5; ++restart) {
    SmallNode node;
    for (const Change& change : log) node.topology.apply(change);
    for (int i = 0; i < 1'500; ++i) {
      DeclareQueue request = i % 2 == 0 ? exclusive("e") : durable("d");
      request.name += std::to_string(i) + "-" + std::to_string(restart);
      const auto made = decide(node.topology, {"guest", SessionId{1}}, request, {1, 1});
      ASSERT_TRUE(made.has_value());
      ASSERT_TRUE(ids.insert(made->queue).second) << made->queue.value;
      for (const Change& change : durable_changes(*made, node.topology)) log.push_back(change);
      for (const Change& change : made->changes) node.topology.apply(change);
    }
  }
}

TEST(QueueIds, declaring_transient_queues_is_logged_once_for_many) {
  SmallNode node;
  int logged = 0;
  for (int i = 0; i < 2'000; ++i) logged += node.run(exclusive("e" + std::to_string(i)))->durable ? 1 : 0;
  EXPECT_EQ(logged, 2);
}

TEST(QueueIds, of_declarations_that_touch_different_names_differ_though_neither_is_applied) {
  const SmallNode node;
  std::map<QueueId, std::vector<std::string>> by_id;
  for (int i = 0; i < 500; ++i) {
    DeclareQueue request = i % 2 == 0 ? durable("d") : declare("t");
    request.name += std::to_string(i);
    std::vector<std::string> names;
    touched_names(node.topology, request, names);
    const auto made = decide(node.topology, {"guest", SessionId{1}}, request, {1, 1});
    ASSERT_TRUE(made.has_value());
    const auto [known, is_new] = by_id.try_emplace(made->queue, names);
    if (is_new) continue;
    const bool share = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return std::find(known->second.begin(), known->second.end(), name) != known->second.end();
    });
    EXPECT_TRUE(share) << request.name;
  }
}

TEST(PlaceQueue, spreads_queues_over_the_shards_and_stays_put) {
  EXPECT_EQ(place_queue("/", "orders", 1), ShardId{0});
  EXPECT_EQ(place_queue("/", "orders", 0), ShardId{0});
  std::vector<int> counts(8);
  for (int i = 0; i < 8'000; ++i) ++counts[place_queue("/", "q" + std::to_string(i), 8).value];
  for (const int count : counts) {
    EXPECT_GT(count, 800);
    EXPECT_LT(count, 1'200);
  }
  // On disk: these never change.
  EXPECT_EQ(place_queue("/", "orders", 64), ShardId{4});
  EXPECT_EQ(place_queue("/", "invoices", 64), ShardId{20});
}

}  // namespace
}  // namespace weir::broker
