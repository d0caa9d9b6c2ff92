#include "app/otlp_json.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "app/otlp_exporter.h"

namespace weir::app {
namespace {

namespace json = boost::json;

node::Span some_span() {
  node::Span span;
  span.kind = node::SpanKind::deliver;
  span.trace = {0x0a, 0xf7};
  span.id = {1};
  span.parent = {2};
  span.link = node::TraceContext{span.trace, {2}, 1};
  span.start_ns = 1'785'664'800'007'000'000;
  span.end_ns = span.start_ns + 5;
  span.vhost = "/";
  span.destination = "tickets";
  span.body_bytes = 12;
  span.waited_ms = 1.5;
  return span;
}

json::object first_span(std::span<const node::Span> spans) {
  const json::value all = json::parse(otlp_json({"weir", "1", "weir@here"}, spans));
  return all.at_pointer("/resourceSpans/0/scopeSpans/0/spans/0").as_object();
}

std::string attribute(const json::object& span, std::string_view key, const char* kind = "stringValue") {
  for (const json::value& one : span.at("attributes").as_array()) {
    if (std::string_view(one.at("key").as_string()) != key) continue;
    const json::value& value = one.at("value").at(kind);
    return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
  }
  return "none";
}

TEST(OtlpJson, ids_are_hex_times_are_text_and_kinds_are_numbers) {
  const node::Span span = some_span();
  const json::object view = first_span({&span, 1});
  EXPECT_EQ(view.at("traceId"), "0af70000000000000000000000000000");
  EXPECT_EQ(view.at("spanId"), "0100000000000000");
  EXPECT_EQ(view.at("parentSpanId"), "0200000000000000");
  EXPECT_EQ(view.at("startTimeUnixNano"), "1785664800007000000");
  EXPECT_EQ(view.at("endTimeUnixNano"), "1785664800007000005");
  EXPECT_EQ(view.at("kind"), 1);
  EXPECT_EQ(view.at("name"), "deliver tickets");
  EXPECT_EQ(view.at("links").at(0).at("spanId"), "0200000000000000");
}

TEST(OtlpJson, attributes_are_those_of_the_messaging_convention) {
  const node::Span span = some_span();
  const json::object view = first_span({&span, 1});
  EXPECT_EQ(attribute(view, "messaging.system"), "weir");
  EXPECT_EQ(attribute(view, "messaging.operation.type"), "receive");
  EXPECT_EQ(attribute(view, "messaging.destination.name"), "tickets");
  EXPECT_EQ(attribute(view, "messaging.message.body.size", "intValue"), "12");
  EXPECT_EQ(attribute(view, "messaging.message.id"), "none");
}

TEST(OtlpJson, a_root_has_no_parent_and_a_failure_has_a_status) {
  node::Span span = some_span();
  span.parent = {};
  span.failed = true;
  span.outcome = "refused";
  const json::object view = first_span({&span, 1});
  EXPECT_FALSE(view.contains("parentSpanId"));
  EXPECT_EQ(view.at("status").at("code"), 2);
  EXPECT_EQ(view.at("status").at("message"), "refused");
}

TEST(OtlpJson, names_that_are_not_utf8_do_no_harm) {
  node::Span span = some_span();
  span.destination = "caf\xe9\"\n";
  EXPECT_EQ(attribute(first_span({&span, 1}), "messaging.destination.name"), "caf\xc3\xa9\"\n");
}

TEST(OtlpUrl, host_port_path_and_login_have_their_defaults) {
  const auto plain = parse_otlp_url("http://collector");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->server.port, 4318);
  EXPECT_EQ(plain->path, "/v1/traces");
  EXPECT_TRUE(plain->server.user.empty());
  const auto full = parse_otlp_url("https://me:secret@[::1]:443/otlp/v1/traces?x=1");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->server.host, "::1");
  EXPECT_EQ(full->server.port, 443);
  EXPECT_EQ(full->server.user, "me");
  EXPECT_EQ(full->path, "/otlp/v1/traces?x=1");
  EXPECT_TRUE(full->server.tls);
  EXPECT_EQ(parse_otlp_url("http://[::1]")->server.port, 4318);
  for (const char* bad : {"", "collector:4318", "grpc://collector:4317", "http://h/a b"})
    EXPECT_FALSE(parse_otlp_url(bad)) << bad;
}

}  // namespace
}  // namespace weir::app
