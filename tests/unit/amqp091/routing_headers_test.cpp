#include <string>

#include "scripted.h"

namespace weir::amqp091 {
namespace {

class RoutingKeys : public Scripted {
 protected:
  static FieldArray keys(std::initializer_list<const char*> names) {
    FieldArray array;
    for (const char* name : names) array.values.emplace_back(name);
    return array;
  }
  void publish(AmqpPeer& peer, std::string_view exchange, std::string_view key, const FieldTable& headers) {
    const auto table = encode_table(headers);
    peer.publish(1, exchange, key, "x", {.headers = TableBytes{table}});
    peer.flush();
  }
  FieldTable got_headers(AmqpPeer& peer, std::string_view queue) {
    peer.send(1, BasicGet{.queue = queue, .no_ack = true});
    peer.expect_any<BasicGetOk>(1);
    const auto content = peer.expect_content(1);
    return *decode_table(content.properties.headers->content);
  }
};
WEIR_SCRIPTED(RoutingKeys);

TEST_P(RoutingKeys, of_cc_and_bcc_reach_each_queue_once) {
  AmqpPeer peer(world);
  connect(peer);
  for (const char* queue : {"a", "b", "c"}) peer.declare(1, queue);
  publish(peer, "", "a",
          FieldTable().add("CC", keys({"b", "a", "b"})).add("BCC", keys({"c", "nowhere"})).add("n", 1));
  peer.expect_nothing();
  for (const char* queue : {"a", "b", "c"}) {
    EXPECT_EQ(world.broker.ready(queue), 1U) << queue;
    const FieldTable headers = got_headers(peer, queue);
    EXPECT_NE(headers.find("CC"), nullptr);
    EXPECT_EQ(headers.find("BCC"), nullptr);
    EXPECT_NE(headers.find("n"), nullptr);
  }
}

TEST_P(RoutingKeys, of_cc_count_for_every_kind_of_exchange) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "a");
  peer.send(1, QueueBind{.queue = "a", .exchange = "amq.topic", .routing_key = "x.*"});
  peer.expect(1, QueueBindOk{});
  publish(peer, "amq.topic", "y", FieldTable().add("CC", keys({"x.1", "x.2"})));
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("a"), 1U);
}

TEST_P(RoutingKeys, a_message_that_only_cc_brings_somewhere_is_not_returned) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "a");
  const auto table = encode_table(FieldTable().add("CC", keys({"a"})));
  peer.send(1, BasicPublish{.routing_key = "nowhere", .mandatory = true});
  peer.send_content(1, "x", {.headers = TableBytes{table}});
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("a"), 1U);
}

TEST_P(RoutingKeys, what_is_no_text_in_cc_is_passed_over) {
  AmqpPeer peer(world);
  connect(peer);
  peer.declare(1, "a");
  FieldArray mixed = keys({"a"});
  mixed.values.emplace_back(std::int32_t{5});
  publish(peer, "", "nowhere", FieldTable().add("CC", std::move(mixed)));
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("a"), 1U);
}

TEST_P(RoutingKeys, headers_of_another_type_are_refused_in_rabbitmqs_words) {
  struct Case {
    std::string_view name;
    FieldValue value;
    std::string_view type;
  };
  const Case cases[] = {
      {"CC", "a", "longstr"},
      {"BCC", std::int32_t{1}, "signedint"},
      {"CC", std::int64_t{1}, "long"},
      {"CC", true, "bool"},
      {"CC", FieldTable(), "table"},
      {"CC", FieldValue(), "void"},
      {"BCC", 1.0, "double"},
      {"CC", 1.0F, "float"},
      {"CC", Timestamp{1}, "timestamp"},
      {"CC", ByteString{"a"}, "binary"},
      {"CC", std::int16_t{1}, "short"},
      {"CC", std::uint8_t{1}, "unsignedbyte"},
      {"CC", Decimal{0, 1}, "decimal"},
  };
  for (const Case& one : cases) {
    AmqpPeer peer(world);
    connect(peer);
    publish(peer, "", "q", FieldTable().add(one.name, one.value));
    peer.expect_channel_error(1, 406,
                              "PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,\"" +
                                  std::string(one.name) + "\"," + std::string(one.type) + "}",
                              BasicPublish::info.id);
  }
}

}  // namespace
}  // namespace weir::amqp091
