#include "app/otlp_json.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string_view>

#include "base/utf8.h"

namespace weir::app {
namespace {

namespace json = boost::json;
using node::SpanKind;

constexpr int kind_internal = 1, kind_server = 2;
constexpr int status_error = 2;

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

bool is_none(const node::SpanId& id) { return id == node::SpanId{}; }

// JSON is UTF-8, names need not be: each byte above ASCII is taken for the character of that number then.
json::string utf8(std::string_view text) {
  if (valid_utf8(text)) return json::string(text);
  json::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | byte >> 6);
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

class Attributes {
 public:
  Attributes& text(std::string_view key, std::string_view value) {
    if (!value.empty()) add(key, {{"stringValue", utf8(value)}});
    return *this;
  }
  // 64 bits are text in this JSON.
  Attributes& number(std::string_view key, std::uint64_t value) {
    return add(key, {{"intValue", fmt::to_string(value)}});
  }
  Attributes& real(std::string_view key, double value) { return add(key, {{"doubleValue", value}}); }
  json::array take() { return std::move(all_); }

 private:
  Attributes& add(std::string_view key, json::object value) {
    all_.push_back({{"key", key}, {"value", std::move(value)}});
    return *this;
  }
  json::array all_;
};

std::string_view operation(SpanKind kind) {
  switch (kind) {
    case SpanKind::publish: return "publish";
    case SpanKind::enqueue: return "enqueue";
    case SpanKind::deliver: return "deliver";
    case SpanKind::settle: return "settle";
  }
  return {};
}

// The convention's own words; it has none for a broker that stores.
std::string_view operation_type(SpanKind kind) {
  switch (kind) {
    case SpanKind::publish: return "send";
    case SpanKind::deliver: return "receive";
    case SpanKind::settle: return "settle";
    case SpanKind::enqueue: return {};
  }
  return {};
}

std::string destination(const node::Span& span) {
  const bool default_exchange = span.kind == SpanKind::publish && span.destination.empty();
  return default_exchange ? "amq.default" : span.destination;
}

json::array attributes_of(const node::Span& span) {
  Attributes all;
  all.text("messaging.system", "weir")
      .text("messaging.operation.name", operation(span.kind))
      .text("messaging.operation.type", operation_type(span.kind))
      .text("messaging.destination.name", destination(span))
      .text("messaging.rabbitmq.destination.routing_key", span.routing_key)
      .text("messaging.message.id", span.message_id)
      .number("messaging.message.body.size", span.body_bytes)
      .text("weir.vhost", span.vhost)
      .text("weir.outcome", span.outcome);
  if (span.queues > 0) all.number("weir.queues", span.queues);
  if (span.waited_ms) all.real("weir.waited_ms", *span.waited_ms);
  return all.take();
}

json::object span_view(const node::Span& span) {
  json::object view;
  view["traceId"] = hex(span.trace);
  view["spanId"] = hex(span.id);
  if (!is_none(span.parent)) view["parentSpanId"] = hex(span.parent);
  if (!span.state.empty()) view["traceState"] = utf8(span.state);
  view["name"] = utf8(fmt::format("{} {}", operation(span.kind), destination(span)));
  const bool asked_for = span.kind == SpanKind::publish || span.kind == SpanKind::settle;
  view["kind"] = asked_for ? kind_server : kind_internal;
  view["startTimeUnixNano"] = fmt::to_string(span.start_ns);
  view["endTimeUnixNano"] = fmt::to_string(std::max(span.start_ns, span.end_ns));
  view["attributes"] = attributes_of(span);
  if (span.link)
    view["links"] = json::array{{{"traceId", hex(span.link->trace)}, {"spanId", hex(span.link->span)}}};
  if (span.failed) view["status"] = {{"code", status_error}, {"message", span.outcome}};
  return view;
}

}  // namespace

std::string otlp_json(const OtlpResource& resource, std::span<const node::Span> spans) {
  json::array views;
  for (const node::Span& span : spans) views.push_back(span_view(span));
  json::array about = Attributes()
                          .text("service.name", resource.service_name)
                          .text("service.version", resource.service_version)
                          .text("service.instance.id", resource.instance)
                          .take();
  json::object scope_spans{{"scope", {{"name", "weir"}, {"version", resource.service_version}}}};
  scope_spans["spans"] = std::move(views);
  json::object resource_spans{{"resource", {{"attributes", std::move(about)}}}};
  resource_spans["scopeSpans"] = json::array{std::move(scope_spans)};
  return json::serialize(json::object{{"resourceSpans", json::array{std::move(resource_spans)}}});
}

}  // namespace weir::app
