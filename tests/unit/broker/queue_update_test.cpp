// A declaration that changes the arguments of a queue that is there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/queue_options.h"
#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

using testing::HasSubstr;

struct Updated : SmallNode {
  static Table with(Table arguments, Value update = {true}) {
    arguments.set("x-update-arguments", std::move(update));
    return arguments;
  }
  static Table fields(std::initializer_list<std::pair<const char*, Value>> all) {
    Table table;
    for (const auto& [key, value] : all) table.set(key, value);
    return table;
  }
  Result<Decision> declare(Table arguments, bool durable = true) {
    return run(
        DeclareQueue{.vhost = "/", .name = "q", .durable = durable, .arguments = std::move(arguments)});
  }
  std::string refusal(Table arguments, bool durable = true) {
    const Result<Decision> refused = declare(std::move(arguments), durable);
    if (refused) return "accepted";
    return refused.error().message;
  }
  const Table& arguments() const { return topology.find_queue("/", "q")->arguments; }
  QueueOptions options() const {
    const QueueDefinition& queue = *topology.find_queue("/", "q");
    return queue_options(queue, topology.effective_arguments(queue));
  }
};

Value number(std::int64_t value) { return Value{value}; }

TEST(QueueUpdate, gives_the_queue_the_arguments_it_says_and_no_others) {
  Updated node;
  ASSERT_TRUE(node.declare(Updated::fields({{"x-max-length", number(7)}, {"x-message-ttl", number(1'000)}})));
  const QueueId id = node.topology.find_queue("/", "q")->id;
  const Table wanted =
      Updated::fields({{"x-max-length", number(9)}, {"x-overflow", {std::string("reject-publish")}}});
  const Result<Decision> updated = node.declare(Updated::with(wanted));
  ASSERT_TRUE(updated);
  EXPECT_EQ(updated->queue, id);
  ASSERT_EQ(updated->changes.size(), 1U);
  EXPECT_TRUE(updated->durable);
  EXPECT_EQ(node.topology.redefined(), std::vector<QueueId>{id});
  EXPECT_EQ(node.arguments(), wanted);
  EXPECT_EQ(node.options().max_messages, 9U);
  EXPECT_EQ(node.options().overflow, Overflow::reject_publish);
  EXPECT_FALSE(node.options().ttl_ms);
  // From now on it is this that declarations are compared with.
  EXPECT_TRUE(node.declare(wanted));
  EXPECT_THAT(node.refusal(Updated::fields({{"x-max-length", number(7)}})),
              HasSubstr("inequivalent arg 'x-max-length'"));
}

TEST(QueueUpdate, to_what_it_has_changes_nothing) {
  Updated node;
  const Table same = one_field("x-max-length", number(7));
  ASSERT_TRUE(node.declare(same));
  const Result<Decision> updated = node.declare(Updated::with(same));
  ASSERT_TRUE(updated);
  EXPECT_TRUE(updated->changes.empty());
}

TEST(QueueUpdate, of_no_queue_makes_one_without_the_word) {
  Updated node;
  ASSERT_TRUE(node.declare(Updated::with(one_field("x-max-length", number(7)))));
  EXPECT_EQ(node.arguments(), one_field("x-max-length", number(7)));
}

TEST(QueueUpdate, that_is_false_compares_as_ever) {
  Updated node;
  ASSERT_TRUE(node.declare({}));
  EXPECT_TRUE(node.declare(Updated::with({}, {false})));
  EXPECT_THAT(node.refusal(Updated::with(one_field("x-max-length", number(7)), {false})),
              HasSubstr("inequivalent arg 'x-max-length'"));
}

TEST(QueueUpdate, leaves_what_its_messages_are_held_in) {
  Updated node;
  ASSERT_TRUE(node.declare(one_field("x-max-priority", number(5))));
  for (const Table& other :
       {Table(), one_field("x-max-priority", number(6)),
        Updated::fields({{"x-max-priority", number(5)}, {"x-message-deduplication", {true}}}),
        Updated::fields({{"x-max-priority", number(5)}, {"x-last-value-key", {std::string("k")}}}),
        Updated::fields({{"x-max-priority", number(5)}, {"x-queue-type", {std::string("quorum")}}})}) {
    EXPECT_THAT(node.refusal(Updated::with(other)), HasSubstr("inequivalent arg 'x-"));
  }
  EXPECT_THAT(node.refusal(Updated::with(one_field("x-max-priority", number(5))), false),
              HasSubstr("inequivalent arg 'durable'"));
  EXPECT_EQ(node.arguments(), one_field("x-max-priority", number(5)));
}

TEST(QueueUpdate, is_checked_like_a_new_queue) {
  Updated node;
  ASSERT_TRUE(node.declare({}));
  EXPECT_EQ(node.refusal(Updated::with({}, {std::string("yes")})),
            "invalid arg 'x-update-arguments' for queue 'q' in vhost '/': {unacceptable_type,longstr}");
  EXPECT_THAT(node.refusal(Updated::with(one_field("x-max-length", number(-1)))),
              HasSubstr("{value_negative,-1}"));
  EXPECT_THAT(node.refusal(Updated::with(one_field("x-delivery-limit", number(3)))),
              HasSubstr("of queue type rabbit_classic_queue"));
  EXPECT_TRUE(node.arguments().empty());
}

TEST(QueueUpdate, comes_together_with_policies_as_ever) {
  Updated node;
  ASSERT_TRUE(node.declare({}));
  ASSERT_TRUE(node.run(PutPolicyRequest{
      {.vhost = "/", .name = "p", .pattern = "q", .definition = one_field("max-length", number(5))}}));
  ASSERT_TRUE(node.declare(Updated::with(one_field("x-max-length", number(9)))));
  EXPECT_EQ(node.options().max_messages, 5U);
  ASSERT_TRUE(node.declare(Updated::with(one_field("x-max-length", number(3)))));
  EXPECT_EQ(node.options().max_messages, 3U);
  ASSERT_TRUE(node.declare(Updated::with({})));
  EXPECT_EQ(node.options().max_messages, 5U);
}

}  // namespace
}  // namespace weir::broker
