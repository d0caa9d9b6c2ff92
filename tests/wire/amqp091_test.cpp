// AMQP 0-9-1 from the bytes of a client to the queues of a node and back: what fakes can't show, the hops between
// shards, the journal and the front-end together. Each test runs with one shard and with three, with the clients' bytes
// read as they come and one at a time.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

#include "support/sim_world.h"

namespace weir::test {
namespace {

using namespace weir::amqp091;  // NOLINT: a test's vocabulary

constexpr int queue_count = 6;  // over three shards, none is likely to be left out

class Amqp091Node : public testing::TestWithParam<std::tuple<int, std::size_t>> {
 protected:
  Amqp091Node() : world(static_cast<std::uint16_t>(std::get<0>(GetParam()))) {
    world.bytes_per_read = std::get<1>(GetParam());
  }
  void connect(AmqpPeer& peer) {
    peer.handshake();
    peer.open_channel(1);
  }
  static std::string queue_name(int i) { return "queue-" + std::to_string(i); }
  void declare_queues(AmqpPeer& peer) {
    for (int i = 0; i < queue_count; ++i) {
      peer.send(1, QueueDeclare{.queue = queue_name(i), .durable = true});
      peer.expect(1, QueueDeclareOk{queue_name(i), 0, 0});
    }
  }
  // Confirms up to `seq`, in however many acks.
  void expect_confirms(AmqpPeer& peer, std::uint64_t seq) {
    for (std::uint64_t told = 0; told < seq && !testing::Test::HasFailure();) {
      told = peer.expect_any<BasicAck>(1).delivery_tag;
    }
  }
  SimWorld world;
};

INSTANTIATE_TEST_SUITE_P(shards_and_reads, Amqp091Node,
                         testing::Combine(testing::Values(1, 3), testing::Values(SIZE_MAX, std::size_t{1})),
                         [](const auto& info) {
                           return std::to_string(std::get<0>(info.param)) + "_shards_" +
                                  (std::get<1>(info.param) == 1 ? "one_byte_at_a_time" : "whole");
                         });

TEST_P(Amqp091Node, persistent_messages_are_confirmed_and_can_be_got) {
  AmqpPeer peer(world);
  connect(peer);
  declare_queues(peer);
  peer.send(1, ConfirmSelect{});
  peer.expect(1, ConfirmSelectOk{});
  constexpr int rounds = 5;
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < queue_count; ++i) {
      peer.publish(1, "", queue_name(i), std::to_string(round), {.delivery_mode = 2, .message_id = "m"});
    }
  }
  expect_confirms(peer, rounds * queue_count);
  for (int i = 0; i < queue_count; ++i) {
    for (std::uint32_t round = 0; round < rounds; ++round) {
      peer.send(1, BasicGet{.queue = queue_name(i), .no_ack = true});
      const auto ok = peer.expect_any<BasicGetOk>(1);
      EXPECT_EQ(ok.message_count, rounds - 1 - round);
      const auto content = peer.expect_content(1);
      EXPECT_EQ(content.body, std::to_string(round));
      EXPECT_EQ(content.properties.message_id, "m");
      EXPECT_EQ(content.properties.delivery_mode, 2);
    }
    peer.send(1, BasicGet{.queue = queue_name(i)});
    peer.expect(1, BasicGetEmpty{});
  }
}

TEST_P(Amqp091Node, consumers_get_all_in_order_within_their_prefetch) {
  AmqpPeer publisher(world);
  connect(publisher);
  declare_queues(publisher);
  AmqpPeer consumer(world);
  connect(consumer);
  consumer.send(1, BasicQos{.prefetch_count = 3});
  consumer.expect(1, BasicQosOk{});
  for (int i = 0; i < queue_count; ++i) {
    consumer.send(1, BasicConsume{.queue = queue_name(i), .consumer_tag = queue_name(i)});
    consumer.expect(1, BasicConsumeOk{queue_name(i)});
  }
  constexpr int messages = 10;
  for (int m = 0; m < messages; ++m) {
    for (int i = 0; i < queue_count; ++i) publisher.publish(1, "", queue_name(i), std::to_string(m));
  }
  publisher.flush();
  std::map<std::string, int> next;
  for (int got = 0; got < messages * queue_count; ++got) {
    const auto deliver = consumer.expect_any<BasicDeliver>(1);
    const std::string queue(deliver.consumer_tag);
    EXPECT_EQ(consumer.expect_content(1).body, std::to_string(next[queue]++));
    EXPECT_EQ(deliver.delivery_tag, static_cast<std::uint64_t>(got) + 1);
    consumer.send(1, BasicAck{deliver.delivery_tag, false});
    if (testing::Test::HasFailure()) return;
  }
  consumer.expect_nothing();
  for (int i = 0; i < queue_count; ++i) {
    publisher.send(1, QueueDeclare{.queue = queue_name(i), .passive = true});
    publisher.expect(1, QueueDeclareOk{queue_name(i), 0, 1});
  }
}

TEST_P(Amqp091Node, a_fanned_out_message_reaches_every_queue_and_is_confirmed_once) {
  AmqpPeer peer(world);
  connect(peer);
  declare_queues(peer);
  peer.send(1, ExchangeDeclare{.exchange = "all", .type = "fanout", .durable = true});
  peer.expect(1, ExchangeDeclareOk{});
  for (int i = 0; i < queue_count; ++i) {
    peer.send(1, QueueBind{.queue = queue_name(i), .exchange = "all"});
    peer.expect(1, QueueBindOk{});
  }
  peer.send(1, ConfirmSelect{});
  peer.expect(1, ConfirmSelectOk{});
  const std::string body(50'000, 'f');
  peer.publish(1, "all", "", body, {.delivery_mode = 2});
  peer.expect(1, BasicAck{1, false});
  for (int i = 0; i < queue_count; ++i) {
    peer.send(1, BasicGet{.queue = queue_name(i), .no_ack = true});
    peer.expect(1, BasicGetOk{static_cast<std::uint64_t>(i) + 1, false, "all", "", 0});
    EXPECT_EQ(peer.expect_content(1).body, body);
  }
}

TEST_P(Amqp091Node, what_a_client_held_goes_to_another_when_it_goes) {
  AmqpPeer publisher(world);
  connect(publisher);
  declare_queues(publisher);
  auto leaving = std::make_unique<AmqpPeer>(world);
  connect(*leaving);
  for (int i = 0; i < queue_count; ++i) {
    leaving->send(1, BasicConsume{.queue = queue_name(i), .consumer_tag = queue_name(i)});
    leaving->expect(1, BasicConsumeOk{queue_name(i)});
    publisher.publish(1, "", queue_name(i), "first");
    publisher.publish(1, "", queue_name(i), "second");
  }
  publisher.flush();
  for (int i = 0; i < 2 * queue_count; ++i) {
    leaving->expect_any<BasicDeliver>(1);
    leaving->expect_content(1);
  }
  leaving.reset();
  world.run();
  for (int i = 0; i < queue_count; ++i) {
    for (const auto* body : {"first", "second"}) {
      publisher.send(1, BasicGet{.queue = queue_name(i), .no_ack = true});
      EXPECT_TRUE(publisher.expect_any<BasicGetOk>(1).redelivered);
      EXPECT_EQ(publisher.expect_content(1).body, body);
    }
  }
}

TEST_P(Amqp091Node, a_channel_error_puts_back_what_was_out_on_it) {
  AmqpPeer peer(world);
  connect(peer);
  declare_queues(peer);
  for (int i = 0; i < queue_count; ++i) {
    peer.publish(1, "", queue_name(i), "m");
    peer.send(1, BasicConsume{.queue = queue_name(i), .consumer_tag = queue_name(i)});
    peer.expect(1, BasicConsumeOk{queue_name(i)});
    peer.expect_delivery(1, "m");
  }
  peer.send(1, BasicAck{99, false});
  peer.expect_channel_error(1, 406, "PRECONDITION_FAILED - unknown delivery tag 99", BasicAck::info.id);
  peer.open_channel(1);
  for (int i = 0; i < queue_count; ++i) {
    peer.send(1, QueueDeclare{.queue = queue_name(i), .passive = true});
    peer.expect(1, QueueDeclareOk{queue_name(i), 1, 0});
  }
}

TEST_P(Amqp091Node, a_queue_that_is_deleted_cancels_its_consumers) {
  AmqpPeer consumer(world);
  connect(consumer);
  declare_queues(consumer);
  AmqpPeer other(world);
  connect(other);
  for (int i = 0; i < queue_count; ++i) {
    consumer.send(1, BasicConsume{.queue = queue_name(i), .consumer_tag = queue_name(i)});
    consumer.expect(1, BasicConsumeOk{queue_name(i)});
    other.send(1, QueueDelete{.queue = queue_name(i)});
    other.expect(1, QueueDeleteOk{0});
    consumer.expect(1, BasicCancel{queue_name(i), true});
  }
}

TEST_P(Amqp091Node, an_exclusive_queue_is_free_again_after_its_connection_closed) {
  for (int i = 0; i < queue_count; ++i) {
    AmqpPeer peer(world);
    connect(peer);
    peer.send(1, QueueDeclare{.queue = "mine", .exclusive = true});
    peer.expect(1, QueueDeclareOk{"mine", 0, 0});
    peer.publish(1, "", "mine", "goes with it");
    peer.send(0, ConnectionClose{.reply_code = 200});
    peer.expect(0, ConnectionCloseOk{});
    peer.expect_closed();
  }
}

TEST_P(Amqp091Node, mandatory_messages_without_a_queue_come_back_before_the_confirm) {
  AmqpPeer peer(world);
  connect(peer);
  declare_queues(peer);
  peer.send(1, ConfirmSelect{});
  peer.expect(1, ConfirmSelectOk{});
  peer.send(1, BasicPublish{.routing_key = "nowhere", .mandatory = true});
  peer.send_content(1, "back");
  peer.expect(1, BasicReturn{312, "NO_ROUTE", "", "nowhere"});
  EXPECT_EQ(peer.expect_content(1).body, "back");
  peer.expect(1, BasicAck{1, false});
}

TEST_P(Amqp091Node, large_messages_leave_in_pieces_and_nothing_comes_in_between) {
  AmqpPeer publisher(world);
  connect(publisher);
  declare_queues(publisher);
  AmqpPeer consumer(world);
  connect(consumer);
  std::set<std::string> expected;
  for (int i = 0; i < queue_count; ++i) {
    for (const std::size_t bytes : {2'999U, 3'000U, 10'001U}) {
      expected.insert(std::string(bytes, static_cast<char>('a' + i)));
      publisher.publish(1, "", queue_name(i), std::string(bytes, static_cast<char>('a' + i)),
                        {.delivery_mode = 2});
    }
  }
  publisher.flush();
  for (int i = 0; i < queue_count; ++i) {
    consumer.send(
        1,
        BasicConsume{.queue = queue_name(i), .consumer_tag = queue_name(i), .no_ack = true, .no_wait = true});
  }
  for (int got = 0; got < 3 * queue_count && !testing::Test::HasFailure(); ++got) {
    consumer.expect_any<BasicDeliver>(1);
    expected.erase(consumer.expect_content(1).body);
  }
  EXPECT_TRUE(expected.empty());
  for (std::uint16_t shard = 0; shard < world.node.shards(); ++shard)
    EXPECT_EQ(world.node.shard(shard).host().bodies().queue().total(), 0U);
}

TEST_P(Amqp091Node, of_a_large_message_that_is_not_finished_nothing_is_left) {
  AmqpPeer publisher(world);
  connect(publisher);
  declare_queues(publisher);
  for (int i = 0; i < queue_count; ++i) publisher.open_channel(static_cast<std::uint16_t>(2 + i));
  for (int i = 0; i < queue_count; ++i) {
    const auto channel = static_cast<std::uint16_t>(2 + i);
    std::vector<std::byte> frames;
    append_method_frame(frames, channel, BasicPublish{.routing_key = queue_name(i)});
    std::vector<std::byte> properties;
    append_properties(properties, {.delivery_mode = 2});
    const std::vector<std::byte> body(9'000);
    append_content_frames(frames, channel, properties, body, 3'008);
    publisher.send_bytes(Bytes(frames).first(frames.size() - 3'008));  // without the last body frame
  }
  publisher.flush();
  std::size_t pieces = 0;
  for (std::uint16_t shard = 0; shard < world.node.shards(); ++shard)
    pieces += world.node.shard(shard).host().bodies().queue().total();
  EXPECT_GT(pieces, 0U);
  publisher.close();
  world.run();
  for (std::uint16_t shard = 0; shard < world.node.shards(); ++shard)
    EXPECT_EQ(world.node.shard(shard).host().bodies().queue().total(), 0U);
}

TEST_P(Amqp091Node, errors_come_from_the_broker_in_rabbitmqs_words) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, QueueDeclare{.queue = "q", .durable = true});
  peer.expect(1, QueueDeclareOk{"q", 0, 0});
  peer.send(1, QueueDeclare{.queue = "q"});
  peer.expect_channel_error(
      1, 406,
      "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost '/': received "
      "'false' but current is 'true'",
      QueueDeclare::info.id);
  peer.open_channel(1);
  peer.send(1, BasicConsume{.queue = "q", .consumer_tag = "c", .exclusive = true});
  peer.expect(1, BasicConsumeOk{"c"});
  AmqpPeer other(world);
  connect(other);
  other.send(1, BasicConsume{.queue = "q"});
  other.expect_channel_error(1, 403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use",
                             BasicConsume::info.id);
  other.open_channel(1);
  other.send(1, QueueDelete{.queue = "q", .if_unused = true});
  other.expect_channel_error(1, 406, "PRECONDITION_FAILED - queue 'q' in vhost '/' in use",
                             QueueDelete::info.id);
}

TEST_P(Amqp091Node, a_transaction_publishes_and_acknowledges_across_queues) {
  AmqpPeer peer(world);
  connect(peer);
  declare_queues(peer);
  for (int i = 0; i < queue_count; ++i) peer.publish(1, "", queue_name(i), "old", {.delivery_mode = 2});
  peer.send(1, TxSelect{});
  peer.expect(1, TxSelectOk{});
  for (int i = 0; i < queue_count; ++i) {
    peer.send(1, BasicGet{.queue = queue_name(i)});
    peer.expect_any<BasicGetOk>(1);
    EXPECT_EQ(peer.expect_content(1).body, "old");
    peer.publish(1, "", queue_name(i), "new", {.delivery_mode = 2});
  }
  peer.send(1, BasicAck{queue_count, true});
  peer.send(1, TxRollback{});
  peer.expect(1, TxRollbackOk{});
  for (int i = 0; i < queue_count; ++i) peer.publish(1, "", queue_name(i), "newer", {.delivery_mode = 2});
  peer.send(1, BasicAck{queue_count, true});
  peer.send(1, TxCommit{});
  peer.expect(1, TxCommitOk{});
  peer.close();
  AmqpPeer reader(world);
  connect(reader);
  for (int i = 0; i < queue_count; ++i) {
    reader.send(1, BasicGet{.queue = queue_name(i), .no_ack = true});
    EXPECT_EQ(reader.expect_any<BasicGetOk>(1).message_count, 0U);
    EXPECT_EQ(reader.expect_content(1).body, "newer");
  }
}

TEST_P(Amqp091Node, a_prefetch_of_the_channel_holds_across_queues) {
  AmqpPeer publisher(world);
  connect(publisher);
  declare_queues(publisher);
  for (int m = 0; m < 10; ++m) {
    for (int i = 0; i < queue_count; ++i) publisher.publish(1, "", queue_name(i), "m");
  }
  publisher.flush();
  AmqpPeer consumer(world);
  connect(consumer);
  consumer.send(1, BasicQos{.prefetch_count = 4, .global = true});
  consumer.expect(1, BasicQosOk{});
  for (int i = 0; i < queue_count; ++i) {
    consumer.send(1, BasicConsume{.queue = queue_name(i), .consumer_tag = queue_name(i), .no_wait = true});
  }
  std::uint64_t settled = 0;
  while (settled < 10 * queue_count) {
    const std::uint64_t out = std::min<std::uint64_t>(4, 10 * queue_count - settled);
    for (std::uint64_t i = 0; i < out; ++i) consumer.expect_delivery(1, "m");
    consumer.expect_nothing();
    settled += out;
    consumer.send(1, BasicAck{settled, true});
    if (testing::Test::HasFailure()) return;
  }
}

TEST_P(Amqp091Node, replies_go_straight_to_who_asked_on_any_shard) {
  constexpr int count = 6;  // connections are spread over the shards
  std::vector<std::unique_ptr<AmqpPeer>> peers;
  for (int i = 0; i < count; ++i) {
    peers.push_back(std::make_unique<AmqpPeer>(world));
    connect(*peers.back());
  }
  AmqpPeer& server = *peers[0];
  server.declare(1, "rpc");
  for (int i = 1; i < count; ++i) {
    AmqpPeer& client = *peers[static_cast<std::size_t>(i)];
    client.send(1, BasicConsume{.queue = "amq.rabbitmq.reply-to", .consumer_tag = "r", .no_ack = true});
    client.expect(1, BasicConsumeOk{"r"});
    client.publish(1, "", "rpc", std::to_string(i), {.reply_to = "amq.rabbitmq.reply-to"});
    client.flush();
  }
  std::set<std::string> keys;
  for (int i = 1; i < count; ++i) {
    server.send(1, BasicGet{.queue = "rpc", .no_ack = true});
    server.expect_any<BasicGetOk>(1);
    const auto question = server.expect_content(1);
    const std::string key(question.properties.reply_to.value_or(""));
    EXPECT_EQ(key.size(), 54U);
    keys.insert(key);
    server.send(1, QueueDeclare{.queue = key, .passive = true});
    server.expect(1, QueueDeclareOk{key, 0, 1});
    server.publish(1, "", key, "answer " + question.body);
    server.flush();
  }
  EXPECT_EQ(keys.size(), count - 1U);
  for (int i = 1; i < count; ++i) {
    peers[static_cast<std::size_t>(i)]->expect_delivery(1, "answer " + std::to_string(i));
    peers[static_cast<std::size_t>(i)]->expect_nothing();
  }
  // A key that nobody was given is nobody's.
  std::string forged = *keys.begin();
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  server.publish(1, "", forged, "no");
  server.send(1, QueueDeclare{.queue = forged, .passive = true});
  server.expect_channel_error(1, 404, "NOT_FOUND - no queue '" + forged + "' in vhost '/'",
                              QueueDeclare::info.id);
}

TEST_P(Amqp091Node, connections_to_a_vhost_that_is_deleted_are_closed_in_rabbitmqs_words) {
  const auto administer = [&](broker::Request request) {
    bool done = false;
    world.node.turn(0, [&] {
      world.node.shard(0).administer(std::move(request), [&](const Result<broker::Decision>& decided) {
        EXPECT_TRUE(decided.has_value());
        done = true;
      });
    });
    ASSERT_TRUE(world.node.until([&] { return done; }));
    ASSERT_TRUE(world.node.settle());
  };
  administer(broker::PutVhostRequest{{"shop", ""}});
  administer(broker::PutPermissionRequest{{"guest", "shop", ".*", ".*", ".*"}});
  AmqpPeer other(world);
  connect(other);
  AmqpPeer peer(world, {.vhost = "shop"});
  peer.handshake();
  peer.open_channel(1);
  peer.send(1, QueueDeclare{.queue = "q", .durable = true});
  peer.expect(1, QueueDeclareOk{"q", 0, 0});
  peer.send(1, ConfirmSelect{});
  peer.expect(1, ConfirmSelectOk{});
  peer.publish(1, "", "q", "unacknowledged", {.delivery_mode = 2});
  peer.expect(1, BasicAck{1, false});
  peer.send(1, BasicGet{.queue = "q"});
  peer.expect_any<BasicGetOk>(1);
  peer.expect_content(1);
  administer(broker::DeleteVhost{"shop"});
  peer.expect_connection_error(320, "CONNECTION_FORCED - vhost 'shop' is deleted", {});
  other.expect_open();
}

TEST_P(Amqp091Node, cc_and_bcc_reach_queues_on_every_shard_once) {
  AmqpPeer peer(world);
  connect(peer);
  declare_queues(peer);
  FieldArray cc, bcc;
  for (int i = 0; i < queue_count; ++i) (i % 2 == 0 ? cc : bcc).values.emplace_back(queue_name(i));
  cc.values.emplace_back(queue_name(0));
  const auto table = encode_table(FieldTable().add("CC", std::move(cc)).add("BCC", std::move(bcc)));
  peer.send(1, ConfirmSelect{});
  peer.expect(1, ConfirmSelectOk{});
  peer.publish(1, "", queue_name(1), "m", {.headers = TableBytes{table}, .delivery_mode = 2});
  peer.expect(1, BasicAck{1, false});
  for (int i = 0; i < queue_count; ++i) {
    peer.send(1, QueueDeclare{.queue = queue_name(i), .passive = true});
    peer.expect(1, QueueDeclareOk{queue_name(i), 1, 0});
  }
}

}  // namespace
}  // namespace weir::test
