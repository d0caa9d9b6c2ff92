#include <gtest/gtest.h>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

TEST(Bind, makes_the_binding_once) {
  SmallNode node;
  node.queue("q");
  EXPECT_EQ(node.bind("amq.direct", "q", "k")->changes.size(), 1U);
  const auto again = node.bind("amq.direct", "q", "k");
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->changes.empty());
  EXPECT_TRUE(node.topology.has_binding(SmallNode::binding("amq.direct", "q", "k")));
}

TEST(Bind, is_durable_where_both_ends_are) {
  SmallNode node;
  node.queue("durable", true);
  node.queue("transient");
  node.exchange("x");
  node.run(DeclareExchange{.vhost = "/", .name = "dx", .type = "fanout", .durable = true, .arguments = {}});
  EXPECT_TRUE(node.bind("amq.direct", "durable")->durable);
  EXPECT_FALSE(node.bind("amq.direct", "transient")->durable);
  EXPECT_FALSE(node.bind("x", "durable")->durable);
  EXPECT_TRUE(node.bind_exchange("amq.direct", "dx")->durable);
  EXPECT_FALSE(node.bind_exchange("amq.direct", "x")->durable);
  EXPECT_TRUE(node.run(Unbind{SmallNode::binding("amq.direct", "durable")})->durable);
  EXPECT_FALSE(node.run(Unbind{SmallNode::binding("x", "durable")})->durable);
}

TEST(Bind, to_or_from_the_default_exchange_is_refused) {
  SmallNode node;
  node.queue("q");
  const std::string refused = "access refused: operation not permitted on the default exchange";
  EXPECT_EQ(error_of(node.bind("", "q", "q")), refused);
  EXPECT_EQ(error_of(node.bind_exchange("amq.direct", "")), refused);
  EXPECT_EQ(error_of(node.run(Unbind{SmallNode::binding("", "q", "q")})), refused);
}

TEST(Bind, names_the_end_that_is_missing_the_source_first) {
  SmallNode node;
  node.queue("q");
  EXPECT_EQ(error_of(node.bind("nope", "q")), "not found: no exchange 'nope' in vhost '/'");
  EXPECT_EQ(error_of(node.bind("nope", "none")), "not found: no exchange 'nope' in vhost '/'");
  EXPECT_EQ(error_of(node.bind("amq.direct", "none")), "not found: no queue 'none' in vhost '/'");
  EXPECT_EQ(error_of(node.bind_exchange("amq.direct", "none")), "not found: no exchange 'none' in vhost '/'");
  BindingDefinition elsewhere = SmallNode::binding("amq.direct", "q");
  elsewhere.vhost = "nowhere";
  EXPECT_EQ(error_of(node.run(Bind{elsewhere})), "not found: vhost 'nowhere' not found");
  EXPECT_EQ(error_of(node.run(Unbind{elsewhere})), "not found: vhost 'nowhere' not found");
}

TEST(Bind, to_a_headers_exchange_checks_x_match) {
  SmallNode node;
  node.queue("q");
  const Table arguments = one_field("x-match", text("some"));
  EXPECT_EQ(error_of(node.bind("amq.headers", "q", "", arguments)),
            "precondition failed: Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, "
            "or any-with-x");
  EXPECT_EQ(error_of(node.bind("amq.direct", "q", "", arguments)), "");
}

TEST(Bind, with_what_can_not_be_stored_is_refused) {
  SmallNode node;
  node.queue("q");
  EXPECT_EQ(error_of(node.bind("amq.direct", "q", std::string(255, 'k'))), "");
  EXPECT_EQ(error_of(node.bind("amq.direct", "q", std::string(256, 'k'))),
            "invalid argument: routing key is longer than 255 bytes");
  EXPECT_EQ(error_of(node.bind("amq.direct", "q", "", one_field("a", text(std::string(70'000, 'x'))))),
            "invalid argument: arguments take more than 65536 bytes");
}

TEST(Unbind, of_what_is_not_bound_succeeds) {
  SmallNode node;
  node.queue("q");
  for (const BindingDefinition& binding :
       {SmallNode::binding("amq.direct", "q", "k"), SmallNode::binding("nope", "q"),
        SmallNode::binding("amq.direct", "none")}) {
    const auto decision = node.run(Unbind{binding});
    ASSERT_TRUE(decision.has_value());
    EXPECT_TRUE(decision->changes.empty());
  }
}

TEST(Unbind, takes_only_the_binding_with_that_key_and_those_arguments) {
  SmallNode node;
  node.queue("q");
  node.bind("amq.direct", "q", "k");
  node.bind("amq.direct", "q", "l");
  node.run(Unbind{SmallNode::binding("amq.direct", "q", "k", one_field("a", text("b")))});
  EXPECT_EQ(node.route("amq.direct", "k"), Names{"q"});
  node.run(Unbind{SmallNode::binding("amq.direct", "q", "k")});
  EXPECT_EQ(node.route("amq.direct", "k"), Names{});
  EXPECT_EQ(node.route("amq.direct", "l"), Names{"q"});
}

}  // namespace
}  // namespace weir::broker
