#include "admin/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "admin/listing.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using testing::ElementsAre;

json::object whole() { return openapi_document(api_resources(), "1.2.3"); }

// "/api/queues/:vhost" → "/api/queues/{vhost}"
std::string templated(std::string_view pattern) {
  return std::regex_replace(std::string(pattern), std::regex(":([a-z]+)"), "{$1}");
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c - 'A' + 'a');
  return out;
}

void answer_nothing(Call&) {}

json::object only_operation(const Route& route) {
  const Resource resource{"tag", "text", {&route, 1}};
  const json::object document = openapi_document({&resource, 1}, "1");
  return document.at("paths").as_object().begin()->value().as_object().begin()->value().as_object();
}

TEST(OpenApi, has_every_route_of_the_table_and_no_other) {
  const json::object document = whole();
  const json::object& paths = document.at("paths").as_object();
  std::size_t operations = 0;
  for (const auto& [path, methods] : paths) operations += methods.as_object().size();
  const std::vector<Route> routes = api_routes();
  EXPECT_EQ(operations, routes.size());
  for (const Route& route : routes) {
    const json::value* const methods = paths.if_contains(templated(route.pattern));
    ASSERT_NE(methods, nullptr) << route.pattern;
    const json::value* const operation = methods->as_object().if_contains(lower(route.method));
    ASSERT_NE(operation, nullptr) << route.method << " " << route.pattern;
    EXPECT_EQ(operation->at("summary").as_string(), route.summary);
  }
}

TEST(OpenApi, names_each_operation_once_and_describes_its_tag) {
  const json::object document = whole();
  std::set<std::string> ids, tags;
  for (const json::value& tag : document.at("tags").as_array()) {
    EXPECT_TRUE(tags.emplace(tag.at("name").as_string()).second);
    EXPECT_FALSE(tag.at("description").as_string().empty());
  }
  for (const auto& [path, methods] : document.at("paths").as_object()) {
    for (const auto& [method, operation] : methods.as_object()) {
      EXPECT_TRUE(ids.emplace(operation.at("operationId").as_string()).second) << path;
      EXPECT_TRUE(tags.contains(std::string(operation.at("tags").as_array().at(0).as_string()))) << path;
      EXPECT_FALSE(operation.at("responses").as_object().empty()) << path;
    }
  }
}

TEST(OpenApi, tells_a_list_s_parameters_and_answers) {
  const json::object operation = only_operation(
      {"GET", "/api/queues/:vhost", Needs::a_user, answer_nothing, "Queues of a virtual host", Gives::list});
  EXPECT_EQ(operation.at("operationId").as_string(), "get_queues_vhost");
  const json::array& parameters = operation.at("parameters").as_array();
  EXPECT_EQ(parameters.at(0).at("name").as_string(), "vhost");
  EXPECT_EQ(parameters.at(0).at("in").as_string(), "path");
  EXPECT_TRUE(parameters.at(0).at("required").as_bool());
  EXPECT_EQ(parameters.size(), 1 + contract_fields(list_parameters).size());
  std::vector<std::string> codes;
  for (const auto& one : operation.at("responses").as_object()) codes.emplace_back(one.key());
  EXPECT_THAT(codes, ElementsAre("200", "400", "401", "404", "503"));
  EXPECT_FALSE(operation.contains("security"));
}

TEST(OpenApi, tells_what_a_body_has_and_what_must_be_in_it) {
  const json::object operation =
      only_operation({"PUT",
                      "/api/things/:name",
                      Needs::administrator,
                      answer_nothing,
                      "Makes a thing",
                      {Gives::made, "size*:integer labels:strings", "if-empty:boolean X-Reason:string"}});
  const json::value& schema = operation.at("requestBody").at("content").at("application/json").at("schema");
  EXPECT_EQ(schema.at("required"), json::value(json::array{"size"}));
  EXPECT_EQ(schema.at("properties").at("size").at("type").as_string(), "integer");
  EXPECT_EQ(schema.at("properties").at("labels").at("items").at("type").as_string(), "string");
  const json::array& parameters = operation.at("parameters").as_array();
  EXPECT_EQ(parameters.at(1).at("in").as_string(), "query");
  EXPECT_EQ(parameters.at(2).at("in").as_string(), "header");
  EXPECT_TRUE(operation.at("responses").as_object().contains("201"));
  EXPECT_TRUE(operation.at("responses").as_object().contains("204"));
  EXPECT_TRUE(operation.at("responses").as_object().contains("413"));
}

TEST(OpenApi, says_where_no_login_is_needed) {
  const json::object operation =
      only_operation({"GET", "/api/open", Needs::nothing, answer_nothing, "For all", Gives::value});
  EXPECT_TRUE(operation.at("security").as_array().empty());
  EXPECT_FALSE(operation.at("responses").as_object().contains("401"));
}

}  // namespace
}  // namespace weir::admin
