#include "broker/permissions.h"

#include <gtest/gtest.h>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

struct Granted : SmallNode {
  Granted() {
    run(PutUserRequest{{.name = "ann", .password_hash = {}, .tags = {}}});
    grant("^conf", "^w-", "^r-");
  }
  Result<Decision> grant(std::string configure, std::string write, std::string read,
                         std::string vhost = "/") {
    return run(PutPermissionRequest{{.user = "ann",
                                     .vhost = std::move(vhost),
                                     .configure = std::move(configure),
                                     .write = std::move(write),
                                     .read = std::move(read)}});
  }
  bool may(Access access, std::string_view name) const {
    return topology.authorize("ann", "/", access, name).has_value();
  }
};

TEST(Authorize, each_kind_of_access_has_its_own_pattern) {
  const Granted node;
  EXPECT_TRUE(node.may(Access::configure, "config"));
  EXPECT_FALSE(node.may(Access::configure, "w-1"));
  EXPECT_TRUE(node.may(Access::write, "w-1"));
  EXPECT_FALSE(node.may(Access::write, "r-1"));
  EXPECT_TRUE(node.may(Access::read, "r-1"));
  EXPECT_FALSE(node.may(Access::read, "config"));
}

TEST(Authorize, refuses_in_the_words_that_clients_know) {
  const Granted node;
  EXPECT_EQ(error_of(node.topology.authorize("ann", "/", Access::configure, "q", DestinationKind::queue)),
            "access refused: configure access to queue 'q' in vhost '/' refused for user 'ann'");
  EXPECT_EQ(error_of(node.topology.authorize("ann", "/", Access::write, "x", DestinationKind::exchange)),
            "access refused: write access to exchange 'x' in vhost '/' refused for user 'ann'");
  EXPECT_EQ(error_of(node.topology.authorize("ann", "/", Access::read, "q", DestinationKind::queue)),
            "access refused: read access to queue 'q' in vhost '/' refused for user 'ann'");
}

TEST(Authorize, checks_the_default_exchange_as_amq_default) {
  Granted node;
  EXPECT_EQ(error_of(node.topology.authorize("ann", "/", Access::write, "")),
            "access refused: write access to exchange 'amq.default' in vhost '/' refused for user 'ann'");
  node.grant("", "^amq\\.default$", "");
  EXPECT_TRUE(node.may(Access::write, ""));
  EXPECT_TRUE(node.may(Access::write, "amq.default"));
}

TEST(Authorize, an_empty_pattern_matches_only_the_empty_name) {
  Granted node;
  node.grant("", "", "");
  EXPECT_FALSE(node.may(Access::write, "anything"));
  EXPECT_FALSE(node.may(Access::read, "x"));
  EXPECT_TRUE(node.topology.authorize("ann", "/", Access::read, "", DestinationKind::queue).has_value());
}

TEST(Authorize, a_pattern_matches_anywhere_unless_anchored) {
  Granted node;
  node.grant("", "mid", ".*");
  EXPECT_TRUE(node.may(Access::write, "a-middle"));
  EXPECT_TRUE(node.may(Access::read, "anything"));
}

TEST(Authorize, refuses_without_permissions_in_the_vhost_and_without_the_user) {
  Granted node;
  EXPECT_FALSE(node.topology.authorize("bob", "/", Access::read, "r-1").has_value());
  EXPECT_FALSE(node.topology.authorize("ann", "other", Access::read, "r-1").has_value());
}

TEST(Authorize, answers_change_with_the_permissions) {
  Granted node;
  EXPECT_TRUE(node.may(Access::write, "w-1"));
  EXPECT_TRUE(node.may(Access::write, "w-1"));
  node.grant("", "^only$", "");
  EXPECT_FALSE(node.may(Access::write, "w-1"));
  EXPECT_TRUE(node.may(Access::write, "only"));
  node.run(DeletePermission{"ann", "/"});
  EXPECT_FALSE(node.may(Access::write, "only"));
  node.grant("", "^only$", "");
  EXPECT_TRUE(node.may(Access::write, "only"));
  node.run(DeleteUser{"ann"});
  EXPECT_FALSE(node.may(Access::write, "only"));
  node.run(PutUserRequest{{.name = "ann", .password_hash = {}, .tags = {}}});
  EXPECT_FALSE(node.may(Access::write, "only"));
}

TEST(Authorize, permissions_go_with_their_vhost) {
  Granted node;
  node.run(PutVhostRequest{{.name = "other", .description = {}}});
  node.grant(".*", ".*", ".*", "other");
  EXPECT_TRUE(node.topology.authorize("ann", "other", Access::read, "q").has_value());
  node.run(DeleteVhost{"other"});
  node.run(PutVhostRequest{{.name = "other", .description = {}}});
  EXPECT_FALSE(node.topology.authorize("ann", "other", Access::read, "q").has_value());
  EXPECT_TRUE(node.may(Access::read, "r-1"));
}

TEST(Authorize, remembers_no_more_answers_than_its_limit) {
  Granted node;
  for (std::size_t i = 0; i < permission_answers_max + 1'000; ++i) {
    ASSERT_TRUE(node.may(Access::write, "w-" + std::to_string(i)));
  }
  EXPECT_TRUE(node.may(Access::write, "w-0"));
  EXPECT_FALSE(node.may(Access::write, "v-0"));
}

TEST(AuthorizeVhost, wants_some_permission_in_a_vhost_that_exists) {
  Granted node;
  EXPECT_EQ(error_of(node.topology.authorize_vhost("ann", "/")), "");
  EXPECT_EQ(error_of(node.topology.authorize_vhost("bob", "/")),
            "access refused: access to vhost '/' refused for user 'bob'");
  EXPECT_EQ(error_of(node.topology.authorize_vhost("ann", "nowhere")),
            "not found: vhost 'nowhere' not found");
  node.grant("", "", "");
  EXPECT_EQ(error_of(node.topology.authorize_vhost("ann", "/")), "");
}

TEST(Permissions, with_a_pattern_that_does_not_compile_match_nothing) {
  Permissions permissions;
  permissions.put({.user = "ann", .vhost = "/", .configure = "(", .write = ".*", .read = "(.*)\\1"});
  EXPECT_FALSE(permissions.allows("ann", "/", Access::configure, "q"));
  EXPECT_TRUE(permissions.allows("ann", "/", Access::write, "q"));
  EXPECT_FALSE(permissions.allows("ann", "/", Access::read, "qq"));
}

TEST(Permissions, are_listed_in_order_of_user_and_vhost) {
  Permissions permissions;
  for (const auto& [user, vhost] : {std::pair{"b", "/"}, {"a", "z"}, {"a", "/"}}) {
    permissions.put({.user = user, .vhost = vhost, .configure = {}, .write = {}, .read = {}});
  }
  std::vector<std::string> listed;
  for (const PermissionDefinition* permission : permissions.all())
    listed.push_back(permission->user + permission->vhost);
  EXPECT_EQ(listed, (std::vector<std::string>{"a/", "az", "b/"}));
}

}  // namespace
}  // namespace weir::broker
