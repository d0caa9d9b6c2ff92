// Back-pressure, both ways.
#include <string>

#include "scripted.h"

namespace weir::amqp091 {
namespace {

class Flow : public Scripted {};
WEIR_SCRIPTED(Flow);

TEST_P(Flow, an_alarm_stops_who_publishes_and_tells_why) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  peer.publish(1, "", "q", "1");
  peer.expect_nothing();
  world.broker.set_publish_flow(false, "memory");
  peer.expect(0, ConnectionBlocked{"low on memory"});
  EXPECT_TRUE(world.connections.list().front().blocked);
  peer.publish(1, "", "q", "2");
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 1U);
  world.broker.set_publish_flow(true, "");
  peer.expect(0, ConnectionUnblocked{});
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 2U);
  EXPECT_FALSE(world.connections.list().front().blocked);
}

TEST_P(Flow, who_does_not_publish_is_left_alone_until_it_does) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  world.broker.set_publish_flow(false, "disk");
  peer.send(1, BasicGet{.queue = "q"});
  peer.expect(1, BasicGetEmpty{});
  peer.publish(1, "", "q", "the first passes");
  peer.publish(1, "", "q", "the next waits");
  peer.expect(0, ConnectionBlocked{"low on disk"});
  EXPECT_EQ(world.broker.ready("q"), 1U);
  world.broker.set_publish_flow(true, "");
  peer.expect(0, ConnectionUnblocked{});
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 2U);
}

TEST_P(Flow, a_short_stop_is_not_told) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  peer.publish(1, "", "q", "1");
  peer.expect_nothing();
  world.broker.set_publish_flow(false, "");
  peer.publish(1, "", "q", "2");
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 1U);
  world.broker.set_publish_flow(true, "");
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 2U);
}

TEST_P(Flow, a_client_that_cannot_be_told_is_stopped_all_the_same) {
  AmqpPeer peer(world, {.capable = false});
  connect(peer);
  peer.declare(1, "q");
  peer.publish(1, "", "q", "1");
  peer.flush();
  world.broker.set_publish_flow(false, "memory");
  peer.publish(1, "", "q", "2");
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 1U);
}

TEST_P(Flow, a_connection_that_is_opened_during_an_alarm_is_stopped_by_its_first_publish) {
  world.broker.set_publish_flow(false, "memory");
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  peer.publish(1, "", "q", "1");
  peer.expect(0, ConnectionBlocked{"low on memory"});
}

TEST_P(Flow, a_slow_reader_gets_no_more_than_a_window) {
  world.capacity_bytes = 16U << 10;
  AmqpPeer publisher(world);
  connect(publisher);
  publisher.declare(1, "q");
  constexpr int messages = 300;
  const std::string body(10'000, 'x');
  AmqpPeer slow(world);
  connect(slow);
  slow.send(1, BasicConsume{.queue = "q", .consumer_tag = "c", .no_ack = true});
  slow.expect(1, BasicConsumeOk{"c"});
  slow.stop_reading();
  for (int i = 0; i < messages; ++i) publisher.publish(1, "", "q", body);
  publisher.flush();
  publisher.expect_nothing();
  // 1 MiB and what the stream holds, of 3 MB.
  EXPECT_GT(world.broker.ready("q"), 180U);
  EXPECT_LT(world.broker.ready("q"), 200U);
  slow.go_on_reading();
  for (int i = 0; i < messages; ++i) slow.expect_delivery(1, body);
  EXPECT_EQ(world.broker.ready("q"), 0U);
}

TEST_P(Flow, a_client_that_makes_us_answer_and_reads_nothing_is_not_heard_any_more) {
  world.capacity_bytes = 16U << 10;
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  constexpr int gets = 100;
  const std::string body(100'000, 'x');
  for (int i = 0; i < gets; ++i) peer.publish(1, "", "q", body);
  peer.flush();
  peer.stop_reading();
  for (int i = 0; i < gets; ++i) peer.send(1, BasicGet{.queue = "q", .no_ack = true});
  peer.flush();
  EXPECT_GT(world.broker.ready("q"), 50U);
  EXPECT_LT(world.broker.ready("q"), 60U);
  peer.go_on_reading();
  for (int i = 0; i < gets; ++i) {
    peer.expect_any<BasicGetOk>(1);
    EXPECT_EQ(peer.expect_content(1).body.size(), body.size());
  }
  peer.expect_nothing();
}

}  // namespace
}  // namespace weir::amqp091
