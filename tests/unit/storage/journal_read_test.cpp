// Records that left memory and come back from the disk.
#include <gtest/gtest.h>

#include <string>

#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

JournalOptions large_files() {
  JournalOptions options = small_options();
  options.first_file_bytes = options.file_bytes_max = 4U << 20;
  options.batch_bytes_max = 128U << 10;
  options.read_cache_bytes = 2U << 20;
  return options;
}

class JournalRead : public ::testing::Test {
 protected:
  JournalRead() : machine(1, large_files()) {}

  std::string body(std::uint64_t seq, std::size_t bytes) const {
    std::string text = "body " + std::to_string(seq) + " ";
    text.resize(bytes, static_cast<char>('a' + seq % 26));
    return text;
  }
  void fill(std::uint64_t count, std::size_t bytes) {
    record_bytes = bytes;
    for (std::uint64_t seq = 0; seq < count; ++seq) {
      locations.push_back(machine.append(seq, body(seq, bytes)));
      if (seq % 16 == 15) machine.turn();
    }
    ASSERT_TRUE(machine.make_durable());
    ASSERT_TRUE(machine.settle_disk());
  }
  void wait_for(const ReadWitness& reader) {
    ASSERT_TRUE(machine.run_until([&] { return reader.times > 0; }));
  }
  void flip_payload_bit(std::size_t index) {
    const Location location = locations[index];
    ASSERT_TRUE(
        machine.storage.flip_bit(machine.file_of(location), location.offset() + record_header_bytes + 3, 2));
  }

  Machine machine;
  std::vector<Location> locations;
  std::size_t record_bytes = 0;
};

TEST_F(JournalRead, a_record_comes_back_from_the_disk_and_never_inside_the_call) {
  ASSERT_TRUE(machine.boot());
  fill(2000, 1000);
  ASSERT_EQ(machine.cached_payload(locations[5]), "(not in memory)");
  ReadWitness reader;
  machine.journal->read(locations[5], reader);
  EXPECT_EQ(reader.times, 0);
  wait_for(reader);
  EXPECT_EQ(reader.payload, body(5, 1000));
  EXPECT_EQ(reader.times, 1);
  EXPECT_EQ(machine.cached_payload(locations[6]), body(6, 1000)) << "its neighbours came with it";
}

TEST_F(JournalRead, waiters_on_one_window_cost_one_read) {
  ASSERT_TRUE(machine.boot());
  fill(2000, 1000);
  std::vector<ReadWitness> readers(50);
  for (std::size_t i = 0; i < readers.size(); ++i) machine.journal->read(locations[i], readers[i]);
  EXPECT_EQ(machine.journal->stats().reads, 1U);
  wait_for(readers.back());
  for (std::size_t i = 0; i < readers.size(); ++i) EXPECT_EQ(readers[i].payload, body(i, 1000));
}

TEST_F(JournalRead, all_records_of_every_size_come_back_in_order) {
  for (const std::size_t bytes : {16U, 5'000U, 40'000U, 90'000U, 200'000U, 700'000U}) {
    machine.options.directory = "data/of-" + std::to_string(bytes);
    ASSERT_TRUE(machine.boot());
    locations.clear();
    fill(12'000'000 / (bytes + 1000), bytes);
    for (std::size_t i = 0; i < locations.size(); ++i) {
      std::string found = machine.cached_payload(locations[i]);
      if (found == "(not in memory)") {
        ReadWitness reader;
        machine.journal->read(locations[i], reader);
        wait_for(reader);
        found = reader.payload;
      }
      ASSERT_TRUE(found == body(i, bytes)) << bytes << " " << i;
    }
    EXPECT_LE(machine.journal->stats().read_bytes, 2 * machine.journal->stats().bytes_written);
  }
}

TEST_F(JournalRead, a_sequential_reader_finds_the_next_window_already_there) {
  ASSERT_TRUE(machine.boot());
  fill(3000, 1000);
  int misses = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    if (machine.cached_payload(locations[i]) != "(not in memory)") {
      machine.turn();
      machine.turn();
      continue;
    }
    ++misses;
    ReadWitness reader;
    machine.journal->read(locations[i], reader);
    wait_for(reader);
  }
  EXPECT_LE(misses, 2);
}

// Of a record that begins in one window of 256 KiB and ends in the next.
TEST_F(JournalRead, a_record_on_the_border_of_two_windows_is_read_with_them) {
  constexpr std::uint64_t window = 256U << 10;
  constexpr std::size_t bytes = 5000;  // small ones keep to such borders while the log is young
  ASSERT_TRUE(machine.boot());
  fill(2000, bytes);
  std::vector<std::size_t> on_border;
  for (std::size_t i = 0; i < locations.size(); ++i) {
    const std::uint64_t begin = locations[i].offset();
    if (begin / window != (begin + locations[i].bytes() - 1) / window) on_border.push_back(i);
  }
  ASSERT_GE(on_border.size(), 2U);
  const std::size_t first = on_border[0];
  const std::size_t second = on_border[1];
  flip_payload_bit(second);

  std::vector<ReadWitness> readers(3);
  machine.journal->read(locations[first], readers[0]);
  machine.journal->read(locations[first - 1], readers[1]);
  machine.journal->read(locations[first + 1], readers[2]);
  EXPECT_EQ(machine.journal->stats().reads, 2U);
  for (const ReadWitness& reader : readers) wait_for(reader);
  EXPECT_EQ(readers[0].payload, body(first, bytes));
  EXPECT_EQ(readers[1].payload, body(first - 1, bytes));
  EXPECT_EQ(readers[2].payload, body(first + 1, bytes));
  EXPECT_EQ(machine.cached_payload(locations[first]), body(first, bytes)) << "both windows are still there";

  ReadWitness bad;
  machine.journal->read(locations[second], bad);
  wait_for(bad);
  EXPECT_EQ(bad.error, ErrorCode::corrupt);
  EXPECT_EQ(machine.cached_payload(locations[second + 1]), body(second + 1, bytes));
}

TEST_F(JournalRead, a_backlog_is_read_once) {
  ASSERT_TRUE(machine.boot());
  fill(3000, 5000);
  for (std::size_t i = 0; i < 2500; ++i) {
    if (machine.cached_payload(locations[i]) != "(not in memory)") continue;
    ReadWitness reader;
    machine.journal->read(locations[i], reader);
    wait_for(reader);
    ASSERT_EQ(reader.payload, body(i, 5000));
  }
  EXPECT_LE(machine.journal->stats().read_bytes, machine.journal->stats().bytes_written);
}

TEST_F(JournalRead, what_is_read_stays_within_its_bound) {
  ASSERT_TRUE(machine.boot());
  fill(8000, 1000);
  std::uint64_t next = 1;
  for (int i = 0; i < 200; ++i) {
    next = next * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::size_t index = (next >> 33) % 7000;
    if (machine.cached_payload(locations[index]) != "(not in memory)") continue;
    ReadWitness reader;
    machine.journal->read(locations[index], reader);
    wait_for(reader);
    ASSERT_EQ(reader.payload, body(index, 1000));
    ASSERT_LE(machine.journal->stats().cache_bytes,
              machine.options.read_cache_bytes + machine.options.cache_bytes + (256U << 10));
  }
}

TEST_F(JournalRead, a_corrupted_record_is_told_and_its_neighbours_are_served) {
  ASSERT_TRUE(machine.boot());
  fill(2000, 1000);
  flip_payload_bit(10);
  ReadWitness bad;
  ReadWitness good;
  machine.journal->read(locations[10], bad);
  machine.journal->read(locations[11], good);
  wait_for(bad);
  wait_for(good);
  EXPECT_EQ(bad.error, ErrorCode::corrupt);
  EXPECT_EQ(good.payload, body(11, 1000));
  EXPECT_EQ(machine.cached_payload(locations[10]), "(not in memory)");
}

TEST_F(JournalRead, a_failed_read_is_tried_once_more) {
  runtime::SimFaults faults;
  faults.read_error_one_in = 2;
  ASSERT_TRUE(machine.boot(faults));
  fill(2000, 1000);
  int served = 0;
  int failed = 0;
  for (std::size_t i = 0; i < 1500; i += 300) {
    for (int times = 0; times < 20; ++times) {
      ReadWitness reader;
      if (machine.cached_payload(locations[i]) != "(not in memory)") break;
      machine.journal->read(locations[i], reader);
      wait_for(reader);
      reader.payload.empty() ? ++failed : ++served;
      if (reader.payload.empty()) EXPECT_EQ(reader.error, ErrorCode::io_error);
    }
  }
  EXPECT_GT(served, 0);
  EXPECT_GT(served, failed) << "one of two reads fails, so one of four pairs does";
  EXPECT_FALSE(machine.events.failed) << "a read that fails does not stop the journal";
}

TEST_F(JournalRead, a_cancelled_waiter_is_not_called) {
  ASSERT_TRUE(machine.boot());
  fill(2000, 1000);
  ReadWitness stays;
  ReadWitness leaves;
  machine.journal->read(locations[1], leaves);
  machine.journal->read(locations[2], stays);
  machine.journal->cancel_read(leaves);
  wait_for(stays);
  EXPECT_EQ(leaves.times, 0);
  ReadWitness alone;
  machine.journal->read(locations[500], alone);
  machine.journal->cancel_read(alone);
  ASSERT_TRUE(machine.settle_disk());
  EXPECT_EQ(alone.times, 0);
}

// Reads on and on from inside its own completion, and cancels another.
class Chain final : public ReadWaiter {
 public:
  Chain(Machine& machine, const std::vector<Location>& locations, ReadWitness& other)
      : machine_(machine), locations_(locations), other_(other) {}
  void on_read(Result<CachedRecord> record) override {
    ASSERT_TRUE(record.has_value());
    if (next == 0) machine_.journal->cancel_read(other_);
    if (++next < 100) machine_.journal->read(locations_[next * 3], *this);
  }
  std::size_t next = 0;

 private:
  Machine& machine_;
  const std::vector<Location>& locations_;
  ReadWitness& other_;
};

TEST_F(JournalRead, a_completion_may_read_more_and_cancel_others) {
  ASSERT_TRUE(machine.boot());
  fill(2000, 1000);
  ReadWitness cancelled;
  Chain chain(machine, locations, cancelled);
  machine.journal->read(locations[0], chain);
  machine.journal->read(locations[1], cancelled);
  ASSERT_TRUE(machine.run_until([&] { return chain.next == 100; }));
  EXPECT_EQ(cancelled.times, 0);
}

TEST_F(JournalRead, the_journal_can_end_while_reads_are_on_their_way) {
  ASSERT_TRUE(machine.boot());
  fill(2000, 1000);
  ReadWitness reader;
  machine.journal->read(locations[1], reader);
  machine.disk->submit();
  machine.journal.reset();
  EXPECT_EQ(reader.times, 0);
  EXPECT_EQ(machine.disk->in_flight(), 0U);
}

TEST_F(JournalRead, records_found_by_recovery_are_read_from_the_disk) {
  ASSERT_TRUE(machine.boot());
  fill(500, 1000);
  ASSERT_TRUE(machine.reboot_after_power_off());
  ASSERT_EQ(machine.replay.locations, locations);
  ReadWitness reader;
  machine.journal->read(locations.back(), reader);
  wait_for(reader);
  EXPECT_EQ(reader.payload, body(499, 1000));
}

}  // namespace
}  // namespace weir::storage
