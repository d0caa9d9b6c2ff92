#include "broker/dedup_window.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/rng.h"

namespace weir::broker {
namespace {

DedupWindow::Seen seen(std::uint64_t number, std::uint64_t at_ms, Lsn lsn = Lsn{1}) {
  return {dedup_id(std::to_string(number)), Seq{number}, at_ms, lsn};
}

TEST(DedupId, is_siphash_of_the_text) {
  // The reference's vectors: key 00 … 0f, text 00 … (n - 1).
  EXPECT_EQ(dedup_id(std::string_view()), (DedupId{0xe6a825ba047f81a3ULL, 0x930255c71472f66dULL}));
  std::string text;
  for (char c = 0; c < 15; ++c) text += c;
  EXPECT_EQ(dedup_id(text), (DedupId{0x11a8b03399e99354ULL, 0xd9c3cf970fec087eULL}));
}

TEST(DedupId, of_numbers_and_texts_that_read_alike_is_the_same) {
  EXPECT_EQ(dedup_id(Value{std::int64_t{42}}), dedup_id(Value{std::string("42")}));
  EXPECT_FALSE(dedup_id("a") == dedup_id("b"));
}

TEST(DedupWindow, knows_an_id_for_so_long) {
  DedupWindow window(1'000, 100);
  window.add(seen(1, 50'000));
  EXPECT_TRUE(window.contains(dedup_id("1"), 50'000));
  EXPECT_TRUE(window.contains(dedup_id("1"), 50'999));
  EXPECT_FALSE(window.contains(dedup_id("2"), 50'999));
  EXPECT_FALSE(window.contains(dedup_id("1"), 51'000));
  EXPECT_EQ(window.size(), 0U);
}

TEST(DedupWindow, knows_so_many_ids) {
  DedupWindow window(0, 3);
  for (std::uint64_t i = 1; i <= 4; ++i) window.add(seen(i, 0));
  EXPECT_FALSE(window.contains(dedup_id("1"), 0));
  for (std::uint64_t i = 2; i <= 4; ++i)
    EXPECT_TRUE(window.contains(dedup_id(std::to_string(i)), 1'000'000'000));
}

TEST(DedupWindow, an_id_that_comes_again_counts_from_then_on) {
  DedupWindow window(1'000, 100);
  window.add(seen(1, 0));
  EXPECT_FALSE(window.contains(dedup_id("1"), 1'500));
  window.add({dedup_id("1"), Seq{2}, 1'500, Lsn{1}});
  EXPECT_TRUE(window.contains(dedup_id("1"), 2'400));
  EXPECT_FALSE(window.contains(dedup_id("1"), 2'500));
}

TEST(DedupWindow, does_not_mind_a_clock_that_goes_back) {
  DedupWindow window(1'000, 100);
  window.add(seen(1, 10'000));
  window.add(seen(2, 5'000));
  EXPECT_TRUE(window.contains(dedup_id("1"), 5'000));
  EXPECT_FALSE(window.contains(dedup_id("2"), 6'000));
  EXPECT_TRUE(window.contains(dedup_id("1"), 6'000));
}

TEST(DedupWindow, agrees_with_a_simple_model) {
  Rng rng(7);
  DedupWindow window(5'000, 2'000);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> order;  // number, time
  std::uint64_t now = 1'000'000, seq = 0;
  for (int step = 0; step < 40'000; ++step) {
    now += rng.below(6);
    const std::uint64_t number = rng.below(4'000);
    bool known = false;
    const std::size_t first = order.size() > 2'000 ? order.size() - 2'000 : 0;
    for (std::size_t i = order.size(); i > first && !known; --i) {
      if (order[i - 1].second + 5'000 <= now) break;
      known = order[i - 1].first == number;
    }
    ASSERT_EQ(window.contains(dedup_id(std::to_string(number)), now), known) << step;
    if (known) continue;
    window.add({dedup_id(std::to_string(number)), Seq{++seq}, now, Lsn{seq}});
    order.emplace_back(number, now);
  }
  EXPECT_LE(window.size(), 2'000U);
  EXPECT_LT(window.bytes(), 2'000U * 24 + 4'096U * 4 + 1);
}

TEST(DedupWindow, learns_in_any_order_and_twice) {
  DedupWindow window(0, 3);
  for (const std::uint64_t i : {4, 2, 2, 3, 1, 4}) window.learn(seen(i, i));
  window.learned();
  EXPECT_EQ(window.size(), 3U);
  EXPECT_FALSE(window.contains(dedup_id("1"), 9));
  EXPECT_TRUE(window.contains(dedup_id("2"), 9));
}

TEST(DedupWindow, is_written_again_and_read_back) {
  DedupWindow window(60'000, 100'000);
  for (std::uint64_t i = 0; i < 5'000; ++i) window.add(seen(i, 100'000 + i, Lsn{1'000 + i}));
  EXPECT_EQ(window.oldest(Lsn{9'000}, 105'000), Lsn{1'000});
  DedupWindow again(60'000, 100'000);
  std::size_t records = 0;
  const auto write = [&](Seq, Bytes payload) {
    ++records;
    EXPECT_TRUE(DedupWindow::decode_block(payload, [&](DedupWindow::Seen one) {
      one.lsn = Lsn{10'000};
      again.learn(one);
    }));
    return DedupWindow::Written{Lsn{10'000}, Lsn{20'000}};
  };
  window.renew(Lsn{9'000}, Lsn{9'000}, write);
  EXPECT_EQ(records, 5U);
  EXPECT_EQ(window.oldest(Lsn{19'999}, 105'000), Lsn{1'000}) << "what is not durable does not count";
  window.renew(Lsn{9'000}, Lsn{19'999}, write);
  EXPECT_EQ(records, 5U) << "once is enough";
  EXPECT_EQ(window.oldest(Lsn{20'000}, 105'000), Lsn{10'000});
  again.learned();
  EXPECT_EQ(again.size(), 5'000U);
  for (std::uint64_t i = 0; i < 5'000; ++i)
    ASSERT_TRUE(again.contains(dedup_id(std::to_string(i)), 160'000 - 1)) << i;
  EXPECT_FALSE(again.contains(dedup_id("0"), 160'000));
}

TEST(DedupWindow, that_is_in_memory_only_needs_no_journal) {
  DedupWindow window(1'000, 100);
  window.add({dedup_id("a"), Seq{1}, 1'000});
  EXPECT_EQ(window.oldest(Lsn{0}, 1'000), Lsn{UINT64_MAX});
}

TEST(DedupWindow, is_written_in_this_form) {
  DedupWindow window(1'000, 100);
  window.add({{0x0102030405060708ULL, 0x1112131415161718ULL}, Seq{5}, 7, Lsn{1}});
  window.add({{1, 2}, Seq{8}, 9, Lsn{1}});
  std::vector<unsigned> written;
  window.renew(Lsn{2}, Lsn{2}, [&](Seq first, Bytes payload) {
    EXPECT_EQ(first, Seq{5});
    for (const std::byte byte : payload) written.push_back(static_cast<unsigned>(byte));
    return DedupWindow::Written{Lsn{2}, Lsn{3}};
  });
  EXPECT_EQ(written, (std::vector<unsigned>{5,  0,  0,  0,  0,  0,  0,  0,  7, 0, 0, 0, 0, 0, 0, 0,  //
                                            8,  7,  6,  5,  4,  3,  2,  1,                           //
                                            24, 23, 22, 21, 20, 19, 18, 17,                          //
                                            0,  0,  0,  0,  0,  0,  0,  0,                           //
                                            1,  0,  0,  0,  0,  0,  0,  0,                           //
                                            2,  0,  0,  0,  0,  0,  0,  0,                           //
                                            3,  0,  0,  0,  2,  0,  0,  0}));
}

TEST(DedupWindow, refuses_what_is_not_a_block) {
  const std::vector<std::byte> bytes(41);
  EXPECT_FALSE(DedupWindow::decode_block(bytes, [](const DedupWindow::Seen&) { FAIL(); }));
  EXPECT_FALSE(DedupWindow::decode_block(Bytes(bytes).first(8), [](const DedupWindow::Seen&) { FAIL(); }));
  EXPECT_TRUE(DedupWindow::decode_block(Bytes(bytes).first(16), [](const DedupWindow::Seen&) { FAIL(); }));
}

}  // namespace
}  // namespace weir::broker
