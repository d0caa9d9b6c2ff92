#include "protocol/mqtt/subscriptions.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace weir::mqtt {

TEST(SubscriptionSet, finds_the_same_few_or_many) {
  SubscriptionSet set;
  for (std::uint32_t i = 1; i <= 40; ++i) {
    Subscribed one;
    one.filter = "a/" + std::to_string(i);
    one.id = i;
    set.put(one);
    one.filter = "+/" + std::to_string(i) + "/#";
    one.qos = 2;
    one.id = 100 + i;
    set.put(one);
    for (std::uint32_t at = 1; at <= i; ++at) {
      std::vector<std::uint32_t> ids;
      const Handing handing = set.match("a/" + std::to_string(at), false, ids);
      std::sort(ids.begin(), ids.end());
      EXPECT_EQ(ids, (std::vector<std::uint32_t>{at, 100 + at}));
      EXPECT_TRUE(handing.wanted);
      EXPECT_EQ(handing.qos, 2);
    }
  }
  for (std::uint32_t i = 40; i >= 1; --i) {
    set.remove("+/" + std::to_string(41 - i) + "/#");
    EXPECT_EQ(set.find("+/" + std::to_string(41 - i) + "/#"), nullptr);
    std::vector<std::uint32_t> ids;
    EXPECT_EQ(set.match("a/" + std::to_string(i), false, ids).qos, i > 41 - i ? 2 : 0);
    EXPECT_EQ(set.find("a/" + std::to_string(i))->id, i);
  }
  EXPECT_EQ(set.size(), 40U);
}

}  // namespace weir::mqtt
