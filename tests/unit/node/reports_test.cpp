// What the broker publishes of itself: events and traces.
#include "base/cursor.h"
#include "broker/own_exchanges.h"
#include "broker/value_codec.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Headers as a table of the broker's, in place of a protocol's form.
std::vector<std::byte> make_form(const broker::Table& headers, bool, std::uint64_t) {
  std::vector<std::byte> form;
  Writer writer(form);
  broker::encode_table(headers, writer);
  return form;
}
broker::Table no_properties(broker::NativeForm, Bytes) { return {}; }

class ReportsOfBroker : public NodeTest {
 protected:
  ReportsOfBroker() {
    options.headers_of.make = make_form;
    options.headers_of.properties = no_properties;
    options.event_vhost = "/";
  }
  Result<broker::Decision> administer(broker::Request request) {
    std::optional<Result<broker::Decision>> decided;
    node->turn(0, [&] {
      node->shard(0).administer(std::move(request),
                                [&](Result<broker::Decision> d) { decided = std::move(d); });
    });
    EXPECT_TRUE(node->until([&] { return decided.has_value(); }));
    return *decided;
  }
  void declare_event_exchange() {
    broker::DeclareExchange request;
    request.vhost = "/";
    request.name = broker::event_exchange;
    request.type = "topic";
    request.durable = request.internal = true;
    ASSERT_TRUE(administer(std::move(request)).has_value());
  }
  void trace(bool on) {
    broker::VhostDefinition vhost = *node->shard(0).topology().find_vhost("/");
    vhost.tracing = on;
    ASSERT_TRUE(administer(broker::PutVhostRequest{vhost, true}).has_value());
  }
  static broker::Table headers_of(const TakenDelivery& delivery) {
    broker::Table headers;
    Reader reader(std::as_bytes(std::span(delivery.properties)));
    EXPECT_TRUE(broker::decode_table(reader, headers));
    return headers;
  }
  static std::string text(const broker::Table& table, std::string_view name) {
    const broker::Value* const value = table.find(name);
    return value == nullptr ? "none" : broker::to_text(*value);
  }
  std::vector<TakenDelivery> drain(TestSession& reader, const std::string& queue) {
    settle();
    std::vector<TakenDelivery> all;
    while (const auto got = reader.get(queue, true)) all.push_back(*got);
    return all;
  }
  static std::vector<std::string> keys(const std::vector<TakenDelivery>& all) {
    std::vector<std::string> keys;
    for (const TakenDelivery& one : all) keys.push_back(one.routing_key);
    return keys;
  }
};

TEST_F(ReportsOfBroker, of_events_are_for_those_who_have_bound_something) {
  start(3);
  declare_event_exchange();
  TestSession& client = session(1);
  client.declare("unheard");
  client.declare("events");
  ASSERT_TRUE(client.bind(std::string(broker::event_exchange), "events", "#"));
  const QueueStatus made = client.declare(queue_on(2));
  client.consume(made.name, 5);
  client.ask([](Session& by) { by.cancel(5); });
  client.ask([&](Session& by) { by.delete_queue(made.name, false, false); });
  const std::vector<TakenDelivery> events = drain(client, "events");
  EXPECT_THAT(keys(events), testing::UnorderedElementsAre("queue.created", "consumer.created",
                                                          "consumer.deleted", "queue.deleted"));
  const broker::Table facts = headers_of(events[0]);
  EXPECT_EQ(text(facts, "name"), made.name);
  EXPECT_EQ(text(facts, "user_who_performed_action"), "guest");
  EXPECT_EQ(text(facts, "durable"), "true");
}

TEST_F(ReportsOfBroker, tell_what_goes_with_a_queue) {
  start(2);
  declare_event_exchange();
  TestSession& client = session(1);
  client.declare("events");
  client.declare("q");
  ASSERT_TRUE(client.bind("amq.topic", "q", "a"));
  ASSERT_TRUE(client.bind("amq.fanout", "q", "b"));
  ASSERT_TRUE(client.bind(std::string(broker::event_exchange), "events", "binding.#"));
  ASSERT_TRUE(client.ask([](Session& by) { by.delete_queue("q", false, false); }));
  const std::vector<TakenDelivery> events = drain(client, "events");
  ASSERT_THAT(keys(events), ElementsAre("binding.deleted", "binding.deleted"));
  EXPECT_EQ(text(headers_of(events[0]), "destination_name"), "q");
}

TEST_F(ReportsOfBroker, are_none_where_they_are_switched_off) {
  options.event_vhost.clear();
  start();
  declare_event_exchange();
  TestSession& client = session();
  client.declare("events");
  ASSERT_TRUE(client.bind(std::string(broker::event_exchange), "events", "#"));
  client.declare("q");
  EXPECT_THAT(drain(client, "events"), IsEmpty());
}

TEST_F(ReportsOfBroker, are_copies_of_what_comes_and_goes_where_it_is_traced) {
  start(3);
  TestSession& client = session(1);
  client.declare("traces");
  ASSERT_TRUE(client.bind(std::string(broker::trace_exchange), "traces", "#"));
  const std::string queue = queue_on(2), other = queue_on(0, "other");
  client.declare(queue);
  client.declare(other);
  TestSession& consumer = session(2);
  consumer.consume(other, 1, 0, true);
  client.publish_to(queue, {"before"});
  trace(true);
  EXPECT_EQ(client.get(queue, true)->body, "before");
  client.publish_to(other, {"here"});
  client.publish({{"amq.topic", "nobody", "lost"}});
  settle();
  trace(false);
  client.publish_to(queue, {"after"});
  const std::vector<TakenDelivery> traces = drain(client, "traces");
  EXPECT_THAT(keys(traces), testing::UnorderedElementsAre("deliver." + queue, "publish.", "deliver." + other,
                                                          "publish.amq.topic"));
  for (const TakenDelivery& one : traces) {
    const broker::Table headers = headers_of(one);
    EXPECT_EQ(text(headers, "user"), "guest");
    if (one.routing_key == "publish.") {
      EXPECT_EQ(one.body, "here");
      const auto& queues = std::get<broker::Array>(headers.find("routed_queues")->v);
      ASSERT_THAT(queues, SizeIs(1));
      EXPECT_EQ(*queues[0].as_string(), other);
    }
    if (one.routing_key == "deliver." + queue) EXPECT_EQ(one.body, "before");
  }
}

TEST_F(ReportsOfBroker, leave_large_bodies_out_and_are_not_traced_themselves) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.declare("traces");
  ASSERT_TRUE(client.bind(std::string(broker::trace_exchange), "traces", "#"));
  trace(true);
  client.publish_to("q", {std::string(limits::large_body_bytes, 'x')});
  client.publish_to("q", {std::string(limits::large_body_bytes, 'x')}, false);
  const std::vector<TakenDelivery> traces = drain(client, "traces");
  ASSERT_THAT(traces, SizeIs(2));
  for (const TakenDelivery& one : traces) EXPECT_EQ(one.body, "");
  EXPECT_THAT(drain(client, "traces"), IsEmpty()) << "that traces were delivered is not traced";
}

TEST_F(ReportsOfBroker, of_traces_end_with_the_node) {
  start();
  trace(true);
  restart();
  EXPECT_FALSE(node->shard(0).topology().find_vhost("/")->tracing);
}

}  // namespace weir::node
