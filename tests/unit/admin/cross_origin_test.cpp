// Pages of other sites.
#include "admin/cross_origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::admin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

http::Request request(std::string method, std::vector<http::Header> headers) {
  http::Request made;
  made.method = std::move(method);
  made.headers = std::move(headers);
  return made;
}

std::vector<std::string> told(const CrossOrigin& rules, const http::Request& of) {
  std::vector<std::string> lines;
  for (const http::Header& header : cross_origin_headers(rules, of, {"HEAD", "GET", "OPTIONS"}))
    lines.push_back(header.name + ": " + header.value);
  return lines;
}

TEST(CrossOrigin, nothing_is_said_unless_origins_are_named) {
  EXPECT_THAT(told({}, request("GET", {{"Origin", "https://a.example"}})), IsEmpty());
}

TEST(CrossOrigin, a_page_that_may_is_told_so) {
  const CrossOrigin rules{{"https://b.example", "https://a.example"}, 60};
  EXPECT_THAT(told(rules, request("GET", {{"origin", "https://a.example"}})),
              ElementsAre("Vary: Origin", "Access-Control-Allow-Origin: https://a.example",
                          "Access-Control-Allow-Credentials: true"));
}

TEST(CrossOrigin, a_page_that_may_not_is_told_nothing) {
  const CrossOrigin rules{{"https://a.example"}, 60};
  for (const char* origin : {"https://a.example.evil", "http://a.example", "null", "*", ""})
    EXPECT_THAT(told(rules, request("OPTIONS", {{"Origin", origin}})), ElementsAre("Vary: Origin")) << origin;
  EXPECT_THAT(told(rules, request("GET", {})), ElementsAre("Vary: Origin"));
}

TEST(CrossOrigin, a_browser_that_asks_beforehand_learns_methods_headers_and_for_how_long) {
  const CrossOrigin any{{"*"}, 60};
  EXPECT_THAT(told(any, request("OPTIONS", {{"Origin", "https://c.example"},
                                            {"Access-Control-Request-Headers", "authorization,x-q"}})),
              ElementsAre("Vary: Origin", "Access-Control-Allow-Origin: https://c.example",
                          "Access-Control-Allow-Credentials: true",
                          "Access-Control-Allow-Methods: HEAD, GET, OPTIONS",
                          "Access-Control-Allow-Headers: authorization,x-q", "Access-Control-Max-Age: 60"));
  EXPECT_EQ(told({{"*"}, 0}, request("OPTIONS", {{"Origin", "https://c.example"}})).size(), 4U);
}

}  // namespace
}  // namespace weir::admin
