#include "node/enqueue_traces.h"

#include <algorithm>
#include <utility>

namespace weir::node {

std::optional<TraceContext> EnqueueTraces::context_of(const broker::IncomingMessage& message) const {
  const auto text = header_(message.native, message.properties, traceparent_name);
  if (!text) return std::nullopt;
  std::optional<TraceContext> context = parse_traceparent(*text);
  if (context && !context->sampled()) context.reset();
  return context;
}

void EnqueueTraces::begin(const TraceContext& context, const broker::IncomingMessage& message,
                          const Where& where, Lsn needed) {
  if (pending_.size() >= pending_max) return;
  Span span;
  span.kind = SpanKind::enqueue;
  span.trace = context.trace;
  span.parent = context.span;
  span.id = sink_.new_span_id();
  span.state = header_(message.native, message.properties, tracestate_name).value_or("");
  span.start_ns = sink_.now_ns();
  span.vhost = where.vhost;
  span.destination = where.queue;
  span.queues = where.queues;
  span.routing_key = message.routing_key;
  span.body_bytes = message.body_bytes;
  span.outcome = where.durable ? "durable" : "in memory";
  pending_.push_back({needed, std::move(span)});
}

void EnqueueTraces::on_durable(Lsn up_to) {
  if (pending_.empty()) return;
  const std::uint64_t now_ns = sink_.now_ns();
  std::erase_if(pending_, [&](Pending& pending) {
    if (pending.needed > up_to) return false;
    pending.span.end_ns = now_ns;
    sink_.record(std::move(pending.span));
    return true;
  });
}

}  // namespace weir::node
