#include "protocol/mqtt/codec/topic.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/mqtt/codec/utf8.h"

namespace weir::mqtt {
namespace {

TEST(MqttUtf8, is_well_formed_and_without_null) {
  for (const std::string good : {"", "a", "plain ascii of some length", "\xC3\xA9", "\xE2\x82\xAC",
                                 "\xF0\x9F\x90\xB0", "control \x01\x1F\x7F are let through", "\xEF\xBF\xBF",
                                 "\xEF\xBB\xBF"
                                 "mark",
                                 "12345678\xC2\x80"}) {
    EXPECT_TRUE(valid_utf8(good)) << good;
  }
  for (const std::string& bad :
       {std::string("\0", 1), std::string("12345678\0", 9), std::string("1234567\0", 8),
        std::string("\xC0\x80"), std::string("\xC1\xBF"), std::string("\xE0\x9F\xBF"),
        std::string("\xED\xA0\x80"), std::string("\xED\xBF\xBF"), std::string("\xF0\x8F\xBF\xBF"),
        std::string("\xF4\x90\x80\x80"), std::string("\xF5\x80\x80\x80"), std::string("\x80"),
        std::string("\xC3"), std::string("\xE2\x82"), std::string("12345678\xFF"),
        std::string("\xC3\xA9\0", 3)}) {
    EXPECT_FALSE(valid_utf8(bad)) << bad;
  }
  // A word whose borrow runs over a byte of 1 behind a 0, or only seems to.
  EXPECT_TRUE(valid_utf8("\x01\x01\x01\x01\x01\x01\x01\x01"));
}

TEST(MqttTopics, have_no_wildcards_and_are_not_empty) {
  for (const char* good : {"a", "/", "//", "a/b", "a b", "$SYS/x", "/finance", "*"})
    EXPECT_TRUE(is_topic_name(good)) << good;
  for (const char* bad : {"", "+", "#", "a/+/b", "a#"}) EXPECT_FALSE(is_topic_name(bad)) << bad;
  EXPECT_TRUE(is_topic_name(std::string(65'535, 'a')));
  EXPECT_FALSE(is_topic_name(std::string(65'536, 'a')));
}

TEST(MqttFilters, have_wildcards_where_they_may_be) {
  for (const char* good : {"#", "+", "+/tennis/#", "sport/+/player1", "sport/tennis/#", "/+", "+/+", "/",
                           "a//#", "$SYS/#", "a", "+/"})
    EXPECT_TRUE(is_topic_filter(good)) << good;
  for (const char* bad : {"", "sport/tennis#", "sport/tennis/#/ranking", "sport+", "+a", "a/b+/c", "##", "#/",
                          "++", "a/+b", "/#a"})
    EXPECT_FALSE(is_topic_filter(bad)) << bad;
}

TEST(MqttFilters, that_are_shared_have_a_group_and_a_filter) {
  EXPECT_EQ(shared_filter("$share/g/a/+"), (SharedFilter{"g", "a/+"}));
  EXPECT_EQ(shared_filter("$share/g//a"), (SharedFilter{"g", "/a"}));
  EXPECT_EQ(shared_filter("$share/g/#"), (SharedFilter{"g", "#"}));
  for (const char* bad :
       {"$share/", "$share/g", "$share/g/", "$share//a", "$share/+/a", "$share/g#/a", "$share/g/a#"}) {
    ASSERT_TRUE(is_shared(bad));
    EXPECT_EQ(shared_filter(bad), std::nullopt) << bad;
    EXPECT_FALSE(is_subscribable(bad)) << bad;
  }
  EXPECT_FALSE(is_shared("$share"));
  EXPECT_FALSE(is_shared("$shared/g/a"));
  EXPECT_TRUE(is_subscribable("$share"));
}

struct Match {
  const char *filter, *topic;
  bool expected;
};

TEST(MqttFilters, match_as_4_7_says) {
  constexpr Match cases[] = {
      {"sport/tennis/player1/#", "sport/tennis/player1", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
      {"sport/tennis/player1/#", "sport/tennis/player2", false},
      {"sport/tennis/player1/#", "sport/tennis/player11", false},
      {"sport/#", "sport", true},
      {"sport/#", "sport/", true},
      {"#", "a/b/c", true},
      {"#", "/", true},
      {"sport/tennis/+", "sport/tennis/player1", true},
      {"sport/tennis/+", "sport/tennis/player1/ranking", false},
      {"sport/+", "sport", false},
      {"sport/+", "sport/", true},
      {"+", "sport", true},
      {"+", "/finance", false},
      {"+/+", "/finance", true},
      {"/+", "/finance", true},
      {"+/+/#", "a", false},
      {"+/+/#", "a/b", true},
      {"+/tennis/#", "sport/tennis", true},
      {"a/b", "a/b", true},
      {"a/b", "a/b/", false},
      {"a/b/", "a/b", false},
      {"A/b", "a/b", false},
      {"a//b", "a//b", true},
      {"a/+/b", "a//b", true},
      {"#", "$SYS/a", false},
      {"+/a", "$SYS/a", false},
      {"+", "$SYS", false},
      {"$SYS/#", "$SYS/a", true},
      {"$SYS/#", "$SYS", true},
      {"$SYS/+", "$SYS/a", true},
      {"+/$SYS", "a/$SYS", true},
  };
  for (const auto& [filter, topic, expected] : cases) {
    EXPECT_EQ(matches(filter, topic), expected) << filter << " " << topic;
  }
}

TEST(MqttTopics, become_routing_keys_and_come_back) {
  EXPECT_EQ(routing_key_of("a.b/c"), "a/b.c");
  EXPECT_EQ(topic_of("a/b.c"), "a.b/c");
  EXPECT_EQ(routing_key_of("/a//"), ".a..");
  EXPECT_EQ(binding_key_of("a/+/b.c/#"), "a.*.b/c.#");
  EXPECT_EQ(binding_key_of("#"), "#");
  for (const std::string topic : {"", "a", "a/b", "a.b", "./", "sensor/1.5/x"}) {
    EXPECT_EQ(topic_of(routing_key_of(topic)), topic);
  }
  std::string in_place = "a/b.c";
  write_routing_key(in_place, in_place.data());
  EXPECT_EQ(in_place, "a.b/c");
}

TEST(MqttTopics, are_walked_level_by_level) {
  std::string_view text = "a//b/";
  std::string walked;
  for (bool more = true; more;) {
    const Level level = take_level(text);
    walked += "[" + std::string(level.text) + "]";
    more = level.more;
  }
  EXPECT_EQ(walked, "[a][][b][]");
}

}  // namespace
}  // namespace weir::mqtt
