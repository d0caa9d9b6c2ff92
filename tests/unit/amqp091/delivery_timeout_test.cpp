#include "protocol/amqp091/delivery_ages.h"
#include "scripted.h"

namespace weir::amqp091 {
namespace {

constexpr std::uint64_t half_hour_ms = 1'800'000;

class DeliveryTimeout : public Scripted {
 protected:
  void declare(AmqpPeer& peer, const std::string& queue, std::int64_t timeout_ms) {
    FieldTable arguments;
    arguments.add("x-consumer-timeout", FieldValue(timeout_ms));
    const std::vector<std::byte> encoded = encode_table(arguments);
    peer.send(1, QueueDeclare{.queue = queue, .arguments = {encoded}});
    peer.expect(1, QueueDeclareOk{queue, 0, 0});
  }
  static std::string words(std::uint64_t timeout_ms) {
    return "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: " +
           std::to_string(timeout_ms) +
           " ms. This timeout value can be configured, see consumers doc guide to learn more";
  }
  void consume(AmqpPeer& peer, const std::string& queue, int count) {
    for (int i = 0; i < count; ++i) peer.publish(1, "", queue, "m");
    peer.send(1, BasicConsume{.queue = queue, .consumer_tag = queue});
    peer.expect(1, BasicConsumeOk{queue});
    for (int i = 0; i < count; ++i) peer.expect_delivery(1, "m");
  }
};
WEIR_SCRIPTED(DeliveryTimeout);

TEST_P(DeliveryTimeout, closes_the_channel_after_half_an_hour_and_puts_the_messages_back) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  consume(peer, "q", 3);
  peer.send(1, BasicAck{1, false});
  peer.expect_nothing();
  world.broker.advance_ms(half_hour_ms);
  peer.expect_nothing();
  world.broker.advance_ms(half_hour_ms / 32);
  peer.expect_channel_error(1, 406, words(half_hour_ms), {});
  EXPECT_EQ(world.broker.ready("q"), 2U);
  EXPECT_EQ(world.broker.unacked("q"), 0U);
}

TEST_P(DeliveryTimeout, does_not_concern_who_acknowledges) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  consume(peer, "q", 1);
  for (std::uint64_t tag = 1; tag < 20; ++tag) {
    world.broker.advance_ms(half_hour_ms / 2);
    peer.publish(1, "", "q", "m");
    peer.send(1, BasicAck{tag, false});
    peer.expect_delivery(1, "m");
  }
  peer.expect_nothing();
}

TEST_P(DeliveryTimeout, of_a_queue_is_its_own) {
  AmqpPeer peer(world);
  connect(peer);
  declare(peer, "long", 7'200'000);
  declare(peer, "short", 1'000);
  consume(peer, "long", 1);
  world.broker.advance_ms(half_hour_ms * 2);
  peer.expect_nothing();
  consume(peer, "short", 1);
  world.broker.advance_ms(999);
  peer.expect_nothing();
  world.broker.advance_ms(100);
  peer.expect_channel_error(1, 406, words(1'000), {});
  EXPECT_EQ(world.broker.ready("long"), 1U);
  EXPECT_EQ(world.broker.ready("short"), 1U);
}

TEST_P(DeliveryTimeout, concerns_what_was_got_too_and_not_what_needs_no_acknowledgement) {
  AmqpPeer peer(world);
  connect(peer);
  declare(peer, "q", 1'000);
  peer.publish(1, "", "q", "m");
  peer.publish(1, "", "q", "m");
  peer.send(1, BasicGet{.queue = "q", .no_ack = true});
  peer.expect_any<BasicGetOk>(1);
  peer.expect_content(1);
  world.broker.advance_ms(5'000);
  peer.expect_nothing();
  peer.send(1, BasicGet{.queue = "q"});
  peer.expect_any<BasicGetOk>(1);
  peer.expect_content(1);
  world.broker.advance_ms(1'100);
  peer.expect_channel_error(1, 406, words(1'000), {});
}

TEST(DeliveryAges, keep_one_mark_for_what_was_delivered_within_a_grain) {
  DeliveryAges ages;
  for (std::uint64_t tag = 1; tag <= 1'000; ++tag) ages.note(tag, 1, 10'000 + tag / 100, 10);
  EXPECT_EQ(ages.marks(), 1U);
  EXPECT_EQ(ages.delivered_ms(1), 10'010U);
  ages.note(1'001, 1, 10'011, 10);
  EXPECT_EQ(ages.delivered_ms(1'000), 10'010U);
  EXPECT_EQ(ages.delivered_ms(1'001), 10'021U);
  EXPECT_EQ(ages.delivered_ms(0), 0U);
}

TEST(DeliveryAges, forget_what_was_acknowledged) {
  DeliveryAges ages;
  for (std::uint64_t tag = 1; tag <= 1'000; ++tag) ages.note(tag, tag > 3 ? tag - 3 : 1, tag * 100, 10);
  EXPECT_LE(ages.marks(), 5U);
  EXPECT_EQ(ages.delivered_ms(997), 99'710U);
  ages.note(1'001, 1'001, 200'000, 10);
  EXPECT_EQ(ages.marks(), 1U);
}

}  // namespace
}  // namespace weir::amqp091
