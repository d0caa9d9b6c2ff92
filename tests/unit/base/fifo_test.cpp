#include "base/fifo.h"

#include <gtest/gtest.h>

#include <memory>

namespace weir {

TEST(Fifo, gives_in_order_what_was_put_in) {
  Fifo<std::unique_ptr<int>> fifo;
  int in = 0, out = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 7; ++i) fifo.push_back(std::make_unique<int>(in++));
    EXPECT_EQ(*fifo.back(), in - 1);
    for (int i = 0; i < 5; ++i, fifo.pop_front()) EXPECT_EQ(*fifo.front(), out++);
  }
  EXPECT_EQ(fifo.size(), 100U);
  int seen = out;
  fifo.for_each([&](const std::unique_ptr<int>& one) { EXPECT_EQ(*one, seen++); });
  while (!fifo.empty()) {
    EXPECT_EQ(*fifo[0], out++);
    fifo.pop_front();
  }
  EXPECT_EQ(out, in);
}

TEST(Fifo, keeps_nothing_of_what_has_left) {
  Fifo<std::shared_ptr<int>> fifo;
  const auto one = std::make_shared<int>(1);
  fifo.push_back(one);
  fifo.pop_front();
  EXPECT_EQ(one.use_count(), 1);
  fifo.push_back(one);
  fifo.clear();
  EXPECT_EQ(one.use_count(), 1);
  EXPECT_TRUE(fifo.empty());
}

}  // namespace weir
