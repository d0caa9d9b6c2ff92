#include "protocol/http/codec/response_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::http {
namespace {

// Fed in steps of so many bytes, what was not taken again with more.
Result<Response> parse(std::string_view text, std::size_t step, std::size_t body_bytes_max = 1000) {
  ResponseParser parser(body_bytes_max);
  std::string input;
  for (std::size_t at = 0; at < text.size() && !parser.complete(); at += step) {
    input += text.substr(at, step);
    const auto used = parser.put(as_bytes(std::string_view(input)));
    if (!used) return std::unexpected(used.error());
    input.erase(0, *used);
  }
  if (const Status whole = parser.finish(); !whole) return std::unexpected(whole.error());
  return parser.take();
}

TEST(ResponseParser, takes_bodies_with_a_length_in_chunks_and_to_the_end) {
  for (const std::size_t step : {1U, 7U, 1000U}) {
    const auto sized = parse("HTTP/1.1 404 Object Not Found\r\nContent-Length: 5\r\nX: y\r\n\r\nhello", step);
    ASSERT_TRUE(sized);
    EXPECT_EQ(sized->status, 404U);
    EXPECT_EQ(sized->body, "hello");
    EXPECT_EQ(*find_header(sized->headers, "x"), "y");
    const auto chunked =
        parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", step);
    ASSERT_TRUE(chunked);
    EXPECT_EQ(chunked->body, "hello");
    const auto until_end = parse("HTTP/1.0 200 OK\r\n\r\nhello", step);
    ASSERT_TRUE(until_end);
    EXPECT_EQ(until_end->body, "hello");
    EXPECT_EQ(parse("HTTP/1.1 204 No Content\r\n\r\n", step)->status, 204U);
  }
}

TEST(ResponseParser, what_is_cut_off_or_no_answer_or_too_large_is_an_error) {
  EXPECT_FALSE(parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", 1));
  EXPECT_FALSE(parse("SSH-2.0-OpenSSH\r\n\r\n", 1));
  EXPECT_FALSE(parse("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'), 100));
  EXPECT_FALSE(parse("", 1));
}

}  // namespace
}  // namespace weir::http
