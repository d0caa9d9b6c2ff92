// Heartbeats, close by either side, and errors of the framing.
#include <vector>

#include "scripted.h"

namespace weir::amqp091 {
namespace {

class Closing : public Scripted {};
WEIR_SCRIPTED(Closing);

TEST_P(Closing, by_the_client) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(0, ConnectionClose{.reply_code = 200, .reply_text = "bye"});
  peer.expect(0, ConnectionCloseOk{});
  peer.expect_closed();
  EXPECT_EQ(world.connections.size(), 0U);
  EXPECT_EQ(world.broker.sessions(), 0U);
}

TEST_P(Closing, by_a_client_that_changes_its_mind_during_the_handshake) {
  AmqpPeer peer(world);
  peer.send_protocol_header();
  peer.expect_start();
  peer.send(0, ConnectionClose{.reply_code = 200});
  peer.expect(0, ConnectionCloseOk{});
  peer.expect_closed();
}

TEST_P(Closing, by_a_client_that_just_goes_puts_back_what_is_out) {
  {
    AmqpPeer peer(world);
    connect(peer);
    peer.declare(1, "q");
    peer.publish(1, "", "q", "1");
    peer.publish(1, "", "q", "2");
    peer.send(1, BasicConsume{.queue = "q"});
    peer.expect_any<BasicConsumeOk>(1);
    peer.expect_delivery(1, "1");
    peer.expect_delivery(1, "2");
    EXPECT_EQ(world.broker.unacked("q"), 2U);
  }
  world.run();
  EXPECT_EQ(world.connections.size(), 0U);
  EXPECT_EQ(world.broker.ready("q"), 2U);
  EXPECT_EQ(world.broker.unsettled_at_end(), 0U);
}

TEST_P(Closing, by_the_broker) {
  AmqpPeer peer(world);
  connect(peer);
  world.broker.close_all({ErrorCode::cancelled, "closed by an administrator"});
  peer.send(1, QueueDeclare{.queue = "ignored"});
  peer.expect_connection_error(320, "CONNECTION_FORCED - closed by an administrator", {});
  EXPECT_EQ(world.broker.sessions(), 0U);
  EXPECT_EQ(world.broker.topology().find_queue("/", "ignored"), nullptr);
}

TEST_P(Closing, by_both_at_once) {
  AmqpPeer peer(world);
  connect(peer);
  world.broker.close_all({ErrorCode::cancelled, "enough"});
  peer.send(0, ConnectionClose{.reply_code = 200});
  peer.expect_any<ConnectionClose>(0);
  peer.expect(0, ConnectionCloseOk{});
  peer.send(0, ConnectionCloseOk{});
  peer.expect_closed();
}

TEST_P(Closing, does_not_wait_for_close_ok_for_ever) {
  AmqpPeer peer(world);
  connect(peer);
  world.broker.close_all({ErrorCode::cancelled, "enough"});
  peer.expect_any<ConnectionClose>(0);
  world.pass_ms(close_ok_timeout_ms - 10);
  peer.expect_open();
  world.pass_ms(20);
  peer.expect_closed();
}

TEST_P(Closing, of_a_channel_is_answered_while_it_is_closed_by_an_error) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, QueuePurge{.queue = "none"});
  peer.send(1, ChannelClose{.reply_code = 200});
  peer.expect_any<ChannelClose>(1);
  peer.expect(1, ChannelCloseOk{});
  // What comes before close-ok is thrown away.
  peer.publish(1, "", "q", "ignored");
  peer.send(1, ChannelOpen{});
  peer.expect_nothing();
  peer.send(1, ChannelCloseOk{});
  peer.open_channel(1);
}

TEST_P(Closing, of_one_channel_by_an_error_leaves_the_other_one_alone) {
  AmqpPeer peer(world);
  connect(peer);
  peer.open_channel(2);
  peer.declare(2, "q");
  peer.send(1, QueuePurge{.queue = "none"});
  peer.expect_any<ChannelClose>(1);
  peer.publish(2, "", "q", "works");
  peer.send(2, BasicGet{.queue = "q", .no_ack = true});
  peer.expect_any<BasicGetOk>(2);
  peer.expect_content(2);
}

TEST_P(Closing, of_all_connections_when_the_server_stops) {
  AmqpPeer polite(world);
  connect(polite);
  AmqpPeer stubborn(world);
  connect(stubborn);
  AmqpPeer half_open(world);
  half_open.send_protocol_header();
  half_open.expect_start();
  bool done = false;
  world.connections.shut_down([&done] { done = true; });
  half_open.expect_closed();
  polite.expect_connection_error(320, "CONNECTION_FORCED - broker shut down", {});
  stubborn.expect_any<ConnectionClose>(0);
  EXPECT_FALSE(done);
  world.pass_ms(shutdown_grace_ms + 1);
  stubborn.expect_closed();
  EXPECT_TRUE(done);
  AmqpPeer late(world);
  late.send_protocol_header();
  late.expect_closed();
}

TEST_P(Closing, of_nothing_is_done_at_once) {
  bool done = false;
  world.connections.shut_down([&done] { done = true; });
  world.run();
  EXPECT_TRUE(done);
}

// --- heartbeats ---

TEST_P(Closing, a_silent_server_sends_heartbeats_at_half_the_interval) {
  AmqpPeer peer(world, {.heartbeat_s = 2});
  peer.handshake();
  for (int i = 0; i < 5; ++i) {
    world.pass_ms(1'000);
    peer.send_heartbeat();
    if (i > 0) peer.expect_heartbeat();  // the answers of the handshake are of the first interval
    peer.expect_nothing();
  }
}

TEST_P(Closing, a_client_that_misses_two_heartbeats_is_dropped) {
  AmqpPeer silent(world, {.heartbeat_s = 2});
  silent.handshake();
  AmqpPeer living(world, {.heartbeat_s = 2});
  living.handshake();
  for (int i = 0; i < 4; ++i) {
    world.pass_ms(1'000);
    living.send_heartbeat();
    living.flush();
    silent.expect_open();
  }
  world.pass_ms(1'001);
  silent.expect_closed();
  living.expect_open();
}

TEST_P(Closing, without_heartbeats_nobody_is_dropped) {
  AmqpPeer peer(world);
  peer.handshake();
  world.pass_ms(100'000);
  peer.expect_open();
  peer.expect_nothing();
}

// --- channels ---

TEST_P(Closing, methods_need_an_open_channel) {
  AmqpPeer peer(world);
  peer.handshake();
  peer.send(1, QueueDeclare{.queue = "q"});
  peer.expect_connection_error(504, "CHANNEL_ERROR - expected 'channel.open'", QueueDeclare::info.id);
}

TEST_P(Closing, a_channel_is_opened_once) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, ChannelOpen{});
  peer.expect_connection_error(504, "CHANNEL_ERROR - second 'channel.open' seen", ChannelOpen::info.id);
}

TEST_P(Closing, no_more_channels_than_were_tuned) {
  AmqpPeer peer(world, {.channel_max = 2});
  peer.handshake();
  peer.open_channel(1);
  peer.open_channel(7);
  peer.send(1, ChannelClose{.reply_code = 200});
  peer.expect(1, ChannelCloseOk{});
  peer.open_channel(3);
  peer.send(2, ChannelOpen{});
  peer.expect_connection_error(
      530, "NOT_ALLOWED - number of channels opened (2) has reached the negotiated channel_max (2)",
      ChannelOpen::info.id);
}

TEST_P(Closing, methods_that_only_a_server_sends_are_refused) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, QueueDeclareOk{"q", 0, 0});
  peer.expect_connection_error(503, "COMMAND_INVALID - unimplemented method", QueueDeclareOk::info.id);
}

TEST_P(Closing, methods_that_do_not_exist_are_refused) {
  for (const std::uint16_t channel : {std::uint16_t{0}, std::uint16_t{1}}) {
    AmqpPeer peer(world);
    connect(peer);
    std::byte payload[4];
    store_be<std::uint16_t>(payload, 60);
    store_be<std::uint16_t>(payload + 2, 77);
    peer.send_frame(FrameType::method, channel, payload);
    peer.expect_connection_error(540, "NOT_IMPLEMENTED - unknown method", {60, 77});
  }
}

// --- framing ---

struct BadFrame {
  std::vector<std::uint8_t> bytes;
  std::string_view text;
};

TEST_P(Closing, broken_framing_is_told_and_then_nothing_is_heard) {
  const BadFrame cases[] = {
      {{9, 0, 0, 0, 0, 0, 0, 0xCE}, "FRAME_ERROR - unknown frame type"},
      {{'G', 'E', 'T', ' ', '/', ' ', 'H', 'T'}, "FRAME_ERROR - unknown frame type"},
      {{1, 0, 1, 0, 0, 0, 4, 0, 20, 0, 10, 0}, "FRAME_ERROR - frame without its end octet"},
      {{3, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF}, "FRAME_ERROR - frame larger than the tuned frame-max"},
      {{8, 0, 1, 0, 0, 0, 0, 0xCE}, "FRAME_ERROR - heartbeat on a channel other than 0"},
      {{8, 0, 0, 0, 0, 0, 1, 0, 0xCE}, "FRAME_ERROR - heartbeat with a payload"},
  };
  for (const BadFrame& one : cases) {
    AmqpPeer peer(world);
    connect(peer);
    peer.send_bytes(std::as_bytes(std::span(one.bytes)));
    peer.send(1, QueueDeclare{.queue = "ignored"});
    peer.expect(0, ConnectionClose{501, one.text, 0, 0});
    peer.expect_nothing();
    peer.expect_open();
    world.pass_ms(silent_close_delay_ms + 1);
    peer.expect_closed();
  }
  EXPECT_EQ(world.broker.topology().find_queue("/", "ignored"), nullptr);
}

TEST_P(Closing, arguments_of_the_wrong_form_end_the_connection) {
  {
    AmqpPeer peer(world);
    connect(peer);
    const std::byte short_ack[] = {std::byte{0}, std::byte{60}, std::byte{0}, std::byte{80}, std::byte{1}};
    peer.send_frame(FrameType::method, 1, short_ack);
    peer.expect_connection_error(501, "FRAME_ERROR - method arguments of the wrong length",
                                 BasicAck::info.id);
  }
  {
    AmqpPeer peer(world);
    connect(peer);
    peer.send_frame(FrameType::method, 1, {});
    peer.expect_connection_error(501, "FRAME_ERROR - method frame without a method", {});
  }
  {
    AmqpPeer peer(world);
    connect(peer);
    peer.send(1, QueueDeclare{.queue = "\xff\xfe"});
    peer.expect_connection_error(501, "FRAME_ERROR - short string is not UTF-8", QueueDeclare::info.id);
  }
}

TEST_P(Closing, frames_may_be_as_large_as_tuned_and_a_little_more) {
  AmqpPeer peer(world, {.frame_max = 4'096});
  connect(peer);
  peer.declare(1, "q");
  for (const std::size_t payload : {4'088U, 4'096U}) {
    peer.send(1, BasicPublish{.routing_key = "q"});
    peer.send_content(1, std::string(payload, 'x'), {}, payload);
  }
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 2U);
  peer.send(1, BasicPublish{.routing_key = "q"});
  peer.send_content(1, std::string(4'097, 'x'), {}, 4'097);
  peer.expect(0, ConnectionClose{501, "FRAME_ERROR - frame larger than the tuned frame-max", 0, 0});
}

}  // namespace
}  // namespace weir::amqp091
