// What those see who look at AMQP 0-9-1 connections and their channels, and that a connection can be closed from outside.
#include "node/observe.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "support/sim_world.h"

namespace weir::test {
namespace {

using namespace weir::amqp091;  // NOLINT: a test's vocabulary
using node::ChannelCount;
using node::ConnectionCount;
using node::SessionCount;

class ObservedConnections : public testing::Test {
 protected:
  node::Observed look() {
    node::ObserveScope scope;
    scope.sessions = scope.channels = scope.consumers = scope.shards = true;
    std::optional<node::Observed> seen;
    std::unique_ptr<node::Observing> question;
    world.node.turn(0, [&] {
      question = world.node.shard(0).observe(scope, [&](node::Observed&& rows) { seen = std::move(rows); });
    });
    EXPECT_TRUE(world.node.until([&] { return seen.has_value(); }));
    return seen ? std::move(*seen) : node::Observed{};
  }
  node::SessionRow only_session() {
    node::Observed seen = look();
    EXPECT_EQ(seen.sessions.size(), 1U);
    return seen.sessions.empty() ? node::SessionRow{} : seen.sessions[0];
  }
  node::ChannelRow only_channel() {
    const node::SessionRow session = only_session();
    EXPECT_EQ(session.channels.size(), 1U);
    return session.channels.empty() ? node::ChannelRow{} : session.channels[0];
  }
  node::Traffic traffic() {
    node::Traffic all;
    for (const node::ShardRow& shard : look().shards) all += shard.traffic;
    return all;
  }
  SimWorld world{2};
};

TEST_F(ObservedConnections, a_connection_tells_who_it_is_and_what_was_agreed) {
  AmqpPeer peer(world, {.channel_max = 7, .frame_max = 8'192, .heartbeat_s = 33});
  peer.handshake();
  peer.open_channel(1);
  peer.open_channel(3);
  const node::SessionRow row = only_session();
  EXPECT_EQ(row.info.user, "guest");
  EXPECT_EQ(row.info.vhost, "/");
  EXPECT_EQ(row.info.protocol, "AMQP 0-9-1");
  EXPECT_EQ(row.info.auth_mechanism, "PLAIN");
  EXPECT_NE(row.info.properties.find("capabilities"), nullptr);
  EXPECT_TRUE(row.name.starts_with("127.0.0.1:")) << row.name;
  EXPECT_NE(row.name.find(" -> "), std::string::npos) << row.name;
  EXPECT_EQ(row.facts.state, "running");
  EXPECT_EQ(row.facts.channel_max, 7U);
  EXPECT_EQ(row.facts.frame_max, 8'192U);
  EXPECT_EQ(row.facts.timeout_s, 33U);
  EXPECT_EQ(row.facts.channels, 2U);
  EXPECT_EQ(row.channels.size(), 2U);
  EXPECT_GT(row.facts.counts[ConnectionCount::recv_oct], 0U);
  EXPECT_GT(row.facts.counts[ConnectionCount::recv_cnt], 0U);
  EXPECT_GT(row.facts.counts[ConnectionCount::send_oct], 0U);
  EXPECT_GT(row.facts.counts[ConnectionCount::send_cnt], 0U);
  EXPECT_EQ(traffic().of(node::Protocol::amqp091).sessions[SessionCount::channels_opened], 2U);
}

TEST_F(ObservedConnections, a_channel_counts_what_is_published_on_it) {
  AmqpPeer peer(world);
  peer.handshake();
  peer.open_channel(2);
  peer.declare(2, "q");
  peer.send(2, ConfirmSelect{});
  peer.expect(2, ConfirmSelectOk{});
  for (int i = 0; i < 3; ++i) peer.publish(2, "", "q", "body", {.delivery_mode = 2});
  peer.publish(2, "", "nowhere", "body");
  for (std::uint64_t told = 0; told < 4;) told = peer.expect_any<BasicAck>(2).delivery_tag;
  const node::ChannelRow row = only_channel();
  EXPECT_EQ(row.number, 2U);
  EXPECT_TRUE(row.confirms);
  EXPECT_FALSE(row.transactional);
  EXPECT_EQ(row.unconfirmed, 0U);
  EXPECT_EQ(row.counts[ChannelCount::publish], 4U);
  EXPECT_EQ(row.counts[ChannelCount::confirm], 4U);
  EXPECT_EQ(row.counts[ChannelCount::drop_unroutable], 1U);
  const auto counts = traffic().of(node::Protocol::amqp091).sessions;
  EXPECT_EQ(counts[SessionCount::received], 4U);
  EXPECT_EQ(counts[SessionCount::received_confirm], 4U);
  EXPECT_EQ(counts[SessionCount::confirmed], 4U);
  EXPECT_EQ(counts[SessionCount::routed], 3U);
  EXPECT_EQ(counts[SessionCount::unroutable_dropped], 1U);
}

TEST_F(ObservedConnections, a_channel_counts_what_is_delivered_to_it_and_what_is_not_acknowledged) {
  AmqpPeer peer(world);
  peer.handshake();
  peer.open_channel(1);
  peer.declare(1, "q");
  for (const char* body : {"a", "b", "c", "d"}) peer.publish(1, "", "q", body);
  peer.send(1, BasicGet{.queue = "q"});
  EXPECT_EQ(peer.expect_any<BasicGetOk>(1).delivery_tag, 1U);
  EXPECT_EQ(peer.expect_content(1).body, "a");
  peer.send(1, BasicQos{.prefetch_count = 2});
  peer.expect(1, BasicQosOk{});
  peer.send(1, BasicConsume{.queue = "q", .consumer_tag = "c"});
  peer.expect(1, BasicConsumeOk{"c"});
  peer.expect_delivery(1, "b");
  peer.expect_delivery(1, "c");
  peer.send(1, BasicAck{1, false});
  peer.send(1, BasicNack{2, false, true});
  const BasicDeliver again = peer.expect_delivery(1, "b");
  EXPECT_TRUE(again.redelivered);
  const node::ChannelRow row = only_channel();
  EXPECT_EQ(row.prefetch, 2U);
  EXPECT_EQ(row.consumers, 1U);
  EXPECT_EQ(row.unacknowledged, 2U);
  EXPECT_EQ(row.counts[ChannelCount::get], 1U);
  EXPECT_EQ(row.counts[ChannelCount::deliver], 3U);
  EXPECT_EQ(row.counts[ChannelCount::redeliver], 1U);
  EXPECT_EQ(row.counts[ChannelCount::ack], 1U);
  const node::Observed seen = look();
  ASSERT_EQ(seen.consumers.size(), 1U);
  EXPECT_EQ(seen.consumers[0].tag, "c");
  EXPECT_EQ(seen.consumers[0].channel, 1U);
  EXPECT_EQ(seen.consumers[0].session, seen.sessions.at(0).id);
  const auto counts = traffic().of(node::Protocol::amqp091).deliveries[0];
  EXPECT_EQ(counts[broker::QueueCount::deliver], 3U);
  EXPECT_EQ(counts[broker::QueueCount::get], 1U);
  EXPECT_EQ(counts[broker::QueueCount::ack], 1U);
}

TEST_F(ObservedConnections, a_transaction_shows_what_it_holds) {
  AmqpPeer peer(world);
  peer.handshake();
  peer.open_channel(1);
  peer.declare(1, "q");
  peer.send(1, TxSelect{});
  peer.expect(1, TxSelectOk{});
  peer.publish(1, "", "q", "one");
  peer.publish(1, "", "q", "two");
  peer.flush();
  world.run();
  node::ChannelRow row = only_channel();
  EXPECT_TRUE(row.transactional);
  EXPECT_EQ(row.uncommitted, 2U);
  peer.send(1, TxCommit{});
  peer.expect(1, TxCommitOk{});
  row = only_channel();
  EXPECT_EQ(row.uncommitted, 0U);
  EXPECT_EQ(row.counts[ChannelCount::publish], 2U);
  EXPECT_EQ(row.counts[ChannelCount::confirm], 0U);
}

TEST_F(ObservedConnections, what_is_refused_is_counted_by_its_code_and_by_what_it_ended) {
  AmqpPeer peer(world);
  peer.handshake();
  peer.open_channel(1);
  peer.send(1, QueueDeclare{.queue = "none", .passive = true});
  EXPECT_EQ(peer.expect_any<ChannelClose>(1).reply_code, 404);
  peer.send(1, ChannelCloseOk{});
  peer.open_channel(1);
  peer.send(1, BasicPublish{.exchange = "", .routing_key = "q", .immediate = true});
  EXPECT_EQ(peer.expect_any<ConnectionClose>(0).reply_code, 540);
  const auto errors = traffic().of(node::Protocol::amqp091).errors;
  EXPECT_EQ(errors,
            (std::map<std::pair<std::uint32_t, bool>, std::uint64_t>{{{404, false}, 1}, {{540, true}, 1}}));
}

TEST_F(ObservedConnections, one_that_is_closed_from_outside_is_told_why) {
  AmqpPeer peer(world);
  peer.handshake();
  const node::SessionRow row = only_session();
  world.node.turn(1, [&] {
    world.node.shard(1).close_session(row.id, {ErrorCode::closed, "Closed via management plugin"});
  });
  ASSERT_TRUE(world.node.settle());
  peer.expect_connection_error(320, "CONNECTION_FORCED - Closed via management plugin", {});
  world.run();
  EXPECT_TRUE(look().sessions.empty());
  EXPECT_EQ(traffic().of(node::Protocol::amqp091).sessions[SessionCount::connections_closed], 1U);
}

}  // namespace
}  // namespace weir::test
