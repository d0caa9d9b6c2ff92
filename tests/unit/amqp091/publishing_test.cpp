#include <string>
#include <vector>

#include "protocol/amqp091/codec/content_frames.h"
#include "protocol/amqp091/codec/field_table.h"
#include "scripted.h"

namespace weir::amqp091 {
namespace {

class Publishing : public Scripted {};
WEIR_SCRIPTED(Publishing);

TEST_P(Publishing, a_message_reaches_its_queue) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  peer.publish(1, "", "q", "hello");
  peer.publish(1, "", "q", "");
  peer.expect_nothing();
  ASSERT_EQ(world.broker.ready("q"), 2U);
  EXPECT_EQ(world.broker.body("q", 0), "hello");
  EXPECT_EQ(world.broker.body("q", 1), "");
}

TEST_P(Publishing, a_body_in_many_frames_is_put_together) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  std::string body;
  for (int i = 0; i < 3'000; ++i) body += static_cast<char>('a' + i % 26);
  for (const std::size_t payload : {std::size_t{1}, std::size_t{7}, std::size_t{1'000}, std::size_t{3'000}}) {
    peer.send(1, BasicPublish{.routing_key = "q"});
    peer.send_content(1, body, {}, payload);
  }
  peer.expect_nothing();
  ASSERT_EQ(world.broker.ready("q"), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(world.broker.body("q", i), body) << i;
}

TEST_P(Publishing, messages_of_several_channels_may_be_woven_into_each_other) {
  AmqpPeer peer(world);
  connect(peer);
  peer.open_channel(2);
  peer.declare(1, "q");
  const std::byte header_payload[] = {std::byte{0}, std::byte{60}, std::byte{0}, std::byte{0}, std::byte{0},
                                      std::byte{0}, std::byte{0},  std::byte{0}, std::byte{0}, std::byte{0},
                                      std::byte{0}, std::byte{4},  std::byte{0}, std::byte{0}};
  const std::uint16_t channels[] = {1, 2};
  for (const std::uint16_t channel : channels) peer.send(channel, BasicPublish{.routing_key = "q"});
  for (const std::uint16_t channel : channels) peer.send_frame(FrameType::header, channel, header_payload);
  peer.send_frame(FrameType::body, 1, as_bytes("on"));
  peer.send_frame(FrameType::body, 2, as_bytes("tw"));
  peer.flush();
  peer.send_frame(FrameType::body, 2, as_bytes("o2"));
  peer.send_frame(FrameType::body, 1, as_bytes("e1"));
  peer.expect_nothing();
  EXPECT_EQ(world.broker.body("q", 0), "two2");
  EXPECT_EQ(world.broker.body("q", 1), "one1");
}

TEST_P(Publishing, every_way_to_cut_the_bytes_in_two_reads_gives_the_same_message) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  std::vector<std::byte> bytes;
  append_method_frame(bytes, 1, BasicPublish{.exchange = "", .routing_key = "q"});
  std::vector<std::byte> properties;
  append_properties(properties, {.content_type = "text/plain", .message_id = "m-1"});
  append_content_frames(bytes, 1, properties, as_bytes("body of it"), 14);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    peer.send_bytes(Bytes(bytes).first(cut));
    peer.flush();
    peer.send_bytes(Bytes(bytes).subspan(cut));
    peer.flush();
  }
  peer.expect_nothing();
  ASSERT_EQ(world.broker.ready("q"), bytes.size() - 1);
  for (std::size_t i = 0; i < bytes.size() - 1; ++i) EXPECT_EQ(world.broker.body("q", i), "body of it") << i;
}

TEST_P(Publishing, properties_come_back_bit_for_bit) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  const auto headers =
      encode_table(FieldTable().add("n", std::int8_t{7}).add("t", Timestamp{5}).add("s", "x"));
  const Properties sent{.content_type = "text/plain",
                        .headers = TableBytes{headers},
                        .delivery_mode = 2,
                        .priority = 9,
                        .correlation_id = "c",
                        .reply_to = "r",
                        .expiration = "60000",
                        .timestamp_s = 1'700'000'000,
                        .user_id = "guest",
                        .app_id = "app"};
  peer.publish(1, "", "q", "b", sent);
  peer.send(1, BasicGet{.queue = "q", .no_ack = true});
  peer.expect(1, BasicGetOk{1, false, "", "q", 0});
  const auto content = peer.expect_content(1);
  std::vector<std::byte> raw;
  append_properties(raw, sent);
  EXPECT_EQ(content.raw_properties, raw);
}

TEST_P(Publishing, to_an_exchange_that_is_not_there_closes_the_channel) {
  AmqpPeer peer(world);
  connect(peer);
  peer.publish(1, "nowhere", "k", "lost");
  peer.publish(1, "nowhere", "k", "ignored");
  peer.expect_channel_error(1, 404, "NOT_FOUND - no exchange 'nowhere' in vhost '/'", BasicPublish::info.id);
  peer.open_channel(1);
}

TEST_P(Publishing, needs_write_permission_on_the_exchange) {
  world.broker.add_user("reader", "r");
  world.broker.permit("reader", "/", ".*", "", ".*");
  AmqpPeer peer(world, {.user = "reader", .password = "r"});
  connect(peer);
  peer.publish(1, "amq.direct", "k", "no");
  peer.expect_channel_error(
      1, 403, "ACCESS_REFUSED - write access to exchange 'amq.direct' in vhost '/' refused for user 'reader'",
      BasicPublish::info.id);
}

TEST_P(Publishing, a_mandatory_message_that_reaches_no_queue_comes_back_before_its_confirm) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, ConfirmSelect{});
  peer.expect(1, ConfirmSelectOk{});
  peer.send(1, BasicPublish{.exchange = "amq.direct", .routing_key = "k", .mandatory = true});
  peer.send_content(1, "back", {.message_id = "7"}, 3);
  peer.expect(1, BasicReturn{312, "NO_ROUTE", "amq.direct", "k"});
  const auto content = peer.expect_content(1);
  EXPECT_EQ(content.body, "back");
  EXPECT_EQ(content.properties.message_id, "7");
  peer.expect(1, BasicAck{1, false});
}

TEST_P(Publishing, immediate_is_not_implemented) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, BasicPublish{.routing_key = "q", .immediate = true});
  peer.expect_connection_error(540, "NOT_IMPLEMENTED - immediate=true", BasicPublish::info.id);
}

struct RefusedProperties {
  Properties properties;
  std::string_view error;
};

TEST_P(Publishing, refuses_properties_that_lie_or_make_no_sense) {
  const RefusedProperties cases[] = {
      {{.user_id = "root"},
       "PRECONDITION_FAILED - user_id property set to 'root' but authenticated user was 'guest'"},
      {{.expiration = "soon"}, "PRECONDITION_FAILED - invalid expiration 'soon': no_integer"},
      {{.expiration = ""}, "PRECONDITION_FAILED - invalid expiration '': no_integer"},
      {{.expiration = "-1"}, "PRECONDITION_FAILED - invalid expiration '-1': {value_negative,-1}"},
      {{.expiration = "4294967296"},
       "PRECONDITION_FAILED - invalid expiration '4294967296': {value_too_big,4294967296}"},
      {{.expiration = "99999999999999999999"},
       "PRECONDITION_FAILED - invalid expiration '99999999999999999999': "
       "{value_too_big,99999999999999999999}"},
  };
  AmqpPeer peer(world);
  peer.handshake();
  for (const RefusedProperties& one : cases) {
    peer.open_channel(1);
    peer.declare(1, "q");
    peer.publish(1, "", "q", "no", one.properties);
    peer.expect_channel_error(1, 406, one.error, BasicPublish::info.id);
  }
  EXPECT_EQ(world.broker.ready("q"), 0U);
}

TEST_P(Publishing, confirms_come_at_the_end_of_a_turn_many_at_once) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  peer.publish(1, "", "q", "without confirm");
  peer.send(1, ConfirmSelect{});
  peer.expect(1, ConfirmSelectOk{});
  peer.publish(1, "", "q", "1");
  peer.expect(1, BasicAck{1, false});
  world.broker.hold_confirms(true);
  for (int i = 0; i < 3; ++i) peer.publish(1, "", "q", "more");
  peer.expect_nothing();
  world.broker.hold_confirms(false);
  peer.expect(1, BasicAck{4, true});
  peer.expect_nothing();
}

TEST_P(Publishing, what_a_queue_has_no_room_for_is_nacked_and_nothing_else) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "full");
  peer.declare(1, "roomy");
  world.broker.set_full("full", true);
  peer.send(1, ConfirmSelect{});
  peer.expect(1, ConfirmSelectOk{});
  world.broker.hold_confirms(true);
  peer.publish(1, "", "full", "1");
  peer.publish(1, "", "roomy", "2");
  peer.publish(1, "", "full", "3");
  peer.publish(1, "", "roomy", "4");
  peer.expect(1, BasicNack{1, false, false});
  peer.expect(1, BasicNack{3, false, false});
  world.broker.hold_confirms(false);
  peer.expect(1, BasicAck{4, true});
}

TEST_P(Publishing, a_new_channel_of_the_same_number_counts_from_one_and_gets_no_old_confirms) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "q");
  peer.send(1, ConfirmSelect{.no_wait = true});
  world.broker.hold_confirms(true);
  peer.publish(1, "", "q", "old");
  peer.send(1, ChannelClose{.reply_code = 200});
  peer.expect(1, ChannelCloseOk{});
  peer.open_channel(1);
  world.broker.hold_confirms(false);
  peer.expect_nothing();
  peer.send(1, ConfirmSelect{});
  peer.expect(1, ConfirmSelectOk{});
  peer.publish(1, "", "q", "new");
  peer.expect(1, BasicAck{1, false});
}

// Not one byte at a time: there are too many.
TEST(PublishingLargeMessages, the_largest_passes_and_one_byte_more_closes_the_channel) {
  FakeWorld world;
  AmqpPeer peer(world);
  peer.handshake();
  peer.open_channel(1);
  peer.declare(1, "q");
  const std::string largest(limits::message_bytes_default, 'x');
  peer.publish(1, "", "q", largest);
  peer.expect_nothing();
  EXPECT_EQ(world.broker.body("q", 0), largest);
  peer.publish(1, "", "q", largest + "y");
  peer.expect_channel_error(
      1, 406, "PRECONDITION_FAILED - message size 16777217 is larger than configured max size 16777216",
      BasicPublish::info.id);
  EXPECT_EQ(world.broker.ready("q"), 1U);
  peer.open_channel(1);
}

TEST_P(Publishing, an_absurd_body_size_is_refused_before_anything_is_allocated) {
  AmqpPeer peer(world);
  connect(peer);
  std::vector<std::byte> header(14);
  store_be<std::uint16_t>(header.data(), 60);
  store_be<std::uint64_t>(header.data() + 4, UINT64_MAX);
  peer.send(1, BasicPublish{.routing_key = "q"});
  peer.send_frame(FrameType::header, 1, header);
  peer.expect_channel_error(
      1, 406,
      "PRECONDITION_FAILED - message size 18446744073709551615 is larger than configured max size 16777216",
      BasicPublish::info.id);
}

TEST_P(Publishing, too_many_large_messages_begun_at_once_end_the_connection) {
  AmqpPeer peer(world);
  peer.handshake();
  std::vector<std::byte> header(14);
  store_be<std::uint16_t>(header.data(), 60);
  store_be<std::uint64_t>(header.data() + 4, limits::message_bytes_default);
  for (std::uint16_t channel = 1; channel <= 5; ++channel) {
    peer.open_channel(channel);
    peer.send(channel, BasicPublish{.routing_key = "q"});
    peer.send_frame(FrameType::header, channel, header);
    peer.send_frame(FrameType::body, channel, as_bytes("first bytes"));
  }
  peer.expect_connection_error(506, "RESOURCE_ERROR - too many large messages begun at once",
                               BasicPublish::info.id);
}

TEST_P(Publishing, content_frames_out_of_order_end_the_connection) {
  std::vector<std::byte> header(14);
  store_be<std::uint16_t>(header.data(), 60);
  store_be<std::uint64_t>(header.data() + 4, 5);
  std::vector<std::byte> qos;
  append_method_frame(qos, 1, BasicQos{});
  const auto run = [&](std::uint16_t code, std::string_view error, MethodId culprit, auto&& script) {
    AmqpPeer peer(world);
    connect(peer);
    script(peer);
    peer.expect_connection_error(code, error, culprit);
  };
  constexpr auto publish = BasicPublish::info.id;
  run(505, "UNEXPECTED_FRAME - expected method frame, got non method frame instead", {},
      [&](AmqpPeer& peer) { peer.send_frame(FrameType::header, 1, header); });
  run(505, "UNEXPECTED_FRAME - expected method frame, got non method frame instead", {},
      [&](AmqpPeer& peer) { peer.send_frame(FrameType::body, 1, as_bytes("x")); });
  run(505, "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead",
      publish, [&](AmqpPeer& peer) {
        peer.send(1, BasicPublish{.routing_key = "q"});
        peer.send_frame(FrameType::body, 1, as_bytes("x"));
      });
  run(505, "UNEXPECTED_FRAME - expected content body, got non content body frame instead", publish,
      [&](AmqpPeer& peer) {
        peer.send(1, BasicPublish{.routing_key = "q"});
        peer.send_frame(FrameType::header, 1, header);
        peer.send_frame(FrameType::header, 1, header);
      });
  run(505, "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead",
      publish, [&](AmqpPeer& peer) {
        peer.send(1, BasicPublish{.routing_key = "q"});
        peer.send_bytes(qos);
      });
  run(505, "UNEXPECTED_FRAME - expected content body, got non content body frame instead", publish,
      [&](AmqpPeer& peer) {
        peer.send(1, BasicPublish{.routing_key = "q"});
        peer.send_frame(FrameType::header, 1, header);
        peer.send_bytes(qos);
      });
  run(501, "FRAME_ERROR - content body frame exceeds remaining content size", publish, [&](AmqpPeer& peer) {
    peer.send(1, BasicPublish{.routing_key = "q"});
    peer.send_frame(FrameType::header, 1, header);
    peer.send_frame(FrameType::body, 1, as_bytes("sixsix"));
  });
  run(505, "UNEXPECTED_FRAME - content frame on channel 0", {},
      [&](AmqpPeer& peer) { peer.send_frame(FrameType::header, 0, header); });
  run(505, "UNEXPECTED_FRAME - expected method frame, got non method frame instead", {},
      [&](AmqpPeer& peer) { peer.send_frame(FrameType::body, 2, as_bytes("x")); });
}

}  // namespace
}  // namespace weir::amqp091
