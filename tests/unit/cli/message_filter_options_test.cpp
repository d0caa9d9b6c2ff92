#include "cli/message_filter_options.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

namespace json = boost::json;

std::string filter_of(const MessageFilterOptions& options) {
  const auto filter = message_filter(options);
  return filter ? json::serialize(*filter) : filter.error().message;
}

TEST(MessageFilterOptions, nothing_means_all_messages) { EXPECT_EQ(filter_of({}), "{}"); }

TEST(MessageFilterOptions, each_option_is_a_condition) {
  MessageFilterOptions options;
  options.routing_key = "eu.*";
  options.contains = "x";
  options.since = "1767225600000";
  options.until = "2026-01-31T12:00:00Z";
  options.redelivered = true;
  options.died_reason = "rejected";
  options.headers = {"tier=gold", "traceparent", "a=b=c"};
  options.where = {"$.total > 1"};
  EXPECT_EQ(filter_of(options),
            R"({"routing_key":"eu.*","body_contains":"x","received_from":1767225600000,)"
            R"("received_to":"2026-01-31T12:00:00Z","redelivered":true,)"
            R"("headers":{"tier":"gold","traceparent":null,"a":"b=c"},"dead_letter":{"reason":"rejected"},)"
            R"("json":["$.total > 1"]})");
}

TEST(MessageFilterOptions, options_come_on_top_of_a_filter_in_json) {
  MessageFilterOptions options;
  options.json = R"({"exchange": "a", "redelivered": false})";
  options.exchange = "b";
  EXPECT_EQ(filter_of(options), R"({"exchange":"b","redelivered":false})");
}

TEST(MessageFilterOptions, what_makes_no_sense_is_refused) {
  MessageFilterOptions options;
  options.properties = {"=x"};
  EXPECT_FALSE(message_filter(options));
  options = {};
  options.json = "[1]";
  EXPECT_FALSE(message_filter(options));
  options.json = "{";
  EXPECT_FALSE(message_filter(options));
}

TEST(MessageFilterOptions, a_place_is_a_number_or_a_word) {
  EXPECT_EQ(place_in_queue("-50"), json::value(-50));
  EXPECT_EQ(place_in_queue("17"), json::value(17));
  EXPECT_EQ(place_in_queue("last"), json::value("last"));
  EXPECT_EQ(place_in_queue("2026-01-31T12:00:00Z"), json::value("2026-01-31T12:00:00Z"));
}

}  // namespace
}  // namespace weir::cli
