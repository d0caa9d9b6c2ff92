#include "admin/json_path.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::admin {
namespace {

const boost::json::value document = boost::json::parse(R"({
  "a": 1, "b": "text", "c": null, "d": [1, 2.5, "x", {"e": true}], "odd name": {"it's": -7},
  "big": 9223372036854775807, "bigger": 18446744073709551615, "f": {"g": {"h": [[], [3]]}}})");

bool holds(const std::string& text) {
  const auto condition = JsonCondition::parse(text);
  EXPECT_TRUE(condition.has_value()) << text << ": " << (condition ? "" : condition.error().message);
  return condition && condition->holds(document);
}

TEST(JsonCondition, without_a_comparison_holds_if_there_is_a_value) {
  for (const char* text : {"$", "$.a", "$.c", "$['odd name']", "$.d[0]", "$.d[-1].e", "$.d[*].e",
                           "$.f.*.h[1][0]", "$[\"odd name\"]['it\\'s']", "$.*"})
    EXPECT_TRUE(holds(text)) << text;
  for (const char* text : {"$.x", "$.a.b", "$.d[4]", "$.d[-5]", "$[0]", "$.d.e", "$.f.*.h[0][0]", "$.b[*]"})
    EXPECT_FALSE(holds(text)) << text;
}

TEST(JsonCondition, compares_values_of_one_type) {
  for (const char* text : {"$.a == 1", "$.a==1.0", "$.a != 2", "$.a < 1.5", "$.a <= 1", "$.a >= 1",
                           "$.b == \"text\"", "$.b > \"tex\"", "$.b ~ \"ex\"", "$.c == null", "$.d[*] == 2.5",
                           "$.d[3].e == true", "$['odd name'].* < 0", "$.big == 9223372036854775807",
                           "$.bigger > 9223372036854775807", "$.d[*] != 1"})
    EXPECT_TRUE(holds(text)) << text;
  for (const char* text :
       {"$.a == \"1\"", "$.a == true", "$.a != 1", "$.a > 1", "$.b < 7", "$.b ~ \"z\"", "$.a ~ \"1\"",
        "$.c < 1", "$.big == 9223372036854775806", "$.x != 1", "$.d[3].e != true"})
    EXPECT_FALSE(holds(text)) << text;
  EXPECT_TRUE(holds("$.b != 7")) << "of different types they are different";
}

TEST(JsonCondition, is_refused_with_the_place_where_it_goes_wrong) {
  const std::pair<std::string, std::size_t> wrong[] = {
      {"", 0},          {"a", 0},          {"$.", 2},
      {"$.a b", 4},     {"$[", 2},         {"$[a]", 2},
      {"$[1", 3},       {"$['a]", 5},      {"$['a'", 5},
      {"$.a == ", 7},   {"$.a == x", 7},   {"$.a == [1]", 7},
      {"$.a == {}", 7}, {"$.a ~ 1", 6},    {"$.a = 1", 4},
      {"$..a", 2},      {"$.a == 1 2", 7}, {"$[99999999999999999999]", 2}};
  for (const auto& [text, at] : wrong) {
    const auto condition = JsonCondition::parse(text);
    ASSERT_FALSE(condition.has_value()) << text;
    EXPECT_EQ(condition.error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(condition.error().message.starts_with("JSON condition, at byte " + std::to_string(at) + ": "))
        << text << ": " << condition.error().message;
  }
}

TEST(JsonCondition, has_bounds) {
  std::string deep = "$";
  for (unsigned i = 0; i < json_path_steps_max; ++i) deep += ".a";
  EXPECT_TRUE(JsonCondition::parse(deep).has_value());
  EXPECT_FALSE(JsonCondition::parse(deep + ".a").has_value());
  EXPECT_FALSE(
      JsonCondition::parse("$.b == \"" + std::string(json_condition_bytes_max, 'x') + "\"").has_value());
}

}  // namespace
}  // namespace weir::admin
