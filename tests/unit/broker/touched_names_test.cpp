#include <gtest/gtest.h>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

using namespace std::string_literals;

Names touched(const Request& request) {
  Names names;
  touched_names(Topology(), request, names);
  return names;
}

TEST(TouchedNames, are_those_of_what_a_request_declares_or_deletes) {
  EXPECT_EQ(touched(DeclareExchange{.vhost = "v", .name = "x", .type = "direct", .arguments = {}}),
            Names{"x\0v\0x"s});
  EXPECT_EQ(touched(DeleteExchange{"v", "x"}), Names{"x\0v\0x"s});
  EXPECT_EQ(touched(DeleteQueue{"v", "q"}), Names{"q\0v\0q"s});
  EXPECT_EQ(touched(PutUserRequest{{.name = "u", .password_hash = {}, .tags = {}}}), Names{"u\0u"s});
  EXPECT_EQ(touched(DeleteUser{"u"}), Names{"u\0u"s});
  EXPECT_EQ(touched(DeletePermission{"u", "v"}), (Names{"u\0u"s, "v\0v"s}));
  EXPECT_EQ(
      touched(PutPermissionRequest{{.user = "u", .vhost = "v", .configure = {}, .write = {}, .read = {}}}),
      (Names{"u\0u"s, "v\0v"s}));
}

TEST(TouchedNames, of_a_declared_queue_hold_the_lane_of_its_id_unless_it_is_passive) {
  DeclareQueue request{.vhost = "v", .name = "q", .arguments = {}};
  EXPECT_EQ(touched(request), (Names{"q\0v\0q"s, "i\0"s + "63"}));
  request.durable = true;
  ASSERT_EQ(touched(request).size(), 2U);
  EXPECT_TRUE(touched(request)[1].starts_with("i\0"s));
  EXPECT_NE(touched(request)[1], "i\0"s + "63");
  request.exclusive = true;
  EXPECT_EQ(touched(request)[1], "i\0"s + "63");
  request.passive = true;
  EXPECT_EQ(touched(request), Names{"q\0v\0q"s});
}

TEST(TouchedNames, of_a_binding_are_both_ends_each_once_and_itself) {
  EXPECT_EQ(touched(Bind{SmallNode::binding("x", "q", "k")}),
            (Names{"sx\0/\0x"s, "sq\0/\0q"s, "b\0/\0x\0qq\0k"s}));
  EXPECT_EQ(touched(Bind{SmallNode::exchange_binding("x", "x")}), (Names{"sx\0/\0x"s, "b\0/\0x\0xx\0"s}));
  EXPECT_EQ(touched(Bind{SmallNode::binding("x", "x")}), (Names{"sx\0/\0x"s, "sq\0/\0x"s, "b\0/\0x\0qx\0"s}));
}

TEST(TouchedNames, of_an_unbinding_are_the_ends_for_itself_alone) {
  EXPECT_EQ(touched(Unbind{SmallNode::exchange_binding("x", "y")}), (Names{"x\0/\0x"s, "x\0/\0y"s}));
}

TEST(TouchedNames, of_a_whole_vhost_or_session_are_everything) {
  EXPECT_EQ(touched(PutVhostRequest{}), Names{"*"});
  EXPECT_EQ(touched(DeleteVhost{}), Names{"*"});
  EXPECT_EQ(touched(EndSession{}), Names{"*"});
  EXPECT_EQ(touched(AutoDeleteQueue{}), Names{"*"});
}

}  // namespace
}  // namespace weir::broker
