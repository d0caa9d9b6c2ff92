#include <vector>

#include "protocol/amqp091/codec/field_table.h"
#include "scripted.h"

namespace weir::amqp091 {
namespace {

class Handshake : public Scripted {};
WEIR_SCRIPTED(Handshake);

std::string plain(std::string_view user, std::string_view password) {
  std::string response;
  response += '\0';
  response += user;
  response += '\0';
  response += password;
  return response;
}

TEST_P(Handshake, leads_to_a_running_connection) {
  AmqpPeer peer(world);
  peer.handshake();
  ASSERT_EQ(world.connections.size(), 1U);
  const auto status = world.connections.list().front();
  EXPECT_EQ(status.state, "running");
  EXPECT_EQ(status.user, "guest");
  EXPECT_EQ(status.vhost, "/");
  EXPECT_EQ(status.client.product, "script");
}

TEST_P(Handshake, tells_the_servers_properties) {
  AmqpPeer peer(world);
  peer.send_protocol_header();
  const auto start = peer.expect_any<ConnectionStart>(0);
  const Bytes properties = start.server_properties.content;
  EXPECT_EQ(find_in_table(properties, "product")->as_text(), "Weir");
  EXPECT_EQ(find_in_table(properties, "cluster_name")->as_text(), "weir@test");
  EXPECT_TRUE(find_in_table(properties, "version"));
  EXPECT_TRUE(find_in_table(properties, "platform"));
  const Bytes capabilities = *find_in_table(properties, "capabilities")->as_table();
  for (const auto* name :
       {"publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify",
        "connection.blocked", "authentication_failure_close", "per_consumer_qos"}) {
    ASSERT_TRUE(find_in_table(capabilities, name)) << name;
    EXPECT_EQ(find_in_table(capabilities, name)->as_bool(), true) << name;
  }
}

TEST_P(Handshake, answers_another_protocol_with_its_own_header_and_closes) {
  for (const std::string_view greeting :
       {std::string_view("GET / HTTP/1.1\r\n"), std::string_view("AMQP\0\1\0\0", 8),
        std::string_view("AMQP\1\1\0\x09", 8)}) {
    AmqpPeer peer(world);
    peer.send_bytes(as_bytes(greeting));
    const auto answer = peer.take_received();
    EXPECT_EQ(as_text(answer), std::string_view("AMQP\0\0\x09\1", 8));
    peer.expect_closed();
  }
}

TEST_P(Handshake, takes_amqplain) {
  AmqpPeer peer(world);
  peer.send_protocol_header();
  peer.expect_start();
  const auto login = encode_table(FieldTable().add("LOGIN", "guest").add("PASSWORD", "guest"));
  peer.send(0, ConnectionStartOk{{}, "AMQPLAIN", {as_text(login)}, "en_US"});
  peer.expect_any<ConnectionTune>(0);
}

TEST_P(Handshake, tells_a_capable_client_that_its_password_is_wrong) {
  AmqpPeer peer(world, {.password = "wrong"});
  peer.send_protocol_header();
  peer.expect_start();
  peer.send_start_ok();
  peer.expect_connection_error(
      403,
      "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details "
      "see the broker logfile.",
      {});
}

TEST_P(Handshake, closes_the_socket_of_an_older_client_whose_password_is_wrong_after_a_while) {
  AmqpPeer peer(world, {.password = "wrong", .capable = false});
  peer.send_protocol_header();
  peer.expect_start();
  peer.send_start_ok();
  peer.expect_nothing();
  world.pass_ms(silent_close_delay_ms - 10);
  peer.expect_open();
  world.pass_ms(20);
  peer.expect_closed();
  peer.expect_nothing();
}

TEST_P(Handshake, lets_guest_in_from_the_loopback_only) {
  AmqpPeer peer(world, {.loopback = false});
  peer.send_protocol_header();
  peer.expect_start();
  peer.send_start_ok();
  peer.expect_any<ConnectionClose>(0);
}

TEST_P(Handshake, refuses_a_mechanism_that_was_not_offered) {
  AmqpPeer peer(world);
  peer.send_protocol_header();
  peer.expect_start();
  peer.send(0, ConnectionStartOk{{}, "EXTERNAL", {""}, "en_US"});
  peer.expect_connection_error(503, "COMMAND_INVALID - unknown authentication mechanism 'EXTERNAL'",
                               ConnectionStartOk::info.id);
}

TEST_P(Handshake, takes_the_user_from_a_certificate_that_was_verified) {
  world.certificate_subject = "CN=shop,O=Example";
  world.broker.add_user("CN=shop,O=Example", "");
  world.broker.permit("CN=shop,O=Example", "/", ".*", ".*", ".*");
  AmqpPeer peer(world, {.loopback = false});
  peer.send_protocol_header();
  EXPECT_EQ(peer.expect_any<ConnectionStart>(0).mechanisms.value, "PLAIN AMQPLAIN EXTERNAL");
  peer.send(0, ConnectionStartOk{{}, "EXTERNAL", {""}, "en_US"});
  peer.expect_any<ConnectionTune>(0);
  peer.send(0, ConnectionTuneOk{100, 65'536, 0});
  peer.send(0, ConnectionOpen{.virtual_host = "/"});
  peer.expect(0, ConnectionOpenOk{});
  ASSERT_EQ(world.connections.list().size(), 1U);
  EXPECT_EQ(world.connections.list()[0].user, "CN=shop,O=Example");
}

TEST_P(Handshake, refuses_a_certificate_of_nobody) {
  world.certificate_subject = "CN=stranger";
  AmqpPeer peer(world);
  peer.send_protocol_header();
  peer.expect_any<ConnectionStart>(0);
  const auto capabilities =
      encode_table(FieldTable().add("capabilities", FieldTable().add("authentication_failure_close", true)));
  peer.send(0, ConnectionStartOk{TableBytes{capabilities}, "EXTERNAL", {""}, "en_US"});
  peer.expect_connection_error(
      403,
      "ACCESS_REFUSED - Login was refused using authentication mechanism EXTERNAL. For details "
      "see the broker logfile.",
      {});
}

TEST_P(Handshake, lets_a_login_wait_where_others_have_failed) {
  for (unsigned i = 0; i <= LoginDelays::free_failures; ++i) {
    AmqpPeer peer(world, {.password = "wrong"});
    peer.send_protocol_header();
    peer.expect_start();
    peer.send_start_ok();
    peer.expect_any<ConnectionClose>(0);
  }
  AmqpPeer peer(world);
  peer.send_protocol_header();
  peer.expect_start();
  peer.send_start_ok();
  peer.expect_nothing();
  world.pass_ms(LoginDelays::first_delay_ms - 10);
  peer.expect_nothing();
  world.pass_ms(20);
  peer.expect_any<ConnectionTune>(0);
  // It was right: the next one need not wait.
  AmqpPeer next(world);
  next.handshake();
}

TEST_P(Handshake, refuses_a_login_that_is_not_of_the_mechanisms_form) {
  AmqpPeer peer(world);
  peer.send_protocol_header();
  peer.expect_start();
  peer.send(0, ConnectionStartOk{{}, "PLAIN", {"guest"}, "en_US"});
  peer.expect_connection_error(502, "SYNTAX_ERROR - PLAIN authentication: the response is not valid",
                               ConnectionStartOk::info.id);
}

TEST_P(Handshake, waits_for_the_word_on_the_password_and_holds_what_was_sent_meanwhile) {
  world.broker.hold_passwords(true);
  AmqpPeer peer(world);
  peer.send_protocol_header();
  peer.expect_start();
  peer.send_start_ok();
  peer.send(0, ConnectionTuneOk{100, 65'536, 0});
  peer.send(0, ConnectionOpen{.virtual_host = "/"});
  peer.expect_nothing();
  world.broker.hold_passwords(false);
  peer.expect(0, ConnectionTune{2'047, 131'072, 60});
  peer.expect(0, ConnectionOpenOk{});
}

TEST_P(Handshake, forgets_a_password_check_when_the_client_goes) {
  world.broker.hold_passwords(true);
  {
    AmqpPeer peer(world);
    peer.send_protocol_header();
    peer.expect_start();
    peer.send_start_ok();
    peer.flush();
  }
  // The stream is paused while the check is under way: the end is noticed by the handshake's deadline at the latest.
  world.pass_ms(10'001);
  EXPECT_EQ(world.connections.size(), 0U);
  world.broker.hold_passwords(false);
}

struct Tuned {
  ConnectionTuneOk answer;
  std::string_view error;  // none: accepted
};

TEST_P(Handshake, takes_only_what_is_within_the_tuned_limits) {
  const Tuned cases[] = {
      {{2'047, 131'072, 60}, ""},
      {{1, 4'096, 0}, ""},
      {{2'048, 131'072, 60},
       "NOT_ALLOWED - negotiated channel_max = 2048 is higher than the maximum allowed value (2047)"},
      {{0, 131'072, 60},
       "NOT_ALLOWED - negotiated channel_max = 0 (no limit) is higher than the maximum allowed value (2047)"},
      {{2'047, 131'073, 60},
       "NOT_ALLOWED - negotiated frame_max = 131073 is higher than the maximum allowed value (131072)"},
      {{2'047, 0, 60},
       "NOT_ALLOWED - negotiated frame_max = 0 (no limit) is higher than the maximum allowed value (131072)"},
      {{2'047, 4'095, 60},
       "NOT_ALLOWED - negotiated frame_max = 4095 is lower than the minimum allowed value (4096)"},
  };
  for (const Tuned& one : cases) {
    AmqpPeer peer(world);
    peer.send_protocol_header();
    peer.expect_start();
    peer.send_start_ok();
    peer.expect(0, ConnectionTune{2'047, 131'072, 60});
    peer.send(0, one.answer);
    peer.send(0, ConnectionOpen{.virtual_host = "/"});
    if (one.error.empty()) {
      peer.expect(0, ConnectionOpenOk{});
    } else {
      peer.expect_connection_error(530, one.error, ConnectionTune::info.id);
    }
  }
}

TEST_P(Handshake, refuses_a_vhost_that_is_not_there) {
  AmqpPeer peer(world);
  peer.send_protocol_header();
  peer.expect_start();
  peer.send_start_ok();
  peer.expect_any<ConnectionTune>(0);
  peer.send(0, ConnectionTuneOk{10, 131'072, 0});
  peer.send(0, ConnectionOpen{.virtual_host = "nowhere"});
  peer.expect_connection_error(530, "NOT_ALLOWED - vhost nowhere not found", ConnectionOpen::info.id);
}

TEST_P(Handshake, refuses_a_vhost_that_the_user_may_not_enter) {
  world.broker.add_vhost("private");
  AmqpPeer peer(world);
  peer.send_protocol_header();
  peer.expect_start();
  peer.send_start_ok();
  peer.expect_any<ConnectionTune>(0);
  peer.send(0, ConnectionTuneOk{10, 131'072, 0});
  peer.send(0, ConnectionOpen{.virtual_host = "private"});
  peer.expect_connection_error(530, "NOT_ALLOWED - access to vhost 'private' refused for user 'guest'",
                               ConnectionOpen::info.id);
}

TEST_P(Handshake, refuses_methods_that_are_not_their_turn) {
  {
    AmqpPeer peer(world);
    peer.send_protocol_header();
    peer.expect_start();
    peer.send(0, ConnectionOpen{.virtual_host = "/"});
    peer.expect_connection_error(504, "CHANNEL_ERROR - unexpected method in connection state starting",
                                 ConnectionOpen::info.id);
  }
  {
    AmqpPeer peer(world);
    peer.send_protocol_header();
    peer.expect_start();
    peer.send(1, ChannelOpen{});
    peer.expect_connection_error(505, "UNEXPECTED_FRAME - frame on a channel before connection.open", {});
  }
  {
    AmqpPeer peer(world);
    peer.handshake();
    peer.send(0, ConnectionTuneOk{10, 131'072, 0});
    peer.expect_connection_error(504, "CHANNEL_ERROR - unexpected method in connection state running",
                                 ConnectionTuneOk::info.id);
  }
  {
    AmqpPeer peer(world);
    peer.handshake();
    peer.send(0, QueueDeclare{.queue = "q"});
    peer.expect_connection_error(504, "CHANNEL_ERROR - unexpected method in connection state running",
                                 QueueDeclare::info.id);
  }
}

TEST_P(Handshake, takes_frames_of_8192_bytes_before_tuning_and_no_larger_ones) {
  const std::string response = plain("guest", "guest");
  const auto start_ok_of = [&](std::size_t frame_bytes) {
    const auto with_padding = [&](std::size_t bytes) {
      const auto table = encode_table(FieldTable().add("padding", std::string(bytes, 'x')));
      std::vector<std::byte> frame;
      append_method_frame(frame, 0, ConnectionStartOk{{table}, "PLAIN", {response}, "en_US"});
      return frame;
    };
    return with_padding(frame_bytes - with_padding(0).size());
  };
  {
    AmqpPeer peer(world);
    peer.send_protocol_header();
    peer.expect_start();
    peer.send_bytes(start_ok_of(8'192));
    peer.expect_any<ConnectionTune>(0);
  }
  {
    AmqpPeer peer(world);
    peer.send_protocol_header();
    peer.expect_start();
    peer.send_bytes(start_ok_of(8'201));
    peer.expect(0, ConnectionClose{501, "FRAME_ERROR - frame larger than the tuned frame-max", 0, 0});
  }
}

TEST_P(Handshake, ends_when_it_takes_too_long) {
  AmqpPeer silent(world);
  AmqpPeer stuck(world);
  stuck.send_protocol_header();
  stuck.expect_start();
  AmqpPeer quick(world);
  quick.handshake();
  world.pass_ms(10'001);
  silent.expect_closed();
  stuck.expect_closed();
  quick.expect_open();
}

}  // namespace
}  // namespace weir::amqp091
