#include <string>

#include "scripted.h"

namespace weir::amqp091 {
namespace {

class Consuming : public Scripted {
 protected:
  // Channel 1 consumes from "q", which holds `count` messages "0", "1", …
  void consume(AmqpPeer& peer, int count, std::uint16_t prefetch = 0) {
    connect(peer);
    peer.declare(1, "q");
    for (int i = 0; i < count; ++i) peer.publish(1, "", "q", std::to_string(i));
    if (prefetch != 0) {
      peer.send(1, BasicQos{.prefetch_count = prefetch});
      peer.expect(1, BasicQosOk{});
    }
    peer.send(1, BasicConsume{.queue = "q", .consumer_tag = "c"});
    peer.expect(1, BasicConsumeOk{"c"});
  }
  void expect_deliveries(AmqpPeer& peer, std::uint64_t first_tag, int first, int last,
                         bool redelivered = false) {
    for (int i = first; i <= last; ++i) {
      const auto deliver = peer.expect_delivery(1, std::to_string(i));
      EXPECT_EQ(deliver.delivery_tag, first_tag++);
      EXPECT_EQ(deliver.redelivered, redelivered);
      EXPECT_EQ(deliver.consumer_tag, "c");
    }
  }
};
WEIR_SCRIPTED(Consuming);

TEST_P(Consuming, messages_are_delivered_with_ascending_tags) {
  AmqpPeer peer(world);
  consume(peer, 3);
  expect_deliveries(peer, 1, 0, 2);
  peer.publish(1, "", "q", "3");
  const auto deliver = peer.expect_delivery(1, "3");
  EXPECT_EQ(deliver.delivery_tag, 4U);
  EXPECT_EQ(deliver.routing_key, "q");
  EXPECT_EQ(world.broker.unacked("q"), 4U);
}

TEST_P(Consuming, a_tag_is_generated_when_none_is_given) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  peer.send(1, BasicConsume{.queue = "q"});
  const auto first = peer.expect_any<BasicConsumeOk>(1).consumer_tag;
  peer.send(1, BasicConsume{.queue = "q"});
  const auto second = peer.expect_any<BasicConsumeOk>(1).consumer_tag;
  EXPECT_TRUE(first.starts_with("amq.ctag-"));
  EXPECT_EQ(first.size(), 31U);
  EXPECT_NE(first, second);
}

TEST_P(Consuming, acknowledging_one_or_many) {
  AmqpPeer peer(world);
  consume(peer, 6);
  expect_deliveries(peer, 1, 0, 5);
  peer.send(1, BasicAck{2, false});
  peer.flush();
  EXPECT_EQ(world.broker.unacked("q"), 5U);
  peer.send(1, BasicAck{4, true});
  peer.flush();
  EXPECT_EQ(world.broker.unacked("q"), 2U);
  peer.send(1, BasicAck{0, true});
  peer.send(1, BasicAck{0, true});
  peer.expect_nothing();
  EXPECT_EQ(world.broker.unacked("q"), 0U);
  EXPECT_EQ(world.broker.ready("q"), 0U);
}

TEST_P(Consuming, prefetch_bounds_what_is_out) {
  AmqpPeer peer(world);
  consume(peer, 5, 2);
  expect_deliveries(peer, 1, 0, 1);
  peer.expect_nothing();
  peer.send(1, BasicAck{1, false});
  expect_deliveries(peer, 3, 2, 2);
  peer.expect_nothing();
  peer.send(1, BasicAck{3, true});
  expect_deliveries(peer, 4, 3, 4);
}

TEST_P(Consuming, nack_and_reject_put_back_or_throw_away) {
  AmqpPeer peer(world);
  consume(peer, 4, 4);
  expect_deliveries(peer, 1, 0, 3);
  peer.send(1, BasicReject{1, true});
  auto again = peer.expect_delivery(1, "0");
  EXPECT_TRUE(again.redelivered);
  EXPECT_EQ(again.delivery_tag, 5U);
  peer.send(1, BasicReject{5, false});
  peer.send(1, BasicNack{3, true, true});
  EXPECT_TRUE(peer.expect_delivery(1, "1").redelivered);
  EXPECT_TRUE(peer.expect_delivery(1, "2").redelivered);
  peer.send(1, BasicNack{0, true, false});
  peer.expect_nothing();
  EXPECT_EQ(world.broker.unacked("q"), 0U);
  EXPECT_EQ(world.broker.ready("q"), 0U);
}

struct UnknownTag {
  std::uint64_t tag;
  bool multiple;
};

TEST_P(Consuming, settling_what_is_not_out_closes_the_channel_and_puts_all_back) {
  for (const UnknownTag one : {UnknownTag{99, false}, UnknownTag{0, false}, UnknownTag{1, false},
                               UnknownTag{1, true}, UnknownTag{99, true}}) {
    FakeWorld fresh;
    fresh.bytes_per_read = GetParam();
    AmqpPeer peer(fresh);
    consume(peer, 0);
    for (int i = 0; i < 3; ++i) peer.publish(1, "", "q", "m");
    for (int i = 0; i < 3; ++i) peer.expect_delivery(1, "m");
    peer.send(1, BasicAck{1, false});
    peer.send(1, BasicAck{one.tag, one.multiple});
    peer.send(1, BasicAck{2, false});  // thrown away
    peer.expect_channel_error(1, 406, "PRECONDITION_FAILED - unknown delivery tag " + std::to_string(one.tag),
                              BasicAck::info.id);
    peer.expect_nothing();
    EXPECT_EQ(fresh.broker.ready("q"), 2U);
    EXPECT_EQ(fresh.broker.unacked("q"), 0U);
    peer.close();
    fresh.run();
    EXPECT_EQ(fresh.broker.unsettled_at_end(), 0U);
  }
}

TEST_P(Consuming, without_acknowledgements_nothing_is_kept) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  peer.publish(1, "", "q", "0");
  peer.send(1, BasicConsume{.queue = "q", .consumer_tag = "c", .no_ack = true});
  peer.expect(1, BasicConsumeOk{"c"});
  peer.expect_delivery(1, "0");
  EXPECT_EQ(world.broker.unacked("q"), 0U);
  peer.send(1, BasicAck{1, false});
  peer.expect_channel_error(1, 406, "PRECONDITION_FAILED - unknown delivery tag 1", BasicAck::info.id);
}

TEST_P(Consuming, recover_puts_all_back_and_delivers_again) {
  AmqpPeer peer(world);
  consume(peer, 2, 2);
  expect_deliveries(peer, 1, 0, 1);
  peer.send(1, BasicRecover{true});
  expect_deliveries(peer, 3, 0, 1, true);
  peer.expect(1, BasicRecoverOk{});
  peer.send(1, BasicRecoverAsync{true});
  expect_deliveries(peer, 5, 0, 1, true);
  peer.expect_nothing();
}

TEST_P(Consuming, cancel_ends_deliveries_but_not_what_is_out) {
  AmqpPeer peer(world);
  consume(peer, 2);
  expect_deliveries(peer, 1, 0, 1);
  peer.send(1, BasicCancel{"c", false});
  peer.expect(1, BasicCancelOk{"c"});
  peer.publish(1, "", "q", "2");
  peer.expect_nothing();
  EXPECT_EQ(world.broker.unacked("q"), 2U);
  peer.send(1, BasicAck{1, false});
  peer.send(1, BasicNack{2, false, true});
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 2U);
}

TEST_P(Consuming, cancel_without_waiting_and_of_what_is_not_there) {
  AmqpPeer peer(world);
  consume(peer, 0);
  peer.send(1, BasicCancel{"c", true});
  peer.expect_nothing();
  peer.publish(1, "", "q", "0");
  peer.expect_nothing();
  peer.send(1, BasicCancel{"c", false});
  peer.expect(1, BasicCancelOk{"c"});
  peer.send(1, BasicConsume{.queue = "q", .consumer_tag = "c"});
  peer.expect(1, BasicConsumeOk{"c"});
  peer.expect_delivery(1, "0");
}

TEST_P(Consuming, a_tag_may_be_used_once_per_channel) {
  AmqpPeer peer(world);
  consume(peer, 0);
  peer.open_channel(2);
  peer.send(2, BasicConsume{.queue = "q", .consumer_tag = "c"});
  peer.expect(2, BasicConsumeOk{"c"});
  peer.send(1, BasicConsume{.queue = "q", .consumer_tag = "c"});
  peer.expect_connection_error(530, "NOT_ALLOWED - attempt to reuse consumer tag 'c'", BasicConsume::info.id);
}

TEST_P(Consuming, an_exclusive_consumer_stays_alone) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  peer.send(1, BasicConsume{.queue = "q", .consumer_tag = "c", .exclusive = true});
  peer.expect(1, BasicConsumeOk{"c"});
  peer.open_channel(2);
  peer.send(2, BasicConsume{.queue = "q", .consumer_tag = "d"});
  peer.expect_channel_error(2, 403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use",
                            BasicConsume::info.id);
  // The refused one left nothing behind.
  peer.open_channel(2);
  peer.send(1, BasicCancel{"c", false});
  peer.expect(1, BasicCancelOk{"c"});
  peer.send(2, BasicConsume{.queue = "q", .consumer_tag = "d"});
  peer.expect(2, BasicConsumeOk{"d"});
}

TEST_P(Consuming, consumers_share_in_turn) {
  AmqpPeer first(world);
  consume(first, 0);
  AmqpPeer second(world);
  connect(second);
  second.send(1, BasicConsume{.queue = "q", .consumer_tag = "d", .no_wait = true});
  second.expect_nothing();
  for (int i = 0; i < 4; ++i) first.publish(1, "", "q", std::to_string(i));
  first.expect_delivery(1, "0");
  first.expect_delivery(1, "2");
  second.expect_delivery(1, "1");
  second.expect_delivery(1, "3");
}

TEST_P(Consuming, a_client_that_wants_to_know_is_told_that_its_queue_has_gone) {
  AmqpPeer knowing(world);
  consume(knowing, 0);
  AmqpPeer plain(world, {.capable = false});
  connect(plain);
  plain.send(1, BasicConsume{.queue = "q", .consumer_tag = "p"});
  plain.expect(1, BasicConsumeOk{"p"});
  world.broker.remove_queue("/", "q");
  knowing.expect(1, BasicCancel{"c", true});
  plain.expect_nothing();
  // The tag is free again.
  knowing.declare(1, "q");
  knowing.send(1, BasicConsume{.queue = "q", .consumer_tag = "c"});
  knowing.expect(1, BasicConsumeOk{"c"});
}

TEST_P(Consuming, get_gives_one_message_and_how_many_are_left) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  peer.send(1, BasicGet{.queue = "q"});
  peer.expect(1, BasicGetEmpty{});
  for (int i = 0; i < 3; ++i) peer.publish(1, "", "q", std::to_string(i));
  peer.send(1, BasicGet{.queue = "q"});
  peer.expect(1, BasicGetOk{1, false, "", "q", 2});
  EXPECT_EQ(peer.expect_content(1).body, "0");
  peer.send(1, BasicGet{.queue = "q", .no_ack = true});
  peer.expect(1, BasicGetOk{2, false, "", "q", 1});
  EXPECT_EQ(peer.expect_content(1).body, "1");
  EXPECT_EQ(world.broker.unacked("q"), 1U);
  peer.send(1, BasicNack{1, false, true});
  peer.send(1, BasicGet{.queue = "q"});
  peer.expect(1, BasicGetOk{3, true, "", "q", 1});
  EXPECT_EQ(peer.expect_content(1).body, "0");
  peer.send(1, BasicAck{3, false});
  peer.expect_nothing();
  EXPECT_EQ(world.broker.unacked("q"), 0U);
}

TEST_P(Consuming, a_large_body_is_split_into_frames_of_the_tuned_size) {
  AmqpPeer publisher(world);
  connect(publisher);
  publisher.declare(1, "q");
  for (const std::size_t bytes : {4'088U, 4'089U, 8'176U, 8'177U, 100'000U}) {
    publisher.publish(1, "", "q", std::string(bytes, 'b'));
  }
  publisher.flush();
  AmqpPeer peer(world, {.frame_max = 4'096});
  connect(peer);
  for (const std::size_t bytes : {4'088U, 4'089U, 8'176U, 8'177U, 100'000U}) {
    peer.send(1, BasicGet{.queue = "q", .no_ack = true});
    peer.expect_any<BasicGetOk>(1);
    const auto content = peer.expect_content(1);
    EXPECT_EQ(content.body, std::string(bytes, 'b'));
    EXPECT_EQ(content.body_frames, (bytes + 4'087) / 4'088);
  }
}

TEST_P(Consuming, closing_a_channel_puts_back_what_is_out_and_leaves_other_channels_alone) {
  AmqpPeer peer(world);
  consume(peer, 3, 2);
  expect_deliveries(peer, 1, 0, 1);
  peer.open_channel(2);
  peer.send(1, ChannelClose{.reply_code = 200, .reply_text = "bye"});
  peer.expect(1, ChannelCloseOk{});
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 3U);
  EXPECT_EQ(world.broker.unacked("q"), 0U);
  peer.send(2, BasicGet{.queue = "q", .no_ack = true});
  peer.expect(2, BasicGetOk{1, true, "", "q", 2});
  peer.expect_content(2);
}

// --- the prefetch of a channel ---

TEST_P(Consuming, a_prefetch_of_the_channel_is_shared_by_its_consumers) {
  AmqpPeer peer(world);
  connect(peer);
  for (const char* queue : {"a", "b"}) {
    peer.declare(1, queue);
    for (int i = 0; i < 3; ++i) peer.publish(1, "", queue, queue);
  }
  peer.send(1, BasicQos{.prefetch_count = 4, .global = true});
  peer.expect(1, BasicQosOk{});
  for (const char* queue : {"a", "b"}) {
    peer.send(1, BasicConsume{.queue = queue, .consumer_tag = queue});
    peer.expect(1, BasicConsumeOk{queue});
    const int expected = *queue == 'a' ? 3 : 1;
    for (int i = 0; i < expected; ++i) peer.expect_delivery(1, queue);
  }
  peer.expect_nothing();
  peer.send(1, BasicAck{2, true});
  peer.expect_delivery(1, "b");
  peer.expect_delivery(1, "b");
  peer.expect_nothing();
}

TEST_P(Consuming, a_prefetch_of_the_channel_is_on_top_of_that_of_each_consumer) {
  AmqpPeer peer(world);
  consume(peer, 5, 2);
  expect_deliveries(peer, 1, 0, 1);
  peer.send(1, BasicQos{.prefetch_count = 10, .global = true});
  peer.expect(1, BasicQosOk{});
  peer.expect_nothing();
  peer.send(1, BasicAck{1, false});
  expect_deliveries(peer, 3, 2, 2);
  peer.expect_nothing();
}

TEST_P(Consuming, a_prefetch_of_the_channel_counts_for_consumers_that_were_there_before) {
  AmqpPeer peer(world);
  consume(peer, 2);
  expect_deliveries(peer, 1, 0, 1);
  peer.send(1, BasicQos{.prefetch_count = 2, .global = true});
  peer.expect(1, BasicQosOk{});
  peer.publish(1, "", "q", "2");
  peer.expect_nothing();
  peer.send(1, BasicReject{1, false});
  expect_deliveries(peer, 3, 2, 2);
  // What was got without a consumer does not count, nor what a consumer had that has gone.
  peer.send(1, BasicCancel{"c", false});
  peer.expect(1, BasicCancelOk{"c"});
  peer.send(1, BasicAck{0, true});
  peer.publish(1, "", "q", "3");
  peer.send(1, BasicGet{.queue = "q"});
  peer.expect_any<BasicGetOk>(1);
  EXPECT_EQ(peer.expect_content(1).body, "3");
  for (const char* body : {"4", "5", "6"}) peer.publish(1, "", "q", body);
  peer.send(1, BasicConsume{.queue = "q", .consumer_tag = "c"});
  peer.expect(1, BasicConsumeOk{"c"});
  expect_deliveries(peer, 5, 4, 5);
  peer.expect_nothing();
  // 0 is no limit.
  peer.send(1, BasicQos{.prefetch_count = 0, .global = true});
  peer.expect(1, BasicQosOk{});
  expect_deliveries(peer, 7, 6, 6);
}

struct NotImplementedMethod {
  Method method;
  std::string_view error;
};

TEST_P(Consuming, what_is_not_implemented_says_so) {
  const NotImplementedMethod cases[] = {
      {BasicQos{.prefetch_size = 5}, "NOT_IMPLEMENTED - prefetch_size!=0 (5)"},
      {BasicQos{.prefetch_size = 6, .global = true}, "NOT_IMPLEMENTED - prefetch_size!=0 (6)"},
      {BasicRecover{false}, "NOT_IMPLEMENTED - requeue=false"},
      {BasicRecoverAsync{false}, "NOT_IMPLEMENTED - requeue=false"},
      {ChannelFlow{false}, "NOT_IMPLEMENTED - active=false"},
  };
  for (const NotImplementedMethod& one : cases) {
    AmqpPeer peer(world);
    connect(peer);
    std::visit([&](const auto& method) { peer.send(1, method); }, one.method);
    peer.expect_connection_error(540, one.error, info_of(one.method).id);
  }
}

}  // namespace
}  // namespace weir::amqp091
