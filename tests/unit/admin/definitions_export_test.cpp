#include "admin/definitions_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "admin/definitions_fit.h"
#include "node/password.h"

namespace weir::admin {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view everything = R"({
  "vhosts": [{"name": "v", "description": "d", "tags": ["t"], "default_queue_type": "quorum"}],
  "users": [{"name": "plain", "password": "secret", "tags": ["management", "x"], "limits": {"max-connections": 5}},
            {"name": "none", "password_hash": "", "tags": []},
            {"name": "hashed", "password_hash": "AAECA+rEPjB4wDEp9lKkCRzBRcE9zGN6nLSpv9bJm2cFpOPX", "tags": []}],
  "permissions": [{"user": "plain", "vhost": "v", "configure": "", "write": ".*", "read": "a"}],
  "topic_permissions": [{"user": "plain", "vhost": "v", "exchange": "sales", "write": "^w", "read": "^r"}],
  "parameters": [{"component": "vhost-limits", "name": "limits", "vhost": "v", "value": {"max-queues": 10}},
                 {"component": "operator_policy", "name": "op", "vhost": "v",
                  "value": {"apply-to": "queues", "definition": {"max-length": 5}, "pattern": "^q", "priority": 3}},
                 {"component": "shovel", "name": "s", "vhost": "v", "value": {"src": [1, 2.5, null, true]}}],
  "global_parameters": [{"name": "g", "value": "blue"}],
  "weir_limits": [{"vhost": "v", "limits": {"max-bytes": 7}}, {"user": "plain", "limits": {"max-publish-rate": 8}}],
  "policies": [{"vhost": "v", "name": "p", "pattern": "^q", "apply-to": "quorum_queues", "priority": -1,
                "definition": {"message-ttl": 5}}],
  "exchanges": [{"name": "sales", "vhost": "v", "type": "topic", "durable": true, "internal": true,
                 "arguments": {"alternate-exchange": "other"}}],
  "queues": [{"name": "q", "vhost": "v", "durable": true, "arguments": {"x-max-length": 5}}],
  "bindings": [{"source": "sales", "vhost": "v", "destination": "q", "destination_type": "queue",
                "routing_key": "sale.#", "arguments": {"n": 1}}]})";

std::vector<broker::Request> fit(std::string_view text, const std::vector<broker::Change>& state) {
  auto file = parse_definitions(text, "v");
  EXPECT_TRUE(file) << file.error().message;
  auto requests = fit_definitions(std::move(*file), state, 2);
  EXPECT_TRUE(requests) << requests.error().message;
  return requests ? std::move(*requests) : std::vector<broker::Request>();
}

void carry_out(std::string_view text, broker::Topology& topology) {
  std::vector<broker::Change> state;
  topology.durable_state(state);
  for (const broker::Request& request : fit(text, state)) {
    const auto decision = broker::decide(topology, {}, request, {2, 0});
    ASSERT_TRUE(decision) << decision.error().message;
    for (const broker::Change& change : decision->changes) topology.apply(change);
  }
}

TEST(DefinitionsExport, imported_where_it_came_from_changes_nothing) {
  broker::Topology topology;
  carry_out(everything, topology);
  const std::string text = export_definitions(topology);
  std::vector<broker::Change> state;
  topology.durable_state(state);
  EXPECT_THAT(fit(text, state), IsEmpty());
}

TEST(DefinitionsExport, imported_elsewhere_makes_the_same_of_it) {
  broker::Topology from, to;
  carry_out(everything, from);
  const std::string text = export_definitions(from);
  carry_out(text, to);
  EXPECT_EQ(export_definitions(to), text);
  EXPECT_TRUE(node::verify_password("secret", to.find_user("plain")->password_hash));
  EXPECT_EQ(*to.find_user("hashed"), *from.find_user("hashed"));
}

TEST(DefinitionsExport, leaves_out_what_is_there_by_itself_and_what_goes_with_a_connection) {
  broker::Topology topology;
  carry_out(everything, topology);
  const auto exclusive = broker::decide(
      topology, {"plain", SessionId{5}},
      broker::DeclareQueue{.vhost = "v", .name = "mine", .exclusive = true, .arguments = {}}, {2, 0});
  ASSERT_TRUE(exclusive);
  for (const broker::Change& change : exclusive->changes) topology.apply(change);
  topology.apply(broker::PutBinding{
      {.vhost = "v", .source = "amq.fanout", .destination = "mine", .routing_key = "", .arguments = {}}});
  const std::string text = export_definitions(topology);
  EXPECT_THAT(text, Not(HasSubstr("amq.")));
  EXPECT_THAT(text, Not(HasSubstr("mine")));
}

TEST(DefinitionsExport, keeps_from_rabbitmq_what_it_would_refuse) {
  broker::Topology topology;
  carry_out(everything, topology);
  const boost::json::object file = boost::json::parse(export_definitions(topology)).as_object();
  for (const boost::json::value& parameter : file.at("parameters").as_array()) {
    const boost::json::object& entry = parameter.as_object();
    if (entry.at("component") != "vhost-limits") continue;
    EXPECT_EQ(boost::json::serialize(entry.at("value")), R"({"max-queues":10})");
  }
  const boost::json::object& plain = file.at("users").as_array().at(2).as_object();
  EXPECT_EQ(plain.at("name"), "plain");
  EXPECT_EQ(plain.at("hashing_algorithm").as_string(), argon2id_algorithm);
  EXPECT_EQ(boost::json::serialize(plain.at("limits")), R"({"max-connections":5})");
}

TEST(DefinitionsExport, of_one_vhost_can_be_imported_into_another) {
  broker::Topology topology;
  carry_out(everything, topology);
  const std::string text = export_vhost_definitions(topology, "v");
  EXPECT_THAT(text, Not(HasSubstr("vhost\"")));
  auto file = parse_definitions(text, "w");
  ASSERT_TRUE(file) << file.error().message;
  file->requests.insert(file->requests.begin(), broker::PutVhostRequest{{.name = "w", .description = ""}});
  std::vector<broker::Change> state;
  topology.durable_state(state);
  const auto requests = fit_definitions(std::move(*file), state, 2);
  ASSERT_TRUE(requests) << requests.error().message;
  EXPECT_EQ(requests->size(),
            8U);  // and two parameters and a policy, an exchange, a queue, a binding, a limit
}

}  // namespace
}  // namespace weir::admin
