#include "protocol/http/codec/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/http/codec/message.h"

namespace weir::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> path_of(std::string_view target) {
  const auto parsed = parse_target(target);
  EXPECT_TRUE(parsed) << target;
  return parsed ? parsed->path : std::vector<std::string>{"unreadable"};
}

TEST(Target, a_slash_that_is_escaped_is_part_of_a_name) {
  EXPECT_THAT(path_of("/api/queues/%2F/a%2fb%20c"), ElementsAre("api", "queues", "/", "a/b c"));
  EXPECT_THAT(path_of("/a+b"), ElementsAre("a+b"));
}

TEST(Target, empty_segments_count_but_for_a_trailing_slash) {
  EXPECT_THAT(path_of("/"), IsEmpty());
  EXPECT_THAT(path_of("/a/"), ElementsAre("a"));
  EXPECT_THAT(path_of("//a//b"), ElementsAre("", "a", "", "b"));
}

TEST(Target, dots_lead_up_and_never_out) {
  EXPECT_THAT(path_of("/a/./b/../c"), ElementsAre("a", "c"));
  EXPECT_THAT(path_of("/../../a"), ElementsAre("a"));
  EXPECT_THAT(path_of("/a/%2E%2E/%2e"), ElementsAre("a", "..", "."));
}

TEST(Target, parameters_are_decoded_and_keep_their_order) {
  const auto target = parse_target("/x?name=a+b%26&flag&&=empty&name=2");
  ASSERT_TRUE(target);
  ASSERT_EQ(target->query.size(), 4U);
  EXPECT_EQ(*target->parameter("name"), "a b&");
  EXPECT_EQ(*target->parameter("flag"), "");
  EXPECT_EQ(*target->parameter(""), "empty");
  EXPECT_EQ(target->parameter("none"), nullptr);
}

TEST(Target, what_is_no_path_is_refused) {
  for (const std::string_view bad : {"", "x", "*", "/%", "/%2", "/%zz", "/a?b=%1", "ftp://x/y"})
    EXPECT_FALSE(parse_target(bad)) << bad;
  EXPECT_THAT(path_of("http://host:1/a?b"), ElementsAre("a"));
  EXPECT_THAT(path_of("http://host"), IsEmpty());
}

TEST(Target, any_text_comes_back_from_its_escaped_form) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const std::string escaped = percent_encode(all);
  EXPECT_EQ(percent_decode(escaped, false), all);
  EXPECT_EQ(percent_decode(escaped, true), all);
}

TEST(Message, no_value_of_a_header_ends_its_line) {
  Response response;
  response.headers.push_back({"Location", "a\r\nSet-Cookie: b\n"});
  response.body = "12345";
  std::string head;
  append_head(head, response, true, 784'111'777'000);
  EXPECT_THAT(head, HasSubstr("Location: aSet-Cookie: b\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(head, HasSubstr("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Connection")));
}

TEST(Message, an_answer_that_never_has_a_body_has_no_length) {
  Response response;
  response.status = 204;
  std::string head;
  append_head(head, response, false, 0);
  EXPECT_THAT(head, HasSubstr("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(head, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
}

}  // namespace
}  // namespace weir::http
