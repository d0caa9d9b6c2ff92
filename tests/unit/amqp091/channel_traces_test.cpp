#include "protocol/amqp091/channel_traces.h"

#include <gtest/gtest.h>

#include "protocol/amqp091/codec/content.h"
#include "protocol/amqp091/codec/field_table.h"

namespace weir::amqp091 {
namespace {

constexpr std::string_view sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

class Sink final : public node::SpanSink {
 public:
  void record(node::Span&& span) override { spans.push_back(std::move(span)); }
  bool starts_trace() override { return starts; }
  node::TraceId new_trace_id() override { return {7}; }
  node::SpanId new_span_id() override { return {++ids}; }
  std::uint64_t now_ns() const override { return 1'000; }
  std::vector<node::Span> spans;
  bool starts = false;
  std::uint8_t ids = 0;
};

std::vector<std::byte> properties_with(std::string_view traceparent) {
  const std::vector<std::byte> table =
      encode_table(FieldTable().add("mine", std::string_view("stays")).add("traceparent", traceparent));
  std::vector<std::byte> raw;
  append_properties(raw, {.headers = TableBytes{table}, .delivery_mode = 2, .message_id = "m"});
  return raw;
}

node::Publish publish_of(Bytes raw, std::uint64_t seq) {
  node::Publish publish;
  publish.seq = seq;
  publish.message.exchange = "x";
  publish.message.routing_key = "k";
  publish.message.properties = raw;
  return publish;
}

struct Traced {
  Sink sink;
  ChannelTraces traces{sink};

  void publish(std::string_view traceparent, std::uint64_t seq) {
    const std::vector<std::byte> own = properties_with(traceparent);
    Bytes raw = own;
    traces.begin_publish(raw);
    EXPECT_EQ(raw.data(), own.data()) << "a trace that is there stays as it is";
    traces.published(publish_of(raw, seq), "/", false);
  }
};

TEST(ChannelTraces, a_publish_lasts_until_it_is_confirmed) {
  Traced on;
  on.publish(sampled, 1);
  on.publish(sampled, 2);
  EXPECT_TRUE(on.sink.spans.empty());
  on.traces.confirmed(1);
  ASSERT_EQ(on.sink.spans.size(), 1U);
  EXPECT_EQ(on.sink.spans[0].outcome, "confirmed");
  EXPECT_EQ(on.sink.spans[0].message_id, "m");
  EXPECT_EQ(on.sink.spans[0].destination, "x");
  on.traces.confirmed(2);
  EXPECT_EQ(on.sink.spans.size(), 2U);
}

TEST(ChannelTraces, what_was_refused_has_failed_and_the_rest_has_not) {
  Traced on;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) on.publish(sampled, seq);
  on.traces.rejected(2, 2);
  on.traces.confirmed(3);
  ASSERT_EQ(on.sink.spans.size(), 3U);
  EXPECT_TRUE(on.sink.spans[0].failed);
  EXPECT_FALSE(on.sink.spans[1].failed || on.sink.spans[2].failed);
}

TEST(ChannelTraces, without_confirms_a_publish_ends_when_it_is_routed) {
  Traced on;
  on.publish(sampled, 0);
  ASSERT_EQ(on.sink.spans.size(), 1U);
  EXPECT_EQ(on.sink.spans[0].outcome, "routed");
}

TEST(ChannelTraces, what_is_not_sampled_or_no_trace_is_left_alone_even_where_traces_start) {
  Traced on;
  on.sink.starts = true;
  on.publish(unsampled, 0);
  on.publish("nonsense", 0);
  EXPECT_TRUE(on.sink.spans.empty());
}

TEST(ChannelTraces, a_trace_that_starts_here_is_added_to_what_is_there) {
  Traced on;
  on.sink.starts = true;
  const std::vector<std::byte> table = encode_table(FieldTable().add("mine", std::string_view("stays")));
  std::vector<std::byte> own;
  append_properties(own, {.headers = TableBytes{table}, .delivery_mode = 2});
  Bytes raw = own;
  on.traces.begin_publish(raw);
  ASSERT_TRUE(validate_properties(raw));
  EXPECT_TRUE(PropertiesView(raw).persistent());
  EXPECT_EQ(header_text(broker::NativeForm::amqp091, raw, "mine"), "stays");
  const auto context =
      node::parse_traceparent(header_text(broker::NativeForm::amqp091, raw, "traceparent").value());
  ASSERT_TRUE(context);
  on.traces.published(publish_of(raw, 0), "/", false);
  ASSERT_EQ(on.sink.spans.size(), 1U);
  EXPECT_EQ(on.sink.spans[0].id, context->span) << "what comes after it is below the publish";
  EXPECT_EQ(on.sink.spans[0].parent, node::SpanId{});
}

TEST(ChannelTraces, a_settlement_is_below_its_delivery) {
  Traced on;
  const std::vector<std::byte> raw = properties_with(sampled);
  node::Delivery delivery;
  delivery.message.native = broker::NativeForm::amqp091;
  delivery.message.properties = raw;
  ASSERT_TRUE(on.traces.begin_delivery(delivery.message));
  on.traces.end_delivery(delivery, {.vhost = "/", .queue = "q", .tag = 5, .settles = true});
  ASSERT_EQ(on.sink.spans.size(), 1U);
  EXPECT_EQ(on.sink.spans[0].link->span, on.sink.spans[0].parent);
  on.traces.settled(6, node::Outcome::accept);
  EXPECT_EQ(on.sink.spans.size(), 1U);
  on.traces.settled(5, node::Outcome::failed);
  ASSERT_EQ(on.sink.spans.size(), 2U);
  EXPECT_EQ(on.sink.spans[1].kind, node::SpanKind::settle);
  EXPECT_EQ(on.sink.spans[1].parent, on.sink.spans[0].id);
  EXPECT_TRUE(on.sink.spans[1].failed);
  on.traces.settled(5, node::Outcome::accept);
  EXPECT_EQ(on.sink.spans.size(), 2U);
}

TEST(ChannelTraces, a_delivery_that_is_not_sampled_is_not_begun) {
  Traced on;
  for (const std::string_view text : {unsampled, std::string_view("nonsense")}) {
    const std::vector<std::byte> raw = properties_with(text);
    broker::StoredMessage message;
    message.native = broker::NativeForm::amqp091;
    message.properties = raw;
    EXPECT_FALSE(on.traces.begin_delivery(message));
    message.native = broker::NativeForm::mqtt;
    EXPECT_FALSE(on.traces.begin_delivery(message));
  }
}

}  // namespace
}  // namespace weir::amqp091
