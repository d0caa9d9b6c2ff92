#include "admin/message_filter.h"

#include <gtest/gtest.h>

#include <string>

#include "broker/death_history.h"
#include "broker/message_extras.h"

namespace weir::admin {
namespace {

using Verdict = node::MessageTest::Verdict;

class Headers final : public broker::HeaderSource {
 public:
  Headers() {
    table.set("tenant", {std::string("t1")});
    table.set("try", {std::int64_t{3}});
    table.set("yes", {true});
  }
  const broker::Table& headers() override { return table; }
  std::optional<std::string> property(std::string_view name) override {
    return name == "message_id" ? std::optional<std::string>("m1") : std::nullopt;
  }
  broker::Table table;
};

struct Message {
  Message() {
    stored.exchange = "ex";
    stored.routing_key = "orders.eu.new";
    stored.received_ms = 1'000;
    set_body(R"({"total": 7, "text": "hello"})");
  }
  void set_body(std::string text) {
    body = std::move(text);
    stored.body = std::as_bytes(std::span(body));
  }
  std::string body;
  std::vector<std::byte> extras;
  broker::StoredMessage stored;
};

Verdict ask(const std::string& text, const Message& message, bool body_is_here = true,
            bool redelivered = false) {
  const auto filter = MessageFilter::read(boost::json::parse(text).get_object());
  EXPECT_TRUE(filter.has_value()) << text << ": " << (filter ? "" : filter.error().message);
  if (!filter || *filter == nullptr) return Verdict::yes;
  Headers headers;
  return (*filter)->test(message.stored, body_is_here, redelivered, headers);
}

TEST(MessageFilter, without_conditions_is_none) {
  const auto filter = MessageFilter::read({});
  ASSERT_TRUE(filter.has_value());
  EXPECT_EQ(*filter, nullptr);
}

TEST(MessageFilter, holds_where_all_of_its_conditions_do) {
  const Message message;
  for (const char* yes :
       {R"({"exchange": "ex"})", R"({"routing_key": "orders.#"})", R"({"routing_key": "#"})",
        R"({"routing_key": "#.orders.*.new.#"})", R"({"headers": {"tenant": "t1", "try": 3, "yes": true}})",
        R"({"headers": {"try": "3", "tenant": null}})", R"({"properties": {"message_id": "m1"}})",
        R"({"body_contains": "hello"})", R"({"json": ["$.total > 5", "$.text ~ \"ell\""]})",
        R"({"received_from": 1000, "received_to": 1000})", R"({"redelivered": false})"})
    EXPECT_EQ(ask(yes, message), Verdict::yes) << yes;
  for (const char* no :
       {R"({"exchange": ""})", R"({"routing_key": "orders.*"})", R"({"routing_key": "orders"})",
        R"({"routing_key": ""})", R"({"headers": {"tenant": "t2"}})", R"({"headers": {"none": null}})",
        R"({"headers": {"try": true}})", R"({"properties": {"type": "x"}})", R"({"body_contains": "bye"})",
        R"({"json": "$.total > 7"})", R"({"received_from": 1001})", R"({"received_to": 999})",
        R"({"redelivered": true})", R"({"dead_letter": {}})",
        R"({"exchange": "ex", "body_contains": "bye"})"})
    EXPECT_EQ(ask(no, message), Verdict::no) << no;
}

TEST(MessageFilter, of_a_dead_letter_is_about_one_and_the_same_death) {
  Message message;
  const auto death = [](broker::DeathReason reason, const std::string& of) {
    broker::Death one;
    one.reason = reason;
    one.queue = "q" + of;
    one.exchange = "e" + of;
    one.routing_key = "k";
    return one;
  };
  broker::DeathHistory history;
  history.record(death(broker::DeathReason::expired, "1"));
  history.record(death(broker::DeathReason::rejected, "2"));
  const std::vector<std::byte> deaths = broker::encode_deaths(history);
  broker::MessageExtras extras;
  extras.deaths = deaths;
  broker::append_extras(message.extras, extras);
  message.stored.extras = message.extras;
  EXPECT_EQ(ask(R"({"dead_letter": {}})", message), Verdict::yes);
  EXPECT_EQ(ask(R"({"dead_letter": {"queue": "q1", "reason": "expired", "exchange": "e1"}})", message),
            Verdict::yes);
  EXPECT_EQ(ask(R"({"dead_letter": {"queue": "q1", "reason": "rejected"}})", message), Verdict::no);
}

TEST(MessageFilter, says_where_it_did_not_look_into_a_body) {
  Message message;
  EXPECT_EQ(ask(R"({"body_contains": "hello"})", message, false), Verdict::unread);
  EXPECT_EQ(ask(R"({"body_contains": "hello", "exchange": "other"})", message, false), Verdict::no);
  EXPECT_EQ(ask(R"({"exchange": "ex"})", message, false), Verdict::yes);
  message.set_body(std::string(searched_body_bytes_max + 1, 'x'));
  EXPECT_EQ(ask(R"({"body_contains": "x"})", message), Verdict::unread);
}

TEST(MessageFilter, about_json_holds_for_no_body_that_is_something_else) {
  Message message;
  for (const std::string& body :
       {std::string(), std::string("plain"), std::string(100'000, '['), std::string("{\"a\": ")}) {
    message.set_body(body);
    EXPECT_EQ(ask(R"({"json": "$"})", message), Verdict::no);
  }
}

TEST(MessageFilter, that_means_nothing_is_refused) {
  std::string many = R"({"headers": {)";
  for (std::size_t i = 0; i <= filter_conditions_max; ++i)
    many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\": 1";
  many += "}}";
  for (const std::string& text :
       {std::string(R"({"nope": 1})"), std::string(R"({"exchange": 1})"), std::string(R"({"headers": []})"),
        std::string(R"({"headers": {"a": []}})"), std::string(R"({"properties": {"nope": "x"}})"),
        std::string(R"({"properties": {"type": null}})"), std::string(R"({"json": 1})"),
        std::string(R"({"json": ["$", 1]})"), std::string(R"({"redelivered": 1})"),
        std::string(R"({"received_from": "x"})"), std::string(R"({"received_to": -1})"),
        std::string(R"({"dead_letter": {"x": "y"}})"), std::string(R"({"dead_letter": 1})"), many,
        R"({"routing_key": ")" + std::string(256, 'x') + "\"}"})
    EXPECT_FALSE(MessageFilter::read(boost::json::parse(text).get_object()).has_value()) << text;
}

TEST(TimeText, is_unix_milliseconds_or_a_date_with_a_time) {
  const auto read = [](std::string_view text) { return read_time_ms(text).value_or(UINT64_MAX); };
  EXPECT_EQ(read("0"), 0U);
  EXPECT_EQ(read("1767225600123"), 1'767'225'600'123U);
  EXPECT_EQ(read("1970-01-01T00:00:00Z"), 0U);
  EXPECT_EQ(read("2026-01-01T00:00:00Z"), 1'767'225'600'000U);
  EXPECT_EQ(read("2026-01-01 02:00:00.5+02:00"), 1'767'225'600'500U);
  EXPECT_EQ(read("2025-12-31T23:30:00.123456-00:30"), 1'767'225'600'123U);
  EXPECT_EQ(read("2024-02-29T00:00:00z"), 1'709'164'800'000U);
  for (const char* wrong :
       {"", "x", "2026-01-01", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00Zx", "1969-12-31T23:59:59Z", "-1",
        "2026-01-01T00:00:00+2:00", "99999999999999999999999"})
    EXPECT_EQ(read(wrong), UINT64_MAX) << wrong;
}

}  // namespace
}  // namespace weir::admin
