#include "broker/queue_index.h"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.h"

namespace weir::broker {

namespace {

Entry entry_of(std::uint64_t reference) { return Entry(reference, false); }

}  // namespace

TEST(Entry, holds_reference_state_and_marks_apart) {
  Entry entry((std::uint64_t{1} << 60) - 1, true);
  EXPECT_EQ(entry.reference(), (std::uint64_t{1} << 60) - 1);
  EXPECT_EQ(entry.state(), EntryState::ready);
  EXPECT_TRUE(entry.transient());
  EXPECT_FALSE(entry.redelivered());
  entry.set_state(EntryState::out);
  entry.set_redelivered();
  EXPECT_EQ(entry.state(), EntryState::out);
  EXPECT_TRUE(entry.redelivered());
  EXPECT_TRUE(entry.transient());
  EXPECT_EQ(entry.reference(), (std::uint64_t{1} << 60) - 1);
  EXPECT_EQ(Entry().state(), EntryState::gone);
}

TEST(QueueIndex, is_empty_at_first) {
  QueueIndex index;
  Seq found;
  EXPECT_EQ(index.end(), Seq{0});
  EXPECT_EQ(index.live(), 0U);
  EXPECT_EQ(index.find(Seq{0}), nullptr);
  EXPECT_FALSE(index.next_live(Seq{0}, index.end(), found));
}

TEST(QueueIndex, finds_what_was_appended_until_it_is_erased) {
  QueueIndex index;
  index.append(Seq{0}, entry_of(7));
  index.append(Seq{1}, entry_of(8));
  ASSERT_NE(index.find(Seq{1}), nullptr);
  EXPECT_EQ(index.find(Seq{1})->reference(), 8U);
  index.erase(Seq{1});
  EXPECT_EQ(index.find(Seq{1}), nullptr);
  EXPECT_EQ(index.end(), Seq{2}) << "a seq is never given twice";
  EXPECT_EQ(index.live(), 1U);
}

TEST(QueueIndex, begins_with_any_seq_and_passes_gaps) {
  QueueIndex index;
  const Seq far{(std::uint64_t{1} << 40) + 3};
  index.append(far, entry_of(1));
  index.append(Seq{far.value + 5000}, entry_of(2));
  Seq found;
  ASSERT_TRUE(index.next_live(Seq{0}, index.end(), found));
  EXPECT_EQ(found, far);
  ASSERT_TRUE(index.next_live(Seq{far.value + 1}, index.end(), found));
  EXPECT_EQ(found.value, far.value + 5000);
  EXPECT_FALSE(index.next_live(Seq{far.value + 1}, Seq{far.value + 5000}, found))
      << "the bound is not included";
}

TEST(QueueIndex, goes_on_after_skipped_seqs_whether_it_is_empty_or_not) {
  QueueIndex index;
  index.skip_to(Seq{100});
  EXPECT_EQ(index.end(), Seq{100});
  index.append(Seq{100}, entry_of(1));
  index.skip_to(Seq{2000});
  index.append(Seq{2000}, entry_of(2));
  EXPECT_EQ(index.find(Seq{100})->reference(), 1U);
  EXPECT_EQ(index.find(Seq{2000})->reference(), 2U);
  EXPECT_EQ(index.find(Seq{1500}), nullptr);
}

TEST(QueueIndex, can_be_emptied_and_filled_in_the_middle_of_a_chunk) {
  QueueIndex index;
  for (std::uint64_t seq = 0; seq < 3 * QueueIndex::chunk_entries; ++seq) {
    index.append(Seq{seq}, entry_of(seq));
    index.erase(Seq{seq});
    EXPECT_EQ(index.live(), 0U);
    EXPECT_EQ(index.begin(), index.end());
  }
}

TEST(QueueIndex, keeps_an_old_message_while_many_chunks_pass_by) {
  QueueIndex index;
  index.append(Seq{0}, entry_of(42));
  for (std::uint64_t seq = 1; seq < 200 * QueueIndex::chunk_entries; ++seq) {
    index.append(Seq{seq}, entry_of(seq));
    index.erase(Seq{seq});
  }
  EXPECT_EQ(index.live(), 1U);
  EXPECT_EQ(index.find(Seq{0})->reference(), 42U);
  Seq found;
  EXPECT_FALSE(index.next_live(Seq{1}, index.end(), found));
}

// Against a map: appends, gaps, skips, erasures in any order, and walks.
TEST(QueueIndex, is_a_map_in_all_that_can_be_seen) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Rng rng(seed);
    QueueIndex index;
    std::map<std::uint64_t, std::uint64_t> model;
    std::uint64_t end = 0;
    const std::uint64_t erase_weight = 1 + rng.below(9);
    const bool oldest_first = rng.chance(1, 2);
    for (int step = 0; step < 8000; ++step) {
      const std::uint64_t dice = rng.below(10 + erase_weight);
      if (dice < 9) {
        if (rng.chance(1, 50)) end += rng.chance(1, 4) ? rng.below(1ULL << 40) : rng.below(3000);
        index.append(Seq{end}, entry_of(end * 3));
        model[end] = end * 3;
        ++end;
      } else if (dice == 9 && rng.chance(1, 30)) {
        end += rng.below(5000);
        index.skip_to(Seq{end});
      } else if (!model.empty()) {
        auto victim = model.begin();
        if (!oldest_first) {
          const std::uint64_t span = model.rbegin()->first - victim->first + 1;
          victim = model.lower_bound(victim->first + rng.below(span));
        }
        index.erase(Seq{victim->first});
        ASSERT_EQ(index.find(Seq{victim->first}), nullptr);
        model.erase(victim);
      }
      ASSERT_EQ(index.live(), model.size());
      ASSERT_EQ(index.end().value, end);
      if (!model.empty()) {
        ASSERT_LE(index.begin().value, model.begin()->first);
      }
      std::uint64_t from = rng.below(end + 1);
      if (const auto near = model.lower_bound(from); near != model.end() && rng.chance(3, 4))
        from = near->first - std::min(near->first, rng.below(2000));
      const std::uint64_t until = from + rng.below(2000);
      const auto expected = model.lower_bound(from);
      Seq found;
      const bool any = index.next_live(Seq{from}, Seq{until}, found);
      ASSERT_EQ(any, expected != model.end() && expected->first < until)
          << "seed " << seed << " step " << step;
      if (any) {
        ASSERT_EQ(found.value, expected->first);
        ASSERT_EQ(index.find(found)->reference(), expected->second);
      }
    }
  }
}

TEST(QueueIndex, chunks_that_nobody_looks_at_are_packed_and_come_back_as_they_were) {
  QueueIndex index;
  constexpr std::uint64_t count = QueueIndex::chunk_entries * 100;
  for (std::uint64_t i = 0; i < count; ++i) index.append(Seq{i}, entry_of(i * 3));
  EXPECT_EQ(index.packed_chunks(), 100 - QueueIndex::loose_chunks);
  for (std::uint64_t i = 0; i < count; i += 777) EXPECT_EQ(index.find(Seq{i})->reference(), i * 3);
  EXPECT_EQ(index.packed_chunks(), 100 - QueueIndex::loose_chunks);

  // From the middle, so that the front stays.
  for (std::uint64_t i = count / 2; i < count; ++i) index.erase(Seq{i});
  Seq found;
  ASSERT_TRUE(index.next_live(Seq{0}, index.end(), found));
  EXPECT_EQ(found, Seq{0});
  EXPECT_FALSE(index.next_live(Seq{count / 2}, index.end(), found));
  for (std::uint64_t i = 0; i < count / 2; ++i) index.erase(Seq{i});
  EXPECT_EQ(index.packed_chunks(), 0U);
  EXPECT_EQ(index.live(), 0U);
}

TEST(QueueIndex, what_is_out_keeps_its_chunk_as_it_is) {
  QueueIndex index;
  for (std::uint64_t i = 0; i < QueueIndex::chunk_entries * 50; ++i) {
    index.append(Seq{i}, entry_of(i));
    if (i == 10) index.find(Seq{i})->set_state(EntryState::out);
  }
  EXPECT_EQ(index.packed_chunks(), 50 - QueueIndex::loose_chunks - 1);
  EXPECT_EQ(index.find(Seq{10})->state(), EntryState::out);
}

TEST(QueueIndex, few_that_are_left_here_and_there_are_packed_too) {
  QueueIndex index;
  constexpr std::uint64_t count = QueueIndex::chunk_entries * 200;
  for (std::uint64_t i = 0; i < count; ++i) {
    index.append(Seq{i}, entry_of(i));
    if (i >= 1000 && (i - 1000) % 256 != 0) index.erase(Seq{i - 1000});
  }
  EXPECT_GE(index.packed_chunks(), 170U);
  Seq at{0};
  for (std::uint64_t i = 0; i < count - 2000; i += 256, ++at.value) {
    ASSERT_TRUE(index.next_live(at, index.end(), at));
    EXPECT_EQ(at, Seq{i});
  }
}

}  // namespace weir::broker
