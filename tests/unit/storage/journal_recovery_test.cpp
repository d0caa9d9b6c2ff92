// Where the log ends after a crash: a torn tail is cut off, and what it leaves behind never comes back.
#include <gtest/gtest.h>

#include <string>

#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

constexpr std::size_t sectors_of_a_small_batch = batch_alignment / runtime::sim_sector_bytes;

// Two commits in flight, of one block each.
void begin_two_commits(Machine& machine, std::uint64_t first_seq, std::string_view payload) {
  for (std::uint64_t seq = first_seq; seq < first_seq + 2; ++seq) {
    machine.append(seq, payload);
    machine.journal->flush();
  }
  machine.disk->submit();
  ASSERT_EQ(machine.storage.sectors_in_flight(), 2 * sectors_of_a_small_batch);
}

// The power goes: of the two only the second one is on the disk.
void keep_only_the_second(Machine& machine) {
  std::vector<bool> persisted(2 * sectors_of_a_small_batch, false);
  std::fill(persisted.begin() + sectors_of_a_small_batch, persisted.end(), true);
  machine.storage.crash_with(persisted);
  machine.journal.reset();
  machine.disk.reset();
}

TEST(JournalRecovery, a_torn_last_batch_is_cut_off) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  machine.append(1, "kept");
  ASSERT_TRUE(machine.make_durable());
  machine.append(2, std::string(1500, 't'));
  machine.journal->flush();
  machine.disk->submit();
  std::vector<bool> persisted(machine.storage.sectors_in_flight(), true);
  persisted[2] = false;
  machine.storage.crash_with(persisted);
  ASSERT_TRUE(machine.boot());
  EXPECT_EQ(machine.seqs(), ascending(1, 1));
  EXPECT_EQ(machine.journal->recovery().torn_bytes, batch_alignment);
  EXPECT_TRUE(machine.replay.damages.empty());
  machine.append(2, "another");
  ASSERT_TRUE(machine.make_durable());
  ASSERT_TRUE(machine.reboot_after_power_off());
  ASSERT_EQ(machine.seqs(), ascending(1, 2));
  EXPECT_EQ(machine.replay.records[1].payload, "another");
}

TEST(JournalRecovery, a_whole_batch_behind_a_lost_one_is_not_replayed) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  machine.append(1, "kept");
  ASSERT_TRUE(machine.make_durable());
  begin_two_commits(machine, 2, "in flight");
  keep_only_the_second(machine);
  ASSERT_TRUE(machine.boot());
  EXPECT_EQ(machine.seqs(), ascending(1, 1));
  EXPECT_EQ(machine.journal->recovery().torn_bytes, 2 * batch_alignment);
}

TEST(JournalRecovery, an_old_batch_behind_the_end_is_not_joined_to_a_new_one_of_equal_size) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  begin_two_commits(machine, 1, "in flight");
  keep_only_the_second(machine);
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  // The same record at the same place: only the incarnation tells the batch behind it from its successor.
  machine.append(1, "in flight");
  ASSERT_TRUE(machine.make_durable());
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.seqs(), ascending(1, 1));
}

TEST(JournalRecovery, an_old_batch_stays_dead_through_crashes_that_wrote_nothing) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  begin_two_commits(machine, 1, "in flight");
  keep_only_the_second(machine);
  for (int crashes = 0; crashes < 4; ++crashes) {
    ASSERT_TRUE(machine.boot());
    ASSERT_TRUE(machine.settle_disk());
    EXPECT_TRUE(machine.replay.records.empty());
    begin_two_commits(machine, 1, "in flight");
    machine.storage.crash_with(std::vector<bool>(2 * sectors_of_a_small_batch, false));
    machine.journal.reset();
    machine.disk.reset();
  }
  ASSERT_TRUE(machine.boot());
  EXPECT_TRUE(machine.replay.records.empty());
}

// A torn batch whose missing sectors are later written by a batch that is torn too: together they are the first one.
TEST(JournalRecovery, two_torn_batches_that_complete_each_other_are_not_replayed) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  const std::string payload(1500, 'p');
  machine.append(1, payload);
  machine.journal->flush();
  machine.disk->submit();
  std::vector<bool> header_only(sectors_of_a_small_batch, false);
  header_only[0] = true;
  machine.storage.crash_with(header_only);
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  ASSERT_TRUE(machine.replay.records.empty());
  machine.append(1, payload);
  machine.journal->flush();
  machine.disk->submit();
  std::vector<bool> all_but_the_header(sectors_of_a_small_batch, true);
  all_but_the_header[0] = false;
  machine.storage.crash_with(all_but_the_header);
  ASSERT_TRUE(machine.boot());
  EXPECT_TRUE(machine.replay.records.empty());
}

// The tail that no header vouches for is written once more: it may have been in the machine's memory only.
TEST(JournalRecovery, what_is_found_behind_the_known_durable_end_is_made_durable) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  machine.append(1, "kept");
  ASSERT_TRUE(machine.make_durable());
  machine.power_off();
  const std::uint64_t before = machine.storage.writes_completed();
  ASSERT_TRUE(machine.boot());
  ASSERT_EQ(machine.seqs(), ascending(1, 1));
  constexpr std::uint64_t superblock_writes = 2;
  EXPECT_EQ(machine.storage.writes_completed() - before, superblock_writes + 1);
}

TEST(JournalRecovery, every_start_has_a_higher_incarnation) {
  Machine machine;
  for (std::uint32_t expected = 1; expected < 6; ++expected) {
    ASSERT_TRUE(machine.boot());
    EXPECT_EQ(machine.journal->recovery().incarnation, expected);
    machine.power_off();
  }
}

TEST(JournalRecovery, either_superblock_is_enough) {
  for (const char* name : {"data/shard-00/super.A", "data/shard-00/super.B"}) {
    Machine machine;
    ASSERT_TRUE(machine.boot());
    machine.append(1, "kept");
    ASSERT_TRUE(machine.make_durable());
    machine.power_off();
    ASSERT_TRUE(machine.storage.flip_bit(name, 30, 3));
    ASSERT_TRUE(machine.boot());
    EXPECT_EQ(machine.seqs(), ascending(1, 1));
    EXPECT_EQ(machine.journal->recovery().incarnation, 2U);
  }
}

TEST(JournalRecovery, without_a_valid_superblock_it_refuses) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  machine.power_off();
  ASSERT_TRUE(machine.storage.flip_bit("data/shard-00/super.A", 30, 3));
  ASSERT_TRUE(machine.storage.flip_bit("data/shard-00/super.B", 30, 3));
  ASSERT_FALSE(machine.boot());
  EXPECT_EQ(machine.open_error.code, ErrorCode::corrupt);
}

TEST(JournalRecovery, files_without_a_superblock_are_not_overwritten) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  machine.power_off();
  machine.disk = machine.storage.open_disk();
  ASSERT_TRUE(machine.disk->remove_now("data/shard-00/super.A").has_value());
  ASSERT_TRUE(machine.disk->remove_now("data/shard-00/super.B").has_value());
  ASSERT_FALSE(machine.boot());
  EXPECT_EQ(machine.open_error.code, ErrorCode::corrupt);
}

TEST(JournalRecovery, a_journal_whose_files_are_gone_is_not_taken_for_a_new_one) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  machine.append(1, "kept");
  ASSERT_TRUE(machine.make_durable());
  machine.power_off();
  machine.disk = machine.storage.open_disk();
  for (const std::string& path : machine.log_files()) ASSERT_TRUE(machine.disk->remove_now(path).has_value());
  ASSERT_FALSE(machine.boot());
  EXPECT_EQ(machine.open_error.code, ErrorCode::corrupt);
}

TEST(JournalRecovery, files_that_do_not_belong_to_the_log_go_to_lost_and_found) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  machine.append(1, "kept");
  ASSERT_TRUE(machine.make_durable());
  const std::vector<std::byte> strange(64U << 10, std::byte{'?'});
  ASSERT_TRUE(machine.disk->write_file_now("data/shard-00/j-00000000f0000000.log", strange).has_value());
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.seqs(), ascending(1, 1));
  EXPECT_EQ(machine.storage.contents("data/shard-00/lost+found/j-00000000f0000000.log"), strange);
  EXPECT_TRUE(machine.storage.contents("data/shard-00/j-00000000f0000000.log").empty());
}

TEST(JournalRecovery, another_journals_file_under_the_right_name_is_not_replayed) {
  Machine other(5, [] {
    JournalOptions options = small_options();
    options.random_seed = 99;
    return options;
  }());
  ASSERT_TRUE(other.boot());
  other.append(1, "of another shard");
  ASSERT_TRUE(other.make_durable());
  const std::vector<std::byte> foreign = other.storage.contents(other.log_files().front());

  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  const std::string path = machine.log_files().front();
  ASSERT_TRUE(machine.disk->write_file_now(path, foreign).has_value());
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_TRUE(machine.replay.records.empty());
}

TEST(JournalRecovery, a_body_that_looks_like_batches_is_not_taken_for_the_log) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  // What a client can know: places and incarnation, but not the journal's salt.
  std::vector<std::byte> body(24U << 10);
  for (std::uint64_t at = 0; at + batch_alignment <= body.size(); at += batch_alignment) {
    BatchHeader header;
    header.lsn = Lsn{at + batch_alignment};
    header.durable_lsn = header.lsn;
    header.bytes = batch_alignment;
    header.incarnation = 1;
    // The body begins behind both headers: shifted, it lies on the blocks.
    const std::size_t shift = batch_alignment - batch_header_bytes - record_header_bytes;
    if (at + shift + batch_header_bytes <= body.size()) encode_batch_header(header, body.data() + at + shift);
  }
  machine.append(1, as_text(body));
  machine.journal->flush();
  machine.disk->submit();
  std::vector<bool> persisted(machine.storage.sectors_in_flight(), true);
  persisted[0] = false;
  machine.storage.crash_with(persisted);
  ASSERT_TRUE(machine.boot());
  EXPECT_TRUE(machine.replay.records.empty());
  EXPECT_TRUE(machine.replay.damages.empty());
}

TEST(JournalRecovery, a_disk_that_does_not_answer_is_not_a_log_that_ends) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  machine.append(1, "kept");
  ASSERT_TRUE(machine.make_durable());
  machine.power_off();
  auto dead = machine.storage.open_disk();
  machine.storage.crash();
  const auto opened = Journal::open(*dead, machine.options, machine.replay, machine.events);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::io_error);
}

}  // namespace
}  // namespace weir::storage
