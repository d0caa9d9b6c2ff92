#include "protocol/http/codec/request_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::http {
namespace {

constexpr std::size_t head_max = 1'024;

// Everything that comes, in pieces of a size; the rest that is not used is given again.
struct Fed {
  RequestParser parser{head_max};
  std::string rest;

  void feed(std::string_view text, std::size_t piece = SIZE_MAX, std::size_t body_max = 100) {
    while (!text.empty()) {
      rest += text.substr(0, piece);
      text.remove_prefix(std::min(piece, text.size()));
      step(body_max);
    }
  }
  void step(std::size_t body_max = 100) {
    for (;;) {
      rest.erase(0, parser.put(as_bytes(rest)));
      if (!parser.has_head() || expected || parser.fault()) return;
      expected = true;
      parser.expect_body(body_max);
    }
  }
  unsigned status() const { return parser.fault() ? parser.fault()->status : 0; }
  bool expected = false;
};

unsigned status_of(std::string_view text, std::size_t body_max = 100) {
  Fed fed;
  fed.feed(text, SIZE_MAX, body_max);
  return fed.status();
}

TEST(RequestParser, reads_a_request_in_pieces_of_any_size) {
  for (std::size_t piece = 1; piece < 80; ++piece) {
    Fed fed;
    fed.feed("PUT /a%2Fb?c=d HTTP/1.1\r\nHost: x\r\ncontent-length: 5\r\nX-Y:  z \r\n\r\nhello", piece);
    ASSERT_TRUE(fed.parser.complete()) << piece;
    const Request request = fed.parser.take();
    EXPECT_EQ(request.method, "PUT");
    EXPECT_EQ(request.target, "/a%2Fb?c=d");
    EXPECT_EQ(request.body, "hello");
    EXPECT_TRUE(request.keep_alive);
    ASSERT_NE(request.header("x-y"), nullptr);
    EXPECT_EQ(*request.header("x-y"), "z");
    EXPECT_EQ(request.header("none"), nullptr);
  }
}

TEST(RequestParser, puts_chunks_together) {
  Fed fed;
  fed.feed(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: "
      "b\r\n\r\n",
      7);
  ASSERT_TRUE(fed.parser.complete());
  EXPECT_EQ(fed.parser.take().body, "abcde");
}

TEST(RequestParser, stops_behind_the_head_until_the_body_is_wanted) {
  RequestParser parser(head_max);
  const std::string_view text = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
  const std::size_t used = parser.put(as_bytes(text));
  EXPECT_EQ(text.substr(used), "hi");
  EXPECT_TRUE(parser.has_head());
  EXPECT_TRUE(parser.announces_body());
  EXPECT_EQ(parser.put(as_bytes(text.substr(used))), 0U);
  parser.expect_body(2);
  EXPECT_EQ(parser.put(as_bytes(text.substr(used))), 2U);
  EXPECT_TRUE(parser.complete());
}

TEST(RequestParser, leaves_what_follows_for_the_next_request) {
  Fed fed;
  fed.feed("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(fed.parser.complete());
  EXPECT_EQ(fed.parser.take().target, "/1");
  fed.expected = false;
  fed.step();
  ASSERT_TRUE(fed.parser.complete());
  const Request second = fed.parser.take();
  EXPECT_EQ(second.target, "/2");
  EXPECT_FALSE(second.keep_alive);
}

TEST(RequestParser, refuses_a_body_that_is_too_large_announced_or_in_chunks) {
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n"), 413U);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"), 413U);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\n", 5),
            413U);
}

TEST(RequestParser, refuses_a_head_that_is_too_large_before_it_ends) {
  EXPECT_EQ(status_of("GET /" + std::string(2 * head_max, 'a')), 431U);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(2 * head_max, 'a')), 431U);
}

TEST(RequestParser, refuses_messages_whose_end_can_be_read_in_two_ways) {
  EXPECT_EQ(
      status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
      400U);
  EXPECT_EQ(
      status_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
      400U);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"), 501U);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), 501U);
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 1\r\n\r\n"), 400U);
}

TEST(RequestParser, refuses_what_is_no_request_of_this_protocol) {
  EXPECT_EQ(status_of("AMQP\x01\x01\x09\x01\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505U);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n"), 417U);
}

TEST(RequestParser, knows_who_waits_to_be_told_to_go_on) {
  RequestParser parser(head_max);
  parser.put(as_bytes("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_TRUE(parser.wants_continue());
  RequestParser without_body(head_max);
  without_body.put(as_bytes("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_FALSE(without_body.wants_continue());
}

}  // namespace
}  // namespace weir::http
