// The types of exchanges beyond those of AMQP itself: how they choose, what they refuse, which have a queue of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "broker/delay.h"
#include "broker/weighted_choice.h"
#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

class ChosenNumber final : public HeaderSource {
 public:
  const Table& headers() override { return table; }
  std::optional<std::string> property(std::string_view name) override {
    return name == "message_id" ? std::optional<std::string>(message_id) : std::nullopt;
  }
  std::uint64_t random() override { return number++; }
  Table table;
  std::string message_id;
  std::uint64_t number = 0;
};

class ExchangeTypes : public testing::Test {
 protected:
  Result<Decision> declare(const std::string& name, const std::string& type, Table arguments = {}) {
    return node.run(DeclareExchange{
        .vhost = "/", .name = name, .type = type, .durable = true, .arguments = std::move(arguments)});
  }
  void bind_queues(const std::string& exchange, int count, const std::string& key = "1") {
    for (int i = 0; i < count; ++i) {
      node.queue("q" + std::to_string(i));
      ASSERT_TRUE(node.bind(exchange, "q" + std::to_string(i), key).has_value());
    }
  }
  std::string one(const std::string& exchange, const std::string& key) {
    const Names names = node.route(exchange, key);
    EXPECT_EQ(names.size(), 1U);
    return names.empty() ? std::string() : names.front();
  }
  std::map<std::string, int> shares(const std::string& exchange, int keys) {
    std::map<std::string, int> count;
    for (int i = 0; i < keys; ++i) ++count[one(exchange, "key-" + std::to_string(i))];
    return count;
  }
  std::string route(const std::string& exchange, HeaderSource& message) {
    std::vector<Target> targets;
    EXPECT_TRUE(node.topology.route("/", exchange, "", message, true, targets).has_value());
    EXPECT_EQ(targets.size(), 1U);
    return targets.empty() ? std::string() : node.topology.find_queue(targets.front().queue)->name;
  }
  SmallNode node;
};

TEST_F(ExchangeTypes, a_consistent_hash_gives_each_queue_its_share) {
  ASSERT_TRUE(declare("x", "x-consistent-hash").has_value());
  bind_queues("x", 10);
  constexpr int keys = 50'000;
  for (const auto& [queue, count] : shares("x", keys))
    EXPECT_NEAR(count, keys / 10, keys / 10 * 0.05) << queue;
}

TEST_F(ExchangeTypes, a_consistent_hash_weighs_queues_by_their_binding_keys) {
  ASSERT_TRUE(declare("x", "x-consistent-hash").has_value());
  const std::map<std::string, int> weights{{"one", 1}, {"two", 2}, {"seven", 7}};
  for (const auto& [queue, weight] : weights) {
    node.queue(queue);
    node.bind("x", queue, std::to_string(weight));
  }
  constexpr int keys = 50'000;
  auto count = shares("x", keys);
  for (const auto& [queue, weight] : weights)
    EXPECT_NEAR(count[queue], keys * weight / 10, keys * weight / 10 * 0.05) << queue;
}

TEST_F(ExchangeTypes, a_consistent_hash_moves_only_what_a_new_queue_wins) {
  ASSERT_TRUE(declare("x", "x-consistent-hash").has_value());
  bind_queues("x", 5, "3");
  std::map<std::string, std::string> before;
  constexpr int keys = 10'000;
  for (int i = 0; i < keys; ++i) before["key-" + std::to_string(i)] = one("x", "key-" + std::to_string(i));
  node.queue("new");
  node.bind("x", "new", "2");
  int moved = 0;
  for (const auto& [key, queue] : before) {
    const std::string now = one("x", key);
    if (now == queue) continue;
    EXPECT_EQ(now, "new");
    ++moved;
  }
  EXPECT_NEAR(moved, keys * 2 / 17, keys * 2 / 17 * 0.15);
  node.run(Unbind{SmallNode::binding("x", "new", "2")});
  for (const auto& [key, queue] : before) EXPECT_EQ(one("x", key), queue);
}

TEST_F(ExchangeTypes, a_consistent_hash_takes_a_header_or_a_property) {
  ASSERT_TRUE(
      declare("by-header", "x-consistent-hash", one_field("hash-header", text("tenant"))).has_value());
  ASSERT_TRUE(
      declare("by-id", "x-consistent-hash", one_field("hash-property", text("message_id"))).has_value());
  for (const char* exchange : {"by-header", "by-id"}) bind_queues(exchange, 4);
  std::map<std::string, int> headers, ids;
  for (int i = 0; i < 100; ++i) {
    ChosenNumber message;
    message.table.set("tenant", Value{std::int64_t{i}});
    message.message_id = std::to_string(i);
    const std::string queue = route("by-header", message);
    EXPECT_EQ(route("by-header", message), queue);
    ++headers[queue];
    ++ids[route("by-id", message)];
  }
  EXPECT_EQ(headers.size(), 4U);
  EXPECT_EQ(ids.size(), 4U);
}

TEST_F(ExchangeTypes, a_modulus_hash_does_not_depend_on_the_order_of_the_bindings) {
  ASSERT_TRUE(declare("x", "x-modulus-hash").has_value());
  ASSERT_TRUE(declare("y", "x-modulus-hash").has_value());
  bind_queues("x", 4, "");
  for (const char* queue : {"q3", "q1", "q0", "q2"}) node.bind("y", queue);
  const auto count = shares("x", 1'000);
  EXPECT_EQ(count.size(), 4U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(one("x", std::to_string(i)), one("y", std::to_string(i)));
  node.run(Unbind{SmallNode::binding("x", "q1")});
  EXPECT_EQ(shares("x", 1'000).count("q1"), 0U);
}

TEST_F(ExchangeTypes, a_random_exchange_asks_for_a_number_and_takes_one_queue) {
  for (const char* type : {"x-random", "x-local-random"}) {
    ASSERT_TRUE(declare(type, type).has_value());
    bind_queues(type, 3);
    ChosenNumber message;
    std::map<std::string, int> count;
    for (int i = 0; i < 300; ++i) ++count[route(type, message)];
    EXPECT_THAT(count, testing::ElementsAre(testing::Pair("q0", 100), testing::Pair("q1", 100),
                                            testing::Pair("q2", 100)));
  }
}

TEST_F(ExchangeTypes, arguments_and_weights_are_checked_with_rabbitmqs_words) {
  Table both = one_field("hash-header", text("h"));
  both.set("hash-property", text("message_id"));
  EXPECT_EQ(error_of(declare("x", "x-consistent-hash", both)),
            "precondition failed: hash-header and hash-property are mutually exclusive");
  EXPECT_EQ(error_of(declare("x", "x-consistent-hash", one_field("hash-property", text("priority")))),
            "precondition failed: Unsupported property: priority");
  ASSERT_TRUE(declare("x", "x-consistent-hash").has_value());
  node.queue("q");
  EXPECT_EQ(error_of(node.bind("x", "q", "0")),
            "precondition failed: The binding key must be greater than 0");
  EXPECT_EQ(error_of(node.bind("x", "q", "-7")),
            "precondition failed: The binding key must be greater than 0");
  EXPECT_EQ(error_of(node.bind("x", "q", "heavy")),
            "precondition failed: The binding key must be an integer: <<\"heavy\">>");
  EXPECT_EQ(error_of(declare("h", "x-recent-history",
                             one_field("x-recent-history-length", Value{std::int32_t{0}}))),
            "precondition failed: Invalid argument 0, 'x-recent-history-length' must be a positive integer");
  for (const Table& arguments : {Table(), one_field("x-delayed-type", text("x-delayed-message")),
                                 one_field("x-delayed-type", Value{std::int32_t{5}})}) {
    EXPECT_EQ(error_of(declare("d", "x-delayed-message", arguments)),
              "precondition failed: Invalid argument, 'x-delayed-type' must be an existing exchange type");
  }
}

TEST_F(ExchangeTypes, a_delayed_exchange_has_a_queue_of_its_own_that_no_name_leads_to) {
  ASSERT_TRUE(declare("later", "x-delayed-message", one_field("x-delayed-type", text("fanout"))).has_value());
  const QueueDefinition* const own = node.topology.find_own_queue("/", "later");
  ASSERT_NE(own, nullptr);
  EXPECT_EQ(own->role, QueueRole::delays);
  EXPECT_TRUE(own->durable);
  EXPECT_EQ(node.topology.find_queue("/", "later"), nullptr);
  EXPECT_EQ(node.topology.find_queue(own->id), own);
  EXPECT_TRUE(node.topology.queues("/").empty());
  EXPECT_THAT(node.topology.queue_ids("/"), testing::ElementsAre(own->id));
  EXPECT_EQ(node.route("", "later"), Names{});

  std::vector<Change> state;
  node.topology.durable_state(state);
  Topology copy;
  for (const Change& change : state) copy.apply(change);
  ASSERT_NE(copy.find_own_queue("/", "later"), nullptr);
  EXPECT_EQ(*copy.find_own_queue("/", "later"), *own);

  const QueueId id = own->id;
  ASSERT_TRUE(node.run(DeleteExchange{"/", "later"}).has_value());
  EXPECT_EQ(node.topology.find_queue(id), nullptr);
}

TEST_F(ExchangeTypes, a_message_waits_instead_of_being_routed) {
  ASSERT_TRUE(declare("later", "x-delayed-message", one_field("x-delayed-type", text("direct"))).has_value());
  node.queue("q");
  node.bind("later", "q", "k");
  EXPECT_EQ(node.route("later", "k"), Names{"q"});
  EXPECT_EQ(node.route("later", "k", one_field("x-delay", Value{std::int32_t{-1}})), Names{"q"});
  EXPECT_EQ(node.route("later", "k", one_field("x-delay", Value{std::int32_t{1}})), Names{"later"});
  EXPECT_EQ(node.route("later", "other", one_field("x-delay", Value{std::int32_t{1}})), Names{"later"});
}

TEST_F(ExchangeTypes, one_that_passes_on_to_a_delayed_one_lets_messages_wait_too) {
  ASSERT_TRUE(declare("later", "x-delayed-message", one_field("x-delayed-type", text("direct"))).has_value());
  node.queue("now");
  node.bind_exchange("amq.fanout", "later");
  node.bind("amq.fanout", "now");
  EXPECT_EQ(node.route("amq.fanout", "k", one_field("x-delay", Value{std::int32_t{1}})),
            (Names{"later", "now"}));
}

TEST(Delay, is_a_number_of_any_kind) {
  const auto of = [](Value value) { return delay_ms(one_field("x-delay", std::move(value))); };
  EXPECT_EQ(delay_ms(Table()), 0U);
  EXPECT_EQ(of(Value{std::int8_t{5}}), 5U);
  EXPECT_EQ(of(Value{std::int64_t{5'000'000'000}}), 5'000'000'000U);
  EXPECT_EQ(of(Value{std::int64_t{-5}}), 0U);
  EXPECT_EQ(of(text("1500")), 1'500U);
  EXPECT_EQ(of(text("soon")), 0U);
  EXPECT_EQ(of(text("")), 0U);
  EXPECT_EQ(of(Value{2.9}), 2U);
  EXPECT_EQ(of(Value{Decimal{1, 25}}), 2U);
  EXPECT_EQ(of(Value{true}), 0U);
  EXPECT_EQ(of(Value{INT64_MAX}), static_cast<std::uint64_t>(delay_ms_max));
}

}  // namespace
}  // namespace weir::broker
