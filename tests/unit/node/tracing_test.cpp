#include "node/tracing.h"

#include <gtest/gtest.h>

#include "node/enqueue_traces.h"

namespace weir::node {
namespace {

constexpr std::string_view good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class Sink final : public SpanSink {
 public:
  void record(Span&& span) override { spans.push_back(std::move(span)); }
  bool starts_trace() override { return false; }
  TraceId new_trace_id() override { return {1}; }
  SpanId new_span_id() override { return {++ids}; }
  std::uint64_t now_ns() const override { return now; }
  std::vector<Span> spans;
  std::uint64_t now = 1'000;
  std::uint8_t ids = 0;
};

// The properties are the text of the header itself.
std::optional<std::string_view> properties_as_header(broker::NativeForm, Bytes properties,
                                                     std::string_view name) {
  if (name != traceparent_name || properties.empty()) return std::nullopt;
  return as_text(properties);
}

broker::IncomingMessage with(std::string_view traceparent) {
  broker::IncomingMessage message;
  message.persistent = true;
  message.routing_key = "key";
  message.properties = as_bytes(traceparent);
  return message;
}

TEST(Tracing, a_traceparent_is_read_and_written_as_it_was) {
  const auto context = parse_traceparent(good);
  ASSERT_TRUE(context);
  EXPECT_TRUE(context->sampled());
  EXPECT_EQ(traceparent_text(*context), good);
  EXPECT_FALSE(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")->sampled());
}

TEST(Tracing, a_later_version_may_be_longer_and_the_first_may_not) {
  EXPECT_TRUE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
  EXPECT_FALSE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more"));
  EXPECT_FALSE(parse_traceparent(std::string(good) + "-more"));
}

TEST(Tracing, what_is_no_traceparent_is_none) {
  for (const std::string_view bad : {"", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                     "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                     "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                     "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                                     "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
                                     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
                                     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"})
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
}

TEST(EnqueueTraces, a_span_ends_when_the_message_is_durable) {
  Sink sink;
  EnqueueTraces traces(sink, properties_as_header);
  const broker::IncomingMessage message = with(good);
  const auto context = traces.context_of(message);
  ASSERT_TRUE(context);
  traces.begin(*context, message, {.vhost = "/", .queue = "q", .queues = 2}, Lsn{100});
  sink.now = 5'000;
  traces.on_durable(Lsn{99});
  EXPECT_TRUE(sink.spans.empty());
  traces.on_durable(Lsn{100});
  ASSERT_EQ(sink.spans.size(), 1U);
  const Span& span = sink.spans.front();
  EXPECT_EQ(span.kind, SpanKind::enqueue);
  EXPECT_EQ(span.trace, context->trace);
  EXPECT_EQ(span.parent, context->span);
  EXPECT_EQ(span.start_ns, 1'000U);
  EXPECT_EQ(span.end_ns, 5'000U);
  EXPECT_EQ(span.destination, "q");
  EXPECT_EQ(span.queues, 2U);
  traces.on_durable(Lsn{200});
  EXPECT_EQ(sink.spans.size(), 1U);
}

TEST(EnqueueTraces, one_that_waits_for_less_ends_before_one_that_came_earlier) {
  Sink sink;
  EnqueueTraces traces(sink, properties_as_header);
  const broker::IncomingMessage message = with(good);
  const auto context = traces.context_of(message);
  traces.begin(*context, message, {.vhost = "/", .queue = "durable"}, Lsn{100});
  traces.begin(*context, message, {.vhost = "/", .queue = "transient"}, Lsn{0});
  traces.on_durable(Lsn{50});
  ASSERT_EQ(sink.spans.size(), 1U);
  EXPECT_EQ(sink.spans.front().destination, "transient");
}

TEST(EnqueueTraces, what_is_not_sampled_is_not_traced) {
  Sink sink;
  const EnqueueTraces traces(sink, properties_as_header);
  EXPECT_FALSE(traces.context_of(with("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")));
  EXPECT_FALSE(traces.context_of(with("nonsense")));
  EXPECT_FALSE(traces.context_of(with("")));
}

}  // namespace
}  // namespace weir::node
