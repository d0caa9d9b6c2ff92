#include "broker/topic_permissions.h"

#include <gtest/gtest.h>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

struct Topical : SmallNode {
  Topical() { run(PutUserRequest{{.name = "a.nn", .password_hash = {}, .tags = {}}}); }
  Result<Decision> grant(std::string write, std::string read, std::string exchange = "amq.topic") {
    return run(
        PutTopicPermissionRequest{{"a.nn", "/", std::move(exchange), std::move(write), std::move(read)}});
  }
  bool may(Access access, std::string_view key, std::string_view exchange = "amq.topic",
           std::string_view client = "") const {
    return topology.authorize_topic({"a.nn", client}, "/", access, exchange, key).has_value();
  }
};

TEST(TopicPermission, is_not_needed_where_there_is_none) {
  const Topical node;
  EXPECT_TRUE(node.may(Access::write, "any"));
}

TEST(TopicPermission, has_a_pattern_for_publishing_and_one_for_binding) {
  Topical node;
  ASSERT_TRUE(node.grant("^w", "^r"));
  EXPECT_TRUE(node.may(Access::write, "w.1"));
  EXPECT_FALSE(node.may(Access::write, "r.1"));
  EXPECT_TRUE(node.may(Access::read, "r.1"));
  EXPECT_EQ(
      error_of(node.topology.authorize_topic({"a.nn", ""}, "/", Access::read, "amq.topic", "w.1")),
      "access refused: read access to topic 'w.1' in exchange 'amq.topic' in vhost '/' refused for user "
      "'a.nn'");
}

TEST(TopicPermission, is_for_one_exchange_and_only_if_it_goes_by_topics) {
  Topical node;
  ASSERT_TRUE(node.exchange("other", "topic"));
  ASSERT_TRUE(node.grant("^w", "^r"));
  ASSERT_TRUE(node.grant("^w", "^r", "amq.direct"));
  EXPECT_TRUE(node.may(Access::write, "x", "other"));
  EXPECT_TRUE(node.may(Access::write, "x", "amq.direct"));
}

TEST(TopicPermission, puts_names_in_place_of_variables_as_they_are) {
  Topical node;
  ASSERT_TRUE(node.grant("^{vhost}{username}[.]{client_id}$", ""));
  EXPECT_TRUE(node.may(Access::write, "/a.nn.c+", "amq.topic", "c+"));
  EXPECT_FALSE(node.may(Access::write, "/a.nn.cc", "amq.topic", "c+"));
  EXPECT_FALSE(node.may(Access::write, "/axnn.c+", "amq.topic", "c+"));
}

TEST(TopicPermission, that_is_empty_matches_the_empty_key_alone) {
  Topical node;
  ASSERT_TRUE(node.grant("", ""));
  EXPECT_FALSE(node.may(Access::write, "x"));
  EXPECT_TRUE(node.may(Access::write, ""));
}

TEST(TopicPermission, is_taken_back_for_one_exchange_or_for_all) {
  Topical node;
  ASSERT_TRUE(node.grant("^w", ""));
  ASSERT_TRUE(node.grant("^w", "", "other"));
  ASSERT_TRUE(node.run(DeleteTopicPermission{"a.nn", "/", "other"}));
  ASSERT_EQ(node.topology.topic_permissions().size(), 1U);
  ASSERT_TRUE(node.grant("^w", "", "other"));
  ASSERT_TRUE(node.run(DeleteTopicPermission{"a.nn", "/", ""}));
  EXPECT_TRUE(node.topology.topic_permissions().empty());
  ASSERT_TRUE(node.grant("^w", ""));
  ASSERT_TRUE(node.run(DeleteUser{"a.nn"}));
  EXPECT_TRUE(node.topology.topic_permissions().empty());
}

TEST(TopicPermission, is_refused_where_it_makes_no_sense) {
  Topical node;
  EXPECT_FALSE(node.grant("(", "").has_value());
  EXPECT_FALSE(node.run(PutTopicPermissionRequest{{"none", "/", "x", "", ""}}).has_value());
  EXPECT_FALSE(node.run(PutTopicPermissionRequest{{"a.nn", "none", "x", "", ""}}).has_value());
}

}  // namespace
}  // namespace weir::broker
