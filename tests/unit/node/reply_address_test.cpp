#include "node/reply_address.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace weir::node {

TEST(ReplyAddress, survives_its_way_as_a_routing_key) {
  const ReplyAddress made = make_reply_address(SessionId{0x0003'0000'0000'0007});
  const std::string key = reply_key_of(made);
  EXPECT_EQ(key.size(), reply_queue.size() + 1 + 32);
  EXPECT_TRUE(is_reply_key(key));
  const auto parsed = parse_reply_key(key);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->session, made.session);
  EXPECT_TRUE(same_secret(*parsed, made));
}

TEST(ReplyAddress, is_never_made_twice) {
  std::set<std::string> keys;
  for (int i = 0; i < 1'000; ++i) keys.insert(reply_key_of(make_reply_address(SessionId{1})));
  EXPECT_EQ(keys.size(), 1'000U);
}

TEST(ReplyAddress, what_is_not_of_its_form_is_nobodys) {
  const std::string key = reply_key_of(make_reply_address(SessionId{1}));
  const std::string not_base64 = key.substr(0, key.size() - 1) + "*";
  const std::string padded = key.substr(0, key.size() - 1) + "=";
  const std::string with_nul = key.substr(0, key.size() - 1) + std::string(1, '\0');
  for (const std::string& bad :
       {std::string("amq.rabbitmq.reply-to"), std::string("amq.rabbitmq.reply-to."), key.substr(1),
        key.substr(0, key.size() - 1), key + "A", not_base64, padded, with_nul, std::string("orders")}) {
    EXPECT_FALSE(parse_reply_key(bad).has_value()) << bad;
  }
  EXPECT_FALSE(is_reply_key("amq.rabbitmq.reply-to"));
  EXPECT_FALSE(is_reply_key("amq.rabbitmq.reply-tox"));
}

}  // namespace weir::node
