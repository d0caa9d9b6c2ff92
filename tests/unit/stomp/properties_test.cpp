#include "protocol/stomp/properties.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::stomp {
namespace {

broker::Table fields(std::initializer_list<std::pair<const char*, broker::Value>> all) {
  broker::Table table;
  for (const auto& [name, value] : all) table.set(name, value);
  return table;
}
broker::Value text(const char* value) { return {std::string(value)}; }
broker::Value number(std::int64_t value) { return {value}; }

TEST(StompProperties, are_those_of_amqp_and_other_headers_are_headers) {
  const std::string stored =
      "content-type:text/"
      "plain\npersistent:true\npriority:4\namqp-message-id:m\ncolour:red\ncolour:blue\nsize:5\n";
  const broker::Table table = properties_table(as_bytes(stored));
  EXPECT_EQ(table, fields({{"content_type", text("text/plain")},
                           {"delivery_mode", number(2)},
                           {"priority", number(4)},
                           {"message_id", text("m")},
                           {"headers", {fields({{"colour", text("red")}, {"size", text("5")}})}}}));
  EXPECT_EQ(headers_of(as_bytes(stored)), fields({{"colour", text("red")}, {"size", text("5")}}));
  EXPECT_EQ(property_of(as_bytes(stored), "message_id"), "m");
  EXPECT_EQ(header_text(as_bytes(stored), "colour"), "red");
  EXPECT_EQ(header_text(as_bytes(stored), "col"), std::nullopt);
  EXPECT_EQ(header_text(as_bytes(std::string_view("a:1\\c2\n")), "a"), std::nullopt);
}

TEST(StompProperties, of_other_protocols_become_headers_that_can_not_pass_for_the_brokers) {
  const broker::Table table = fields({{"content_type", text("t")},
                                      {"delivery_mode", number(2)},
                                      {"priority", number(9)},
                                      {"timestamp", number(1'700'000'000)},
                                      {"headers",
                                       {fields({{"n", number(-3)},
                                                {"line", text("a\nb:c")},
                                                {"nested", {fields({{"x", number(1)}})}},
                                                {"destination", text("/queue/forged")},
                                                {"message-id", text("forged")}})}}});
  EXPECT_EQ(stored_from(table),
            "content-type:t\npriority:9\ntimestamp:1700000000\npersistent:true\nn:-3\nline:a\\nb\\cc\n");
}

TEST(StompProperties, tell_where_replies_by_topic_go) {
  const std::string stored = "reply-to:/topic/a.b%2Fc\n";
  const broker::Table table = properties_table(as_bytes(stored));
  EXPECT_EQ(table, fields({{"reply_to", text("/topic/a.b%2Fc")}, {"reply_topic", text("a.b/c")}}));
  EXPECT_EQ(stored_from(table), "reply-to:/topic/a.b%2Fc\n");
  EXPECT_EQ(stored_from(fields({{"reply_to", text("a.b")}})), "reply-to:a.b\n");
  EXPECT_EQ(properties_table(as_bytes(std::string("reply-to:/queue/q\n"))),
            fields({{"reply_to", text("/queue/q")}}));
}

TEST(StompProperties, are_text_without_nul) {
  const broker::Table table = fields({{"correlation_id", text("\xff")},
                                      {"headers",
                                       {fields({{"raw", text("\xc3\x28")},
                                                {"nul", {std::string("a\0b", 3)}},
                                                {"n\xff", text("x")},
                                                {"good", text("yes")}})}}});
  EXPECT_EQ(stored_from(table), "good:yes\n");
}

TEST(StompProperties, that_the_broker_acts_on_are_checked) {
  const auto read = [](const std::string& lines) {
    Headers headers;
    EXPECT_TRUE(headers.parse(lines, Version::v1_2, true, 10));
    return read_send_properties(headers, "ann");
  };
  const auto good = read("persistent:true\npriority:7\nexpiration:60000\nuser-id:ann\n");
  ASSERT_TRUE(good);
  EXPECT_TRUE(good->persistent);
  EXPECT_EQ(good->priority, 7);
  EXPECT_EQ(good->ttl_ms, 60'000U);
  EXPECT_FALSE(read("priority:256\n"));
  EXPECT_FALSE(read("priority:x\n"));
  EXPECT_FALSE(read("expiration:-1\n"));
  EXPECT_FALSE(read("expiration:\n"));
  EXPECT_FALSE(read("user-id:bob\n"));
}

TEST(StompArguments, are_numbers_where_they_look_like_it_and_texts_where_they_are) {
  Headers headers;
  ASSERT_TRUE(
      headers.parse("x-max-length:10\nx-dead-letter-routing-key:5\nx-browse:true\nx-overflow:drop-head\n"
                    "x-queue-name:no\nother:1\nx-stream-offset:offset=7\nx-delivery-limit:-1\n",
                    Version::v1_2, true, 20));
  EXPECT_EQ(arguments_of(headers), fields({{"x-max-length", number(10)},
                                           {"x-dead-letter-routing-key", text("5")},
                                           {"x-browse", {true}},
                                           {"x-overflow", text("drop-head")},
                                           {"x-stream-offset", number(7)},
                                           {"x-delivery-limit", number(-1)}}));
}

}  // namespace
}  // namespace weir::stomp
