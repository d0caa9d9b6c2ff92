// What a scrape gets: that it is Prometheus' format, whatever things are called, with RabbitMQ's names and labels.
#include "admin/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "admin/metrics_writer.h"
#include "metrics_text_parser.h"

namespace weir::admin {
namespace {

using broker::QueueCount;
using testing::IsEmpty;

node::QueueRow queue(std::uint32_t id, std::uint64_t ready, std::uint64_t unacknowledged) {
  node::QueueRow row;
  row.queue = QueueId{id};
  row.ready = ready;
  row.unacknowledged = unacknowledged;
  row.consumers = 1;
  row.bytes = 100 * (ready + unacknowledged);
  row.bytes_unacknowledged = 100 * unacknowledged;
  row.consumer_capacity = 0.5;
  row.oldest_ms = 990'000;
  row.counts[QueueCount::publish] = 7;
  return row;
}

MetricsValues some_values() {
  MetricsValues values;
  values.node.name = "weir@host";
  values.node.cluster = "shop";
  values.node.version = "0.1.0";
  values.node.started_ms = 1'000;
  values.rows.at_ms = 1'000'000;
  values.vhosts = {"/", "other"};
  values.rows.queues = {queue(1, 10, 2), queue(2, 5, 0)};
  values.queue_names = {{"/", "orders"}, {"other", "a \"b\" \\ c\nd"}};
  for (std::size_t i = 0; i < values.rows.queues.size(); ++i) {
    node::VhostSums sums;
    sums.name = values.queue_names[i].vhost;
    sums.add(values.rows.queues[i]);
    values.rows.vhosts.push_back(sums);
  }
  node::SessionRow session;
  session.info.vhost = "/";
  session.name = "10.0.0.1:1 -> 10.0.0.2:5672";
  session.facts.channels = 1;
  session.facts.counts[node::ConnectionCount::recv_oct] = 4'711;
  session.channels.emplace_back();
  session.channels[0].number = 3;
  session.channels[0].unconfirmed = 9;
  session.channels[0].counts[node::ChannelCount::publish] = 12;
  values.rows.sessions.push_back(session);
  values.rows.exchanges.push_back({"/", "", {}, {}});
  values.rows.exchanges[0].counts[node::ExchangeCount::publish_in] = 12;
  for (std::uint16_t id = 0; id < 2; ++id) {
    node::ShardRow shard;
    shard.shard = ShardId{id};
    shard.sessions = id;
    shard.journal.commits = 2;
    shard.journal.commit_us.add(100);
    shard.journal.commit_us.add(5'000);
    shard.traffic.of(node::Protocol::amqp091).sessions[node::SessionCount::received] = 6;
    shard.traffic.of(node::Protocol::amqp091).errors[{404, false}] = 1;
    if (id == 1) shard.alarm = "disk";
    values.rows.shards.push_back(shard);
  }
  return values;
}

MetricsWish wish(std::string_view path, std::vector<std::pair<std::string, std::string>> query = {}) {
  return metrics_wish(path, query).value();
}

ParsedMetrics scrape(const MetricsWish& wanted) {
  ParsedMetrics parsed = parse_metrics(metrics_text(wanted, some_values()));
  EXPECT_THAT(parsed.problems, IsEmpty());
  return parsed;
}

TEST(Metrics, sums_are_told_without_labels) {
  const ParsedMetrics all = scrape(wish("/metrics"));
  EXPECT_EQ(all.values.at("rabbitmq_queue_messages_ready"), 15);
  EXPECT_EQ(all.values.at("rabbitmq_queue_messages_unacked"), 2);
  EXPECT_EQ(all.values.at("rabbitmq_queue_messages"), 17);
  EXPECT_EQ(all.values.at("rabbitmq_queue_messages_bytes"), 1'700);
  EXPECT_EQ(all.values.at("rabbitmq_queue_messages_ready_bytes"), 1'500);
  EXPECT_EQ(all.values.at("rabbitmq_queues"), 2);
  EXPECT_EQ(all.values.at("rabbitmq_consumers"), 2);
  EXPECT_EQ(all.values.at("rabbitmq_connections"), 1);
  EXPECT_EQ(all.values.at("rabbitmq_channels"), 1);
  EXPECT_EQ(all.values.at("rabbitmq_channel_messages_unconfirmed"), 9);
  EXPECT_EQ(all.values.at("rabbitmq_connection_incoming_bytes_total"), 4'711);
  EXPECT_EQ(all.values.at("rabbitmq_alarms_free_disk_space_watermark"), 1);
  EXPECT_EQ(all.values.at("rabbitmq_alarms_memory_used_watermark"), 0);
  EXPECT_EQ(all.values.at("rabbitmq_erlang_uptime_seconds"), 999);
  EXPECT_EQ(all.values.at("weir_queue_oldest_message_age_seconds"), 10);
  EXPECT_FALSE(all.values.contains("rabbitmq_queue_consumer_capacity"))
      << "shares of several queues add up to nothing";
}

TEST(Metrics, protocols_are_told_by_name_with_what_was_refused) {
  const ParsedMetrics all = scrape(wish("/metrics"));
  EXPECT_EQ(all.values.at("rabbitmq_global_messages_received_total{protocol=\"amqp091\"}"), 12);
  EXPECT_EQ(all.values.at("rabbitmq_global_messages_delivered_total{protocol=\"amqp091\",queue_type=\"rabbit_"
                          "classic_queue\"}"),
            0);
  EXPECT_EQ(all.values.at("weir_protocol_errors_total{protocol=\"amqp091\",code=\"404\",scope=\"channel\"}"),
            2);
  EXPECT_EQ(all.values.at("rabbitmq_identity_info{rabbitmq_node=\"weir@host\",rabbitmq_cluster=\"shop\","
                          "rabbitmq_cluster_permanent_id=\"shop\"}"),
            1);
}

TEST(Metrics, a_histogram_adds_up_over_the_shards_and_over_its_buckets) {
  const ParsedMetrics all = scrape(wish("/metrics"));
  EXPECT_EQ(all.types.at("weir_journal_commit_seconds"), "histogram");
  EXPECT_EQ(all.values.at("weir_journal_commit_seconds_bucket{le=\"6.4e-05\"}"), 0);
  EXPECT_EQ(all.values.at("weir_journal_commit_seconds_bucket{le=\"0.000128\"}"), 2);
  EXPECT_EQ(all.values.at("weir_journal_commit_seconds_bucket{le=\"0.004096\"}"), 2);
  EXPECT_EQ(all.values.at("weir_journal_commit_seconds_bucket{le=\"0.008192\"}"), 4);
  EXPECT_EQ(all.values.at("weir_journal_commit_seconds_bucket{le=\"+Inf\"}"), 4);
  EXPECT_EQ(all.values.at("weir_journal_commit_seconds_count"), 4);
  EXPECT_NEAR(all.values.at("weir_journal_commit_seconds_sum"), 0.0102, 1e-9);
}

TEST(Metrics, each_object_has_its_labels_and_names_are_escaped) {
  const ParsedMetrics all = scrape(wish("/metrics/per-object"));
  EXPECT_EQ(all.values.at("rabbitmq_queue_messages_ready{vhost=\"/\",queue=\"orders\"}"), 10);
  EXPECT_EQ(all.values.at("rabbitmq_queue_messages_ready{vhost=\"other\",queue=\"a \\\"b\\\" \\\\ c\\nd\"}"),
            5);
  EXPECT_EQ(all.values.at("rabbitmq_queue_consumer_capacity{vhost=\"/\",queue=\"orders\"}"), 0.5);
  EXPECT_EQ(all.values.at("rabbitmq_queue_head_message_timestamp{vhost=\"/\",queue=\"orders\"}"), 990);
  EXPECT_EQ(all.values.at("rabbitmq_queue_messages_published_total{vhost=\"/\",queue=\"orders\"}"), 7);
  EXPECT_EQ(
      all.values.at("rabbitmq_channel_messages_published_total{channel=\"10.0.0.1:1 -> 10.0.0.2:5672 (3)\"}"),
      12);
  EXPECT_EQ(all.values.at("weir_exchange_messages_in_total{vhost=\"/\",exchange=\"\"}"), 12);
  EXPECT_EQ(all.values.at("rabbitmq_connections"), 1);
}

TEST(Metrics, detailed_tells_the_families_and_virtual_hosts_that_were_asked_for) {
  const ParsedMetrics none = scrape(wish("/metrics/detailed"));
  for (const auto& [name, type] : none.types) EXPECT_TRUE(name.ends_with("_info")) << name;
  const ParsedMetrics some = scrape(wish(
      "/metrics/detailed", {{"family", "queue_coarse_metrics"}, {"family", "unheard_of"}, {"vhost", "/"}}));
  EXPECT_EQ(some.values.at("rabbitmq_detailed_queue_messages{vhost=\"/\",queue=\"orders\"}"), 12);
  EXPECT_FALSE(some.types.contains("rabbitmq_detailed_queue_consumers"));
  for (const auto& [sample, value] : some.values)
    EXPECT_EQ(sample.find("other"), std::string::npos) << sample;
  const ParsedMetrics both = scrape(
      wish("/metrics/detailed", {{"family", "queue_consumer_count"}, {"vhost", "/"}, {"vhost", "other"}}));
  EXPECT_EQ(both.values.at("rabbitmq_detailed_queue_consumers{vhost=\"/\",queue=\"orders\"}"), 1);
  EXPECT_EQ(both.values.size(), 4U);
  EXPECT_EQ(scrape(wish("/metrics/detailed", {{"family", "vhost_status"}}))
                .values.at("rabbitmq_cluster_vhost_status{vhost=\"other\"}"),
            1);
  EXPECT_FALSE(metrics_wish("/metrics/nope", {}).has_value());
}

TEST(Metrics, every_group_can_be_asked_for_by_its_name) {
  for (const char* name :
       {"connection_churn_metrics", "node_coarse_metrics", "node_metrics", "node_persister_metrics",
        "queue_coarse_metrics", "queue_consumer_count", "queue_metrics", "queue_delivery_metrics",
        "channel_metrics", "channel_exchange_metrics", "channel_queue_metrics", "connection_coarse_metrics",
        "connection_metrics", "exchange_metrics", "vhost_status"}) {
    EXPECT_GT(scrape(wish("/metrics/detailed", {{"family", name}})).values.size(), 2U) << name;
  }
  EXPECT_FALSE(metric_group("totals").has_value());
}

TEST(Metrics, only_what_is_wanted_is_asked_of_the_shards) {
  const node::ObserveScope sums = wish("/metrics").scope();
  EXPECT_TRUE(sums.sums);
  EXPECT_FALSE(sums.queues) << "sums do not need a row for each queue";
  const node::ObserveScope coarse =
      wish("/metrics/detailed", {{"family", "queue_coarse_metrics"}, {"vhost", "a"}}).scope();
  EXPECT_TRUE(coarse.queues);
  EXPECT_FALSE(coarse.sessions);
  EXPECT_FALSE(coarse.channels);
  EXPECT_EQ(coarse.vhost, "a");
}

TEST(Metrics, the_pieces_of_any_size_make_the_same_text) {
  const std::string whole = metrics_text(wish("/metrics/per-object"), some_values());
  for (const std::size_t bytes : {1U, 100U, 1'000U}) {
    MetricsText text(wish("/metrics/per-object"), some_values());
    std::string joined;
    for (bool more = true; more;) {
      std::string piece;
      more = text.write(piece, bytes);
      joined += piece;
    }
    EXPECT_EQ(joined, whole) << bytes;
  }
}

TEST(Metrics, a_piece_is_not_much_larger_than_was_asked_for) {
  MetricsValues values = some_values();
  for (std::uint32_t i = 3; i < 10'000; ++i) {
    values.rows.queues.push_back(queue(i, i, 0));
    values.queue_names.push_back({"/", "queue-" + std::to_string(i)});
  }
  MetricsText text(wish("/metrics/per-object"), std::move(values));
  constexpr std::size_t bytes = 64U << 10;
  std::size_t largest = 0, pieces = 0;
  for (bool more = true; more; ++pieces) {
    std::string piece;
    more = text.write(piece, bytes);
    largest = std::max(largest, piece.size());
  }
  EXPECT_LT(largest, 2 * bytes);
  EXPECT_GT(pieces, 100U);
}

// Behind the prefix, as docs/metrics.md has RabbitMQ's names.
std::string documented(const std::string& family) {
  for (const std::string_view prefix : {"rabbitmq_global_", "rabbitmq_cluster_", "rabbitmq_build", "weir_"}) {
    if (family.starts_with(prefix)) return "`" + family + "`";
  }
  if (family == "rabbitmq_identity_info") return "`" + family + "`";
  return "`" + family.substr(std::string_view("rabbitmq_").size()) + "`";
}

TEST(Metrics, every_family_is_in_the_documentation) {
  std::ifstream file(std::string(WEIR_TESTS_DIR) + "/../docs/metrics.md");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(text.empty());
  for (const auto& [family, type] : scrape(wish("/metrics/per-object")).types)
    EXPECT_NE(text.find(documented(family)), std::string::npos) << family;
}

TEST(Metrics, numbers_that_are_none_are_written_as_prometheus_has_them) {
  std::string out;
  MetricsWriter writer(out);
  writer.family("weir_", "x", "gauge", "help");
  writer.line("", std::nan(""));
  writer.line("a=\"1\"", std::numeric_limits<double>::infinity());
  writer.line("a=\"2\"", 0.25);
  writer.line("a=\"3\"", std::uint64_t{UINT64_MAX});
  EXPECT_EQ(
      out,
      "# TYPE weir_x gauge\n# HELP weir_x help\nweir_x NaN\nweir_x{a=\"1\"} +Inf\nweir_x{a=\"2\"} 0.25\n"
      "weir_x{a=\"3\"} 18446744073709551615\n");
}

}  // namespace
}  // namespace weir::admin
