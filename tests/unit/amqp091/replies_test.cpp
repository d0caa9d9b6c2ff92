#include <string>

#include "scripted.h"

namespace weir::amqp091 {
namespace {

constexpr std::string_view pseudo_queue = "amq.rabbitmq.reply-to";

class DirectReplies : public Scripted {
 protected:
  void listen(AmqpPeer& peer) {
    peer.send(1, BasicConsume{.queue = pseudo_queue, .consumer_tag = "r", .no_ack = true});
    peer.expect(1, BasicConsumeOk{"r"});
  }
  // Asks a question; returns where the answer goes.
  std::string ask(AmqpPeer& peer, std::string_view queue) {
    peer.publish(1, "", queue, "question", {.correlation_id = "7", .reply_to = pseudo_queue});
    peer.send(1, BasicGet{.queue = queue, .no_ack = true});
    peer.expect_any<BasicGetOk>(1);
    const auto content = peer.expect_content(1);
    EXPECT_EQ(content.properties.correlation_id, "7");
    return std::string(content.properties.reply_to.value_or(""));
  }
};
WEIR_SCRIPTED(DirectReplies);

TEST_P(DirectReplies, go_straight_to_who_asked) {
  AmqpPeer client(world), server(world);
  connect(client);
  connect(server);
  client.declare(1, "rpc");
  listen(client);
  const std::string key = ask(client, "rpc");
  EXPECT_TRUE(key.starts_with("amq.rabbitmq.reply-to."));
  server.publish(1, "", key, "answer", {.correlation_id = "7"});
  server.expect_nothing();
  const auto deliver = client.expect_any<BasicDeliver>(1);
  EXPECT_EQ(deliver.consumer_tag, "r");
  EXPECT_EQ(deliver.delivery_tag, 2U);  // the question had the first
  EXPECT_EQ(deliver.exchange, "");
  EXPECT_EQ(deliver.routing_key, key);
  const auto content = client.expect_content(1);
  EXPECT_EQ(content.body, "answer");
  EXPECT_EQ(content.properties.correlation_id, "7");
}

TEST_P(DirectReplies, count_as_unroutable) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "rpc");
  listen(peer);
  const std::string key = ask(peer, "rpc");
  peer.send(1, BasicPublish{.routing_key = key, .mandatory = true});
  peer.send_content(1, "answer");
  peer.expect_delivery(1, "answer");
  peer.expect(1, BasicReturn{312, "NO_ROUTE", "", key});
  EXPECT_EQ(peer.expect_content(1).body, "answer");
}

TEST_P(DirectReplies, a_declaration_tells_whether_somebody_waits) {
  AmqpPeer client(world), server(world);
  connect(client);
  connect(server);
  client.declare(1, "rpc");
  listen(client);
  const std::string key = ask(client, "rpc");
  server.send(1, QueueDeclare{.queue = pseudo_queue, .passive = true});
  server.expect(1, QueueDeclareOk{pseudo_queue, 0, 1});
  server.send(1, QueueDeclare{.queue = key, .passive = true});
  server.expect(1, QueueDeclareOk{key, 0, 1});
  client.send(1, BasicCancel{"r"});
  client.expect(1, BasicCancelOk{"r"});
  server.send(1, QueueDeclare{.queue = key, .passive = true});
  server.expect_channel_error(1, 404, "NOT_FOUND - no queue '" + key + "' in vhost '/'",
                              QueueDeclare::info.id);
}

TEST_P(DirectReplies, need_a_consumer_without_acknowledgements_and_only_one) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, BasicConsume{.queue = pseudo_queue});
  peer.expect_channel_error(1, 406, "PRECONDITION_FAILED - reply consumer cannot acknowledge",
                            BasicConsume::info.id);
  peer.open_channel(1);
  listen(peer);
  peer.send(1, BasicConsume{.queue = pseudo_queue, .no_ack = true});
  peer.expect_channel_error(1, 406, "PRECONDITION_FAILED - reply consumer already set",
                            BasicConsume::info.id);
}

TEST_P(DirectReplies, can_be_cancelled_and_listened_to_again) {
  AmqpPeer peer(world);
  connect(peer);
  listen(peer);
  peer.send(1, BasicCancel{"r"});
  peer.expect(1, BasicCancelOk{"r"});
  listen(peer);
}

TEST_P(DirectReplies, asking_without_listening_is_refused) {
  AmqpPeer peer(world);
  connect(peer);
  peer.publish(1, "", "rpc", "question", {.reply_to = pseudo_queue});
  peer.expect_channel_error(1, 406, "PRECONDITION_FAILED - fast reply consumer does not exist",
                            BasicPublish::info.id);
}

TEST_P(DirectReplies, to_a_channel_that_has_gone_are_dropped) {
  AmqpPeer client(world), server(world);
  connect(client);
  connect(server);
  client.declare(1, "rpc");
  listen(client);
  const std::string key = ask(client, "rpc");
  client.send(1, ChannelClose{200, "bye", 0, 0});
  client.expect(1, ChannelCloseOk{});
  server.publish(1, "", key, "answer");
  server.expect_nothing();
  client.expect_nothing();
}

TEST_P(DirectReplies, the_pseudo_queue_is_no_queue) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, QueueDelete{.queue = pseudo_queue});
  peer.expect(1, QueueDeleteOk{0});
  peer.send(1, BasicGet{.queue = pseudo_queue});
  peer.expect_channel_error(1, 404, "NOT_FOUND - no queue 'amq.rabbitmq.reply-to' in vhost '/'",
                            BasicGet::info.id);
}

}  // namespace
}  // namespace weir::amqp091
