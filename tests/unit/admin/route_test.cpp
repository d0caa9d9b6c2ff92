#include "admin/route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace weir::admin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

void answer(Call&) {}

constexpr Route routes[] = {
    {"GET", "/api/users", Needs::a_user, answer, "all", Gives::value},
    {"POST", "/api/users/all", Needs::a_user, answer, "literal", Gives::value},
    {"GET", "/api/users/:name", Needs::a_user, answer, "one", Gives::value},
    {"PUT", "/api/users/:name", Needs::a_user, answer, "put", Gives::value},
    {"GET", "/api/queues/:vhost/:name", Needs::a_user, answer, "queue", Gives::value},
};

TEST(RouteTable, finds_a_path_and_what_it_captures) {
  const RouteTable table{routes};
  const auto found = table.find("GET", {"api", "queues", "/", "a/b"});
  ASSERT_NE(found.route, nullptr);
  EXPECT_EQ(found.route->summary, "queue");
  EXPECT_THAT(found.captures, UnorderedElementsAre(Pair("vhost", "/"), Pair("name", "a/b")));
}

TEST(RouteTable, knows_the_methods_of_a_path) {
  const RouteTable table{routes};
  EXPECT_EQ(table.find("HEAD", {"api", "users", "x"}).route->summary, "one");
  const auto found = table.find("DELETE", {"api", "users", "x"});
  EXPECT_EQ(found.route, nullptr);
  EXPECT_THAT(found.allowed, ElementsAre("HEAD", "GET", "PUT", "OPTIONS"));
}

TEST(RouteTable, the_first_pattern_that_fits_has_the_path) {
  const RouteTable table{routes};
  EXPECT_EQ(table.find("POST", {"api", "users", "all"}).route->summary, "literal");
  EXPECT_THAT(table.find("GET", {"api", "users", "all"}).allowed, ElementsAre("POST", "OPTIONS"));
}

TEST(RouteTable, has_no_more_than_its_patterns) {
  const RouteTable table{routes};
  for (const std::vector<std::string>& path : std::vector<std::vector<std::string>>{
           {}, {"api"}, {"api", "users", "x", "y"}, {"users"}, {"api", "Users"}})
    EXPECT_THAT(table.find("GET", path).allowed, IsEmpty());
}

TEST(RouteTable, every_route_of_the_api_can_be_reached_and_says_what_it_is_for) {
  const std::vector<Route> all = api_routes();
  const RouteTable table{all};
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Route& route : all) {
    EXPECT_TRUE(seen.emplace(route.method, route.pattern).second) << route.method << " " << route.pattern;
    EXPECT_FALSE(route.summary.empty()) << route.pattern;
    ASSERT_NE(route.answer, nullptr) << route.pattern;
    std::vector<std::string> path;
    for (std::size_t at = 0; at < route.pattern.size();) {
      const std::size_t end = std::min(route.pattern.find('/', at + 1), route.pattern.size());
      path.emplace_back(route.pattern.substr(at + 1, end - at - 1));
      if (path.back().starts_with(':')) path.back() = "some name";
      at = end;
    }
    const auto found = table.find(route.method, path);
    ASSERT_NE(found.route, nullptr) << route.method << " " << route.pattern;
    EXPECT_EQ(found.route->pattern, route.pattern);
  }
}

}  // namespace
}  // namespace weir::admin
