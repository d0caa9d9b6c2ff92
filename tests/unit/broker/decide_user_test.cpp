#include <gtest/gtest.h>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

UserDefinition user(const std::string& name) {
  return {.name = name, .password_hash = "hash", .tags = {"monitoring"}};
}
PermissionDefinition permission(const std::string& name, const std::string& pattern) {
  return {.user = name, .vhost = "/", .configure = pattern, .write = pattern, .read = pattern};
}

TEST(PutUser, makes_and_changes_a_user) {
  SmallNode node;
  EXPECT_TRUE(node.run(PutUserRequest{user("ann")})->durable);
  EXPECT_EQ(*node.topology.find_user("ann"), user("ann"));
  EXPECT_TRUE(node.run(PutUserRequest{user("ann")})->changes.empty());
  UserDefinition changed = user("ann");
  changed.tags = {"administrator"};
  node.run(PutUserRequest{changed});
  EXPECT_EQ(*node.topology.find_user("ann"), changed);
}

TEST(PutUser, with_what_can_not_be_stored_is_refused) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(PutUserRequest{user("")})), "invalid argument: a user's name may not be empty");
  EXPECT_EQ(error_of(node.run(PutUserRequest{user(std::string(256, 'u'))})),
            "invalid argument: user name is longer than 255 bytes");
  UserDefinition large = user("ann");
  large.password_hash = std::string(1'025, 'h');
  EXPECT_EQ(error_of(node.run(PutUserRequest{large})),
            "invalid argument: a password hash may have 1024 bytes");
  large = user("ann");
  large.tags.assign(65, "tag");
  EXPECT_EQ(error_of(node.run(PutUserRequest{large})), "invalid argument: a user may have 64 tags");
  large.tags = {std::string(256, 't')};
  EXPECT_EQ(error_of(node.run(PutUserRequest{large})), "invalid argument: tag is longer than 255 bytes");
}

TEST(DeleteUser, takes_the_user_and_its_permissions) {
  SmallNode node;
  node.run(PutUserRequest{user("ann")});
  node.run(PutPermissionRequest{permission("ann", ".*")});
  EXPECT_TRUE(node.run(DeleteUser{"ann"})->durable);
  EXPECT_EQ(node.topology.find_user("ann"), nullptr);
  EXPECT_TRUE(node.topology.permissions().empty());
  EXPECT_EQ(error_of(node.run(DeleteUser{"ann"})), "not found: user 'ann' does not exist");
}

TEST(PutPermission, wants_a_user_and_a_vhost) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(PutPermissionRequest{permission("ann", ".*")})),
            "not found: user 'ann' does not exist");
  node.run(PutUserRequest{user("ann")});
  PermissionDefinition elsewhere = permission("ann", ".*");
  elsewhere.vhost = "nowhere";
  EXPECT_EQ(error_of(node.run(PutPermissionRequest{elsewhere})), "not found: vhost 'nowhere' not found");
  EXPECT_TRUE(node.run(PutPermissionRequest{permission("ann", ".*")})->durable);
  EXPECT_TRUE(node.run(PutPermissionRequest{permission("ann", ".*")})->changes.empty());
  EXPECT_EQ(*node.topology.find_permission("ann", "/"), permission("ann", ".*"));
}

TEST(PutPermission, refuses_patterns_that_are_malformed_or_too_long) {
  SmallNode node;
  node.run(PutUserRequest{user("ann")});
  PermissionDefinition bad = permission("ann", ".*");
  bad.write = "(";
  EXPECT_EQ(error_of(node.run(PutPermissionRequest{bad})),
            "invalid argument: permission to write: invalid regular expression '(': missing closing "
            "parenthesis at offset 1");
  bad = permission("ann", ".*");
  bad.read = std::string(1'001, 'r');
  EXPECT_EQ(
      error_of(node.run(PutPermissionRequest{bad})),
      "invalid argument: permission to read: a regular expression may have 1000 bytes, this one has 1001");
  bad = permission("ann", "");
  bad.configure = "a**";
  EXPECT_FALSE(node.run(PutPermissionRequest{bad}).has_value());
  EXPECT_TRUE(node.topology.permissions().empty());
}

TEST(DeletePermission, takes_it_if_it_is_there) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(DeletePermission{"ann", "/"})), "not found: user 'ann' does not exist");
  node.run(PutUserRequest{user("ann")});
  EXPECT_EQ(error_of(node.run(DeletePermission{"ann", "nowhere"})), "not found: vhost 'nowhere' not found");
  EXPECT_TRUE(node.run(DeletePermission{"ann", "/"})->changes.empty());
  node.run(PutPermissionRequest{permission("ann", ".*")});
  EXPECT_TRUE(node.run(DeletePermission{"ann", "/"})->durable);
  EXPECT_EQ(node.topology.find_permission("ann", "/"), nullptr);
}

TEST(PutVhost, makes_it_with_its_exchanges_and_its_description) {
  SmallNode node;
  EXPECT_TRUE(node.run(PutVhostRequest{{.name = "v", .description = "mine"}})->durable);
  EXPECT_EQ(node.topology.find_vhost("v")->description, "mine");
  EXPECT_EQ(node.topology.exchanges("v").size(), 7U);
  EXPECT_TRUE(node.run(PutVhostRequest{{.name = "v", .description = "mine"}})->changes.empty());
  EXPECT_EQ(node.run(PutVhostRequest{{.name = "v", .description = "other"}})->changes.size(), 1U);
  EXPECT_EQ(node.topology.find_vhost("v")->description, "other");
}

TEST(PutVhost, with_what_can_not_be_stored_is_refused) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(PutVhostRequest{{.name = "", .description = {}}})),
            "invalid argument: a vhost's name may not be empty");
  EXPECT_EQ(error_of(node.run(PutVhostRequest{{.name = std::string(256, 'v'), .description = {}}})),
            "invalid argument: vhost name is longer than 255 bytes");
  EXPECT_EQ(error_of(node.run(PutVhostRequest{{.name = "v", .description = std::string(4'097, 'd')}})),
            "invalid argument: a description may have 4096 bytes");
}

TEST(DeleteVhost, takes_it_if_it_is_there) {
  SmallNode node;
  EXPECT_EQ(error_of(node.run(DeleteVhost{"v"})), "not found: vhost 'v' not found");
  node.run(PutVhostRequest{{.name = "v", .description = {}}});
  EXPECT_TRUE(node.run(DeleteVhost{"v"})->durable);
  EXPECT_EQ(node.topology.find_vhost("v"), nullptr);
}

}  // namespace
}  // namespace weir::broker
