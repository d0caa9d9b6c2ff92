// What tokens grant.
#include "broker/grants.h"

#include <gtest/gtest.h>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  const auto wildcard = Wildcard::parse(pattern);
  return wildcard && wildcard->matches(text);
}

TEST(Wildcards, stand_for_any_text_where_a_star_is) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("*", "anything"));
  EXPECT_TRUE(matches("a*", "a"));
  EXPECT_TRUE(matches("a*", "abc"));
  EXPECT_FALSE(matches("a*", "ba"));
  EXPECT_TRUE(matches("*c", "abc"));
  EXPECT_TRUE(matches("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches("a*b*c", "acb"));
  EXPECT_FALSE(matches("ab*ba", "aba"));
  EXPECT_TRUE(matches("**", "x"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_FALSE(matches("", "x"));
  EXPECT_FALSE(matches("a", "A"));
}

TEST(Wildcards, take_any_character_by_its_code) {
  EXPECT_TRUE(matches("%2F", "/"));
  EXPECT_TRUE(matches("a+b", "a b"));
  EXPECT_TRUE(matches("a%2bb", "a+b"));
  EXPECT_TRUE(matches("a%2Ab", "a*b"));
  EXPECT_FALSE(matches("a%2Ab", "axb"));
  EXPECT_TRUE(matches("%c3%a9*", "\xc3\xa9t\xc3\xa9"));
  for (const char* bad : {"%", "%2", "%zz", "a%2"}) EXPECT_FALSE(Wildcard::parse(bad).has_value()) << bad;
}

Grant grant(Access access, const char* vhost, const char* name, const char* key = nullptr) {
  Grant made{access, *Wildcard::parse(vhost), *Wildcard::parse(name), std::nullopt};
  if (key != nullptr) made.routing_key = Wildcard::parse(key);
  return made;
}

TEST(Grants, count_in_place_of_what_the_definitions_say) {
  SmallNode node;
  const Grants grants({grant(Access::read, "%2F", "q*"), grant(Access::write, "%2F", "amq.*", "eu.*")});
  const Who who{"nobody knows her", &grants};
  const Topology& topology = node.topology;
  EXPECT_TRUE(topology.authorize_vhost(who, "/").has_value());
  EXPECT_TRUE(topology.authorize(who, "/", Access::read, "q1", DestinationKind::queue).has_value());
  EXPECT_TRUE(topology.authorize(who, "/", Access::write, "").has_value()) << "amq.default";
  EXPECT_EQ(
      error_of(topology.authorize(who, "/", Access::configure, "q1", DestinationKind::queue)),
      "access refused: configure access to queue 'q1' in vhost '/' refused for user 'nobody knows her'");
  EXPECT_TRUE(topology.authorize_topic({who, ""}, "/", Access::write, "amq.topic", "eu.de").has_value());
  EXPECT_EQ(error_of(topology.authorize_topic({who, ""}, "/", Access::write, "amq.topic", "us.ny")),
            "access refused: write access to topic 'us.ny' in exchange 'amq.topic' in vhost '/' refused for "
            "user 'nobody knows "
            "her'");
  EXPECT_TRUE(topology.authorize_topic({who, ""}, "/", Access::write, "amq.direct", "us.ny").has_value())
      << "no topics there";
  const Grants none({});
  EXPECT_EQ(error_of(topology.authorize_vhost({"ann", &none}, "/")),
            "access refused: access to vhost '/' refused for user 'ann'");
}

}  // namespace
}  // namespace weir::broker
