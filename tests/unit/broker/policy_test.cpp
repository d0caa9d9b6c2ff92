// Policies: what they may say, which one counts, and what comes out with a queue's own arguments.
#include <gtest/gtest.h>

#include "broker/policy_keys.h"
#include "broker/queue_options.h"
#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

Value number(std::int64_t value) { return Value{value}; }

struct Ruled : SmallNode {
  Result<Decision> policy(const std::string& name, const std::string& pattern, Table definition,
                          std::int64_t priority = 0, PolicyTargets targets = PolicyTargets::all,
                          bool of_operator = false) {
    return run(PutPolicyRequest{{.vhost = "/",
                                 .name = name,
                                 .of_operator = of_operator,
                                 .pattern = pattern,
                                 .targets = targets,
                                 .priority = priority,
                                 .definition = std::move(definition)}});
  }
  Result<Decision> of_operator(const std::string& name, const std::string& pattern, Table definition) {
    return policy(name, pattern, std::move(definition), 0, PolicyTargets::all, true);
  }
  Result<Decision> declare(const std::string& name, Table arguments = {}) {
    return run(DeclareQueue{.vhost = "/", .name = name, .durable = true, .arguments = std::move(arguments)});
  }
  QueueOptions options(const std::string& name) const {
    const QueueDefinition& queue = *topology.find_queue("/", name);
    return queue_options(queue, topology.effective_arguments(queue));
  }
  std::string policy_name(const std::string& queue) const {
    const PolicyDefinition* const found = topology.policy_of(*topology.find_queue("/", queue), false);
    return found == nullptr ? "" : found->name;
  }
};

TEST(Policy, gives_queues_what_it_says_whether_they_are_there_already_or_not) {
  Ruled node;
  ASSERT_TRUE(node.declare("orders.1"));
  ASSERT_TRUE(node.policy("p", "^orders", one_field("max-length", number(7))));
  ASSERT_EQ(node.topology.redefined().size(), 1U);
  ASSERT_TRUE(node.declare("orders.2"));
  ASSERT_TRUE(node.declare("other"));
  EXPECT_EQ(node.options("orders.1").max_messages, 7U);
  EXPECT_EQ(node.options("orders.2").max_messages, 7U);
  EXPECT_EQ(node.options("other").max_messages, UINT64_MAX);
  EXPECT_TRUE(node.topology.find_queue("/", "orders.1")->arguments.empty());
  ASSERT_TRUE(node.run(DeletePolicy{"/", "p"}));
  EXPECT_EQ(node.topology.redefined().size(), 2U);
  EXPECT_EQ(node.options("orders.1").max_messages, UINT64_MAX);
}

TEST(Policy, of_two_the_one_with_the_higher_priority_counts_alone) {
  Ruled node;
  ASSERT_TRUE(node.declare("q"));
  ASSERT_TRUE(node.policy("low", ".*", one_field("max-length", number(7)), 1));
  ASSERT_TRUE(node.policy("high", "^q$", one_field("message-ttl", number(50)), 2));
  EXPECT_EQ(node.policy_name("q"), "high");
  EXPECT_EQ(node.options("q").max_messages, UINT64_MAX);
  EXPECT_EQ(node.options("q").ttl_ms, 50U);
  ASSERT_TRUE(node.policy("low", ".*", one_field("max-length", number(7)), 3));
  EXPECT_EQ(node.policy_name("q"), "low");
  ASSERT_TRUE(node.policy("also", ".*", one_field("max-length", number(8)), 3));
  EXPECT_EQ(node.policy_name("q"), "also");  // by name, so that it is the same everywhere
}

TEST(Policy, is_for_the_kinds_that_it_applies_to) {
  Ruled node;
  ASSERT_TRUE(node.declare("c"));
  ASSERT_TRUE(node.declare("u", one_field("x-queue-type", text("quorum"))));
  const auto limited = [&](PolicyTargets targets) {
    EXPECT_TRUE(node.policy("p", ".*", one_field("max-length", number(7)), 0, targets));
    return Names{node.policy_name("c"), node.policy_name("u")};
  };
  EXPECT_EQ(limited(PolicyTargets::queues), (Names{"p", "p"}));
  EXPECT_EQ(limited(PolicyTargets::classic_queues), (Names{"p", ""}));
  EXPECT_EQ(limited(PolicyTargets::quorum_queues), (Names{"", "p"}));
  EXPECT_EQ(limited(PolicyTargets::exchanges), (Names{"", ""}));
  EXPECT_EQ(limited(PolicyTargets::streams), (Names{"", ""}));
}

TEST(Policy, and_an_argument_of_limits_the_least_counts_of_all_else_the_argument) {
  Ruled node;
  Table arguments;
  arguments.set("x-max-length", number(5));
  arguments.set("x-message-ttl", number(900));
  arguments.set("x-overflow", text("reject-publish"));
  ASSERT_TRUE(node.declare("q", arguments));
  Table definition;
  definition.set("max-length", number(7));
  definition.set("message-ttl", number(100));
  definition.set("overflow", text("drop-head"));
  definition.set("dead-letter-exchange", text("dlx"));
  ASSERT_TRUE(node.policy("p", ".*", definition));
  const QueueOptions options = node.options("q");
  EXPECT_EQ(options.max_messages, 5U);
  EXPECT_EQ(options.ttl_ms, 100U);
  EXPECT_EQ(options.overflow, Overflow::reject_publish);
  EXPECT_EQ(options.dead_letter_exchange, "dlx");
}

TEST(OperatorPolicy, and_a_policy_of_limits_the_least_counts_of_all_else_what_the_operator_says) {
  Ruled node;
  ASSERT_TRUE(node.declare("q"));
  Table mine;
  mine.set("max-length", number(5));
  mine.set("message-ttl", number(900));
  mine.set("overflow", text("reject-publish"));
  Table theirs;
  theirs.set("max-length", number(7));
  theirs.set("message-ttl", number(100));
  theirs.set("overflow", text("drop-head"));
  ASSERT_TRUE(node.policy("p", ".*", mine));
  ASSERT_TRUE(node.of_operator("p", ".*", theirs));
  const QueueOptions options = node.options("q");
  EXPECT_EQ(options.max_messages, 5U);
  EXPECT_EQ(options.ttl_ms, 100U);
  EXPECT_EQ(options.overflow, Overflow::drop_head);
  const QueueDefinition& queue = *node.topology.find_queue("/", "q");
  EXPECT_EQ(node.topology.policy_of(queue, true)->name, "p");
  ASSERT_TRUE(node.run(DeletePolicy{"/", "p", true}));
  EXPECT_EQ(node.topology.policy_of(queue, true), nullptr);
  EXPECT_EQ(node.options("q").overflow, Overflow::reject_publish);
}

TEST(Policy, says_nothing_of_what_the_queues_type_does_not_have) {
  Ruled node;
  ASSERT_TRUE(node.declare("c"));
  ASSERT_TRUE(node.declare("u", one_field("x-queue-type", text("quorum"))));
  ASSERT_TRUE(node.policy("p", ".*", one_field("delivery-limit", number(3))));
  EXPECT_FALSE(node.options("c").delivery_limit);
  EXPECT_EQ(node.options("u").delivery_limit, 3U);
}

TEST(Policy, gives_exchanges_an_alternate_where_they_have_none_of_their_own) {
  Ruled node;
  ASSERT_TRUE(node.exchange("x"));
  ASSERT_TRUE(node.exchange("spare", "fanout"));
  ASSERT_TRUE(node.queue("lost"));
  ASSERT_TRUE(node.bind("spare", "lost"));
  EXPECT_EQ(node.route("x", "nowhere"), Names{});
  ASSERT_TRUE(
      node.policy("p", "^x$", one_field("alternate-exchange", text("spare")), 0, PolicyTargets::exchanges));
  EXPECT_EQ(node.route("x", "nowhere"), Names{"lost"});
  ASSERT_TRUE(node.run(DeletePolicy{"/", "p"}));
  EXPECT_EQ(node.route("x", "nowhere"), Names{});
}

TEST(Policy, is_refused_in_the_words_that_people_know) {
  Ruled node;
  const auto refusal = [&](const std::string& key, Value value, bool of_operator = false) {
    return error_of(
        node.policy("p", ".*", one_field(key, std::move(value)), 0, PolicyTargets::all, of_operator));
  };
  const std::string failed = "invalid argument: Validation failed\n\n";
  EXPECT_EQ(error_of(node.policy("p", ".*", {})), failed + "no policy provided\n");
  EXPECT_EQ(refusal("foo", text("bar")),
            failed + "[{<<\"foo\">>,<<\"bar\">>}] are not recognised policy settings\n");
  EXPECT_EQ(refusal("message-ttl", number(-1)), failed + "-1 is not a valid message TTL\n");
  EXPECT_EQ(refusal("message-ttl", text("x")), failed + "<<\"x\">> is not a valid message TTL\n");
  EXPECT_EQ(refusal("expires", number(0)), failed + "0 is not a valid queue expiry\n");
  EXPECT_EQ(refusal("max-length", Value{1.5}), failed + "1.5 is not a valid maximum length\n");
  EXPECT_EQ(refusal("max-length", Value{Array{number(1), text("a")}}),
            failed + "[1,<<\"a\">>] is not a valid maximum length\n");
  EXPECT_EQ(refusal("max-length-bytes", Value{true}),
            failed + "true is not a valid maximum length in bytes\n");
  EXPECT_EQ(refusal("overflow", text("x")), failed + "<<\"x\">> is not a valid overflow value\n");
  EXPECT_EQ(refusal("dead-letter-exchange", Value{one_field("a", number(1))}),
            failed + "#{<<\"a\">> => 1} is not a valid dead letter exchange name\n");
  EXPECT_EQ(refusal("alternate-exchange", number(1)), failed + "1 is not a valid alternate exchange name\n");
  EXPECT_EQ(refusal("dead-letter-exchange", text("x"), true),
            failed + "[{<<\"dead-letter-exchange\">>,<<\"x\">>}] are not recognised policy settings\n");
  EXPECT_TRUE(error_of(node.policy("p", "(", one_field("max-length", number(1))))
                  .starts_with(failed + "pattern should be regular expression but is invalid: "));
  EXPECT_EQ(
      error_of(node.run(PutPolicyRequest{{.vhost = "none", .name = "p", .pattern = "", .definition = {}}})),
      "not found: vhost 'none' not found");
  EXPECT_EQ(error_of(node.run(DeletePolicy{"/", "none"})),
            "not found: policy 'none' in vhost '/' does not exist");
}

TEST(Policy, may_say_where_messages_lie_which_changes_nothing_here) {
  Ruled node;
  ASSERT_TRUE(node.declare("q"));
  Table definition;
  definition.set("ha-mode", text("all"));
  definition.set("queue-mode", text("lazy"));
  ASSERT_TRUE(node.policy("ha", ".*", definition));
  EXPECT_EQ(node.policy_name("q"), "ha");
  EXPECT_TRUE(node.topology.redefined().empty());
}

TEST(Policy, targets_have_the_words_of_files_and_requests) {
  for (const auto* word : {"queues", "classic_queues", "quorum_queues", "streams", "exchanges", "all"}) {
    const auto targets = parse_policy_targets(word);
    ASSERT_TRUE(targets.has_value());
    EXPECT_EQ(to_string(*targets), word);
  }
  EXPECT_FALSE(parse_policy_targets("foo").has_value());
}

}  // namespace
}  // namespace weir::broker
