// Writes that fail: the end of the journal, told once, and nothing is confirmed after it.
#include <gtest/gtest.h>

#include <string>

#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

TEST(JournalFailure, a_failed_write_is_final_and_told_once) {
  Machine machine;
  runtime::SimFaults faults;
  faults.write_error_one_in = 1;
  ASSERT_TRUE(machine.boot(faults));
  machine.append(1, "lost");
  ASSERT_TRUE(machine.run_until([&] { return machine.events.failed; }));
  const Lsn durable = machine.journal->durable();
  for (std::uint64_t seq = 2; seq < 500; ++seq) {
    machine.append(seq, std::string(1000, '.'));
    machine.turn();
  }
  EXPECT_EQ(machine.journal->durable(), durable);
  EXPECT_EQ(machine.events.times, 0);
  machine.journal->write_mark();
  machine.journal->tend();
  machine.journal->reclaim(Lsn{UINT64_MAX}, Seq{});
  EXPECT_FALSE(machine.journal->close_clean().has_value());
}

TEST(JournalFailure, a_short_write_is_as_final) {
  Machine machine;
  runtime::SimFaults faults;
  faults.short_write_one_in = 1;
  ASSERT_TRUE(machine.boot(faults));
  machine.append(1, "lost");
  ASSERT_TRUE(machine.run_until([&] { return machine.events.failed; }));
  EXPECT_EQ(machine.events.times, 0);
}

TEST(JournalFailure, after_a_failure_the_next_start_finds_all_that_was_confirmed) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Machine machine(seed);
    runtime::SimFaults faults;
    faults.write_error_one_in = 12;
    faults.short_write_one_in = 30;
    ASSERT_TRUE(machine.boot(faults));
    std::vector<Lsn> ends;
    for (std::uint64_t seq = 1; seq <= 400 && !machine.events.failed; ++seq) {
      machine.append(seq, std::string(700, 'x'));
      ends.push_back(machine.journal->end());
      machine.turn();
    }
    std::size_t confirmed = 0;
    while (confirmed < ends.size() && ends[confirmed] <= machine.events.durable) ++confirmed;
    ASSERT_TRUE(seed % 2 == 0 ? machine.reboot_after_power_off() : machine.boot());
    const std::vector<std::uint64_t> seqs = machine.seqs();
    EXPECT_EQ(seqs, ascending(1, seqs.size()));
    EXPECT_GE(seqs.size(), confirmed);
    EXPECT_LE(seqs.size(), ends.size());
    EXPECT_TRUE(machine.replay.damages.empty());
  }
}

TEST(JournalFailure, a_superblock_that_can_not_be_written_ends_the_journal) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.boot());
    for (std::uint64_t seq = 1; seq <= 300; ++seq) machine.append(seq, std::string(1000, '.'));
    ASSERT_TRUE(machine.make_durable());
    runtime::SimFaults faults;
    faults.write_error_one_in = 1;
    ASSERT_TRUE(machine.boot(faults));
    machine.journal->tend();
    machine.journal->reclaim(Lsn{UINT64_MAX}, Seq{});
    ASSERT_TRUE(machine.run_until([&] { return machine.events.failed; }));
    ASSERT_TRUE(machine.reboot_after_power_off());
    const std::vector<std::uint64_t> seqs = machine.seqs();
    EXPECT_TRUE(machine.replay.damages.empty());
    if (!seqs.empty()) EXPECT_EQ(seqs.back(), 300U);
  }
}

}  // namespace
}  // namespace weir::storage
