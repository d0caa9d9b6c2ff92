#include "cli/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace weir::cli {
namespace {

using testing::HasSubstr;
namespace json = boost::json;

TopView some_view() {
  TopView view;
  view.sample.overview = json::parse(R"({"node":"weir@here","product_name":"Weir","product_version":"1",
    "queue_totals":{"messages_ready":94011},"object_totals":{"queues":12},
    "message_stats":{"publish_details":{"rate":20004.2}}})")
                             .as_object();
  view.sample.items = json::parse(R"([
    {"name":"tickets","vhost":"/","messages_ready":94011,"oldest_message_age_ms":90000,"seconds_to_drain":94,
     "message_bytes":10485760,"message_stats":{"publish_details":{"rate":3}}},
    {"name":"a\u001b[2Jb","vhost":"shop","seconds_to_drain":null}])")
                          .as_array();
  view.sample.items_all = 12;
  return view;
}

std::string text_of(const TopView& view, TerminalSize size = {140, 24}, bool live = true) {
  std::string text;
  for (const std::string& line : top_screen(view, size, Paint(false), live)) text += line + "\n";
  return text;
}

TEST(TopView, a_queue_has_its_depth_age_and_time_to_drain) {
  EXPECT_THAT(text_of(some_view()), HasSubstr("94,011"));
  EXPECT_THAT(text_of(some_view()), HasSubstr("90 s"));
  EXPECT_THAT(text_of(some_view()), HasSubstr("94 s"));
  EXPECT_THAT(text_of(some_view()), HasSubstr("10.0 MiB"));
  EXPECT_THAT(text_of(some_view()), HasSubstr("publish 20,004/s   confirm –"));
}

TEST(TopView, what_the_broker_does_not_tell_is_a_dash) {
  const std::string text = text_of(some_view());
  const std::string line = text.substr(text.find("shop a"));
  EXPECT_THAT(line.substr(0, line.find('\n')), HasSubstr("–"));
}

TEST(TopView, a_hostile_name_does_nothing_to_the_terminal) {
  EXPECT_THAT(text_of(some_view()), HasSubstr("shop a\\x1b[2Jb"));
  EXPECT_EQ(text_of(some_view()).find('\x1b'), std::string::npos);
}

TEST(TopView, the_column_that_is_sorted_by_is_marked) {
  TopView view = some_view();
  EXPECT_THAT(text_of(view), HasSubstr("READY▼"));
  view.sort_key = 'n';
  view.reverse = false;
  EXPECT_THAT(text_of(view), HasSubstr("QUEUE▲"));
}

TEST(TopView, what_does_not_fit_is_counted) {
  EXPECT_THAT(text_of(some_view()), HasSubstr("… and 10 more"));
  EXPECT_EQ(text_of(some_view(), {140, 24}, false).find("more"), std::string::npos);
}

TEST(TopView, alarms_and_trouble_are_shown) {
  TopView view = some_view();
  view.trouble = "connection refused";
  view.sample.node =
      json::parse(R"({"mem_used":1048576,"mem_limit":2097152,"mem_alarm":true,"disk_free_alarm":false})")
          .as_object();
  EXPECT_THAT(text_of(view), HasSubstr("memory 1.0 MiB of 2.0 MiB"));
  EXPECT_THAT(text_of(view), HasSubstr("ALARM: memory"));
  EXPECT_EQ(text_of(view).find("ALARM: disk"), std::string::npos);
  EXPECT_THAT(text_of(view), HasSubstr("connection refused"));
}

TEST(TopView, lines_are_as_wide_as_the_screen_and_as_many_as_fit) {
  EXPECT_EQ(cells_of(top_screen(some_view(), {150, 24}, Paint(false), true)[5]), 150U);
  EXPECT_EQ(top_rows({80, 24}), 16U);
  EXPECT_EQ(top_rows({80, 3}), 1U);
}

TEST(TopView, no_two_columns_have_one_key_and_none_has_a_key_of_a_command) {
  for (const TopList list : {TopList::queues, TopList::connections}) {
    std::set<char> keys{'q', 'r', '\t'};
    for (const TopColumn& column : top_columns(list)) {
      if (column.key != 0) {
        EXPECT_TRUE(keys.insert(column.key).second) << column.title;
      }
    }
  }
  EXPECT_EQ(top_column_of(TopList::queues, 0), nullptr);
}

}  // namespace
}  // namespace weir::cli
