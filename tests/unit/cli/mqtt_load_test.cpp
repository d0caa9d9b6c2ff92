#include "cli/mqtt_load.h"

#include <gtest/gtest.h>

#include "protocol/mqtt/codec/decode.h"

namespace weir::cli {
namespace {

using namespace mqtt;

TEST(MqttForm, every_publish_is_a_packet_with_its_own_id_and_stamp) {
  for (const Version version : {Version::v3_1_1, Version::v5}) {
    for (std::uint8_t qos = 0; qos <= 2; ++qos) {
      for (const std::uint32_t size : {0U, 16U, 100U, 1024U, 4096U, 5000U, 100'000U}) {
        PublishBatch batch(
            mqtt_form({.version = version, .qos = qos, .topics = {"t.1", "t.2"}, .size_bytes = size}), 10);
        for (std::uint64_t number = 65'535; number < 65'538; ++number)
          batch.add(number % 2, {.lane = 3, .seq = number}, number);
        std::vector<std::byte> written;
        batch.pieces([&](Bytes piece) { written.insert(written.end(), piece.begin(), piece.end()); });

        PacketReader reader;
        reader.use(version);
        Bytes input = written;
        for (std::uint64_t number = 65'535; number < 65'538; ++number) {
          ASSERT_EQ(reader.next(input, nullptr, {}), PacketReader::Kind::packet);
          ASSERT_EQ(reader.type(), PacketType::publish);
          const auto publish = decode_publish(version, reader.flags(), reader.body());
          ASSERT_TRUE(publish);
          EXPECT_EQ(publish->topic, number % 2 == 0 ? "t.1" : "t.2");
          EXPECT_EQ(publish->qos, qos);
          EXPECT_FALSE(publish->dup || publish->retain);
          EXPECT_EQ(publish->packet_id, qos == 0 ? 0 : packet_id_of(number));
          ASSERT_EQ(publish->payload.size(), size);
          EXPECT_EQ(read_stamp(publish->payload.data(), size, number).seq, number);
        }
        EXPECT_TRUE(input.empty());
      }
    }
  }
}

BenchOptions topics(std::uint32_t count, std::uint32_t subscribers) {
  BenchOptions options;
  options.queues = count;
  options.consumers = subscribers;
  return options;
}

TEST(TopicPlan, each_topic_has_one_subscriber) {
  const Result<BenchPlan> plan = make_topic_plan(topics(3, 2));
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->broadcast);
  EXPECT_EQ(plan->queues_of_consumer, (std::vector<std::vector<std::uint32_t>>{{0, 2}, {1}}));
  EXPECT_FALSE(make_topic_plan(topics(2, 3)));
}

TEST(TopicPlan, with_a_fanout_all_subscribers_have_the_one_topic) {
  BenchOptions options = topics(1, 3);
  options.fanout = 3;
  options.producers = 2;
  const Result<BenchPlan> plan = make_topic_plan(options);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->copies(), 3U);
  ASSERT_EQ(plan->lanes.size(), 2U);
  EXPECT_EQ(plan->lanes[0].routing_key, "weir-bench.fanout");
  EXPECT_EQ(plan->lanes[1].routing_key, "weir-bench.fanout");
  EXPECT_EQ(plan->queues_of_consumer, (std::vector<std::vector<std::uint32_t>>{{0}, {1}, {2}}));
}

TEST(TopicPlan, a_window_in_which_packet_ids_would_meet_is_refused) {
  BenchOptions options = topics(1, 1);
  options.window = 4'096;
  EXPECT_TRUE(make_topic_plan(options));
  options.window = 4'097;
  EXPECT_FALSE(make_topic_plan(options));
}

}  // namespace
}  // namespace weir::cli
