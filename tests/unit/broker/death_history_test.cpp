#include "broker/death_history.h"

#include <gtest/gtest.h>

#include "broker/message_extras.h"

namespace weir::broker {

namespace {

Death death(const std::string& queue, DeathReason reason, std::uint64_t time_ms = 1) {
  Death made;
  made.reason = reason;
  made.queue = queue;
  made.exchange = "x-" + queue;
  made.routing_key = "k";
  made.time_ms = time_ms;
  return made;
}

}  // namespace

TEST(DeathHistory, counts_by_queue_and_reason_with_the_newest_first) {
  DeathHistory history;
  history.record(death("a", DeathReason::expired, 10));
  history.record(death("b", DeathReason::rejected, 20));
  history.record(death("a", DeathReason::expired, 30));
  ASSERT_EQ(history.deaths.size(), 2U);
  EXPECT_EQ(history.deaths[0].queue, "a");
  EXPECT_EQ(history.deaths[0].count, 2U);
  EXPECT_EQ(history.deaths[0].time_ms, 10U);
  EXPECT_TRUE(history.deaths[0].first);
  EXPECT_FALSE(history.deaths[1].first);
  EXPECT_EQ(history.first_exchange, "x-a");
}

TEST(DeathHistory, knows_a_cycle_unless_somebody_rejected_since) {
  DeathHistory history;
  history.record(death("a", DeathReason::expired));
  history.record(death("b", DeathReason::maxlen));
  EXPECT_TRUE(history.is_cycle("a"));
  EXPECT_TRUE(history.is_cycle("b"));
  EXPECT_FALSE(history.is_cycle("c"));
  history.record(death("c", DeathReason::rejected));
  EXPECT_FALSE(history.is_cycle("a"));
  EXPECT_FALSE(history.is_cycle("c"));
}

TEST(DeathHistory, knows_for_good_that_further_keys_count_no_more) {
  DeathHistory history;
  EXPECT_FALSE(history.rekeyed());
  Death rekeyed = death("a", DeathReason::rejected);
  rekeyed.rekeyed = true;
  history.record(death("first", DeathReason::rejected));
  history.record(rekeyed);
  history.record(death("a", DeathReason::rejected));
  for (std::size_t i = 0; i < 2 * deaths_max; ++i)
    history.record(death(std::to_string(i), DeathReason::rejected));
  EXPECT_EQ(history.deaths.size(), deaths_max);
  EXPECT_TRUE(history.rekeyed());
}

TEST(DeathHistory, forgets_the_oldest_where_it_would_be_too_large) {
  DeathHistory history;
  for (std::size_t i = 0; i < deaths_max; ++i) {
    Death large = death(std::to_string(i), DeathReason::rejected);
    large.more_keys.assign(100, std::string(50, 'k'));
    history.record(large);
  }
  const std::vector<std::byte> bytes = encode_deaths(history);
  EXPECT_LE(bytes.size(), deaths_bytes_max);
  const auto decoded = decode_deaths(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, history);
  EXPECT_LT(history.deaths.size(), deaths_max);
  EXPECT_EQ(history.deaths.front().queue, std::to_string(deaths_max - 1));
  EXPECT_TRUE(history.deaths.back().first);
}

TEST(DeathHistory, comes_back_as_it_was_and_not_from_less) {
  DeathHistory history;
  history.record(death("a", DeathReason::delivery_limit));
  Death with_ttl = death("b", DeathReason::expired);
  with_ttl.ttl_ms = 0;
  with_ttl.more_keys = {"further", ""};
  with_ttl.rekeyed = true;
  history.record(with_ttl);
  const std::vector<std::byte> bytes = encode_deaths(history);
  const auto decoded = decode_deaths(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, history);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_deaths(Bytes(bytes).first(size)).has_value()) << size;
  }
}

TEST(DeathHistory, forgets_the_oldest_but_the_first_and_fits_into_a_message) {
  DeathHistory history;
  for (int i = 0; i < 200; ++i) {
    history.record(death(std::string(250, 'q') + std::to_string(i), DeathReason::rejected));
  }
  EXPECT_EQ(history.deaths.size(), deaths_max);
  EXPECT_TRUE(history.deaths.back().first);
  EXPECT_EQ(history.deaths.back().queue, std::string(250, 'q') + "0");
  EXPECT_LT(encode_deaths(history).size() + 64, extras_bytes_max);
}

}  // namespace weir::broker
