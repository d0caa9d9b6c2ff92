// What it is: traces of single messages, by W3C Trace Context: which message is sampled, what a span says, and where spans
// go. Null instead of a SpanSink: there is no tracing, and nothing is looked at.
// Shard: a SpanSink is used by all threads; the rest are values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::node {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;  // all zero: none

inline constexpr std::string_view traceparent_name = "traceparent";  // of headers
inline constexpr std::string_view tracestate_name = "tracestate";

// Whose part a span is.
struct TraceContext {
  TraceId trace{};
  SpanId span{};
  std::uint8_t flags = 0;

  bool sampled() const { return (flags & 1U) != 0; }
};

// Nothing: it is not one, or of a version that does not exist.
std::optional<TraceContext> parse_traceparent(std::string_view text);
std::string traceparent_text(const TraceContext& context);

enum class SpanKind : std::uint8_t {
  publish,  // from a client, until it was routed, or confirmed where it wants that
  enqueue,  // into queues of one shard, until it is durable there
  deliver,  // to a consumer
  settle,   // from the delivery until the consumer settled it
};

struct Span {
  SpanKind kind = SpanKind::publish;
  TraceId trace{};
  SpanId id{}, parent{};
  std::optional<TraceContext> link;        // the message's own context, where the parent is another span
  std::string state;                       // tracestate
  std::uint64_t start_ns = 0, end_ns = 0;  // Unix
  std::string vhost, destination;          // the exchange of a publish, else the queue
  std::string routing_key, message_id;
  std::uint64_t body_bytes = 0;
  std::uint32_t queues = 0;         // of an enqueue; 0: not told
  std::optional<double> waited_ms;  // of a delivery: since the broker got it
  std::string_view outcome;         // a constant
  bool failed = false;
};

class SpanSink {
 public:
  virtual ~SpanSink() = default;

  // Never waits; what is too much is dropped, and counted.
  virtual void record(Span&& span) = 0;
  // Whether a message that comes without a trace starts one.
  virtual bool starts_trace() = 0;
  virtual TraceId new_trace_id() = 0;
  virtual SpanId new_span_id() = 0;
  virtual std::uint64_t now_ns() const = 0;  // Unix
};

}  // namespace weir::node
