#include "cli/admin_call.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

namespace weir::cli {
namespace {

const AdminCommand& command(std::string_view noun, std::string_view verb) {
  for (const AdminCommand& known : admin_commands()) {
    if (known.noun == noun && known.verb == verb) return known;
  }
  ADD_FAILURE() << noun << " " << verb << " is not there";
  std::abort();
}

// By the names of arguments.
Typed typed(const AdminCommand& of,
            const std::vector<std::pair<std::string, std::vector<std::string>>>& given) {
  Typed all(of.arguments.size());
  for (const auto& [name, texts] : given) {
    for (std::size_t i = 0; i < of.arguments.size(); ++i) {
      if (of.arguments[i].name == name) all[i] = texts;
    }
  }
  return all;
}

TEST(AdminCall, names_become_segments_of_the_path) {
  const AdminCommand& purge = command("queue", "purge");
  const auto call = admin_call(purge, typed(purge, {{"NAME", {"a/b c%"}}}), "v/1");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->method, "DELETE");
  EXPECT_EQ(call->target, "/api/queues/v%2F1/a%2Fb%20c%25/contents");
  EXPECT_EQ(call->body, "");
}

TEST(AdminCall, the_virtual_host_is_the_default_one_and_lists_are_of_all) {
  const AdminCommand& purge = command("queue", "purge");
  EXPECT_EQ(admin_call(purge, typed(purge, {{"NAME", {"q"}}}), std::nullopt)->target,
            "/api/queues/%2F/q/contents");
  const AdminCommand& list = command("queue", "list");
  EXPECT_EQ(admin_call(list, {}, std::nullopt)->target, "/api/queues");
  EXPECT_EQ(admin_call(list, {}, "/")->target, "/api/queues/%2F");
}

TEST(AdminCall, options_become_members_and_arguments) {
  const AdminCommand& declare = command("queue", "declare");
  const auto plain = admin_call(declare, typed(declare, {{"NAME", {"q"}}}), std::nullopt);
  EXPECT_EQ(plain->body, R"({"durable":true,"auto_delete":false})");
  const auto full =
      admin_call(declare,
                 typed(declare, {{"NAME", {"q"}},
                                 {"--transient", {"true"}},
                                 {"--type", {"quorum"}},
                                 {"--argument", {"x-max-length=5", "x-overflow=reject-publish"}}}),
                 std::nullopt);
  EXPECT_EQ(full->body,
            R"({"durable":false,"auto_delete":false,"arguments":{"x-queue-type":"quorum","x-max-length":5,)"
            R"("x-overflow":"reject-publish"}})");
}

TEST(AdminCall, conditions_go_into_the_query_and_reasons_into_headers) {
  const AdminCommand& remove = command("queue", "delete");
  EXPECT_EQ(admin_call(remove,
                       typed(remove, {{"NAME", {"q"}}, {"--if-empty", {"true"}}, {"--if-unused", {"true"}}}),
                       std::nullopt)
                ->target,
            "/api/queues/%2F/q?if-unused=true&if-empty=true");
  const AdminCommand& close = command("connection", "close");
  const auto call = admin_call(close, typed(close, {{"NAME", {"c"}}, {"--reason", {"go"}}}), std::nullopt);
  ASSERT_EQ(call->headers.size(), 1U);
  EXPECT_EQ(call->headers[0].name, "X-Reason");
  EXPECT_EQ(call->headers[0].value, "go");
}

TEST(AdminCall, what_is_not_of_its_kind_is_refused) {
  const AdminCommand& consume = command("consume", "");
  EXPECT_FALSE(admin_call(consume, typed(consume, {{"QUEUE", {"q"}}, {"--count", {"two"}}}), std::nullopt));
  const AdminCommand& set = command("policy", "set");
  EXPECT_FALSE(admin_call(set, typed(set, {{"NAME", {"p"}}, {"PATTERN", {".*"}}, {"DEFINITION", {"{"}}}),
                          std::nullopt));
  const AdminCommand& declare = command("queue", "declare");
  EXPECT_FALSE(
      admin_call(declare, typed(declare, {{"NAME", {"q"}}, {"--argument", {"nothing"}}}), std::nullopt));
}

TEST(AdminTable, every_command_is_complete) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const AdminCommand& of : admin_commands()) {
    EXPECT_TRUE(seen.insert({of.noun, of.verb}).second) << of.noun << " " << of.verb << " is there twice";
    Typed all;
    for (const AdminArgument& argument : of.arguments) {
      const bool number = argument.kind == Kind::number, json = argument.kind == Kind::json;
      all.push_back(std::vector<std::string>{number ? "1" : json ? "{}" : "k=v"});
    }
    const auto call = admin_call(of, all, "v");
    ASSERT_TRUE(call) << of.noun << " " << of.verb;
    EXPECT_EQ(call->target.find('{'), std::string::npos) << call->target << ": an argument is missing";
    EXPECT_TRUE(call->target.starts_with("/api/"));
  }
  for (const AdminNoun& noun : admin_nouns()) {
    const bool used =
        std::any_of(seen.begin(), seen.end(), [&](const auto& of) { return of.first == noun.name; });
    EXPECT_TRUE(used) << noun.name;
  }
}

TEST(AdminTable, every_command_is_documented) {
  std::ifstream file(std::string(WEIR_TESTS_DIR) + "/../docs/command-line.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  for (const AdminCommand& of : admin_commands()) {
    const std::string name =
        "`weir " + std::string(of.noun) + (of.verb.empty() ? "" : " ") + std::string(of.verb) + "`";
    EXPECT_NE(page.find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace weir::cli
