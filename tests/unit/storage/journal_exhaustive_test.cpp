// Few batches, and every outcome of every sector that was in flight: the small model in full.
#include <gtest/gtest.h>

#include <string>

#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

struct Outcome {
  std::uint64_t branches = 0;
  std::uint64_t kept_records[4] = {};
};

// Of the sectors in flight those in `varied` take every combination; the others are lost.
Outcome explore(const Machine& machine, const std::vector<std::size_t>& varied, std::uint64_t durable_records,
                const std::vector<std::string>& payloads) {
  Outcome outcome;
  const std::size_t sectors = machine.storage.sectors_in_flight();
  for (std::uint64_t combination = 0; combination < 1ULL << varied.size(); ++combination) {
    const auto branch = machine.storage.clone(combination);
    std::vector<bool> persisted(sectors, false);
    for (std::size_t i = 0; i < varied.size(); ++i) persisted[varied[i]] = (combination >> i & 1) != 0;
    branch->crash_with(persisted);
    std::vector<Replayed> before;
    // The second time finds what the first one left.
    for (int times = 0; times < 2; ++times) {
      const auto disk = branch->open_disk();
      ReplayWitness replay;
      EventsWitness events;
      const auto journal = Journal::open(*disk, machine.options, replay, events);
      EXPECT_TRUE(journal.has_value());
      EXPECT_TRUE(replay.damages.empty()) << combination;
      EXPECT_GE(replay.records.size(), durable_records) << combination;
      EXPECT_LE(replay.records.size(), payloads.size()) << combination;
      for (std::size_t i = 0; i < replay.records.size(); ++i) {
        EXPECT_EQ(replay.records[i].seq, i + 1);
        EXPECT_EQ(replay.records[i].payload, payloads[i]);
      }
      if (times == 1) EXPECT_EQ(replay.records, before);
      before = replay.records;
      branch->crash();
    }
    ++outcome.branches;
    ++outcome.kept_records[before.size()];
    if (::testing::Test::HasFailure()) break;
  }
  return outcome;
}

// One durable batch, two in flight; each of the two has content in its first three sectors.
TEST(JournalExhaustive, two_batches_in_flight_with_every_sector_old_or_new) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  const std::vector<std::string> payloads{std::string(900, 'a'), std::string(1100, 'b'),
                                          std::string(1300, 'c')};
  machine.append(1, payloads[0]);
  ASSERT_TRUE(machine.make_durable());
  for (std::uint64_t seq = 2; seq <= 3; ++seq) {
    machine.append(seq, payloads[seq - 1]);
    machine.journal->flush();
  }
  machine.disk->submit();
  ASSERT_EQ(machine.storage.sectors_in_flight(), 16U);
  const Outcome outcome = explore(machine, {0, 1, 2, 3, 8, 9, 10, 11}, 1, payloads);
  EXPECT_EQ(outcome.branches, 256U);
  EXPECT_EQ(outcome.kept_records[3], 4U)
      << "whole batches in both, with either content of the zeros behind them";
  EXPECT_EQ(outcome.kept_records[2], 2U * (16U - 2U));
  EXPECT_EQ(outcome.kept_records[1], 256U - 32U);
}

// The same on top of what two earlier crashes left behind at the same places.
TEST(JournalExhaustive, over_the_remains_of_earlier_incarnations) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  const std::string payload(1100, 'p');
  machine.append(1, payload);
  ASSERT_TRUE(machine.make_durable());
  for (int crashes = 0; crashes < 2; ++crashes) {
    for (std::uint64_t seq = 2; seq <= 3; ++seq) {
      machine.append(seq, std::string(1100, static_cast<char>('x' + crashes)));
      machine.journal->flush();
    }
    machine.disk->submit();
    std::vector<bool> persisted(16, true);
    persisted[crashes == 0 ? 0 : 1] = false;
    machine.storage.crash_with(persisted);
    ASSERT_TRUE(machine.boot());
    ASSERT_TRUE(machine.settle_disk());
    ASSERT_EQ(machine.seqs(), ascending(1, 1));
  }
  const std::vector<std::string> payloads{payload, std::string(1100, 'x'), std::string(1100, 'y')};
  for (std::uint64_t seq = 2; seq <= 3; ++seq) {
    machine.append(seq, payloads[seq - 1]);
    machine.journal->flush();
  }
  machine.disk->submit();
  const Outcome outcome = explore(machine, {0, 1, 2, 3, 8, 9, 10, 11}, 1, payloads);
  EXPECT_EQ(outcome.branches, 256U);
  EXPECT_GT(outcome.kept_records[3], 0U);
  EXPECT_GT(outcome.kept_records[1], 128U);
}

// The last batch of a file and the first of the next one in flight together, in a recycled file.
TEST(JournalExhaustive, across_the_border_of_two_files) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  std::vector<std::string> payloads;
  const std::uint64_t file_bytes = machine.options.first_file_bytes;
  payloads.push_back(std::string(file_bytes / 4, 'f'));
  machine.append(1, payloads[0]);
  ASSERT_TRUE(machine.make_durable());
  payloads.push_back(std::string(file_bytes - machine.journal->durable().value - batch_alignment, 'e'));
  machine.append(2, payloads[1]);
  ASSERT_TRUE(machine.make_durable());
  const std::uint64_t rest = file_bytes - machine.journal->durable().value;
  ASSERT_LE(rest, batch_alignment);
  payloads.push_back(std::string(5000, 'n'));
  machine.append(3, payloads[2]);
  machine.journal->flush();
  machine.disk->submit();
  std::vector<std::size_t> varied;
  for (std::size_t sector = 0; sector < std::min<std::size_t>(machine.storage.sectors_in_flight(), 12);
       ++sector) {
    varied.push_back(sector);
  }
  ASSERT_GE(varied.size(), 8U);
  const Outcome outcome = explore(machine, varied, 2, payloads);
  EXPECT_GT(outcome.kept_records[2], 0U);
}

}  // namespace
}  // namespace weir::storage
