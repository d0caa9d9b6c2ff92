// Limits of vhosts and users, parameters, and what a vhost says of itself.
#include <gtest/gtest.h>

#include "broker/tenant_limits.h"
#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

struct Limited : SmallNode {
  Result<Decision> limit(LimitOf of, const std::string& subject, const std::string& name,
                         std::int64_t value) {
    return run(PutLimitRequest{{of, subject, name, value}});
  }
};

TEST(Limit, of_queues_is_kept_by_declarations_in_the_words_that_clients_know) {
  Limited node;
  ASSERT_TRUE(node.limit(LimitOf::vhost, "/", "max-queues", 1));
  ASSERT_TRUE(node.queue("a"));
  EXPECT_EQ(error_of(node.queue("b")),
            "precondition failed: cannot declare queue 'b': queue limit in vhost '/' (1) is reached");
  EXPECT_TRUE(node.queue("a"));                                                        // it is there
  EXPECT_TRUE(node.run(DeclareQueue{.vhost = "/", .name = "c", .arguments = {}}, 0));  // of the broker itself
  ASSERT_TRUE(node.limit(LimitOf::vhost, "/", "max-queues", -1));
  EXPECT_TRUE(node.queue("b"));
}

TEST(Limit, of_queues_makes_declarations_wait_for_each_other) {
  Limited node;
  const DeclareQueue one{.vhost = "/", .name = "one", .arguments = {}};
  Names names;
  touched_names(node.topology, one, names);
  EXPECT_EQ(names.size(), 2U);
  ASSERT_TRUE(node.limit(LimitOf::vhost, "/", "max-queues", 5));
  names.clear();
  touched_names(node.topology, one, names);
  ASSERT_EQ(names.size(), 3U);
  EXPECT_EQ(names.back(), std::string("n\0/", 3));
}

TEST(Limit, goes_with_its_vhost_or_user) {
  Limited node;
  ASSERT_TRUE(node.run(PutVhostRequest{{.name = "v", .description = ""}}));
  ASSERT_TRUE(node.run(PutUserRequest{{.name = "ann", .password_hash = {}, .tags = {}}}));
  ASSERT_TRUE(node.limit(LimitOf::vhost, "v", "max-connections", 5));
  ASSERT_TRUE(node.limit(LimitOf::user, "ann", "max-channels", 0));
  EXPECT_EQ(node.topology.limits().value(LimitOf::vhost, "v", "max-connections"), 5U);
  EXPECT_EQ(node.topology.limits().value(LimitOf::user, "ann", "max-channels"), 0U);
  ASSERT_TRUE(node.run(DeleteVhost{"v"}));
  ASSERT_TRUE(node.run(DeleteUser{"ann"}));
  EXPECT_TRUE(node.topology.limits().all().empty());
}

TEST(Limit, is_refused_where_there_is_no_such_name_vhost_or_user) {
  Limited node;
  EXPECT_EQ(error_of(node.limit(LimitOf::vhost, "/", "foo", 5)),
            "invalid argument: Validation failed\n\nUnrecognised terms [{<<\"foo\">>,5}] in limits\n");
  EXPECT_FALSE(node.limit(LimitOf::vhost, "/", "max-channels", 5).has_value());
  EXPECT_FALSE(node.limit(LimitOf::vhost, "none", "max-queues", 5).has_value());
  EXPECT_EQ(error_of(node.limit(LimitOf::user, "none", "max-channels", 5)),
            "not found: user 'none' does not exist");
}

TEST(Limit, that_is_taken_back_is_none) {
  Limited node;
  ASSERT_TRUE(node.limit(LimitOf::vhost, "/", "max-bytes", 5));
  ASSERT_TRUE(node.run(DeleteLimit{LimitOf::vhost, "/", "max-bytes"}));
  EXPECT_FALSE(node.topology.limits().value(LimitOf::vhost, "/", "max-bytes"));
  const auto again = node.run(DeleteLimit{LimitOf::vhost, "/", "max-bytes"});
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->changes.empty());
}

TEST(Parameter, is_kept_as_it_is_until_it_is_deleted) {
  Limited node;
  const ParameterDefinition shovel{"shovel", "/", "move", Value{one_field("uri", text("amqp://"))}};
  const ParameterDefinition global{"", "", "cluster", text("blue")};
  ASSERT_TRUE(node.run(PutParameterRequest{shovel}));
  ASSERT_TRUE(node.run(PutParameterRequest{global}));
  ASSERT_EQ(node.topology.parameters().size(), 2U);
  EXPECT_EQ(*node.topology.find_parameter("shovel", "/", "move"), shovel);
  EXPECT_EQ(*node.topology.find_parameter("", "", "cluster"), global);
  ASSERT_TRUE(node.run(DeleteParameter{"shovel", "/", "move"}));
  EXPECT_FALSE(node.run(DeleteParameter{"shovel", "/", "move"}).has_value());
  EXPECT_EQ(node.topology.parameters().size(), 1U);
}

TEST(Parameter, of_a_component_is_in_a_vhost_and_goes_with_it) {
  Limited node;
  EXPECT_FALSE(node.run(PutParameterRequest{{"shovel", "none", "move", text("x")}}).has_value());
  ASSERT_TRUE(node.run(PutVhostRequest{{.name = "v", .description = ""}}));
  ASSERT_TRUE(node.run(PutParameterRequest{{"shovel", "v", "move", text("x")}}));
  ASSERT_TRUE(node.run(DeleteVhost{"v"}));
  EXPECT_TRUE(node.topology.parameters().empty());
}

TEST(Vhost, gives_durable_queues_its_default_type) {
  Limited node;
  ASSERT_TRUE(node.run(PutVhostRequest{{.name = "/", .description = "", .default_queue_type = "quorum"}}));
  const auto type_of = [&](const std::string& name) {
    const Value* const type = node.topology.find_queue("/", name)->arguments.find("x-queue-type");
    return type == nullptr ? std::string() : *type->as_string();
  };
  ASSERT_TRUE(node.queue("durable", true));
  EXPECT_EQ(type_of("durable"), "quorum");
  EXPECT_TRUE(node.queue("durable", true));  // the same declaration again
  ASSERT_TRUE(node.queue("transient", false));
  EXPECT_EQ(type_of("transient"), "");
  ASSERT_TRUE(node.run(DeclareQueue{.vhost = "/",
                                    .name = "classic",
                                    .durable = true,
                                    .arguments = one_field("x-queue-type", text("classic"))}));
  EXPECT_EQ(type_of("classic"), "classic");
  EXPECT_FALSE(
      node.run(PutVhostRequest{{.name = "/", .description = "", .default_queue_type = "x"}}).has_value());
}

TEST(Vhost, whose_default_type_changes_has_the_queues_that_it_had) {
  Limited node;
  ASSERT_TRUE(node.queue("old", true));
  ASSERT_TRUE(node.run(PutVhostRequest{{.name = "/", .description = "", .default_queue_type = "quorum"}}));
  EXPECT_EQ(error_of(node.queue("old", true)), "");
}

}  // namespace
}  // namespace weir::broker
