// Exchanges, queues and bindings.
#include "protocol/amqp091/codec/field_table.h"
#include "scripted.h"

namespace weir::amqp091 {
namespace {

class Definitions : public Scripted {};
WEIR_SCRIPTED(Definitions);

TEST_P(Definitions, queues_are_declared_bound_purged_and_deleted) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, QueueDeclare{.queue = "q", .durable = true});
  peer.expect(1, QueueDeclareOk{"q", 0, 0});
  peer.send(1, QueueBind{.queue = "q", .exchange = "amq.topic", .routing_key = "a.*"});
  peer.expect(1, QueueBindOk{});
  peer.publish(1, "amq.topic", "a.b", "1");
  peer.publish(1, "amq.topic", "b.a", "2");
  peer.send(1, QueueDeclare{.queue = "q", .passive = true});
  peer.expect(1, QueueDeclareOk{"q", 1, 0});
  peer.send(1, QueueUnbind{.queue = "q", .exchange = "amq.topic", .routing_key = "a.*"});
  peer.expect(1, QueueUnbindOk{});
  peer.publish(1, "amq.topic", "a.b", "3");
  peer.send(1, QueuePurge{.queue = "q"});
  peer.expect(1, QueuePurgeOk{1});
  peer.publish(1, "", "q", "4");
  peer.send(1, QueueDelete{.queue = "q"});
  peer.expect(1, QueueDeleteOk{1});
}

TEST_P(Definitions, exchanges_are_declared_bound_and_deleted) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, ExchangeDeclare{.exchange = "x", .type = "fanout", .durable = true});
  peer.expect(1, ExchangeDeclareOk{});
  peer.send(1, ExchangeDeclare{.exchange = "x", .type = "fanout", .passive = true});
  peer.expect(1, ExchangeDeclareOk{});
  peer.send(1, ExchangeBind{.destination = "x", .source = "amq.direct", .routing_key = "k"});
  peer.expect(1, ExchangeBindOk{});
  peer.declare(1, "q");
  peer.send(1, QueueBind{.queue = "q", .exchange = "x"});
  peer.expect(1, QueueBindOk{});
  peer.publish(1, "amq.direct", "k", "through both");
  peer.expect_nothing();
  EXPECT_EQ(world.broker.body("q", 0), "through both");
  peer.send(1, ExchangeUnbind{.destination = "x", .source = "amq.direct", .routing_key = "k"});
  peer.expect(1, ExchangeUnbindOk{});
  peer.send(1, ExchangeDelete{.exchange = "x"});
  peer.expect(1, ExchangeDeleteOk{});
}

TEST_P(Definitions, without_waiting_there_is_no_answer) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, ExchangeDeclare{.exchange = "x", .type = "direct", .no_wait = true});
  peer.send(1, QueueDeclare{.queue = "q", .no_wait = true});
  peer.send(1, QueueBind{.queue = "q", .exchange = "x", .routing_key = "k", .no_wait = true});
  peer.publish(1, "x", "k", "there");
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 1U);
  peer.send(1, QueuePurge{.queue = "q", .no_wait = true});
  peer.send(1, QueueDelete{.queue = "q", .no_wait = true});
  peer.send(1, ExchangeDelete{.exchange = "x", .no_wait = true});
  peer.expect_nothing();
  // An error closes the channel all the same.
  peer.send(1, QueueDeclare{.queue = "q", .passive = true, .no_wait = true});
  peer.expect_channel_error(1, 404, "NOT_FOUND - no queue 'q' in vhost '/'", QueueDeclare::info.id);
}

TEST_P(Definitions, an_empty_name_means_the_queue_declared_last) {
  AmqpPeer peer(world);
  connect(peer);
  const std::string name = peer.declare(1, "");
  EXPECT_TRUE(name.starts_with("amq.gen-"));
  peer.send(1, QueueBind{.exchange = "amq.direct"});
  peer.expect(1, QueueBindOk{});
  peer.publish(1, "amq.direct", name, "by its name");
  peer.send(1, BasicGet{.no_ack = true});
  peer.expect_any<BasicGetOk>(1);
  EXPECT_EQ(peer.expect_content(1).body, "by its name");
  peer.send(1, QueueDelete{});
  peer.expect(1, QueueDeleteOk{0});
}

TEST_P(Definitions, an_empty_name_without_a_declared_queue_closes_the_channel) {
  AmqpPeer peer(world);
  peer.handshake();
  const auto expect_refused = [&](const auto& method) {
    peer.open_channel(1);
    peer.send(1, method);
    peer.expect_channel_error(1, 404, "NOT_FOUND - no previously declared queue", method.info.id);
  };
  expect_refused(QueueBind{.exchange = "amq.direct"});
  expect_refused(QueueUnbind{.exchange = "amq.direct"});
  expect_refused(QueuePurge{});
  expect_refused(QueueDelete{});
  expect_refused(BasicConsume{});
  expect_refused(BasicGet{});
}

TEST_P(Definitions, deleting_and_unbinding_what_is_not_there_is_fine) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, QueueDelete{.queue = "none"});
  peer.expect(1, QueueDeleteOk{0});
  peer.send(1, ExchangeDelete{.exchange = "none"});
  peer.expect(1, ExchangeDeleteOk{});
  peer.declare(1, "q");
  peer.send(1, QueueUnbind{.queue = "q", .exchange = "amq.direct", .routing_key = "never"});
  peer.expect(1, QueueUnbindOk{});
}

TEST_P(Definitions, names_lose_their_line_ends) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, QueueDeclare{.queue = "a\r\nb"});
  peer.expect(1, QueueDeclareOk{"ab", 0, 0});
  peer.send(1, QueueDeclare{.queue = "\nab", .passive = true});
  peer.expect(1, QueueDeclareOk{"ab", 0, 0});
  peer.send(1, ExchangeDeclare{.exchange = "x\ny", .type = "fanout"});
  peer.expect(1, ExchangeDeclareOk{});
  peer.send(1, ExchangeDeclare{.exchange = "xy", .type = "fanout", .passive = true});
  peer.expect(1, ExchangeDeclareOk{});
  peer.send(1, QueueBind{.queue = "a\rb", .exchange = "x\ry", .routing_key = "k"});
  peer.expect(1, QueueBindOk{});
  peer.send(1, ExchangeBind{.destination = "amq.\rfanout", .source = "x\ny", .routing_key = "k"});
  peer.expect(1, ExchangeBindOk{});
  peer.publish(1, "xy", "k", "m");
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("ab"), 1U);
  peer.send(1, QueueDelete{.queue = "a\nb"});
  peer.expect(1, QueueDeleteOk{1});
  peer.send(1, ExchangeDelete{.exchange = "x\ry"});
  peer.expect(1, ExchangeDeleteOk{});
  // Nothing is left of this name: one is given.
  peer.send(1, QueueDeclare{.queue = "\r\n"});
  EXPECT_TRUE(peer.expect_any<QueueDeclareOk>(1).queue.starts_with("amq.gen-"));
  // Where a name is only used it has to be right.
  peer.send(1, BasicGet{.queue = "a\nb"});
  peer.expect_channel_error(1, 404, "NOT_FOUND - no queue 'a\nb' in vhost '/'", BasicGet::info.id);
}

struct RefusedDefinition {
  Method method;
  std::uint16_t code;
  std::string_view text;
};

TEST_P(Definitions, errors_close_the_channel_with_rabbitmqs_words) {
  const RefusedDefinition cases[] = {
      {QueueDeclare{.queue = "none", .passive = true}, 404, "NOT_FOUND - no queue 'none' in vhost '/'"},
      {QueueDeclare{.passive = true}, 404, "NOT_FOUND - no queue '' in vhost '/'"},
      {ExchangeDeclare{.exchange = "none", .type = "direct", .passive = true}, 404,
       "NOT_FOUND - no exchange 'none' in vhost '/'"},
      {QueueBind{.queue = "none", .exchange = "amq.direct"}, 404, "NOT_FOUND - no queue 'none' in vhost '/'"},
      {QueueBind{.queue = "there", .exchange = "none"}, 404, "NOT_FOUND - no exchange 'none' in vhost '/'"},
      {QueuePurge{.queue = "none"}, 404, "NOT_FOUND - no queue 'none' in vhost '/'"},
      {BasicConsume{.queue = "none"}, 404, "NOT_FOUND - no queue 'none' in vhost '/'"},
      {BasicGet{.queue = "none"}, 404, "NOT_FOUND - no queue 'none' in vhost '/'"},
      {QueueDeclare{.queue = "amq.mine"}, 403,
       "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'"},
      {QueueDeclare{.queue = "there", .durable = true}, 406,
       "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'there' in vhost '/': received 'true' but "
       "current is "
       "'false'"},
      {ExchangeDeclare{.exchange = "amq.direct", .type = "fanout", .durable = true}, 406,
       "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'amq.direct' in vhost '/': received "
       "'fanout' but "
       "current is 'direct'"},
      {ExchangeDelete{.exchange = "amq.direct"}, 403,
       "ACCESS_REFUSED - deletion of system exchange 'amq.direct' in vhost '/' not allowed"},
      {QueueBind{.queue = "there", .exchange = ""}, 403,
       "ACCESS_REFUSED - operation not permitted on the default exchange"},
  };
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "there");
  for (const RefusedDefinition& one : cases) {
    peer.open_channel(2);
    std::visit([&](const auto& method) { peer.send(2, method); }, one.method);
    peer.expect_channel_error(2, one.code, one.text, info_of(one.method).id);
  }
}

TEST_P(Definitions, an_unknown_type_of_exchange_ends_the_connection) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, ExchangeDeclare{.exchange = "x", .type = "magic"});
  peer.expect_connection_error(503, "COMMAND_INVALID - unknown exchange type 'magic'",
                               ExchangeDeclare::info.id);
}

TEST_P(Definitions, an_exclusive_queue_is_locked_for_others_and_goes_with_its_connection) {
  AmqpPeer owner(world);
  connect(owner);
  owner.send(1, QueueDeclare{.queue = "mine", .exclusive = true});
  owner.expect(1, QueueDeclareOk{"mine", 0, 0});
  AmqpPeer other(world);
  connect(other);
  other.send(1, BasicConsume{.queue = "mine"});
  const auto close = other.expect_any<ChannelClose>(1);
  EXPECT_EQ(close.reply_code, 405);
  EXPECT_TRUE(
      close.reply_text.starts_with("RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine'"))
      << close.reply_text;
  other.send(1, ChannelCloseOk{});
  owner.send(0, ConnectionClose{.reply_code = 200});
  owner.expect(0, ConnectionCloseOk{});
  other.open_channel(1);
  other.send(1, QueueDeclare{.queue = "mine", .passive = true});
  other.expect_channel_error(1, 404, "NOT_FOUND - no queue 'mine' in vhost '/'", QueueDeclare::info.id);
}

struct Permission {
  Method method;
  std::string_view refused;
};

TEST_P(Definitions, permissions_are_checked) {
  world.broker.add_user("limited", "l");
  world.broker.permit("limited", "/", "^c-", "^w-", "^r-");
  const auto dead_letter = encode_table(FieldTable().add("x-dead-letter-exchange", "secret"));
  const auto alternate = encode_table(FieldTable().add("alternate-exchange", "secret"));
  const Permission cases[] = {
      {QueueDeclare{.queue = "q"}, "configure access to queue 'q'"},
      {QueueDeclare{.queue = ""}, "configure access to queue 'amq.gen-'"},
      {QueueDelete{.queue = "q"}, "configure access to queue 'q'"},
      {QueuePurge{.queue = "q"}, "read access to queue 'q'"},
      {QueueBind{.queue = "q", .exchange = "r-x"}, "write access to queue 'q'"},
      {QueueBind{.queue = "w-q", .exchange = "x"}, "read access to exchange 'x'"},
      {QueueUnbind{.queue = "w-q", .exchange = "x"}, "read access to exchange 'x'"},
      {BasicConsume{.queue = "q"}, "read access to queue 'q'"},
      {BasicGet{.queue = "q"}, "read access to queue 'q'"},
      {ExchangeDeclare{.exchange = "x", .type = "direct"}, "configure access to exchange 'x'"},
      {ExchangeDelete{.exchange = "x"}, "configure access to exchange 'x'"},
      {ExchangeBind{.destination = "x", .source = "r-x"}, "write access to exchange 'x'"},
      {ExchangeBind{.destination = "w-x", .source = "x"}, "read access to exchange 'x'"},
      {ExchangeUnbind{.destination = "w-x", .source = "x"}, "read access to exchange 'x'"},
      {QueueDeclare{.queue = "c-q", .arguments = {dead_letter}}, "read access to queue 'c-q'"},
      {ExchangeDeclare{.exchange = "c-x", .type = "direct", .arguments = {alternate}},
       "read access to exchange 'c-x'"},
  };
  AmqpPeer peer(world, {.user = "limited", .password = "l"});
  peer.handshake();
  for (const Permission& one : cases) {
    peer.open_channel(1);
    std::visit([&](const auto& method) { peer.send(1, method); }, one.method);
    const std::string text =
        "ACCESS_REFUSED - " + std::string(one.refused) + " in vhost '/' refused for user 'limited'";
    peer.expect_channel_error(1, 403, text, info_of(one.method).id);
  }
  peer.open_channel(1);
  peer.send(1, QueueDeclare{.queue = "c-q"});
  peer.expect(1, QueueDeclareOk{"c-q", 0, 0});
}

TEST_P(Definitions, a_request_that_takes_its_time_holds_what_follows) {
  AmqpPeer peer(world);
  connect(peer);
  world.broker.hold_replies(true);
  peer.send(1, QueueDeclare{.queue = "q"});
  peer.publish(1, "", "q", "after");
  peer.send(1, BasicGet{.queue = "q", .no_ack = true});
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 0U);
  world.broker.hold_replies(false);
  peer.expect(1, QueueDeclareOk{"q", 0, 0});
  peer.expect(1, BasicGetOk{1, false, "", "q", 0});
  EXPECT_EQ(peer.expect_content(1).body, "after");
}

TEST_P(Definitions, a_client_may_go_while_its_request_is_under_way) {
  {
    AmqpPeer peer(world);
    connect(peer);
    world.broker.hold_replies(true);
    peer.send(1, QueueDeclare{.queue = "q"});
    peer.flush();
    world.broker.close_all({ErrorCode::closed, "enough"});
    peer.expect(0, ConnectionClose{320, "CONNECTION_FORCED - enough", 0, 0});
  }
  world.run();
  EXPECT_EQ(world.connections.size(), 0U);
  EXPECT_EQ(world.broker.sessions(), 0U);
  world.broker.hold_replies(false);
}

TEST_P(Definitions, relics_are_answered) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, AccessRequest{.realm = "/data"});
  peer.expect(1, AccessRequestOk{1});
  peer.send(1, ChannelFlow{true});
  peer.expect(1, ChannelFlowOk{true});
  peer.send(0, ConnectionUpdateSecret{{"new"}, "because"});
  peer.expect(0, ConnectionUpdateSecretOk{});
}

TEST_P(Definitions, a_new_secret_that_is_refused_ends_the_connection) {
  AmqpPeer peer(world);
  connect(peer);
  world.broker.refuse_secrets(true);
  peer.send(0, ConnectionUpdateSecret{{"new"}, "because"});
  peer.expect_connection_error(530, "NOT_ALLOWED - New secret was refused by one of the backends", {});
}

}  // namespace
}  // namespace weir::amqp091
