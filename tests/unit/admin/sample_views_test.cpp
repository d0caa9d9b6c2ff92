// Samples as calls ask for them, and as they are told.
#include "admin/sample_views.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::admin {
namespace {

namespace json = boost::json;

constexpr std::uint64_t now_ms = 1'700'000'012'345;

auto ranges_of(const std::string& query) {
  return read_sample_ranges(*http::parse_target("/api/queues?" + query), now_ms);
}

TEST(SampleViews, both_an_age_and_a_step_make_a_range_and_it_ends_at_a_whole_step) {
  const auto ranges =
      ranges_of("lengths_age=60&lengths_incr=5&msg_rates_age=60&node_stats_age=x&node_stats_incr=5");
  ASSERT_TRUE(ranges.has_value());
  ASSERT_TRUE(ranges->lengths.has_value());
  EXPECT_EQ(ranges->lengths->last_ms, 1'700'000'010'000U);
  EXPECT_EQ(ranges->lengths->count(), 13U);
  EXPECT_FALSE(ranges->msg_rates.has_value());
  EXPECT_FALSE(ranges->node_stats.has_value());
}

TEST(SampleViews, a_range_of_nothing_or_of_too_much_is_refused) {
  for (const char* query : {"lengths_age=0&lengths_incr=5", "lengths_age=5&lengths_incr=0",
                            "msg_rates_age=7200&msg_rates_incr=5", "node_stats_age=-1&node_stats_incr=5",
                            "lengths_age=9223372036854775807&lengths_incr=9223372036854775"}) {
    const auto ranges = ranges_of(query);
    ASSERT_FALSE(ranges.has_value()) << query;
    EXPECT_EQ(ranges.error().error, "bad_request");
    EXPECT_TRUE(ranges.error().reason.starts_with("Invalid range parameters: age ")) << query;
  }
}

TEST(SampleViews, samples_are_told_with_their_rate_and_their_mean) {
  auto history = std::make_shared<History>(static_cast<std::size_t>(QueueSeries::count));
  SeriesNumbers<QueueSeries> numbers{};
  numbers[0] = 30;
  history->add(1'699'999'980'000, numbers);
  numbers[0] = 90;
  history->add(1'700'000'005'000, numbers);
  json::object view{{"messages", 90}};
  add_queue_samples(view, {history, history}, *ranges_of("lengths_age=60&lengths_incr=30"));
  const json::object& details = view.at("messages_details").as_object();
  ASSERT_EQ(details.at("samples").as_array().size(), 3U);
  EXPECT_EQ(json::serialize(details.at("samples").at(0)), R"({"sample":180,"timestamp":1700000010000})")
      << "of both";
  EXPECT_EQ(json::serialize(details.at("samples").at(1)), R"({"sample":60,"timestamp":1699999980000})");
  EXPECT_EQ(json::serialize(details.at("samples").at(2)), R"({"sample":0,"timestamp":1699999950000})");
  EXPECT_DOUBLE_EQ(details.at("rate").as_double(), 4);
  EXPECT_DOUBLE_EQ(details.at("avg_rate").as_double(), 3);
  EXPECT_DOUBLE_EQ(details.at("avg").as_double(), 80);
}

TEST(SampleViews, a_queue_that_never_moved_was_always_as_it_is) {
  node::QueueRow row;
  row.ready = 4;
  const auto history = still_history(row, 1'699'999'970'000);
  json::object view{{"messages", 4}};
  add_queue_samples(view, {history}, *ranges_of("lengths_age=60&lengths_incr=30"));
  EXPECT_DOUBLE_EQ(view.at("messages_details").at("avg").as_double(), 8.0 / 3);
  EXPECT_FALSE(view.contains("message_stats"));
}

}  // namespace
}  // namespace weir::admin
