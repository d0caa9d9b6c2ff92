#include "broker/declare_arguments.h"

#include <gtest/gtest.h>

#include <set>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

const std::string resource = "queue 'q' in vhost '/'";

Value number(std::int64_t value) { return Value{value}; }

std::string check(const std::string& name, Value value, const std::string& type = "") {
  Table arguments;
  if (!type.empty()) arguments.set("x-queue-type", text(type));
  arguments.set(name, std::move(value));
  return error_of(check_queue_arguments(arguments, resource));
}

std::string invalid(const std::string& name, const std::string& problem) {
  return "precondition failed: invalid arg '" + name + "' for " + resource + ": " + problem;
}
std::string not_for(const std::string& name, const std::string& type) {
  return "precondition failed: invalid arg '" + name + "' for " + resource + " of queue type " + type;
}

TEST(QueueArguments, that_have_no_effect_on_one_node_are_accepted) {
  EXPECT_EQ(check("x-queue-mode", text("lazy")), "");
  EXPECT_EQ(check("x-queue-mode", text("default")), "");
  EXPECT_EQ(check("x-queue-version", number(2)), "");
  EXPECT_EQ(check("x-queue-master-locator", text("min-masters")), "");
  EXPECT_EQ(check("x-queue-leader-locator", text("balanced")), "");
  EXPECT_EQ(check("x-queue-leader-locator", text("client-local"), "quorum"), "");
  EXPECT_EQ(check("x-quorum-initial-group-size", number(3), "quorum"), "");
  EXPECT_EQ(check("x-quorum-target-group-size", number(5), "quorum"), "");
  EXPECT_EQ(check("x-max-in-memory-length", number(5), "quorum"), "");
  EXPECT_EQ(check("x-max-in-memory-bytes", number(5), "quorum"), "");
  EXPECT_EQ(check("x-queue-type", text("classic")), "");
  EXPECT_EQ(check("x-queue-type", text("quorum")), "");
}

TEST(QueueArguments, that_no_rule_names_are_accepted) {
  EXPECT_EQ(check("x-something-of-mine", Value{Table{}}), "");
  EXPECT_EQ(check("plain", Value{}), "");
}

TEST(QueueArguments, for_delayed_retry_are_of_quorum_queues) {
  for (const char* type : {"disabled", "all", "failed", "returned"})
    EXPECT_EQ(check("x-delayed-retry-type", text(type), "quorum"), "");
  EXPECT_EQ(check("x-delayed-retry-type", text("some"), "quorum"),
            invalid("x-delayed-retry-type", "invalid_delayed_retry_type"));
  EXPECT_EQ(check("x-delayed-retry-min", number(0), "quorum"),
            invalid("x-delayed-retry-min", "{value_zero,0}"));
  EXPECT_EQ(check("x-delayed-retry-max", number(4'294'967'295), "quorum"), "");
  EXPECT_EQ(check("x-delayed-retry-max", number(4'294'967'296), "quorum"),
            invalid("x-delayed-retry-max", "{value_too_big,4294967296}"));
  EXPECT_EQ(check("x-delayed-retry-type", text("all")),
            not_for("x-delayed-retry-type", "rabbit_classic_queue"));
}

TEST(QueueArguments, of_the_wrong_type_are_refused) {
  EXPECT_EQ(check("x-message-ttl", text("60000")),
            invalid("x-message-ttl", "\"expected integer, got longstr\""));
  EXPECT_EQ(check("x-expires", Value{true}), invalid("x-expires", "\"expected integer, got bool\""));
  EXPECT_EQ(check("x-max-length", Value{1.5}), invalid("x-max-length", "\"expected integer, got double\""));
  EXPECT_EQ(check("x-overflow", number(1)), invalid("x-overflow", "{unacceptable_type,long}"));
  EXPECT_EQ(check("x-single-active-consumer", text("true")),
            invalid("x-single-active-consumer", "{unacceptable_type,longstr}"));
  EXPECT_EQ(check("x-dead-letter-exchange", number(1)),
            invalid("x-dead-letter-exchange", "{unacceptable_type,long}"));
  EXPECT_EQ(check("x-dead-letter-routing-key", number(1)),
            invalid("x-dead-letter-routing-key", "{unacceptable_type,long}"));
  EXPECT_EQ(check("x-queue-type", number(1)), invalid("x-queue-type", "{unacceptable_type,long}"));
  EXPECT_EQ(check("x-queue-mode", number(1)), invalid("x-queue-mode", "{unacceptable_type,long}"));
}

TEST(QueueArguments, outside_of_their_domain_are_refused) {
  EXPECT_EQ(check("x-message-ttl", number(-1)), invalid("x-message-ttl", "{value_negative,-1}"));
  EXPECT_EQ(check("x-message-ttl", number(4'294'967'295)), "");
  EXPECT_EQ(check("x-message-ttl", number(4'294'967'296)),
            invalid("x-message-ttl", "{value_too_big,4294967296}"));
  EXPECT_EQ(check("x-message-ttl", Value{std::uint64_t{1} << 63}),
            invalid("x-message-ttl", "{value_too_big,9223372036854775808}"));
  EXPECT_EQ(check("x-expires", number(0)), invalid("x-expires", "{value_zero,0}"));
  EXPECT_EQ(check("x-max-length", number(-5)), invalid("x-max-length", "{value_negative,-5}"));
  EXPECT_EQ(check("x-max-priority", number(255)), "");
  EXPECT_EQ(check("x-max-priority", number(256)), invalid("x-max-priority", "{max_value_exceeded,256}"));
  EXPECT_EQ(check("x-overflow", text("explode")), invalid("x-overflow", "invalid_overflow"));
  EXPECT_EQ(check("x-dead-letter-strategy", text("never"), "quorum"),
            invalid("x-dead-letter-strategy", "invalid_dlx_strategy"));
  EXPECT_EQ(check("x-dead-letter-routing-key", text("k")),
            invalid("x-dead-letter-routing-key", "routing_key_but_no_dlx_defined"));
  EXPECT_EQ(check("x-queue-mode", text("eager")),
            invalid("x-queue-mode", "\"unsupported queue mode 'eager'\""));
  EXPECT_EQ(check("x-queue-version", number(3)),
            invalid("x-queue-version", "\"unsupported queue version '3'\""));
  EXPECT_EQ(check("x-queue-type", text("exotic")),
            invalid("x-queue-type", "\"unsupported queue type 'exotic'\""));
  EXPECT_EQ(check("x-queue-leader-locator", text("nearest")),
            invalid("x-queue-leader-locator", "invalid_queue_locator_arg"));
  EXPECT_EQ(check("x-quorum-initial-group-size", number(0), "quorum"),
            invalid("x-quorum-initial-group-size", "{value_zero,0}"));
}

TEST(QueueArguments, of_another_type_of_queue_are_refused) {
  EXPECT_EQ(check("x-delivery-limit", number(5)), not_for("x-delivery-limit", "rabbit_classic_queue"));
  EXPECT_EQ(check("x-max-age", text("7D")), not_for("x-max-age", "rabbit_classic_queue"));
  EXPECT_EQ(check("x-quorum-initial-group-size", number(3)),
            not_for("x-quorum-initial-group-size", "rabbit_classic_queue"));
  EXPECT_EQ(check("x-max-priority", number(5), "quorum"), not_for("x-max-priority", "rabbit_quorum_queue"));
  EXPECT_EQ(check("x-queue-mode", text("lazy"), "quorum"), not_for("x-queue-mode", "rabbit_quorum_queue"));
  EXPECT_EQ(check("x-queue-mode", number(1), "quorum"), not_for("x-queue-mode", "rabbit_quorum_queue"));
}

TEST(QueueArguments, that_name_a_key_are_one_at_most) {
  Table two;
  two.set("x-last-value-key", text("a"));
  two.set("x-fair-by", text("b"));
  EXPECT_EQ(error_of(check_queue_arguments(two, resource)), invalid("x-last-value-key", "more_than_one_key"));
  Table fair;
  fair.set("x-fair-by", text("a"));
  fair.set("x-max-priority", number(3));
  EXPECT_EQ(error_of(check_queue_arguments(fair, resource)), invalid("x-fair-by", "fairness_and_priorities"));
  EXPECT_EQ(check("x-last-value-key", text("")), invalid("x-last-value-key", "invalid_header_name"));
  EXPECT_EQ(check("x-fair-by", number(1)), invalid("x-fair-by", "{unacceptable_type,long}"));
}

TEST(QueueArguments, of_a_window_need_deduplication) {
  EXPECT_EQ(check("x-cache-size", number(5)), invalid("x-cache-size", "cache_but_no_deduplication"));
  Table table;
  table.set("x-message-deduplication", Value{true});
  table.set("x-cache-size", number(16'000'001));
  EXPECT_EQ(error_of(check_queue_arguments(table, resource)),
            invalid("x-cache-size", "{value_too_big,16000001}"));
  table.set("x-cache-size", number(0));
  EXPECT_EQ(error_of(check_queue_arguments(table, resource)), invalid("x-cache-size", "{value_zero,0}"));
  table.set("x-cache-size", number(16'000'000));
  EXPECT_EQ(error_of(check_queue_arguments(table, resource)), "");
}

TEST(ConsumerArguments, are_checked_as_those_of_queues) {
  Table table;
  table.set("x-priority", text("high"));
  EXPECT_EQ(error_of(check_consumer_arguments(table, resource)),
            invalid("x-priority", "\"expected integer, got longstr\""));
  table.set("x-priority", number(-3));
  EXPECT_EQ(error_of(check_consumer_arguments(table, resource)), "");
  EXPECT_EQ(consumer_priority(table), -3);
  EXPECT_EQ(consumer_priority(Table()), 0);
}

TEST(QueueArguments, for_a_stream_say_that_there_are_none) {
  EXPECT_EQ(check("x-queue-type", text("stream")),
            "not implemented: queue type 'stream' is not implemented: " + resource);
}

TEST(ArgumentRules, name_each_argument_once_and_at_least_one_type_of_queue) {
  std::set<std::string_view> names;
  for (const ArgumentRule& rule : argument_rules()) {
    EXPECT_TRUE(names.insert(rule.name).second) << rule.name;
    EXPECT_NE(rule.types, 0U) << rule.name;
  }
}

TEST(ArgumentRules, of_streams_check_their_values) {
  const auto check_rule = [](std::string_view name, const Value& value) {
    for (const ArgumentRule& rule : argument_rules()) {
      if (rule.name == name) return rule.check(value, {}).value_or("");
    }
    return std::string("no such rule");
  };
  for (const char* good : {"7D", "1Y", "12h", "90s", "5m", "10M"})
    EXPECT_EQ(check_rule("x-max-age", text(good)), "") << good;
  for (const char* bad : {"", "7", "D", "0D", "00s", "7W", "7DD", "-7D", "7 D"}) {
    EXPECT_EQ(check_rule("x-max-age", text(bad)), "invalid_max_age") << bad;
  }
  EXPECT_EQ(check_rule("x-max-age", number(7)), "{unacceptable_type,long}");
}

Table nested(std::size_t depth) { return depth == 1 ? Table{} : one_field("in", Value{nested(depth - 1)}); }

TEST(StorableArguments, are_those_that_can_be_read_back) {
  EXPECT_EQ(error_of(check_storable({})), "");
  EXPECT_EQ(error_of(check_storable(nested(32))), "");
  EXPECT_EQ(error_of(check_storable(nested(33))), "invalid argument: arguments are nested more than 32 deep");
  Array arrays;
  for (int i = 0; i < 40; ++i) arrays = Array{Value{arrays}};
  EXPECT_EQ(error_of(check_storable(one_field("a", Value{arrays}))),
            "invalid argument: arguments are nested more than 32 deep");
  EXPECT_EQ(error_of(check_storable(one_field(std::string(255, 'k'), Value{}))), "");
  EXPECT_EQ(error_of(check_storable(one_field(std::string(256, 'k'), Value{}))),
            "invalid argument: an argument's name is longer than 255 bytes");
  EXPECT_EQ(error_of(check_storable(
                one_field("a", Value{Array{Value{one_field(std::string(256, 'k'), Value{})}}}))),
            "invalid argument: an argument's name is longer than 255 bytes");
  EXPECT_EQ(error_of(check_storable(one_field("a", text(std::string(65'536, 'x'))))),
            "invalid argument: arguments take more than 65536 bytes");
  Table twice;
  twice.append("a", Value{});
  twice.append("a", Value{});
  EXPECT_EQ(error_of(check_storable(twice)), "invalid argument: an argument is given twice");
}

}  // namespace
}  // namespace weir::broker
