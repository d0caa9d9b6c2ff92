#include "admin/definitions_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/describe_request.h"

namespace weir::admin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

DefinitionsFile read(std::string_view text) {
  auto file = parse_definitions(text, "/");
  EXPECT_TRUE(file) << file.error().message;
  return file ? std::move(*file) : DefinitionsFile{};
}

std::string refusal(std::string_view text) {
  const auto file = parse_definitions(text, "/");
  if (file) return "accepted";
  EXPECT_EQ(file.error().code, ErrorCode::config);
  return file.error().message;
}

template <typename T>
const T& only(const DefinitionsFile& file) {
  EXPECT_THAT(file.requests, SizeIs(1));
  return std::get<T>(file.requests.at(0));
}

TEST(DefinitionsFile, sections_are_applied_in_an_order_that_works_whatever_their_order_in_the_file) {
  const auto file = read(R"({
    "bindings": [{"source": "x", "vhost": "v", "destination": "q", "destination_type": "queue", "routing_key": "k",
                  "arguments": {}}],
    "queues": [{"name": "q", "vhost": "v", "durable": true, "auto_delete": false, "arguments": {}}],
    "exchanges": [{"name": "x", "vhost": "v", "type": "topic", "durable": true, "auto_delete": false,
                   "internal": false, "arguments": {}}],
    "permissions": [{"user": "u", "vhost": "v", "configure": ".*", "write": "", "read": "a|b"}],
    "users": [{"name": "u", "password": "p", "tags": "administrator"}],
    "vhosts": [{"name": "v"}], "rabbit_version": "3.12.1"})");
  std::vector<std::string> order;
  for (const broker::Request& request : file.requests) order.push_back(describe(request));
  EXPECT_THAT(order, ElementsAre("vhost 'v'", "user 'u'", "permission of user 'u' in vhost 'v'",
                                 "exchange 'x' in vhost 'v'", "queue 'q' in vhost 'v'",
                                 "binding from exchange 'x' to queue 'q' in vhost 'v'"));
  EXPECT_THAT(file.skipped, IsEmpty());
}

TEST(DefinitionsFile, an_exchange_is_read_whole) {
  const auto file = read(R"({"exchanges": [{"name": "x", "vhost": "v", "type": "topic", "durable": true,
    "auto_delete": true, "internal": true, "arguments": {"alternate-exchange": "y"}}]})");
  const auto& x = only<broker::DeclareExchange>(file);
  EXPECT_EQ(x.vhost, "v");
  EXPECT_EQ(x.name, "x");
  EXPECT_EQ(x.type, "topic");
  EXPECT_TRUE(x.durable && x.auto_delete && x.internal);
  EXPECT_FALSE(x.passive);
  ASSERT_NE(x.arguments.find("alternate-exchange"), nullptr);
  EXPECT_EQ(*x.arguments.find("alternate-exchange")->as_string(), "y");
}

TEST(DefinitionsFile, arguments_keep_their_types) {
  const auto file = read(R"({"queues": [{"name": "q", "vhost": "v", "durable": true, "arguments":
    {"i": -5, "d": 1.5, "s": "t", "b": true, "n": null, "a": [1, "x"], "o": {"k": 1}}}]})");
  const broker::Table& arguments = only<broker::DeclareQueue>(file).arguments;
  const auto value = [&](std::string_view key) { return arguments.find(key)->v; };
  EXPECT_EQ(value("i"), broker::Value::Variant(std::int64_t{-5}));
  EXPECT_EQ(value("d"), broker::Value::Variant(1.5));
  EXPECT_EQ(value("s"), broker::Value::Variant(std::string("t")));
  EXPECT_EQ(value("b"), broker::Value::Variant(true));
  EXPECT_EQ(value("n"), broker::Value::Variant(std::monostate{}));
  EXPECT_EQ(std::get<broker::Array>(value("a")).size(), 2U);
  EXPECT_EQ(std::get<broker::Table>(value("o")).size(), 1U);
}

TEST(DefinitionsFile, the_type_of_a_queue_beside_its_arguments_becomes_an_argument) {
  EXPECT_TRUE(only<broker::DeclareQueue>(read(R"({"queues": [{"name": "q", "type": "classic"}]})"))
                  .arguments.empty());
  const auto file = read(R"({"queues": [{"name": "q", "type": "quorum"}]})");
  EXPECT_EQ(*only<broker::DeclareQueue>(file).arguments.find("x-queue-type")->as_string(), "quorum");
}

TEST(DefinitionsFile, a_password_hash_is_kept_with_its_scheme) {
  const std::string sha256(48, 'A');
  const auto file = read(R"({"users": [{"name": "u", "password_hash": ")" + sha256 +
                         R"(", "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": "a, b,"}]})");
  const auto& user = only<broker::PutUserRequest>(file).user;
  EXPECT_EQ(user.password_hash, "rabbit_sha256:" + sha256);
  EXPECT_THAT(user.tags, ElementsAre("a", "b"));
  EXPECT_THAT(file.plain_passwords, IsEmpty());

  const std::string sha512(92, 'A');
  const auto file512 = read(R"({"users": [{"name": "u", "password_hash": ")" + sha512 +
                            R"(", "hashing_algorithm": "rabbit_password_hashing_sha512", "tags": ["a"]}]})");
  EXPECT_EQ(only<broker::PutUserRequest>(file512).user.password_hash, "rabbit_sha512:" + sha512);
  EXPECT_THAT(only<broker::PutUserRequest>(file512).user.tags, ElementsAre("a"));
}

TEST(DefinitionsFile, a_plain_password_is_kept_apart_to_be_hashed) {
  const auto file =
      read(R"({"users": [{"name": "a", "password_hash": ""}, {"name": "b", "password": "secret"}]})");
  ASSERT_THAT(file.requests, SizeIs(2));
  ASSERT_THAT(file.plain_passwords, SizeIs(1));
  EXPECT_EQ(file.plain_passwords[0].request, 1U);
  EXPECT_EQ(file.plain_passwords[0].password, "secret");
  EXPECT_EQ(std::get<broker::PutUserRequest>(file.requests[0]).user.password_hash, "");
}

TEST(DefinitionsFile, entries_without_a_vhost_belong_to_the_default_one) {
  const auto file = parse_definitions(R"({"queues": [{"name": "q"}]})", "mine");
  ASSERT_TRUE(file);
  EXPECT_EQ(only<broker::DeclareQueue>(*file).vhost, "mine");
}

TEST(DefinitionsFile, what_this_build_does_not_know_is_named) {
  const auto file = read(R"({"shovels": [{"name": "p"}, {"name": "r"}], "parameters": [], "wibble": 1,
                             "global_parameters": [{"name": "cluster_name", "value": "c"}]})");
  EXPECT_THAT(file.skipped, ElementsAre("2 shovels", "\"wibble\""));
}

TEST(DefinitionsFile, a_bad_entry_refuses_the_file_and_is_named) {
  EXPECT_EQ(refusal(R"({"queues": [{"name": "a"}, {"name": "orders", "durable": "yes"}]})"),
            "line 1: queues[1] 'orders': \"durable\" must be true or false");
  EXPECT_EQ(refusal(R"({"queues": [{"vhost": "/"}]})"), "line 1: queues[0]: \"name\" is missing");
  EXPECT_EQ(refusal(R"({"queues": [{"name": ""}]})"), "line 1: queues[0] '': \"name\" must not be empty");
  EXPECT_EQ(refusal(R"({"queues": [5]})"), "line 1: queues[0]: must be an object");
  EXPECT_EQ(refusal(R"({"queues": {}})"), "\"queues\" must be a list");
  EXPECT_EQ(refusal(R"({"queues": [{"name": 5}]})"), "line 1: queues[0]: \"name\" must be a string");
  EXPECT_EQ(refusal(R"({"queues": [{"name": "q", "arguments": {"x": 18446744073709551615}}]})"),
            "line 1: queues[0] 'q': \"arguments\": an argument's number does not fit into 64 bits");
  EXPECT_EQ(refusal(R"({"exchanges": [{"name": "x"}]})"), "line 1: exchanges[0] 'x': \"type\" is missing");
  EXPECT_EQ(refusal(R"({"bindings": [{"source": "x", "destination": "q", "destination_type": "topic"}]})"),
            "line 1: bindings[0] 'x': \"destination_type\" must be \"queue\" or \"exchange\"");
  EXPECT_EQ(refusal(R"({"users": [{"name": "u", "password_hash": "AAAA"}]})"),
            "line 1: users[0] 'u': \"password_hash\" is not the base64 of 36 bytes");
  EXPECT_THAT(refusal(R"({"users": [{"name": "u", "password_hash": "AAAA", "hashing_algorithm": "md5"}]})"),
              HasSubstr("line 1: users[0] 'u': hashing_algorithm \"md5\" is not known"));
}

TEST(DefinitionsFile, a_bad_entry_is_found_on_its_line) {
  const std::string_view file = R"({"vhosts": [
    {"name": "a", "metadata": {"tags": ["x", "y"], "description": "a \"queues\": [ {"}}],
  "other": [[1,
             2]],
  "queues": [
    {"name": "one", "vhost": "a"}, {"name": "two", "vhost": "a",
     "arguments": {"x-max-length": 5}},
    {"name": "three",
     "durable": "no"}]})";
  EXPECT_EQ(refusal(file), "line 8: queues[2] 'three': \"durable\" must be true or false");
}

TEST(DefinitionsFile, lines_are_known_of_every_request) {
  const auto file = read(
      "{\"queues\": [],\n\"users\": [{\"name\": \"u\", \"limits\": {\"max-connections\": 1}},\n{\"name\": "
      "\"w\"}]}");
  EXPECT_THAT(file.lines, ElementsAre(2, 2, 3));
}

TEST(DefinitionsFile, a_name_is_as_long_as_the_protocol_allows) {
  const std::string longest(255, 'n');
  EXPECT_EQ(only<broker::DeclareQueue>(read(R"({"queues": [{"name": ")" + longest + R"("}]})")).name,
            longest);
  EXPECT_THAT(refusal(R"({"queues": [{"name": ")" + longest + R"(n"}]})"),
              HasSubstr("longer than 255 bytes"));
}

TEST(DefinitionsFile, a_text_that_is_no_json_object_is_refused_with_its_line) {
  EXPECT_THAT(refusal("{\n\"queues\": [}\n"), HasSubstr("line 2: not JSON"));
  EXPECT_THAT(refusal(""), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("{\"queues\": ["), HasSubstr("not JSON"));
  EXPECT_EQ(refusal("[]"), "the file must hold one JSON object");
  EXPECT_THAT(refusal("{}\n{}"), HasSubstr("line 2: "));
  EXPECT_THAT(refusal(std::string(100'000, '[')), HasSubstr("not JSON"));
}

// As the command of RabbitMQ 3.10 exports: some tables are lists of pairs there.
TEST(DefinitionsFile, what_is_set_for_many_is_read_from_where_rabbitmq_has_it) {
  const auto file = read(R"({
    "vhosts": [{"name": "v", "limits": [], "metadata": {"description": "d", "tags": ["t"],
                                                        "default_queue_type": "quorum"}}],
    "users": [{"name": "u", "password_hash": "", "tags": ["a", "b"], "limits": {"max-channels": 2}}],
    "topic_permissions": [{"user": "u", "vhost": "v", "exchange": "amq.topic", "write": "^w", "read": "^r"}],
    "parameters": [
      {"component": "vhost-limits", "name": "limits", "vhost": "v", "value": {"max-queues": 10}},
      {"component": "operator_policy", "name": "op", "vhost": "v",
       "value": {"apply-to": "exchanges", "definition": [["max-length", 5]], "pattern": "^q", "priority": 3}},
      {"component": "shovel", "name": "s", "vhost": "v", "value": {"src": [1, 2]}}],
    "global_parameters": [{"name": "g", "value": [["a", 1]]}],
    "weir_limits": [{"vhost": "v", "limits": {"max-bytes": 7}}, {"user": "u", "limits": {"max-publish-rate": 8}}],
    "policies": [{"vhost": "v", "name": "p", "pattern": "^q", "apply-to": "queues", "priority": -1,
                  "definition": {"message-ttl": 5}}]})");
  std::vector<std::string> order;
  for (const broker::Request& request : file.requests) order.push_back(describe(request));
  EXPECT_THAT(order,
              ElementsAre("vhost 'v'", "user 'u'", "limit 'max-channels' of user 'u'",
                          "topic permission of user 'u' in vhost 'v'", "limit 'max-bytes' of vhost 'v'",
                          "limit 'max-publish-rate' of user 'u'", "limit 'max-queues' of vhost 'v'",
                          "operator policy 'op' in vhost 'v'", "parameter 's' of shovel in vhost 'v'",
                          "global parameter 'g'", "policy 'p' in vhost 'v'"));
  const auto& vhost = std::get<broker::PutVhostRequest>(file.requests[0]).vhost;
  EXPECT_EQ(vhost.description, "d");
  EXPECT_THAT(vhost.tags, ElementsAre("t"));
  EXPECT_EQ(vhost.default_queue_type, "quorum");
  const auto& op = std::get<broker::PutPolicyRequest>(file.requests[7]).policy;
  EXPECT_TRUE(op.of_operator);
  EXPECT_EQ(op.targets, broker::PolicyTargets::exchanges);
  EXPECT_EQ(op.priority, 3);
  EXPECT_EQ(*op.definition.find("max-length"), broker::Value{std::int64_t{5}});
  const auto& policy = std::get<broker::PutPolicyRequest>(file.requests[10]).policy;
  EXPECT_FALSE(policy.of_operator);
  EXPECT_EQ(policy.priority, -1);
  EXPECT_THAT(file.skipped, IsEmpty());
}

TEST(DefinitionsFile, wrong_policies_and_parameters_are_refused_by_name) {
  EXPECT_THAT(
      refusal(R"({"policies": [{"name": "p", "pattern": "", "apply-to": "cows", "definition": {}}]})"),
      HasSubstr("policies[0] 'p': \"apply-to\" is \"cows\""));
  EXPECT_THAT(refusal(R"({"parameters": [{"component": "operator_policy", "name": "p", "value": {}}]})"),
              HasSubstr("parameters[0] 'p': value: \"pattern\" is missing"));
  EXPECT_THAT(refusal(R"({"parameters": [{"component": "c", "name": "p"}]})"),
              HasSubstr("\"value\" is missing"));
  EXPECT_THAT(refusal(R"({"users": [{"name": "u", "limits": {"max-channels": "x"}}]})"),
              HasSubstr("users[0] 'u': limit \"max-channels\" must be an integer"));
}

TEST(DefinitionsFile, a_password_hashed_with_md5_is_refused) {
  EXPECT_THAT(refusal(R"({"users": [{"name": "u", "password_hash": "RDeiWtpjT7yR/UyRQyc/5TY6d0k=",
                          "hashing_algorithm": "rabbit_password_hashing_md5"}]})"),
              HasSubstr("users[0] 'u': a password hashed with MD5 is not taken"));
}

}  // namespace
}  // namespace weir::admin
