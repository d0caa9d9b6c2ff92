#include "protocol/stomp/destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace weir::stomp {
namespace {

using Kind = Destination::Kind;
using testing::HasSubstr;

std::string read(std::string_view text) {
  const auto to = parse_destination(text);
  if (!to) return "error: " + to.error().message;
  const char* const kinds[] = {"exchange", "queue", "amq_queue", "topic", "temp", "reply"};
  return std::string(kinds[static_cast<std::size_t>(to->kind)]) + " " + to->name + " " + to->key;
}

TEST(Destination, means_a_queue_an_exchange_or_a_topic) {
  EXPECT_EQ(read("/queue/orders"), "queue orders ");
  EXPECT_EQ(read("/amq/queue/orders"), "amq_queue orders ");
  EXPECT_EQ(read("/topic/a.*.#"), "topic amq.topic a.*.#");
  EXPECT_EQ(read("/exchange/x"), "exchange x ");
  EXPECT_EQ(read("/exchange/x/key"), "exchange x key");
  EXPECT_EQ(read("/temp-queue/mine"), "temp mine ");
  EXPECT_EQ(read("/reply-queue/amq.gen-a/b"), "reply amq.gen-a/b ");
}

TEST(Destination, has_escapes_for_what_separates_its_parts) {
  EXPECT_EQ(read("/queue/a%2Fb%20c"), "queue a/b c ");
  EXPECT_EQ(read("/exchange/a%2fb/k%25"), "exchange a/b k%");
  EXPECT_EQ(read("/queue/100%"), "queue 100% ");
  std::string text;
  append_destination(text, "a/b", "k%");
  EXPECT_EQ(text, "/exchange/a%2Fb/k%25");
}

TEST(Destination, that_means_nothing_is_refused) {
  EXPECT_THAT(read("orders"), HasSubstr("Valid destination types"));
  EXPECT_THAT(read("/nothing/orders"), HasSubstr("Valid destination types"));
  EXPECT_THAT(read("/queue/"), HasSubstr("not a valid destination"));
  EXPECT_THAT(read("/queue/a/b"), HasSubstr("not a valid destination"));
  EXPECT_THAT(read("/exchange/a/b/c"), HasSubstr("not a valid destination"));
  EXPECT_THAT(read("/queue/" + std::string(256, 'x')), HasSubstr("longer than 255"));
}

TEST(Destination, is_told_as_receivers_know_it) {
  const auto told = [](std::string_view exchange, std::string_view key) {
    std::string text;
    append_destination(text, exchange, key);
    return text;
  };
  EXPECT_EQ(told("", "q"), "/queue/q");
  EXPECT_EQ(told("amq.topic", "a.b"), "/topic/a.b");
  EXPECT_EQ(told("logs", "k"), "/exchange/logs/k");
}

}  // namespace
}  // namespace weir::stomp
