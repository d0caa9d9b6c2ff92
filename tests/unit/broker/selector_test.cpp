#include "broker/selector/selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace weir::broker {
namespace {

using testing::HasSubstr;

// What the tables below ask.
class Properties final : public SelectorSource {
 public:
  SelectorValue property(std::string_view name) override {
    const auto at = values.find(name);
    return at == values.end() ? SelectorValue() : at->second;
  }
  std::map<std::string, SelectorValue, std::less<>> values = {
      {"n", std::int64_t{5}},
      {"big", INT64_MAX},
      {"x", 2.5},
      {"yes", true},
      {"no", false},
      {"color", std::string_view("red")},
      {"quote", std::string_view("it's")},
      {"path", std::string_view("a_b%c")},
      {"euro", std::string_view("5\xE2\x82\xAC!")},
      {"price", UntypedText{"12.50"}},
      {"count", UntypedText{"007"}},
      {"flag", UntypedText{"True"}},
      {"word", UntypedText{"red"}},
      {"inf", UntypedText{"inf"}},
      {"content-type", UntypedText{"text/plain"}},
      {"a.b$_1", std::int64_t{1}},
      {"empty", std::string_view()},
  };
};

enum class Truth { yes, no, unknown };

// A condition that is not known is not true, and its opposite is not, either.
Truth truth_of(const std::string& text) {
  Properties properties;
  const auto it = Selector::parse(text), opposite = Selector::parse("NOT (" + text + ")");
  EXPECT_TRUE(it) << text << ": " << it.error().message;
  EXPECT_TRUE(opposite) << text;
  if (!it || !opposite) return Truth::unknown;
  const bool yes = it->matches(properties), no = opposite->matches(properties);
  EXPECT_FALSE(yes && no) << text;
  return yes ? Truth::yes : no ? Truth::no : Truth::unknown;
}

const struct {
  const char* text;
  Truth truth;
} truths[] = {
    // comparisons
    {"n = 5", Truth::yes},
    {"n <> 5", Truth::no},
    {"n > 4.5", Truth::yes},
    {"n >= 5", Truth::yes},
    {"n < 5", Truth::no},
    {"n <= 5", Truth::yes},
    {"5 = n", Truth::yes},
    {"x = 2.5", Truth::yes},
    {"x < n", Truth::yes},
    {"n = 5.0", Truth::yes},
    {"n = 5e0", Truth::yes},
    {"x = .25E1", Truth::yes},
    {"big = 9223372036854775807", Truth::yes},
    {"big < 9223372036854775808", Truth::yes},
    {"n = -5", Truth::no},
    {"-n = -5", Truth::yes},
    {"+n = +5", Truth::yes},
    {"- - n = 5", Truth::yes},
    {"n > -9223372036854775808", Truth::yes},
    {"color = 'red'", Truth::yes},
    {"color <> 'blue'", Truth::yes},
    {"color = 'RED'", Truth::no},
    {"quote = 'it''s'", Truth::yes},
    {"empty = ''", Truth::yes},
    {"yes = TRUE", Truth::yes},
    {"yes <> false", Truth::yes},
    {"a.b$_1 = 1", Truth::yes},
    {"color=color", Truth::yes},
    // of different kinds: no, whatever is asked
    {"color = 5", Truth::no},
    {"color <> 5", Truth::no},
    {"n = 'red'", Truth::no},
    {"yes = 'red'", Truth::no},
    {"color > 1", Truth::no},
    {"n = yes", Truth::no},
    // without a type
    {"price > 12", Truth::yes},
    {"price = 12.5", Truth::yes},
    {"price = '12.50'", Truth::yes},
    {"price = '12.5'", Truth::no},
    {"count = 7", Truth::yes},
    {"price > count", Truth::yes},
    {"price + count = 19.5", Truth::yes},
    {"word > 1", Truth::no},
    {"word = color", Truth::yes},
    {"flag = TRUE", Truth::yes},
    {"flag", Truth::yes},
    {"inf > 1", Truth::no},
    {"\"content-type\" = 'text/plain'", Truth::yes},
    {"\"n\" = 5", Truth::yes},
    // three values
    {"none = 1", Truth::unknown},
    {"none <> 1", Truth::unknown},
    {"none", Truth::unknown},
    {"color", Truth::unknown},
    {"n", Truth::unknown},
    {"yes", Truth::yes},
    {"no", Truth::no},
    {"NOT no", Truth::yes},
    {"not not yes", Truth::yes},
    {"yes AND none", Truth::unknown},
    {"no AND none", Truth::no},
    {"none AND no", Truth::no},
    {"yes OR none", Truth::yes},
    {"none OR yes", Truth::yes},
    {"no OR none", Truth::unknown},
    {"none OR none", Truth::unknown},
    {"yes AND yes", Truth::yes},
    {"no OR no", Truth::no},
    {"TRUE", Truth::yes},
    {"FALSE", Truth::no},
    // order
    {"yes OR yes AND no", Truth::yes},
    {"(yes OR yes) AND no", Truth::no},
    {"NOT no AND no", Truth::no},
    {"NOT (no AND no)", Truth::yes},
    {"NOT n = 4", Truth::yes},
    {"1 + 2 * 3 = 7", Truth::yes},
    {"(1 + 2) * 3 = 9", Truth::yes},
    {"10 - 3 - 2 = 5", Truth::yes},
    {"12 / 3 / 2 = 2", Truth::yes},
    {"(n = 5) = TRUE", Truth::yes},
    {"((n)) = ((5))", Truth::yes},
    // arithmetic
    {"n / 2 = 2", Truth::yes},
    {"n / 2.0 = 2.5", Truth::yes},
    {"n * x = 12.5", Truth::yes},
    {"n / 0 = 1", Truth::unknown},
    {"x / 0 = 1", Truth::unknown},
    {"big + 1 > big", Truth::yes},
    {"none + 1 = 1", Truth::unknown},
    {"color + 1 = 1", Truth::unknown},
    {"-none = 1", Truth::unknown},
    {"big * big > big", Truth::yes},
    // BETWEEN
    {"n BETWEEN 5 AND 6", Truth::yes},
    {"n BETWEEN 6 AND 7", Truth::no},
    {"n NOT BETWEEN 6 AND 7", Truth::yes},
    {"n between 2 + 2 and x * 2", Truth::yes},
    {"none BETWEEN 1 AND 2", Truth::unknown},
    {"n BETWEEN none AND 4", Truth::no},
    {"n BETWEEN none AND 6", Truth::unknown},
    {"price BETWEEN 12 AND 13 AND yes", Truth::yes},
    // IN
    {"color IN ('blue', 'red')", Truth::yes},
    {"color IN ('blue')", Truth::no},
    {"color NOT IN ('blue')", Truth::yes},
    {"none IN ('x')", Truth::unknown},
    {"none NOT IN ('x')", Truth::unknown},
    {"n IN (1, -5, +5)", Truth::yes},
    {"n IN ('5')", Truth::no},
    {"price IN (12.5)", Truth::yes},
    // IS NULL
    {"none IS NULL", Truth::yes},
    {"none IS NOT NULL", Truth::no},
    {"n IS NULL", Truth::no},
    {"n is not null", Truth::yes},
    {"empty IS NULL", Truth::no},
    // LIKE
    {"color LIKE 'red'", Truth::yes},
    {"color LIKE 'r%'", Truth::yes},
    {"color LIKE '%d'", Truth::yes},
    {"color LIKE '%e%'", Truth::yes},
    {"color LIKE '_e_'", Truth::yes},
    {"color LIKE '_e'", Truth::no},
    {"color LIKE '%'", Truth::yes},
    {"empty LIKE '%'", Truth::yes},
    {"empty LIKE '_'", Truth::no},
    {"empty LIKE ''", Truth::yes},
    {"color LIKE 're%ed'", Truth::no},
    {"color LIKE 'R%'", Truth::no},
    {"color NOT LIKE 'b%'", Truth::yes},
    {"path LIKE 'a\\_b%' ESCAPE '\\'", Truth::yes},
    {"path LIKE 'a\\%b%' ESCAPE '\\'", Truth::no},
    {"path LIKE '%|%c' ESCAPE '|'", Truth::yes},
    {"path LIKE 'a__%c'", Truth::yes},
    {"path LIKE '%_%_%_%_%'", Truth::yes},
    {"path LIKE '%_%_%_%_%_%_%'", Truth::no},
    {"euro LIKE '5_!'", Truth::yes},
    {"euro LIKE '%_!'", Truth::yes},
    {"euro LIKE '5__!'", Truth::no},
    {"euro LIKE '5\xE2\x82\xAC%'", Truth::yes},
    {"none LIKE '%'", Truth::unknown},
    {"n LIKE '5'", Truth::no},
    {"word LIKE 'r_d'", Truth::yes},
    {"path LIKE '%___b%'", Truth::no},
    {"path LIKE '%_b%'", Truth::yes},
};

TEST(Selector, tells_what_is_true_what_is_not_and_what_is_not_known) {
  for (const auto& row : truths) EXPECT_EQ(truth_of(row.text), row.truth) << row.text;
}

const struct {
  std::string text;
  const char* fault;
} faults[] = {
    {"", "a property or a value is expected, at character 1"},
    {"   ", "a property or a value is expected, at character 4"},
    {"n", ""},
    {"n =", "a property or a value is expected, at character 4"},
    {"n = = 5", "a property or a value is expected, at character 5"},
    {"n == 5", "a property or a value is expected, at character 4"},
    {"n != 5", "a character that has no meaning here, at character 3"},
    {"n = 5 color = 'red'", "AND, OR or the end is expected, at character 7"},
    {"n = 5 = 5", "AND, OR or the end is expected, at character 7"},
    {"(n = 5", ") is expected, at character 7"},
    {"n = 5)", "AND, OR or the end is expected, at character 6"},
    {"color = 'red", "a quote that is not closed, at character 9"},
    {"\"color = 1", "a quote that is not closed, at character 1"},
    {"\"\" = 1", "a property without a name, at character 1"},
    {"5", "a condition is expected, at character 1"},
    {"'red'", "a condition is expected, at character 1"},
    {"yes AND 5", "a condition is expected, at character 9"},
    {"n + 1", "a condition is expected, at character 1"},
    {"NOT 5", "a condition is expected, at character 5"},
    {"'red' > color", "a number is expected, at character 1"},
    {"color > 'red'", "a number is expected, at character 9"},
    {"yes < TRUE", "a number is expected, at character 7"},
    {"'a' = 1", "what is compared is not of one kind, at character 5"},
    {"n + 'a' = 1", "a number is expected, at character 5"},
    {"n + (n = 1) = 1", "a number is expected, at character 5"},
    {"-'a' = 1", "a number is expected, at character 2"},
    {"n BETWEEN 1", "AND is expected, at character 12"},
    {"n BETWEEN 'a' AND 'b'", "a number is expected, at character 11"},
    {"n NOT 5", "BETWEEN, LIKE or IN is expected, at character 7"},
    {"5 IN (5)", "only a property can be in a list, at character 1"},
    {"n IN 5", "( is expected, at character 6"},
    {"n IN ()", "a text in quotes or a number is expected, at character 7"},
    {"n IN (color)", "a text in quotes or a number is expected, at character 7"},
    {"n IN (5 6)", ", or ) is expected, at character 9"},
    {"5 IS NULL", "only a property can be NULL, at character 1"},
    {"n IS 5", "NULL is expected, at character 6"},
    {"n = NULL", "a property or a value is expected, at character 5"},
    {"and = 1", "a property or a value is expected, at character 1"},
    {"color LIKE red", "a pattern in quotes is expected, at character 12"},
    {"'red' LIKE 'red'", "only a property is compared with a pattern, at character 1"},
    {"color LIKE 'r' ESCAPE 'ab'", "one character in quotes is expected, at character 23"},
    {"color LIKE 'r' ESCAPE ''", "one character in quotes is expected, at character 23"},
    {"color LIKE 'r\\' ESCAPE '\\'",
     "the escape stands before something else than _, % or itself, at character 12"},
    {"color LIKE '\\red' ESCAPE '\\'", "the escape stands before something else"},
    {"n = 5x", "a number that is none, at character 5"},
    {"n = 5e", "a number that is none, at character 5"},
    {"n = 1e999", "a number that is out of range, at character 5"},
    {"n = #", "a character that has no meaning here, at character 5"},
    {"color = '\xE2\x82\xAC' oder", "AND, OR or the end is expected, at character 13"},
    {"color = '\xFF'", "it is not UTF-8"},
    {"n = " + std::string(4'096, '5'), "it is longer than 4096 bytes"},
};

TEST(Selector, says_what_is_wrong_and_where) {
  for (const auto& row : faults) {
    const auto parsed = Selector::parse(row.text);
    ASSERT_EQ(parsed.has_value(), std::string_view(row.fault).empty()) << row.text;
    if (parsed) continue;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(parsed.error().message, HasSubstr(row.fault)) << row.text;
  }
}

TEST(Selector, nesting_is_bounded_and_length_is_not_nesting) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '(') + "n = 5" + std::string(depth, ')');
  };
  EXPECT_TRUE(Selector::parse(nested(selector_nesting_max)));
  for (const std::string& text :
       {nested(selector_nesting_max + 1), std::string(4'000, '('), std::string(4'000, '-'), [] {
          std::string nots;
          for (int i = 0; i < 1'000; ++i) nots += "NOT ";
          return nots + "yes";
        }()}) {
    const auto parsed = Selector::parse(text);
    ASSERT_FALSE(parsed);
    EXPECT_THAT(parsed.error().message, HasSubstr("nested too deeply"));
  }
  // So much is left open at each level that the values are too many before the levels are.
  std::string open;
  for (int i = 0; i < 60; ++i) open += "n = 1 + 2 * (";
  EXPECT_THAT(Selector::parse(open).error().message, HasSubstr("nested too deeply"));
  std::string chain = "n = 1";
  while (chain.size() < 4'000) chain += " OR n = 5";
  const auto parsed = Selector::parse(chain);
  ASSERT_TRUE(parsed);
  Properties properties;
  EXPECT_TRUE(parsed->matches(properties));
}

TEST(Selector, a_pattern_that_has_to_be_tried_at_every_place_is_not_tried_in_long_texts) {
  Properties properties;
  const std::string text(like_tried_bytes_max + 1, 'a');
  properties.values["long"] = std::string_view(text);
  const auto answer = [&](const std::string& selector) {
    return Selector::parse(selector)->matches(properties);
  };
  EXPECT_TRUE(answer("long LIKE 'a%a%_'"));
  EXPECT_FALSE(answer("long LIKE '%a_a%'"));
  EXPECT_FALSE(answer("NOT long LIKE '%a_a%'"));
}

}  // namespace
}  // namespace weir::broker
