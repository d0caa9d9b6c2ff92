#include "cli/json_text.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

namespace json = boost::json;

TEST(JsonText, a_list_is_a_table_with_numbers_to_the_right) {
  const json::array items =
      json::parse(R"([{"name": "größer", "n": 5, "of": {"rate": 1.26}, "tags": ["a", "b"]},
                                            {"name": "b", "n": 1000, "of": {}, "tags": []}])")
          .as_array();
  EXPECT_EQ(table_text(items, {"name", "n", "of.rate", "tags", "nowhere"}),
            "name       n  of.rate  tags  nowhere\n"
            "größer     5      1.3  a,b\n"
            "b       1000\n");
}

TEST(JsonText, a_column_that_nothing_has_is_named) {
  const json::value list = json::parse(R"([{"a": 1}, {"b": {"c": null}}])");
  EXPECT_EQ(unknown_columns(list, {"a", "b.c", "b.d", "x"}), (std::vector<std::string>{"b.d", "x"}));
  EXPECT_TRUE(unknown_columns(json::array(), {"a"}).empty()) << "who can tell";
  EXPECT_EQ(unknown_columns(json::parse(R"({"a": 1})"), {"a", "b"}), std::vector<std::string>{"b"});
}

TEST(JsonText, an_empty_list_shows_its_columns) { EXPECT_EQ(table_text({}, {"a", "b"}), "a  b\n"); }

TEST(JsonText, an_item_is_a_line_for_each_column) {
  const json::object item = json::parse(R"({"a": true, "long_name": null, "o": {"x": 1}})").as_object();
  EXPECT_EQ(item_text(item, {}),
            "a          true\n"
            "long_name\n"
            "o          {\"x\":1}\n");
}

TEST(JsonText, nothing_that_a_message_holds_reaches_the_terminal_as_a_command) {
  const json::array messages = {{{"exchange", "e"},
                                 {"routing_key", "k\x1b[2J"},
                                 {"payload_bytes", 9},
                                 {"redelivered", true},
                                 {"properties", json::object()},
                                 {"payload_encoding", "string"},
                                 {"payload", "a\nb\x1b]0;x\x07"}}};
  EXPECT_EQ(messages_text(messages),
            "# exchange 'e', key 'k\\x1b[2J', 9 bytes, redelivered\n"
            "a\nb\\x1b]0;x\\x07\n");
}

TEST(JsonText, a_message_says_where_it_is_if_that_is_known) {
  const json::array messages = {{{"sequence", 17}, {"state", "ready"}, {"exchange", "e"}, {"payload", "x"}}};
  EXPECT_EQ(messages_text(messages).substr(0, 20), "# message 17, ready\n");
}

}  // namespace
}  // namespace weir::cli
