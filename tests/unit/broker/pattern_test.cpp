#include "broker/pattern.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace weir::broker {
namespace {

bool matches(std::string_view pattern, std::string_view subject) {
  const auto compiled = Pattern::compile(pattern);
  EXPECT_TRUE(compiled.has_value()) << pattern << ": " << (compiled ? "" : compiled.error().message);
  return compiled && compiled->matches(subject);
}

std::string problem(std::string_view pattern) {
  const auto compiled = Pattern::compile(pattern);
  if (compiled) return "";
  EXPECT_EQ(compiled.error().code, ErrorCode::invalid_argument);
  return compiled.error().message;
}

TEST(Pattern, matches_anywhere_in_the_subject_unless_it_is_anchored) {
  EXPECT_TRUE(matches("b", "abc"));
  EXPECT_FALSE(matches("^b", "abc"));
  EXPECT_TRUE(matches("^a", "abc"));
  EXPECT_TRUE(matches("c$", "abc"));
  EXPECT_FALSE(matches("b$", "abc"));
  EXPECT_TRUE(matches("^abc$", "abc"));
  EXPECT_FALSE(matches("^abc$", "abcd"));
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_TRUE(matches("^$", ""));
  EXPECT_FALSE(matches("^$", "x"));
}

TEST(Pattern, anchors_of_perl_are_understood) {
  EXPECT_TRUE(matches("\\Aab\\z", "ab"));
  EXPECT_FALSE(matches("\\Aab\\z", "ab\n"));
  EXPECT_TRUE(matches("\\Aab\\Z", "ab\n"));
  EXPECT_TRUE(matches("ab$", "ab\n"));
  EXPECT_FALSE(matches("ab$", "ab\n\n"));
  EXPECT_TRUE(matches("\\bfoo\\b", "a foo b"));
  EXPECT_FALSE(matches("\\bfoo\\b", "afoo"));
  EXPECT_TRUE(matches("o\\Bo", "foo"));
}

TEST(Pattern, repeats_as_often_as_it_says) {
  EXPECT_TRUE(matches("^a*$", ""));
  EXPECT_TRUE(matches("^a*$", "aaaa"));
  EXPECT_FALSE(matches("^a+$", ""));
  EXPECT_TRUE(matches("^a?b$", "b"));
  EXPECT_TRUE(matches("^a?b$", "ab"));
  EXPECT_FALSE(matches("^a?b$", "aab"));
  EXPECT_TRUE(matches("^a{3}$", "aaa"));
  EXPECT_FALSE(matches("^a{3}$", "aa"));
  EXPECT_TRUE(matches("^a{2,}$", "aaaaa"));
  EXPECT_FALSE(matches("^a{2,}$", "a"));
  EXPECT_TRUE(matches("^a{1,2}$", "aa"));
  EXPECT_FALSE(matches("^a{1,2}$", "aaa"));
  EXPECT_TRUE(matches("^a{0}b$", "b"));
  EXPECT_TRUE(matches("^.*?b$", "aaab"));
  EXPECT_TRUE(matches("^(ab)+$", "ababab"));
  EXPECT_FALSE(matches("^(ab)+$", "aba"));
}

TEST(Pattern, braces_that_are_no_count_are_text) {
  EXPECT_TRUE(matches("^a{$", "a{"));
  EXPECT_TRUE(matches("^{x}$", "{x}"));
  EXPECT_TRUE(matches("^a{,2}$", "a{,2}"));
}

TEST(Pattern, chooses_between_alternatives) {
  EXPECT_TRUE(matches("^(one|two|three)$", "two"));
  EXPECT_FALSE(matches("^(one|two|three)$", "four"));
  EXPECT_TRUE(matches("^a|b$", "axx"));
  EXPECT_TRUE(matches("^a|b$", "xxb"));
  EXPECT_FALSE(matches("^a|b$", "xbx"));
  EXPECT_TRUE(matches("^(|a)$", ""));
  EXPECT_TRUE(matches("^(?:a|bc|d)e$", "bce"));
  EXPECT_TRUE(matches("^(?<name>a)(?P<other>b)$", "ab"));
}

TEST(Pattern, knows_classes_of_characters) {
  EXPECT_TRUE(matches("^[a-c_]+$", "ab_c"));
  EXPECT_FALSE(matches("^[a-c]+$", "abd"));
  EXPECT_TRUE(matches("^[^/]+$", "name"));
  EXPECT_FALSE(matches("^[^/]+$", "a/b"));
  EXPECT_TRUE(matches("^[]a]+$", "]a"));
  EXPECT_TRUE(matches("^[a-]+$", "a-"));
  EXPECT_TRUE(matches("^[\\d\\-.]+$", "1-2.3"));
  EXPECT_TRUE(matches("^[a-\\d]+$", "a-7"));
  EXPECT_TRUE(matches("^\\d\\D\\w\\W\\s\\S$", "1aZ- x"));
  EXPECT_TRUE(matches("^[[:alpha:]]+[[:digit:]]*$", "abc123"));
  EXPECT_FALSE(matches("^[[:upper:]]+$", "Abc"));
  EXPECT_FALSE(matches("^.$", "\n"));
  EXPECT_TRUE(matches("^.$", "\xff"));
}

TEST(Pattern, takes_escaped_punctuation_literally) {
  EXPECT_TRUE(matches("^amq\\.gen-.*$", "amq.gen-x"));
  EXPECT_FALSE(matches("^amq\\.gen-.*$", "amqxgen-x"));
  EXPECT_TRUE(matches("^\\Qa.b*\\E+$", "a.b*"));
  EXPECT_TRUE(matches("^\\x41\\x{42}\\t$", "AB\t"));
  EXPECT_TRUE(matches("^\\/\\_\\-$", "/_-"));
}

TEST(Pattern, looks_ahead) {
  EXPECT_TRUE(matches("^(?!amq\\.).*", "mine"));
  EXPECT_FALSE(matches("^(?!amq\\.).*", "amq.topic"));
  EXPECT_TRUE(matches("^(?!amq\\.).*", "amqx"));
  EXPECT_TRUE(matches("^(?=.*\\d)(?=.*[a-z]).+$", "x7"));
  EXPECT_FALSE(matches("^(?=.*\\d)(?=.*[a-z]).+$", "77"));
  EXPECT_TRUE(matches("^((?!secret).)*$", "public"));
  EXPECT_FALSE(matches("^((?!secret).)*$", "a-secret-b"));
  EXPECT_TRUE(matches("^(?!a(?!b)).*$", "ab"));
  EXPECT_FALSE(matches("^(?!a(?!b)).*$", "ac"));
}

TEST(Pattern, ignores_case_when_it_begins_by_saying_so) {
  EXPECT_TRUE(matches("(?i)^ab[c-e]$", "AbD"));
  EXPECT_FALSE(matches("(?i)^[^a]$", "A"));
  EXPECT_FALSE(matches("^ab$", "AB"));
}

TEST(Pattern, that_is_malformed_is_refused_with_the_place) {
  EXPECT_EQ(problem("(a"), "invalid regular expression '(a': missing closing parenthesis at offset 2");
  EXPECT_EQ(problem("a)"), "invalid regular expression 'a)': unmatched closing parenthesis at offset 1");
  EXPECT_EQ(problem("*a"), "invalid regular expression '*a': nothing to repeat at offset 0");
  EXPECT_EQ(problem("a**"),
            "invalid regular expression 'a**': a quantifier follows a quantifier at offset 2");
  EXPECT_EQ(problem("[a"), "invalid regular expression '[a': a bracket does not end at offset 2");
  EXPECT_EQ(problem("[z-a]"), "invalid regular expression '[z-a]': a range is out of order at offset 4");
  EXPECT_EQ(problem("a{3,2}"), "invalid regular expression 'a{3,2}': counts are out of order at offset 6");
  EXPECT_EQ(problem("a\\"), "invalid regular expression 'a\\': \\ at the end at offset 2");
  EXPECT_EQ(problem("[[:nope:]]"),
            "invalid regular expression '[[:nope:]]': unknown character class at offset 3");
  EXPECT_EQ(problem("[\\"), "invalid regular expression '[\\': \\ at the end at offset 2");
  EXPECT_NE(problem("[]"), "");
  EXPECT_NE(problem("(?"), "");
  EXPECT_NE(problem("(?<n"), "");
  EXPECT_NE(problem("\\x{"), "");
  EXPECT_NE(problem("x{1001}"), "");
}

TEST(Pattern, that_can_not_be_bounded_is_refused) {
  EXPECT_NE(problem("(a)\\1"), "");
  EXPECT_NE(problem("(?<=a)b"), "");
  EXPECT_NE(problem("(?<!a)b"), "");
  EXPECT_NE(problem("(?>a)b"), "");
  EXPECT_NE(problem("a++"), "");
  EXPECT_EQ(problem(std::string(1'000, 'a')), "");
  EXPECT_EQ(problem(std::string(1'001, 'a')), "a regular expression may have 1000 bytes, this one has 1001");
  EXPECT_EQ(problem("(a{100}){1000}"), "the regular expression '(a{100}){1000}' is too large");
  EXPECT_NE(problem(std::string(51, '(') + "a" + std::string(51, ')')), "");
  EXPECT_EQ(problem(std::string(50, '(') + "a" + std::string(50, ')')), "");
}

TEST(Pattern, that_makes_backtracking_engines_hang_is_answered_at_once) {
  const auto start = std::chrono::steady_clock::now();
  const std::string subject(254, 'a');
  EXPECT_FALSE(matches("^(a+)+$", subject + "!"));
  EXPECT_FALSE(matches("^(a|aa)*b$", subject));
  EXPECT_FALSE(matches("^(a|a?)+b$", subject));
  EXPECT_FALSE(matches("^(.*.*.*.*.*.*.*)*b$", subject));
  EXPECT_TRUE(matches("^(a*)*$", subject));
  EXPECT_TRUE(matches("((((){1000}){1000}){1000}){1000}", subject));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Pattern, many_subjects_may_share_what_matching_costs) {
  const auto pattern = Pattern::compile("orders\\.[a-z]+");
  ASSERT_TRUE(pattern.has_value());
  std::size_t steps = 200;
  EXPECT_TRUE(pattern->matches("orders.a", steps));
  EXPECT_LT(steps, 200U);
  EXPECT_FALSE(pattern->matches(std::string(1'000, 'o'), steps));
  EXPECT_EQ(steps, 0U);
  EXPECT_FALSE(pattern->matches("orders.a", steps)) << "they are used up";
}

TEST(Pattern, that_would_take_too_many_steps_matches_nothing) {
  const std::string pattern = "^((?=(a?){900}b)c|a)*$";
  EXPECT_TRUE(matches(pattern, "aa"));
  EXPECT_FALSE(matches(pattern, std::string(255, 'a')));
}

}  // namespace
}  // namespace weir::broker
