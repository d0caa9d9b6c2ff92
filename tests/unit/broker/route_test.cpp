#include <gtest/gtest.h>

#include "base/limits.h"
#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

TEST(Route, the_default_exchange_leads_to_the_queue_of_that_name) {
  SmallNode node;
  node.queue("work");
  EXPECT_EQ(node.route("", "work"), Names{"work"});
  EXPECT_EQ(node.route("", "other"), Names{});
}

TEST(Route, tells_the_queue_its_shard_and_whether_it_lasts) {
  SmallNode node;
  const auto durable = node.queue("durable", true);
  const auto transient = node.queue("transient");
  ASSERT_TRUE(durable && transient);
  FixedHeaders headers;
  std::vector<Target> targets;
  ASSERT_TRUE(node.topology.route("/", "", "durable", headers, true, targets).has_value());
  ASSERT_TRUE(node.topology.route("/", "", "transient", headers, true, targets).has_value());
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].queue, durable->queue);
  EXPECT_EQ(targets[0].shard, durable->queue_shard);
  EXPECT_TRUE(targets[0].durable);
  EXPECT_EQ(targets[1].queue, transient->queue);
  EXPECT_FALSE(targets[1].durable);
}

TEST(Route, a_direct_exchange_leads_by_the_exact_key) {
  SmallNode node;
  for (const char* name : {"one", "two", "three"}) node.queue(name);
  node.exchange("x");
  node.bind("x", "one", "a");
  node.bind("x", "two", "a");
  node.bind("x", "three", "b");
  EXPECT_EQ(node.route("x", "a"), (Names{"one", "two"}));
  EXPECT_EQ(node.route("x", "b"), Names{"three"});
  EXPECT_EQ(node.route("x", "c"), Names{});
}

TEST(Route, a_direct_exchange_forgets_bindings_from_any_place_in_their_chain) {
  for (std::size_t gone = 0; gone < 3; ++gone) {
    SmallNode node;
    Names expected{"q0", "q1", "q2"};
    for (const auto& name : expected) {
      node.queue(name);
      node.bind("amq.direct", name, "k");
    }
    node.run(Unbind{SmallNode::binding("amq.direct", expected[gone], "k")});
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(gone));
    EXPECT_EQ(node.route("amq.direct", "k"), expected);
  }
}

TEST(Route, a_fanout_exchange_leads_everywhere) {
  SmallNode node;
  node.queue("one");
  node.queue("two");
  node.bind("amq.fanout", "one", "ignored");
  node.bind("amq.fanout", "two");
  EXPECT_EQ(node.route("amq.fanout", "any"), (Names{"one", "two"}));
}

TEST(Route, a_topic_exchange_leads_by_pattern) {
  SmallNode node;
  node.queue("one");
  node.queue("two");
  node.bind("amq.topic", "one", "a.*");
  node.bind("amq.topic", "two", "#");
  EXPECT_EQ(node.route("amq.topic", "a.b"), (Names{"one", "two"}));
  EXPECT_EQ(node.route("amq.topic", "b.a"), Names{"two"});
}

TEST(Route, a_headers_exchange_leads_by_headers) {
  SmallNode node;
  node.queue("one");
  node.bind("amq.headers", "one", "", one_field("kind", text("audit")));
  EXPECT_EQ(node.route("amq.headers", "", one_field("kind", text("audit"))), Names{"one"});
  EXPECT_EQ(node.route("amq.headers", "", one_field("kind", text("other"))), Names{});
}

TEST(Route, asks_for_headers_only_where_a_headers_exchange_with_bindings_is_on_the_way) {
  SmallNode node;
  node.queue("one");
  node.bind("amq.fanout", "one");
  FixedHeaders headers;
  std::vector<Target> targets;
  (void)node.topology.route("/", "amq.fanout", "", headers, true, targets);
  (void)node.topology.route("/", "amq.headers", "", headers, true, targets);
  EXPECT_EQ(headers.asked, 0);
  node.bind("amq.headers", "one", "", one_field("x-match", text("any")));
  (void)node.topology.route("/", "amq.headers", "", headers, true, targets);
  EXPECT_EQ(headers.asked, 1);
}

TEST(Route, reaches_a_queue_once_however_many_bindings_lead_to_it) {
  SmallNode node;
  node.queue("one");
  node.bind("amq.topic", "one", "a.#");
  node.bind("amq.topic", "one", "#.b");
  node.bind("amq.topic", "one", "#", one_field("x", text("y")));
  EXPECT_EQ(node.route("amq.topic", "a.b"), Names{"one"});
}

TEST(Route, follows_bindings_to_exchanges_and_ends_in_cycles) {
  SmallNode node;
  for (const char* name : {"a", "b", "c"}) node.exchange(name, "fanout");
  for (const char* name : {"qa", "qb", "qc"}) node.queue(name);
  node.bind("a", "qa");
  node.bind("b", "qb");
  node.bind("c", "qc");
  node.bind_exchange("a", "b");
  node.bind_exchange("b", "c");
  node.bind_exchange("c", "a");
  node.bind_exchange("a", "a");
  EXPECT_EQ(node.route("a", ""), (Names{"qa", "qb", "qc"}));
  EXPECT_EQ(node.route("c", ""), (Names{"qa", "qb", "qc"}));
}

TEST(Route, keeps_the_routing_key_on_the_way_through_exchanges) {
  SmallNode node;
  node.queue("one");
  node.exchange("first", "topic");
  node.exchange("second");
  node.bind_exchange("first", "second", "a.#");
  node.bind("second", "one", "a.b");
  EXPECT_EQ(node.route("first", "a.b"), Names{"one"});
  EXPECT_EQ(node.route("first", "a.c"), Names{});
}

TEST(Route, goes_through_an_internal_exchange_but_no_client_publishes_to_one) {
  SmallNode node;
  node.queue("one");
  node.run(
      DeclareExchange{.vhost = "/", .name = "inner", .type = "fanout", .internal = true, .arguments = {}});
  node.bind("inner", "one");
  node.bind_exchange("amq.fanout", "inner");
  EXPECT_EQ(node.route("amq.fanout", ""), Names{"one"});
  EXPECT_EQ(node.route("inner", ""),
            Names{"error: cannot publish to internal exchange 'inner' in vhost '/'"});
  FixedHeaders headers;
  std::vector<Target> targets;
  EXPECT_TRUE(node.topology.route("/", "inner", "", headers, false, targets).has_value());
  EXPECT_EQ(targets.size(), 1U);
}

struct WithAlternate : SmallNode {
  explicit WithAlternate(const std::string& alternate) {
    run(DeclareExchange{.vhost = "/",
                        .name = "main",
                        .type = "direct",
                        .arguments = one_field("alternate-exchange", text(alternate))});
    queue("wanted");
    queue("rest");
    bind("main", "wanted", "known");
    bind("amq.fanout", "rest");
  }
};

TEST(Route, what_no_binding_takes_goes_to_the_alternate_exchange) {
  WithAlternate node("amq.fanout");
  EXPECT_EQ(node.route("main", "known"), Names{"wanted"});
  EXPECT_EQ(node.route("main", "unknown"), Names{"rest"});
}

TEST(Route, an_alternate_exchange_that_is_not_there_takes_nothing) {
  WithAlternate node("missing");
  EXPECT_EQ(node.route("main", "unknown"), Names{});
}

TEST(Route, the_default_exchange_can_be_the_alternate) {
  WithAlternate node("");
  EXPECT_EQ(node.route("main", "rest"), Names{"rest"});
}

TEST(Route, an_exchange_that_is_its_own_alternate_ends) {
  WithAlternate node("main");
  EXPECT_EQ(node.route("main", "unknown"), Names{});
}

TEST(Route, alternates_are_taken_on_the_way_too) {
  WithAlternate node("amq.fanout");
  node.exchange("entry", "fanout");
  node.bind_exchange("entry", "main");
  EXPECT_EQ(node.route("entry", "unknown"), Names{"rest"});
}

TEST(Route, to_an_exchange_or_vhost_that_is_not_there_is_an_error) {
  SmallNode node;
  EXPECT_EQ(node.route("nope", "k"), Names{"error: no exchange 'nope' in vhost '/'"});
  FixedHeaders headers;
  std::vector<Target> targets;
  const Status status = node.topology.route("elsewhere", "x", "k", headers, true, targets);
  EXPECT_EQ(error_of(status), "not found: no exchange 'x' in vhost 'elsewhere'");
}

TEST(Route, appends_to_targets_and_takes_back_only_its_own_when_there_are_too_many) {
  SmallNode node;
  node.queue("first");
  for (std::size_t i = 0; i <= limits::fan_out_max; ++i) {
    const std::string name = "q" + std::to_string(i);
    node.topology.apply(PutQueue{{.vhost = "/",
                                  .name = name,
                                  .id = QueueId{static_cast<std::uint32_t>(i + 1'000'000)},
                                  .shard = {},
                                  .owner = {},
                                  .arguments = {}}});
    node.topology.apply(PutBinding{SmallNode::binding("amq.fanout", name)});
  }
  FixedHeaders headers;
  std::vector<Target> targets;
  ASSERT_TRUE(node.topology.route("/", "", "first", headers, true, targets).has_value());
  const Status status = node.topology.route("/", "amq.fanout", "", headers, true, targets);
  EXPECT_EQ(error_of(status),
            "limit exceeded: a message to exchange 'amq.fanout' in vhost '/' reaches more than 65536 queues");
  EXPECT_EQ(targets.size(), 1U);
  node.topology.apply(RemoveBinding{SmallNode::binding("amq.fanout", "q0")});
  ASSERT_TRUE(node.topology.route("/", "amq.fanout", "", headers, true, targets).has_value());
  EXPECT_EQ(targets.size(), limits::fan_out_max + 1);
}

TEST(Route, follows_so_many_exchanges_in_a_row_and_no_more) {
  SmallNode node;
  node.queue("end");
  const auto name = [](std::size_t i) { return "x" + std::to_string(i); };
  for (std::size_t i = 0; i <= limits::exchange_hops_max + 1; ++i) {
    node.exchange(name(i), "fanout");
    if (i > 0) node.bind_exchange(name(i - 1), name(i));
  }
  node.bind(name(limits::exchange_hops_max + 1), "end");
  EXPECT_EQ(node.route("x1", ""), Names{"end"});
  EXPECT_EQ(node.route("x0", ""),
            Names{"error: a message to exchange 'x0' in vhost '/' reaches more than 64 exchanges in a row"});
}

}  // namespace
}  // namespace weir::broker
