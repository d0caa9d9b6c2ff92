#include "protocol/amqp091/channel_traces.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "protocol/amqp091/codec/content.h"
#include "protocol/amqp091/codec/field_table.h"
#include "protocol/amqp091/mapping.h"

namespace weir::amqp091 {

using node::Span;
using node::SpanKind;
using node::TraceContext;

namespace {

std::string_view outcome_name(node::Outcome outcome) {
  switch (outcome) {
    case node::Outcome::accept: return "ack";
    case node::Outcome::requeue: return "requeue";
    case node::Outcome::restore: return "restore";
    case node::Outcome::failed: return "failed";
    case node::Outcome::discard: return "reject";
  }
  return {};
}

Span begin_span(SpanKind kind, const TraceContext& parent, node::SpanSink& sink, Bytes properties) {
  Span span;
  span.kind = kind;
  span.trace = parent.trace;
  span.parent = parent.span;
  span.id = sink.new_span_id();
  span.state = header_text(broker::NativeForm::amqp091, properties, node::tracestate_name)
                   .value_or(std::string_view());
  span.message_id = PropertiesView(properties).message_id().value_or(std::string_view());
  span.start_ns = sink.now_ns();
  return span;
}

}  // namespace

std::optional<std::string_view> header_text(broker::NativeForm native, Bytes properties,
                                            std::string_view name) {
  if (native != broker::NativeForm::amqp091) return std::nullopt;
  const auto headers = PropertiesView(properties).headers();
  if (!headers) return std::nullopt;
  for (TableCursor at(headers->content); at.next();) {
    if (at.name() == name) return at.value().as_text();
  }
  return std::nullopt;
}

// --- publishing ---

void ChannelTraces::begin_publish(Bytes& raw_properties) {
  current_.reset();
  const auto text = header_text(broker::NativeForm::amqp091, raw_properties, node::traceparent_name);
  const std::optional<TraceContext> context = text ? node::parse_traceparent(*text) : std::nullopt;
  if (context) {
    if (context->sampled()) current_ = begin_span(SpanKind::publish, *context, sink_, raw_properties);
    return;
  }
  if (!text && sink_.starts_trace()) start_trace(raw_properties);
}

// The publish is the root: what comes after it is below it.
void ChannelTraces::start_trace(Bytes& raw_properties) {
  constexpr std::size_t room = 128;  // for the entry
  if (raw_properties.size() + room > limits::native_properties_bytes_max) return;
  const TraceContext context{sink_.new_trace_id(), {}, 1};
  Span span = begin_span(SpanKind::publish, context, sink_, raw_properties);
  const PropertiesView view(raw_properties);
  Properties properties = properties_of(view);
  std::vector<std::byte> table;
  if (properties.headers)
    table.assign(properties.headers->content.begin(), properties.headers->content.end());
  const std::string traceparent = node::traceparent_text({span.trace, span.id, 1});
  append_entry(table, node::traceparent_name, FieldView{FieldType::text, as_bytes(traceparent)});
  properties.headers = TableBytes{table};
  properties_.clear();
  append_properties(properties_, properties);
  raw_properties = properties_;
  current_ = std::move(span);
}

void ChannelTraces::published(const node::Publish& publish, std::string_view vhost, bool unroutable) {
  if (!current_) return;
  Span span = std::move(*current_);
  current_.reset();
  span.vhost = vhost;
  span.destination = publish.message.exchange;
  span.routing_key = publish.message.routing_key;
  span.body_bytes = publish.message.body_bytes;
  if (unroutable) return finish(std::move(span), "unroutable", false);
  if (publish.seq == 0 || unconfirmed_.size() >= waiting_max) return finish(std::move(span), "routed", false);
  unconfirmed_.push_back({publish.seq, std::move(span)});
}

void ChannelTraces::confirmed(std::uint64_t up_to) {
  while (!unconfirmed_.empty() && unconfirmed_.front().seq <= up_to) {
    finish(std::move(unconfirmed_.front().span), "confirmed", false);
    unconfirmed_.pop_front();
  }
}

void ChannelTraces::rejected(std::uint64_t first, std::uint64_t last) {
  std::erase_if(unconfirmed_, [&](Publishing& publishing) {
    if (publishing.seq < first || publishing.seq > last) return false;
    finish(std::move(publishing.span), "refused", true);
    return true;
  });
}

void ChannelTraces::finish(Span&& span, std::string_view outcome, bool failed) {
  span.outcome = outcome;
  span.failed = failed;
  span.end_ns = sink_.now_ns();
  sink_.record(std::move(span));
}

// --- deliveries ---

bool ChannelTraces::begin_delivery(const broker::StoredMessage& message) {
  const auto text = header_text(message.native, message.properties, node::traceparent_name);
  delivering_ = text ? node::parse_traceparent(*text) : std::nullopt;
  if (!delivering_ || !delivering_->sampled()) return false;
  delivery_began_ns_ = sink_.now_ns();
  return true;
}

void ChannelTraces::end_delivery(const node::Delivery& delivery, const Handed& handed) {
  const broker::StoredMessage& message = delivery.message;
  Span span = begin_span(SpanKind::deliver, *delivering_, sink_, message.properties);
  span.link = *delivering_;
  span.start_ns = delivery_began_ns_;
  span.vhost = handed.vhost;
  span.destination = handed.queue;
  span.routing_key = message.routing_key;
  span.body_bytes = delivery.body != node::no_body ? delivery.body_bytes : message.body.size();
  Span settling = span;
  // Against the clock that the message was stamped by, which has milliseconds.
  span.waited_ms =
      std::max(static_cast<double>(span.start_ns) / 1e6 - static_cast<double>(message.received_ms), 0.0);
  settling.parent = span.id;
  finish(std::move(span), delivery.redelivered ? "redelivered" : "delivered", false);
  if (!handed.settles || unsettled_.size() >= waiting_max) return;
  settling.kind = SpanKind::settle;
  settling.id = sink_.new_span_id();
  settling.start_ns = sink_.now_ns();
  unsettled_.emplace(handed.tag, std::move(settling));
}

void ChannelTraces::settled(std::uint64_t tag, node::Outcome outcome) {
  const auto at = unsettled_.find(tag);
  if (at == unsettled_.end()) return;
  finish(std::move(at->second), outcome_name(outcome), outcome == node::Outcome::failed);
  unsettled_.erase(at);
}

}  // namespace weir::amqp091
