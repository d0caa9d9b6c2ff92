// The files are read again while the journal works, and what does not hold its checksum is told once.
#include "storage/scrubber.h"

#include <gtest/gtest.h>

#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

JournalOptions options_with_scrubber() {
  JournalOptions options = small_options();
  options.scrub_bytes_per_second = 8U << 20;
  return options;
}

class ScrubberOfJournal : public ::testing::Test {
 protected:
  ScrubberOfJournal() : machine(1, options_with_scrubber()) { EXPECT_TRUE(machine.boot()); }

  void fill(std::uint64_t count, std::size_t bytes) {
    for (std::uint64_t seq = 1; seq <= count; ++seq) {
      locations.push_back(machine.append(seq, std::string(bytes, static_cast<char>('a' + seq % 26))));
      machine.journal->retain(locations.back());
      if (seq % 20 == 0) ASSERT_TRUE(machine.make_durable());
    }
    ASSERT_TRUE(machine.make_durable());
    ASSERT_TRUE(machine.settle_disk());
  }
  bool pass() {
    const std::uint64_t passes = machine.journal->stats().scrub_passes;
    machine.clock.advance_ms(600'000);
    return machine.run_until([&] {
      machine.clock.advance_ms(100);
      machine.journal->tend();
      return machine.journal->stats().scrub_passes > passes;
    });
  }
  void flip(std::size_t index, std::uint64_t byte) {
    ASSERT_TRUE(
        machine.storage.flip_bit(machine.file_of(locations[index]), locations[index].offset() + byte, 2));
  }
  std::uint64_t findings() const { return machine.journal->stats().scrub_findings; }

  Machine machine;
  std::vector<Location> locations;
};

TEST_F(ScrubberOfJournal, reads_every_file_that_is_full_and_finds_nothing_in_whole_ones) {
  fill(600, 1500);
  ASSERT_TRUE(pass());
  EXPECT_EQ(findings(), 0U);
  std::uint64_t full = 0;
  for (const std::string& file : machine.log_files()) {
    if (file != machine.file_of(locations.back()) && file < machine.file_of(locations.back()))
      full += machine.storage.contents(file).size();
  }
  EXPECT_GE(machine.journal->stats().scrubbed_bytes, full);
}

TEST_F(ScrubberOfJournal, a_wrong_bit_is_found_once_wherever_it_is) {
  fill(600, 1500);
  std::size_t index = 50;
  for (const std::uint64_t byte : {2U, 6U, 9U, 30U, 900U}) {
    const std::uint64_t before = findings();
    flip(++index, byte);
    ASSERT_TRUE(pass());
    EXPECT_EQ(findings(), before + 1) << byte;
    ASSERT_TRUE(pass());
    EXPECT_EQ(findings(), before + 1) << "told once";
    flip(index, byte);
  }
}

TEST_F(ScrubberOfJournal, a_batch_without_its_header_is_found_and_what_is_behind_it_is_read) {
  fill(600, 1500);
  const std::uint64_t begin = locations[20].offset() / batch_alignment * batch_alignment;
  ASSERT_TRUE(machine.storage.flip_bit(machine.file_of(locations[20]), begin + 3, 1));
  flip(100, 500);
  ASSERT_TRUE(pass());
  EXPECT_EQ(findings(), 2U);
}

TEST_F(ScrubberOfJournal, a_record_larger_than_what_is_read_at_a_time_is_checked) {
  fill(20, 1500);
  const Location large = machine.append(21, std::string(600'000, 'x'));
  machine.journal->retain(large);
  locations.push_back(large);
  fill(600, 1500);
  ASSERT_TRUE(pass());
  EXPECT_EQ(findings(), 0U);
  flip(20, 555'555);
  ASSERT_TRUE(pass());
  EXPECT_EQ(findings(), 1U);
}

TEST_F(ScrubberOfJournal, reads_no_faster_than_it_may) {
  fill(600, 1500);
  machine.clock.advance_ms(600'000);
  const std::uint64_t begin_ns = machine.clock.monotonic_ns();
  const std::uint64_t before = machine.journal->stats().scrubbed_bytes;
  ASSERT_TRUE(machine.run_until([&] {
    machine.journal->tend();
    return machine.journal->stats().scrub_passes > 0;
  }));
  const std::uint64_t took_ms = (machine.clock.monotonic_ns() - begin_ns) / 1'000'000;
  const std::uint64_t bytes = machine.journal->stats().scrubbed_bytes - before;
  EXPECT_GT(bytes, 500'000U);
  EXPECT_GE((took_ms + 40) * (8U << 20) / 1000, bytes) << took_ms;
}

TEST_F(ScrubberOfJournal, reading_errors_are_findings_and_end_no_pass) {
  fill(600, 1500);
  machine.journal->flush_riding();
  ASSERT_TRUE(machine.settle_disk());
  runtime::SimFaults faults;
  faults.read_error_one_in = 1;
  ASSERT_TRUE(machine.reboot_after_power_off(faults));
  for (const Location location : machine.replay.locations) machine.journal->retain(location);
  ASSERT_TRUE(pass());
  EXPECT_GT(findings(), 0U);
}

}  // namespace
}  // namespace weir::storage
