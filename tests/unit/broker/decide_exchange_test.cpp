#include <gtest/gtest.h>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

DeclareExchange declare(const std::string& name, const std::string& type = "direct") {
  return {.vhost = "/", .name = name, .type = type, .arguments = {}};
}
DeclareExchange passive(const std::string& name) {
  return {.vhost = "/", .name = name, .type = "", .passive = true, .arguments = {}};
}

TEST(DeclareExchange, makes_it_as_asked) {
  SmallNode node;
  DeclareExchange request = declare("x", "topic");
  request.durable = request.internal = true;
  request.arguments = one_field("alternate-exchange", text("y"));
  const auto decision = node.run(request);
  ASSERT_TRUE(decision.has_value());
  EXPECT_TRUE(decision->durable);
  const ExchangeDefinition* made = node.topology.find_exchange("/", "x");
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->type, ExchangeType::topic);
  EXPECT_TRUE(made->durable && made->internal);
  EXPECT_FALSE(made->auto_delete);
  EXPECT_EQ(made->arguments, request.arguments);
}

TEST(DeclareExchange, that_is_transient_need_not_be_logged) {
  SmallNode node;
  EXPECT_FALSE(node.run(declare("x"))->durable);
}

TEST(DeclareExchange, again_with_the_same_properties_changes_nothing) {
  SmallNode node;
  node.run(declare("x"));
  const auto again = node.run(declare("x"));
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->changes.empty());
  EXPECT_FALSE(again->durable);
}

TEST(DeclareExchange, again_with_other_properties_is_refused_property_by_property) {
  SmallNode node;
  node.run(declare("x"));
  EXPECT_EQ(error_of(node.run(declare("x", "fanout"))),
            "inequivalent: inequivalent arg 'type' for exchange 'x' in vhost '/': received 'fanout' but "
            "current is 'direct'");
  DeclareExchange request = declare("x");
  request.durable = true;
  EXPECT_EQ(error_of(node.run(request)),
            "inequivalent: inequivalent arg 'durable' for exchange 'x' in vhost '/': received 'true' but "
            "current is 'false'");
  request = declare("x");
  request.auto_delete = true;
  EXPECT_EQ(error_of(node.run(request)),
            "inequivalent: inequivalent arg 'auto_delete' for exchange 'x' in vhost '/': received 'true' but "
            "current is 'false'");
  request = declare("x");
  request.internal = true;
  EXPECT_EQ(error_of(node.run(request)),
            "inequivalent: inequivalent arg 'internal' for exchange 'x' in vhost '/': received 'true' but "
            "current is 'false'");
  request = declare("x");
  request.arguments = one_field("alternate-exchange", text("y"));
  EXPECT_EQ(error_of(node.run(request)),
            "inequivalent: inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': received the "
            "value 'y' of "
            "type 'longstr' but current is none");
}

TEST(DeclareExchange, again_with_other_arguments_that_mean_nothing_succeeds) {
  SmallNode node;
  node.run(declare("x"));
  DeclareExchange request = declare("x");
  request.arguments = one_field("x-whatever", text("y"));
  EXPECT_EQ(error_of(node.run(request)), "");
}

TEST(DeclareExchange, of_an_unknown_type_is_refused) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(declare("x", "foo"))), "invalid argument: unknown exchange type 'foo'");
  EXPECT_EQ(error_of(node.run(declare("", "foo"))), "invalid argument: unknown exchange type 'foo'");
}

TEST(DeclareExchange, with_a_reserved_name_is_refused_unless_it_is_there) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(declare("amq.mine"))),
            "access refused: exchange name 'amq.mine' contains reserved prefix 'amq.*'");
  DeclareExchange predeclared = declare("amq.direct");
  predeclared.durable = true;
  EXPECT_EQ(error_of(node.run(predeclared)), "");
  EXPECT_EQ(error_of(node.run(declare("amq.mine"), 0)), "");
}

TEST(DeclareExchange, of_the_default_one_is_refused_passively_too) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(declare(""))),
            "access refused: operation not permitted on the default exchange");
  EXPECT_EQ(error_of(node.run(passive(""))),
            "access refused: operation not permitted on the default exchange");
}

TEST(DeclareExchange, passively_asks_only_whether_it_is_there) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(passive("x"))), "not found: no exchange 'x' in vhost '/'");
  node.run(declare("x", "topic"));
  EXPECT_EQ(error_of(node.run(passive("x"))), "");
  EXPECT_EQ(error_of(node.run(passive("amq.topic"))), "");
}

TEST(DeclareExchange, with_an_alternate_exchange_that_is_no_text_is_refused) {
  SmallNode node;
  DeclareExchange request = declare("x");
  request.arguments = one_field("alternate-exchange", Value{std::int32_t{1}});
  EXPECT_EQ(error_of(node.run(request)),
            "precondition failed: invalid type 'signedint' for arg 'alternate-exchange' in exchange 'x' in "
            "vhost '/'");
}

TEST(DeclareExchange, in_a_vhost_that_is_not_there_is_refused) {
  SmallNode node;
  DeclareExchange request = declare("x");
  request.vhost = "nowhere";
  EXPECT_EQ(error_of(node.run(request)), "not found: vhost 'nowhere' not found");
}

TEST(DeclareExchange, with_a_name_that_can_not_be_stored_is_refused) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(declare(std::string(255, 'x')))), "");
  EXPECT_EQ(error_of(node.run(declare(std::string(256, 'x')))),
            "invalid argument: exchange name is longer than 255 bytes");
}

TEST(DeleteExchange, takes_it_away) {
  SmallNode node;
  node.run(declare("x"));
  const auto decision = node.run(DeleteExchange{"/", "x"});
  ASSERT_TRUE(decision.has_value());
  EXPECT_FALSE(decision->durable);
  EXPECT_EQ(node.topology.find_exchange("/", "x"), nullptr);
}

TEST(DeleteExchange, that_is_durable_must_be_logged) {
  SmallNode node;
  DeclareExchange request = declare("x");
  request.durable = true;
  node.run(request);
  EXPECT_TRUE(node.run(DeleteExchange{"/", "x"})->durable);
}

TEST(DeleteExchange, that_is_not_there_succeeds) {
  SmallNode node;
  const auto decision = node.run(DeleteExchange{"/", "nope"});
  ASSERT_TRUE(decision.has_value());
  EXPECT_TRUE(decision->changes.empty());
  EXPECT_EQ(error_of(node.run(DeleteExchange{"nowhere", "nope"})), "");
}

TEST(DeleteExchange, of_the_broker_itself_is_refused) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(DeleteExchange{"/", ""})),
            "access refused: operation not permitted on the default exchange");
  EXPECT_EQ(error_of(node.run(DeleteExchange{"/", "amq.direct"})),
            "access refused: deletion of system exchange 'amq.direct' in vhost '/' not allowed");
  EXPECT_EQ(error_of(node.run(DeleteExchange{"/", "amq.nope"})),
            "access refused: deletion of system exchange 'amq.nope' in vhost '/' not allowed");
}

TEST(DeleteExchange, only_if_unused_is_refused_while_bindings_lead_out_of_it) {
  SmallNode node;
  node.queue("q");
  node.run(declare("x"));
  node.bind_exchange("amq.direct", "x");  // into it: that is no use
  node.bind("x", "q");
  EXPECT_EQ(error_of(node.run(DeleteExchange{"/", "x", true})),
            "precondition failed: exchange 'x' in vhost '/' in use");
  node.run(Unbind{SmallNode::binding("x", "q")});
  EXPECT_EQ(error_of(node.run(DeleteExchange{"/", "x", true})), "");
}

TEST(AutoDeleteExchange, goes_with_its_last_binding) {
  SmallNode node;
  node.queue("q");
  node.exchange("x", "direct", true);
  node.bind("x", "q", "1");
  node.bind("x", "q", "2");
  node.run(Unbind{SmallNode::binding("x", "q", "1")});
  EXPECT_NE(node.topology.find_exchange("/", "x"), nullptr);
  node.run(Unbind{SmallNode::binding("x", "q", "2")});
  EXPECT_EQ(node.topology.find_exchange("/", "x"), nullptr);
}

TEST(AutoDeleteExchange, stays_while_it_was_never_bound) {
  SmallNode node;
  node.queue("q");
  node.exchange("x", "direct", true);
  node.run(Unbind{SmallNode::binding("x", "q", "1")});
  node.bind_exchange("amq.direct", "x");
  node.run(Unbind{SmallNode::exchange_binding("amq.direct", "x")});
  EXPECT_NE(node.topology.find_exchange("/", "x"), nullptr);
}

TEST(AutoDeleteExchange, goes_with_the_queue_that_it_led_to) {
  SmallNode node;
  node.queue("q");
  node.queue("r");
  node.exchange("x", "topic", true);
  node.bind("x", "q", "1");
  node.bind("x", "q", "2");
  node.bind("x", "r", "3");
  node.run(DeleteQueue{"/", "q"});
  EXPECT_NE(node.topology.find_exchange("/", "x"), nullptr);
  node.run(DeleteQueue{"/", "r"});
  EXPECT_EQ(node.topology.find_exchange("/", "x"), nullptr);
}

TEST(AutoDeleteExchange, takes_those_with_it_that_led_only_to_it) {
  SmallNode node;
  node.queue("q");
  for (const char* name : {"a", "b", "c"}) node.exchange(name, "fanout", true);
  node.exchange("stays", "fanout", true);
  node.bind_exchange("a", "b");
  node.bind_exchange("b", "c");
  node.bind("c", "q");
  node.bind_exchange("stays", "a");
  node.bind_exchange("stays", "amq.fanout");
  const auto decision = node.run(DeleteQueue{"/", "q"});
  EXPECT_EQ(decision->changes.size(), 4U);
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(node.topology.find_exchange("/", name), nullptr) << name;
  EXPECT_NE(node.topology.find_exchange("/", "stays"), nullptr);
}

TEST(AutoDeleteExchange, goes_when_the_exchange_that_it_led_to_is_deleted) {
  SmallNode node;
  node.exchange("a", "fanout", true);
  node.exchange("b", "fanout");
  node.bind_exchange("a", "b");
  const auto decision = node.run(DeleteExchange{"/", "b"});
  EXPECT_EQ(decision->changes.size(), 2U);
  EXPECT_EQ(node.topology.find_exchange("/", "a"), nullptr);
}

TEST(AutoDeleteExchange, in_a_cycle_goes_once) {
  SmallNode node;
  node.queue("q");
  node.exchange("a", "fanout", true);
  node.exchange("b", "fanout", true);
  node.bind_exchange("a", "b");
  node.bind("b", "q");
  node.bind_exchange("b", "a");
  EXPECT_EQ(node.run(DeleteQueue{"/", "q"})->changes.size(), 1U);  // b still leads to a
  const auto decision = node.run(DeleteExchange{"/", "b"});
  EXPECT_EQ(decision->changes.size(), 2U);
  EXPECT_EQ(node.topology.find_exchange("/", "a"), nullptr);
}

TEST(AutoDeleteExchange, that_is_durable_makes_the_removal_of_a_transient_queue_durable) {
  SmallNode node;
  node.queue("q");
  node.run(DeclareExchange{
      .vhost = "/", .name = "x", .type = "direct", .durable = true, .auto_delete = true, .arguments = {}});
  node.bind("x", "q");
  EXPECT_TRUE(node.run(DeleteQueue{"/", "q"})->durable);
}

}  // namespace
}  // namespace weir::broker
