// The journal's files: recycling, the bounded pool, a full disk.
#include <gtest/gtest.h>

#include <string>

#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

// Appends, consumes and reclaims `count` records, `window` of them unconsumed at a time.
void stream_through(Machine& machine, std::uint64_t first, std::uint64_t count, std::size_t bytes,
                    std::size_t window) {
  std::vector<Location> live;
  std::size_t released = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    live.push_back(machine.append(first + i, std::string(bytes, static_cast<char>('a' + i % 26))));
    machine.journal->retain(live.back());
    if (i % 8 != 7) continue;
    ASSERT_TRUE(machine.make_durable());
    while (live.size() - released > window) machine.journal->release(live[released++]);
    machine.journal->tend();
    machine.journal->reclaim(machine.journal->reclaimable(), Seq{});
  }
  while (released < live.size()) machine.journal->release(live[released++]);
  machine.journal->tend();
  machine.journal->reclaim(machine.journal->reclaimable(), Seq{});
  ASSERT_TRUE(machine.settle_disk());
}

TEST(JournalFiles, what_was_numbered_is_known_when_the_log_tells_nothing_of_it_any_more) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  machine.journal->reclaim(Lsn{UINT64_MAX}, Seq{900});
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.journal->recovery().seqs_end, Seq{0}) << "nothing was given back";
  for (std::uint64_t i = 0; i < 200; ++i) machine.append(i, std::string(4'000, 'a'));
  ASSERT_TRUE(machine.make_durable());
  machine.journal->tend();
  machine.journal->reclaim(machine.journal->reclaimable(), Seq{200});
  ASSERT_TRUE(machine.settle_disk());
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.journal->recovery().seqs_end, Seq{200});
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.journal->recovery().seqs_end, Seq{200});
}

TEST(JournalFiles, consumed_files_are_recycled_and_the_directory_stays_bounded) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  stream_through(machine, 1, 8000, 1000, 100);
  EXPECT_LE(machine.log_files().size(), 1U + 2U + 4U);
  EXPECT_EQ(machine.journal->stats().files, 1U);
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_LE(machine.replay.records.size(), 300U) << "what was reclaimed does not come back";
  EXPECT_TRUE(machine.replay.damages.empty());
}

TEST(JournalFiles, old_contents_of_a_recycled_file_are_never_taken_for_new) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.boot());
    // Equal records at equal places, so that what is left of the old ones lines up with the new ones.
    stream_through(machine, 1, 2000 + seed * 8, 1000, 20);
    const std::uint64_t next = 2001 + seed * 8;
    for (std::uint64_t seq = next; seq < next + 16; ++seq) machine.append(seq, std::string(1000, 'n'));
    machine.journal->flush();
    machine.disk->submit();
    ASSERT_TRUE(machine.reboot_after_power_off());
    for (const Replayed& record : machine.replay.records) {
      if (record.seq >= next) EXPECT_EQ(record.payload, std::string(1000, 'n'));
    }
    const std::vector<std::uint64_t> seqs = machine.seqs();
    if (!seqs.empty()) EXPECT_EQ(seqs, ascending(seqs.front(), seqs.size()));
    EXPECT_TRUE(machine.replay.damages.empty());
  }
}

TEST(JournalFiles, a_file_with_a_live_record_keeps_itself_and_those_after_it) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  const Location stuck = machine.append(1, "stuck");
  machine.journal->retain(stuck);
  const Lsn start = machine.journal->recovery().start;
  for (std::uint64_t seq = 2; seq < 600; ++seq) machine.append(seq, std::string(1000, '.'));
  ASSERT_TRUE(machine.make_durable());
  EXPECT_EQ(machine.journal->reclaimable(), start);
  machine.journal->release(stuck);
  EXPECT_EQ(machine.journal->reclaimable(), start) << "that it was released may not be in the log yet";
  machine.journal->tend();
  EXPECT_GT(machine.journal->reclaimable(), start);
  EXPECT_LE(machine.journal->reclaimable(), machine.journal->durable());
}

TEST(JournalFiles, a_log_that_has_become_quiet_gives_its_spare_files_back) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  for (std::uint64_t seq = 1; seq < 3'000; ++seq) machine.append(seq, std::string(1000, '.'));
  ASSERT_TRUE(machine.make_durable());
  machine.journal->tend();
  machine.journal->reclaim(Lsn{UINT64_MAX}, Seq{});
  ASSERT_TRUE(machine.settle_disk());
  const std::size_t busy = machine.log_files().size();
  EXPECT_GT(machine.journal->next_tend_ms(), 0U);
  machine.clock.advance_ms(11'000);
  ASSERT_TRUE(machine.run_until([&] { return machine.journal->next_tend_ms() == 0; }));
  ASSERT_TRUE(machine.settle_disk());
  EXPECT_LT(machine.log_files().size(), busy);
  EXPECT_GE(machine.log_files().size(), 2U) << "the log and one ready";
}

TEST(JournalFiles, reclaim_goes_no_further_than_asked) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  for (std::uint64_t seq = 1; seq < 600; ++seq) machine.append(seq, std::string(1000, '.'));
  ASSERT_TRUE(machine.make_durable());
  const std::uint64_t files = machine.journal->stats().files;
  ASSERT_GT(files, 2U);
  machine.journal->tend();
  machine.journal->reclaim(Lsn{64U << 10}, Seq{});
  EXPECT_EQ(machine.journal->stats().files, files - 1);
  machine.journal->tend();
  machine.journal->reclaim(Lsn{UINT64_MAX}, Seq{});
  EXPECT_EQ(machine.journal->stats().files, 1U);
  ASSERT_TRUE(machine.settle_disk());
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_GT(machine.journal->recovery().start.value, 64U << 10);
}

TEST(JournalFiles, both_superblocks_know_the_new_start_before_a_file_is_touched) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  for (std::uint64_t seq = 1; seq < 600; ++seq) machine.append(seq, std::string(1000, '.'));
  ASSERT_TRUE(machine.make_durable());
  machine.journal->tend();
  machine.journal->reclaim(Lsn{UINT64_MAX}, Seq{});
  ASSERT_TRUE(machine.settle_disk());
  machine.power_off();
  Lsn starts[2];
  for (const int side : {0, 1}) {
    const auto branch = machine.storage.clone(1);
    branch->flip_bit(side == 0 ? "data/shard-00/super.A" : "data/shard-00/super.B", 30, 3);
    const auto disk = branch->open_disk();
    ReplayWitness replay;
    const auto journal = Journal::open(*disk, machine.options, replay, machine.events);
    ASSERT_TRUE(journal.has_value());
    EXPECT_TRUE(replay.damages.empty());
    starts[side] = (*journal)->recovery().start;
  }
  EXPECT_EQ(starts[0], starts[1]);
  EXPECT_GT(starts[0].value, 0U);
}

// Equal records at equal places: what a torn write leaves of a recycled file's old ones are good records by themselves.
TEST(JournalFiles, a_torn_batch_is_not_completed_by_a_recycled_files_old_records) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  const auto write_batch = [&](std::uint64_t first_seq) {
    for (std::uint64_t seq = first_seq; seq < first_seq + 7; ++seq)
      machine.append(seq, std::string(1000, '='));
    machine.journal->flush();
  };
  std::uint64_t seq = 1;
  while (machine.journal->end().value < 1'500'000) {
    write_batch(seq);
    seq += 7;
    ASSERT_TRUE(machine.make_durable());
    machine.journal->tend();
    machine.journal->reclaim(Lsn{UINT64_MAX}, Seq{});
  }
  ASSERT_TRUE(machine.settle_disk());
  write_batch(seq);
  machine.disk->submit();
  const std::size_t sectors = machine.storage.sectors_in_flight();
  std::size_t joined = 0;
  for (std::size_t lost = 1; lost < sectors; ++lost) {
    const auto branch = machine.storage.clone(lost);
    std::vector<bool> persisted(sectors, true);
    persisted[lost] = false;
    branch->crash_with(persisted);
    const auto disk = branch->open_disk();
    ReplayWitness replay;
    const auto journal = Journal::open(*disk, machine.options, replay, machine.events);
    ASSERT_TRUE(journal.has_value());
    ASSERT_FALSE(replay.records.empty());
    for (std::size_t i = 1; i < replay.records.size(); ++i) {
      ASSERT_EQ(replay.records[i].seq, replay.records[i - 1].seq + 1) << "an old record among the new ones";
    }
    if (replay.records.back().seq == seq + 6) ++joined;
  }
  EXPECT_LT(joined, sectors);
}

TEST(JournalFiles, a_crash_before_the_new_start_is_durable_replays_from_the_old_one) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  for (std::uint64_t seq = 1; seq < 600; ++seq) machine.append(seq, std::string(1000, '.'));
  ASSERT_TRUE(machine.make_durable());
  ASSERT_TRUE(machine.settle_disk());
  machine.journal->tend();
  machine.journal->reclaim(Lsn{UINT64_MAX}, Seq{});
  ASSERT_TRUE(machine.reboot_after_power_off()) << "nothing was submitted";
  EXPECT_EQ(machine.seqs(), ascending(1, 599));
}

runtime::SimFaults capacity(std::uint64_t bytes) {
  runtime::SimFaults faults;
  faults.capacity_bytes = bytes;
  return faults;
}

TEST(JournalFiles, a_full_disk_refuses_publishes_but_settlements_still_fit) {
  JournalOptions options = small_options();
  options.first_file_bytes = 8U << 20;
  options.file_bytes_max = 8U << 20;
  options.batch_bytes_max = 256U << 10;
  Machine machine(1, options);
  ASSERT_TRUE(machine.boot(capacity((8U << 20) + (64U << 10))));
  ASSERT_TRUE(machine.settle_disk());
  EXPECT_TRUE(machine.journal->has_room()) << "there is a whole file yet";
  std::uint64_t seq = 0;
  while (machine.journal->has_room(50'000)) {
    machine.append(++seq, std::string(50'000, 'p'));
    ASSERT_TRUE(machine.make_durable());
  }
  EXPECT_GT(seq, 100U);
  EXPECT_FALSE(machine.journal->has_room(50'000));
  for (std::uint64_t i = 0; i < 100; ++i) {
    machine.append(++seq, std::string(10'000, 's'), 7, RecordType::settle);
    ASSERT_TRUE(machine.make_durable()) << i;
  }
  EXPECT_FALSE(machine.events.failed);
}

TEST(JournalFiles, without_any_place_batches_wait_in_memory_until_there_is_space) {
  Machine machine;
  ASSERT_TRUE(machine.boot(capacity(700U << 10)));
  ASSERT_TRUE(machine.disk->make_directories("other").has_value());
  ASSERT_TRUE(machine.disk->prepare_file_now("other/ballast", 400U << 10).has_value());
  std::uint64_t seq = 0;
  while (seq < 600) {
    ++seq;
    machine.append(seq, "body " + std::to_string(seq) + std::string(1000, '.'));
    if (seq % 8 == 0) machine.turn();
  }
  for (int i = 0; i < 1000; ++i) machine.turn();
  EXPECT_FALSE(machine.journal->idle());
  EXPECT_FALSE(machine.journal->has_room());
  EXPECT_GT(machine.journal->pending_bytes(), 200U << 10);
  EXPECT_FALSE(machine.events.failed);
  ASSERT_TRUE(machine.disk->remove_now("other/ballast").has_value());
  machine.journal.reset();
  machine.disk.reset();
  ASSERT_TRUE(machine.boot(capacity(4U << 20)));
  const std::vector<std::uint64_t> kept = machine.seqs();
  EXPECT_EQ(kept, ascending(1, kept.size()));
  EXPECT_LT(kept.size(), 600U);
}

TEST(JournalFiles, waiting_batches_go_on_when_space_is_freed) {
  Machine machine;
  ASSERT_TRUE(machine.boot(capacity(2U << 20)));
  ASSERT_TRUE(machine.disk->make_directories("other").has_value());
  ASSERT_TRUE(machine.disk->prepare_file_now("other/ballast", (2U << 20) - (200U << 10)).has_value());
  std::uint64_t seq = 0;
  while (seq < 600) {
    ++seq;
    machine.append(seq, "body " + std::to_string(seq) + std::string(1000, '.'));
    if (seq % 8 == 0) machine.turn();
  }
  for (int i = 0; i < 1000; ++i) machine.turn();
  ASSERT_FALSE(machine.journal->idle());
  ASSERT_TRUE(machine.disk->remove_now("other/ballast").has_value());
  ASSERT_TRUE(machine.make_durable());
  EXPECT_TRUE(machine.journal->has_room());
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.seqs(), ascending(1, 600));
}

TEST(JournalFiles, on_a_full_disk_a_reclaimed_file_is_where_the_log_goes_on) {
  Machine machine;
  ASSERT_TRUE(machine.boot(capacity(150U << 10)));
  std::vector<Location> locations;
  std::uint64_t seq = 0;
  for (; seq < 5000; ++seq) {
    locations.push_back(machine.append(seq, std::string(1000, 'r')));
    machine.journal->retain(locations.back());
    if (seq % 4 != 3) continue;
    machine.turn();
    if (machine.journal->pending_bytes() > 0) ASSERT_TRUE(machine.make_durable()) << seq;
    for (; !locations.empty(); locations.pop_back()) machine.journal->release(locations.back());
    machine.journal->tend();
    machine.journal->reclaim(machine.journal->reclaimable(), Seq{});
  }
  EXPECT_FALSE(machine.events.failed);
  ASSERT_TRUE(machine.reboot_after_power_off());
  const std::vector<std::uint64_t> kept = machine.seqs();
  if (!kept.empty()) EXPECT_EQ(kept.back(), seq - 1);
  EXPECT_TRUE(machine.replay.damages.empty());
}

TEST(JournalFiles, close_clean_says_when_the_end_has_no_place) {
  Machine machine;
  ASSERT_TRUE(machine.boot(capacity(100U << 10)));
  for (std::uint64_t seq = 0; seq < 200; ++seq) machine.append(seq, std::string(1000, '.'));
  const Status closed = machine.journal->close_clean();
  ASSERT_FALSE(closed.has_value());
  EXPECT_EQ(closed.error().code, ErrorCode::no_space);
}

TEST(JournalFiles, leftovers_of_files_that_were_being_made_are_removed_at_the_start) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  machine.append(1, "kept");
  ASSERT_TRUE(machine.make_durable());
  const std::string leftover = "data/shard-00/j-00000000deadb000.log.tmp";
  ASSERT_TRUE(machine.disk->write_file_now(leftover, as_bytes("half")).has_value());
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_TRUE(machine.storage.contents(leftover).empty());
  EXPECT_EQ(machine.seqs(), ascending(1, 1));
}

}  // namespace
}  // namespace weir::storage
