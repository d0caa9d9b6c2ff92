#include "cli/order_book.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

void bring_through(OrderBook& book, std::uint32_t order) {
  book.published(order);
  book.confirmed(order);
  book.commit(book.order_text(order), false);
}

TEST(OrderBook, a_rush_in_which_all_came_through_is_well) {
  OrderBook book(3, 7);
  for (std::uint32_t order = 0; order < 3; ++order) bring_through(book, order);
  EXPECT_TRUE(book.verdict().ok());
  EXPECT_EQ(verdict_text(book.verdict()), "3 in, 3 out, 0 lost\n");
}

TEST(OrderBook, what_was_confirmed_and_never_came_is_lost_and_named) {
  OrderBook book(4, 7);
  for (std::uint32_t order = 0; order < 4; ++order) book.published(order), book.confirmed(order);
  book.commit(book.order_text(0), false);
  book.commit(book.order_text(2), false);
  const RushVerdict verdict = book.verdict();
  EXPECT_FALSE(verdict.ok());
  EXPECT_EQ(verdict.lost, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(verdict_text(verdict), "4 in, 2 out, 2 lost\nlost orders: 1, 3\n");
  EXPECT_NE(verdict_json(verdict, 1).find(R"("lost":[1,3])"), std::string::npos);
}

TEST(OrderBook, an_order_that_was_never_confirmed_is_told_and_is_no_loss) {
  OrderBook book(1, 7);
  book.published(0);
  EXPECT_FALSE(book.verdict().ok());
  EXPECT_EQ(verdict_text(book.verdict()), "0 in, 0 out, 0 lost\n1 of 1 orders were never confirmed\n");
}

TEST(OrderBook, an_order_that_comes_again_as_redelivered_changes_nothing) {
  OrderBook book(1, 7);
  bring_through(book, 0);
  book.commit(book.order_text(0), true);
  EXPECT_TRUE(book.verdict().ok());
  EXPECT_EQ(book.verdict().again, 1U);
}

TEST(OrderBook, a_double_that_nobody_can_explain_is_a_fault_unless_the_broker_crashed) {
  OrderBook book(2, 7);
  bring_through(book, 0);
  bring_through(book, 1);
  book.commit(book.order_text(0), false);
  RushVerdict verdict = book.verdict();
  EXPECT_FALSE(verdict.ok());
  verdict.broker_restarted = true;
  EXPECT_TRUE(verdict.ok());
}

TEST(OrderBook, an_order_that_was_published_twice_may_come_twice) {
  OrderBook book(1, 7);
  book.published(0);
  bring_through(book, 0);
  book.commit(book.order_text(0), false);
  EXPECT_TRUE(book.verdict().ok());
}

TEST(OrderBook, another_rushs_order_and_a_changed_one_are_strange) {
  OrderBook book(1, 7);
  bring_through(book, 0);
  book.commit(OrderBook(1, 8).order_text(0), false);
  book.commit(book.order_text(0) + " ", false);
  book.commit("", false);
  book.commit(R"({"order":99999999999999})", false);
  EXPECT_EQ(book.verdict().strange, 4U);
  EXPECT_FALSE(book.verdict().ok());
}

}  // namespace
}  // namespace weir::cli
