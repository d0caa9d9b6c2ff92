// The journal in good weather: append, group commit, order, files, memory.
#include "storage/journal.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

TEST(Journal, a_first_start_makes_a_small_directory) {
  JournalOptions options;
  options.directory = "data/shard-00";
  Machine machine(1, options);
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  EXPECT_TRUE(machine.journal->recovery().first_start);
  EXPECT_EQ(machine.journal->recovery().incarnation, 1U);
  std::uint64_t bytes = 0;
  for (const std::string& path : machine.storage.paths()) bytes += machine.storage.contents(path).size();
  EXPECT_LE(bytes, 20U << 20);
  EXPECT_EQ(machine.log_files().size(), 2U) << "one to write and one ready";
  EXPECT_EQ(machine.journal->stats().cache_bytes, 0U);
}

TEST(Journal, what_was_durable_is_replayed_in_order_with_all_its_parts) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  const Journal::Space space =
      machine.journal->append(RecordType::enqueue, 3, QueueId{9}, Seq{1}, 12, 5, Journal::Urgency::wait);
  std::memcpy(space.bytes.data(), "twelve bytesfirst", 17);
  machine.journal->finish();
  machine.append(2, "second", 8);
  machine.append(1, "", 9, RecordType::settle);
  ASSERT_TRUE(machine.make_durable());
  ASSERT_TRUE(machine.reboot_after_power_off());
  const std::vector<Replayed> expected{{RecordType::enqueue, 9, 1, "first"},
                                       {RecordType::enqueue, 8, 2, "second"},
                                       {RecordType::settle, 9, 1, ""}};
  EXPECT_EQ(machine.replay.records, expected);
  EXPECT_EQ(machine.replay.extensions[0], "twelve bytes");
  EXPECT_EQ(machine.replay.locations[0], space.location);
  EXPECT_EQ(machine.journal->recovery().records, 3U);
  EXPECT_EQ(machine.journal->recovery().batches, 1U);
  EXPECT_FALSE(machine.journal->recovery().clean);
  EXPECT_TRUE(machine.replay.damages.empty());
}

TEST(Journal, durable_covers_what_end_named_before_the_flush) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  machine.append(1, "x");
  const Lsn first = machine.journal->end();
  machine.append(2, "y");
  const Lsn second = machine.journal->end();
  EXPECT_LT(first, second);
  EXPECT_GT(machine.journal->pending_bytes(), 0U);
  EXPECT_FALSE(machine.journal->idle());
  ASSERT_TRUE(machine.run_until([&] { return machine.events.durable >= second; }));
  EXPECT_EQ(machine.events.times, 1);
  EXPECT_EQ(machine.journal->pending_bytes(), 0U);
  EXPECT_TRUE(machine.journal->idle());
}

TEST(Journal, records_that_come_while_all_places_are_in_flight_share_the_next_commit) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  for (std::uint64_t seq = 1; seq <= 2; ++seq) {
    machine.append(seq, "alone");
    machine.journal->flush();
  }
  EXPECT_EQ(machine.disk->in_flight(), 2U);
  for (std::uint64_t seq = 3; seq <= 52; ++seq) {
    machine.append(seq, "together");
    machine.journal->flush();
  }
  EXPECT_EQ(machine.disk->in_flight(), 2U);
  ASSERT_TRUE(machine.make_durable());
  EXPECT_EQ(machine.journal->stats().commits, 3U);
  EXPECT_EQ(machine.journal->stats().records, 52U);
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.seqs(), ascending(1, 52));
}

TEST(Journal, commits_that_complete_out_of_order_become_durable_in_order) {
  bool second_was_first = false;
  for (std::uint64_t seed = 1; seed <= 32; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.boot());
    ASSERT_TRUE(machine.settle_disk());
    machine.append(1, "a");
    machine.journal->flush();
    const Lsn first = machine.journal->end();
    machine.append(2, "b");
    machine.journal->flush();
    const Lsn second = machine.journal->end();
    machine.disk->submit();
    while (machine.disk->in_flight() == 2) machine.disk->poll();
    if (machine.disk->in_flight() == 1 && machine.journal->durable() < first) second_was_first = true;
    ASSERT_TRUE(machine.run_until([&] { return machine.journal->durable() >= second; }));
    EXPECT_EQ(machine.journal->durable(), second);
  }
  EXPECT_TRUE(second_was_first) << "no seed showed the case";
}

TEST(Journal, records_that_only_ride_wait_for_others_or_for_flush_riding) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  machine.append(1, "settled", 7, RecordType::settle, Journal::Urgency::ride);
  machine.journal->flush();
  EXPECT_EQ(machine.disk->in_flight(), 0U);
  machine.append(2, "published");
  machine.journal->flush();
  EXPECT_EQ(machine.disk->in_flight(), 1U);
  ASSERT_TRUE(machine.make_durable());
  EXPECT_EQ(machine.journal->stats().commits, 1U);
  machine.append(3, "settled", 7, RecordType::settle, Journal::Urgency::ride);
  machine.journal->flush();
  EXPECT_EQ(machine.disk->in_flight(), 0U);
  machine.journal->flush_riding();
  EXPECT_EQ(machine.disk->in_flight(), 1U);
  ASSERT_TRUE(machine.make_durable());
}

TEST(Journal, many_riding_bytes_are_committed_without_anybody_waiting) {
  JournalOptions options = small_options();
  options.first_file_bytes = options.file_bytes_max = 1U << 20;
  options.batch_bytes_max = 256U << 10;
  Machine machine(1, options);
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  for (std::uint64_t seq = 0; seq < 65; ++seq) {
    machine.append(seq, std::string(1000, 's'), 7, RecordType::settle, Journal::Urgency::ride);
  }
  machine.journal->flush();
  EXPECT_EQ(machine.disk->in_flight(), 1U);
}

TEST(Journal, an_append_from_on_durable_goes_into_the_next_commit) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  std::uint64_t seq = 1;
  machine.events.then = [&] {
    if (seq < 20) machine.append(++seq, "chain");
  };
  machine.append(seq, "chain");
  ASSERT_TRUE(machine.run_until([&] { return seq == 20 && machine.journal->idle(); }));
  machine.events.then = nullptr;
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.seqs(), ascending(1, 20));
}

TEST(Journal, the_log_rolls_over_files_that_were_made_ready) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  for (std::uint64_t seq = 1; seq <= 1500; ++seq) {
    machine.append(seq, std::string(1000, static_cast<char>('a' + seq % 26)));
    if (seq % 7 == 0) machine.turn();
  }
  ASSERT_TRUE(machine.make_durable());
  EXPECT_GT(machine.journal->stats().files, 5U);
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.seqs(), ascending(1, 1500));
  EXPECT_TRUE(machine.replay.damages.empty());
  machine.append(1501, "goes on");
  ASSERT_TRUE(machine.make_durable());
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.seqs(), ascending(1, 1501));
}

TEST(Journal, a_record_larger_than_the_ready_file_gets_a_file_that_is_large_enough) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  const std::string big(3U << 20, 'B');
  machine.append(1, "before");
  machine.append(2, big);
  machine.append(3, "after");
  ASSERT_TRUE(machine.make_durable());
  ASSERT_TRUE(machine.reboot_after_power_off());
  ASSERT_EQ(machine.seqs(), ascending(1, 3));
  EXPECT_EQ(machine.replay.records[1].payload, big);
  EXPECT_TRUE(machine.replay.damages.empty());
}

TEST(Journal, the_largest_record_fits_and_comes_back) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  const std::string largest(record_bytes_max - record_header_bytes, 'L');
  machine.append(1, largest);
  ASSERT_TRUE(machine.make_durable());
  ASSERT_TRUE(machine.reboot_after_power_off());
  ASSERT_EQ(machine.replay.records.size(), 1U);
  EXPECT_TRUE(machine.replay.records[0].payload == largest);
}

TEST(Journal, the_tail_is_read_from_memory_and_older_records_leave_it) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  const Location open = machine.append(1, "still in the open batch");
  EXPECT_EQ(machine.cached_payload(open), "still in the open batch");
  std::vector<Location> locations;
  for (std::uint64_t seq = 0; seq < 1000; ++seq) {
    locations.push_back(machine.append(seq, "body " + std::to_string(seq) + std::string(1000, '.')));
    if (seq % 16 == 0) machine.turn();
  }
  ASSERT_TRUE(machine.make_durable());
  EXPECT_EQ(machine.cached_payload(locations.back()).substr(0, 8), "body 999");
  EXPECT_EQ(machine.cached_payload(locations.front()), "(not in memory)");
  EXPECT_LE(machine.journal->stats().cache_bytes, machine.options.cache_bytes + (256U << 10));
}

TEST(Journal, memory_that_a_slow_disk_needed_is_given_back) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  for (std::uint64_t seq = 0; seq < 3000; ++seq) machine.append(seq, std::string(1000, '.'));
  EXPECT_GT(machine.journal->stats().cache_bytes, 3'000'000U);
  ASSERT_TRUE(machine.make_durable());
  EXPECT_LE(machine.journal->stats().cache_bytes, machine.options.cache_bytes);
}

TEST(Journal, a_delivery_keeps_the_memory_of_its_record) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  const Location location = machine.append(1, "held by a slow consumer");
  ASSERT_TRUE(machine.make_durable());
  const CachedRecord record = machine.journal->cached(location);
  ASSERT_NE(record.chunk, nullptr);
  const ChunkRef held = ChunkRef::share(record.chunk);
  for (std::uint64_t seq = 2; seq < 2000; ++seq) {
    machine.append(seq, std::string(1000, '#'));
    if (seq % 16 == 0) machine.turn();
  }
  ASSERT_TRUE(machine.make_durable());
  EXPECT_EQ(machine.cached_payload(location), "(not in memory)");
  EXPECT_EQ(text_of(parse_record(Bytes(record.at, location.bytes())).payload), "held by a slow consumer");
}

TEST(Journal, a_clean_end_is_known_at_the_next_start) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  for (std::uint64_t seq = 1; seq <= 10; ++seq)
    machine.append(seq, "kept", 7, RecordType::enqueue, Journal::Urgency::ride);
  ASSERT_TRUE(machine.journal->close_clean().has_value());
  ASSERT_TRUE(machine.boot());
  EXPECT_TRUE(machine.journal->recovery().clean);
  EXPECT_EQ(machine.journal->recovery().incarnation, 2U);
  EXPECT_EQ(machine.seqs(), ascending(1, 10));
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_FALSE(machine.journal->recovery().clean);
  EXPECT_EQ(machine.seqs(), ascending(1, 10));
}

TEST(Journal, a_mark_is_written_once_and_is_not_replayed) {
  Machine machine;
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  machine.journal->write_mark();
  EXPECT_EQ(machine.disk->in_flight(), 0U) << "nothing to cover yet";
  machine.append(1, "covered");
  ASSERT_TRUE(machine.make_durable());
  machine.journal->write_mark();
  EXPECT_EQ(machine.disk->in_flight(), 1U);
  ASSERT_TRUE(machine.settle_disk());
  machine.journal->write_mark();
  EXPECT_EQ(machine.disk->in_flight(), 0U);
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.seqs(), ascending(1, 1));
  EXPECT_EQ(machine.journal->recovery().batches, 2U);
}

}  // namespace
}  // namespace weir::storage
