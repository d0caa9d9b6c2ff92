// Checkpoints, segments and the cleaner at work on a journal of small files.
#include <gtest/gtest.h>

#include "storage/checkpoint_writer.h"
#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

JournalOptions options_with_checkpoints() {
  JournalOptions options = small_options();
  options.checkpoint_bytes = 1;
  options.clean_gain_bytes = UINT64_MAX;
  return options;
}

class JournalCheckpoint : public ::testing::Test {
 protected:
  explicit JournalCheckpoint(JournalOptions options = options_with_checkpoints()) : machine(1, options) {
    EXPECT_TRUE(machine.boot());
  }

  void publish(std::uint64_t count, bool keep = true) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t seq = next_++;
      const Location location = machine.append(seq, body(seq));
      if (!keep) continue;
      machine.journal->retain(location);
      places()[{7, seq}] = location;
    }
    ASSERT_TRUE(machine.make_durable());
  }
  void settle(std::uint64_t seq) {
    machine.append(seq, "gone", 7, RecordType::settle, Journal::Urgency::ride);
    machine.journal->release(places().at({7, seq}));
    places().erase({7, seq});
  }
  // A walk, told at once.
  void checkpoint() {
    CheckpointWriter& writer = machine.journal->begin_checkpoint();
    writer.begin_queue(QueueId{7}, Seq{next_});
    for (const auto& [key, location] : places()) writer.message(Seq{key.second}, location, false, 0, {});
    writer.finish(machine.journal->end());
    ASSERT_TRUE(until([&] { return !writer.active(); }));
  }
  bool until(const std::function<bool()>& condition) {
    machine.journal->flush_riding();
    return machine.run_until([&] {
      machine.journal->tend();
      return condition();
    });
  }
  void rest() {
    ASSERT_TRUE(
        until([&] { return machine.disk->in_flight() == 0 && machine.journal->next_tend_ms() != 10; }));
  }
  // After a start: what checkpoint and log say is there, at its place.
  void expect_all_back() {
    std::set<std::uint64_t> there = machine.replay.there[7];
    std::map<std::uint64_t, Location> found;
    for (const auto& [key, location] : machine.replay.listed) found[key.second] = location;
    for (std::size_t i = 0; i < machine.replay.records.size(); ++i) {
      const Replayed& record = machine.replay.records[i];
      if (record.type == RecordType::settle) {
        there.erase(record.seq);
      } else if (record.seq >= machine.replay.nexts[7] || there.contains(record.seq)) {
        there.insert(record.seq);
        found[record.seq] = machine.replay.locations[i];
      }
    }
    std::set<std::uint64_t> expected;
    for (const auto& [key, location] : places()) expected.insert(key.second);
    EXPECT_EQ(there, expected);
    for (const std::uint64_t seq : there) {
      ASSERT_TRUE(found.contains(seq)) << "seq " << seq << " has no place";
      EXPECT_EQ(read(found[seq]), body(seq));
      machine.journal->retain(found[seq]);
      places()[{7, seq}] = found[seq];
    }
  }
  std::string read(Location location) {
    const CachedRecord cached = machine.journal->cached(location);
    if (cached.at != nullptr) return text_of(parse_record(Bytes(cached.at, location.bytes())).payload);
    ReadWitness reader;
    machine.journal->read(location, reader);
    EXPECT_TRUE(machine.run_until([&] { return reader.times > 0; }));
    return reader.payload;
  }
  static std::string body(std::uint64_t seq) {
    return std::to_string(seq) + std::string(900 + seq % 300, static_cast<char>('a' + seq % 26));
  }
  std::map<std::pair<std::uint32_t, std::uint64_t>, Location>& places() { return machine.events.places; }
  std::size_t files_of(std::string_view prefix) {
    std::size_t count = 0;
    for (const std::string& path : machine.storage.paths()) {
      if (path.substr(path.rfind('/') + 1).starts_with(prefix) && !path.ends_with(".tmp")) ++count;
    }
    return count;
  }
  void power_off_and_on(runtime::SimFaults faults = {}) {
    const auto kept = places();
    ASSERT_TRUE(machine.reboot_after_power_off(faults)) << machine.open_error.message;
    places() = kept;
  }

  Machine machine;
  std::uint64_t next_ = 1;
};

TEST_F(JournalCheckpoint, the_log_begins_behind_what_it_tells_and_the_rest_is_found_by_listings) {
  publish(600);
  const std::uint64_t log_bytes = machine.journal->stats().log_bytes;
  EXPECT_TRUE(machine.journal->wants_checkpoint());
  checkpoint();
  rest();
  EXPECT_FALSE(machine.journal->wants_checkpoint());
  EXPECT_LT(machine.journal->stats().log_bytes, log_bytes / 2);
  EXPECT_GE(machine.journal->stats().segments, 3U);
  publish(20);
  power_off_and_on();
  EXPECT_LT(machine.journal->recovery().records, 200U);
  EXPECT_GE(machine.journal->recovery().listed, 400U);
  expect_all_back();
}

TEST_F(JournalCheckpoint, a_segment_goes_when_all_of_it_is_settled_whatever_came_before_it) {
  publish(600);
  checkpoint();
  rest();
  const std::uint64_t before = machine.journal->stats().segments;
  for (std::uint64_t seq = 100; seq < 300; ++seq) settle(seq);
  ASSERT_TRUE(machine.make_durable());
  rest();
  EXPECT_LT(machine.journal->stats().segments, before);
  EXPECT_GT(machine.journal->stats().segments, 0U) << "the oldest message is still there";
  power_off_and_on();
  expect_all_back();
}

TEST_F(JournalCheckpoint, when_no_segment_is_left_the_log_needs_no_checkpoint) {
  publish(600);
  checkpoint();
  rest();
  while (!places().empty()) settle(places().begin()->first.second);
  ASSERT_TRUE(machine.make_durable());
  rest();
  EXPECT_EQ(machine.journal->stats().segments, 0U);
  publish(300, false);
  machine.journal->tend();
  machine.journal->reclaim(machine.journal->reclaimable(), Seq{});
  rest();
  EXPECT_EQ(files_of("i-"), 0U) << "listings go with their files";
  power_off_and_on();
  EXPECT_TRUE(machine.replay.there.empty()) << "it is not in force any more";
  publish(300);
  checkpoint();
  rest();
  power_off_and_on();
  EXPECT_EQ(machine.replay.there[7].size(), 300U) << "the next one is";
}

TEST_F(JournalCheckpoint, either_copy_will_do_and_without_both_the_start_is_refused) {
  publish(600);
  checkpoint();
  rest();
  machine.power_off();
  for (const bool both : {false, true}) {
    for (int copy = 0; copy < 2; ++copy) {
      const auto branch = machine.storage.clone(1);
      branch->flip_bit(checkpoint_path("data/shard-00", copy), 50, 1);
      if (both) branch->flip_bit(checkpoint_path("data/shard-00", 1 - copy), 51, 1);
      const auto disk = branch->open_disk();
      ReplayWitness replay;
      const auto journal = Journal::open(*disk, machine.options, replay, machine.events);
      EXPECT_EQ(journal.has_value(), !both);
      if (both) EXPECT_EQ(journal.error().code, ErrorCode::corrupt);
      if (!both) EXPECT_EQ(replay.there[7].size(), 600U);
    }
  }
}

TEST_F(JournalCheckpoint, a_segment_whose_listing_is_damaged_or_gone_is_read_itself) {
  publish(600);
  checkpoint();
  rest();
  settle(5);
  ASSERT_TRUE(machine.make_durable());
  machine.power_off();
  std::vector<std::string> listings;
  for (const std::string& path : machine.storage.paths()) {
    if (path.ends_with(".idx")) listings.push_back(path);
  }
  ASSERT_GE(listings.size(), 2U);
  machine.storage.flip_bit(listings[0], 40, 1);
  ASSERT_TRUE(machine.storage.open_disk()->remove_now(listings[1]).has_value());
  const auto kept = places();
  ASSERT_TRUE(machine.boot());
  places() = kept;
  expect_all_back();
}

TEST_F(JournalCheckpoint, a_crash_at_any_moment_of_one_loses_nothing) {
  publish(600);
  CheckpointWriter& writer = machine.journal->begin_checkpoint();
  writer.begin_queue(QueueId{7}, Seq{next_});
  for (const auto& [key, location] : places()) writer.message(Seq{key.second}, location, false, 0, {});
  writer.finish(machine.journal->end());
  int crashes = 0;
  for (bool active = true; active; ++crashes) {
    active = writer.active() || machine.disk->in_flight() > 0;
    for (const std::uint64_t seed : {1, 2, 3}) {
      const auto branch = machine.storage.clone(seed);
      branch->crash();
      const auto disk = branch->open_disk();
      ReplayWitness replay;
      const auto journal = Journal::open(*disk, machine.options, replay, machine.events);
      ASSERT_TRUE(journal.has_value()) << journal.error().message;
      std::set<std::uint64_t> there = replay.there[7];
      std::set<std::uint64_t> placed;
      for (const auto& [key, location] : replay.listed) placed.insert(key.second);
      for (const Replayed& record : replay.records) {
        there.insert(record.seq);
        placed.insert(record.seq);
      }
      EXPECT_EQ(there.size(), 600U);
      EXPECT_EQ(placed, there);
    }
    machine.turn();
    machine.journal->tend();
  }
  EXPECT_GT(crashes, 5);
}

TEST_F(JournalCheckpoint, one_that_the_log_overtakes_is_given_up) {
  publish(300);
  CheckpointWriter& writer = machine.journal->begin_checkpoint();
  const Lsn from = writer.from();
  writer.begin_queue(QueueId{7}, Seq{next_});
  while (!places().empty()) settle(places().begin()->first.second);
  publish(400, false);
  publish(1);
  machine.journal->tend();
  ASSERT_TRUE(machine.make_durable());
  ASSERT_GT(machine.journal->reclaimable(), from);
  machine.journal->tend();
  machine.journal->reclaim(machine.journal->reclaimable(), Seq{});
  EXPECT_FALSE(writer.active());
  rest();
  power_off_and_on();
  EXPECT_TRUE(machine.replay.there.empty());
  EXPECT_EQ(machine.seqs().back(), next_ - 1);
}

TEST_F(JournalCheckpoint, one_that_can_not_be_written_is_tried_again_later) {
  publish(600);
  runtime::SimFaults full;
  full.capacity_bytes = 1;
  power_off_and_on(full);
  expect_all_back();
  CheckpointWriter& writer = machine.journal->begin_checkpoint();
  writer.begin_queue(QueueId{7}, Seq{next_});
  for (const auto& [key, location] : places()) writer.message(Seq{key.second}, location, false, 0, {});
  writer.finish(machine.journal->end());
  ASSERT_TRUE(until([&] { return !writer.active(); }));
  EXPECT_EQ(machine.journal->stats().checkpoints, 0U);
  EXPECT_FALSE(machine.journal->wants_checkpoint()) << "not at once";
  machine.clock.advance_ms(5'000);
  EXPECT_TRUE(machine.journal->wants_checkpoint());
  power_off_and_on();
  expect_all_back();
  checkpoint();
  EXPECT_EQ(machine.journal->stats().checkpoints, 1U);
}

class JournalCleaner : public JournalCheckpoint {
 protected:
  JournalCleaner() : JournalCheckpoint(cleaning()) {}
  static JournalOptions cleaning() {
    JournalOptions options = options_with_checkpoints();
    options.clean_gain_bytes = 64U << 10;
    options.clean_file_bytes = 256U << 10;
    options.clean_bytes_per_second = 1U << 30;
    options.clean_survey_ms = 5;
    return options;
  }
  void leave_every(std::uint64_t nth) {
    std::vector<std::uint64_t> seqs;
    for (const auto& [key, location] : places()) seqs.push_back(key.second);
    for (const std::uint64_t seq : seqs) {
      if (seq % nth != 0) settle(seq);
    }
    ASSERT_TRUE(machine.make_durable());
  }
  void clean() {
    const std::uint64_t passes = machine.journal->stats().clean_passes;
    for (int i = 0; i < 50 && machine.journal->stats().clean_passes == passes; ++i) {
      if (machine.journal->wants_checkpoint()) checkpoint();
      rest_a_little();
    }
    ASSERT_GT(machine.journal->stats().clean_passes, passes);
  }
  void rest_a_little() {
    for (int i = 0; i < 50; ++i) {
      machine.turn();
      machine.journal->tend();
    }
  }
};

TEST_F(JournalCleaner, what_is_left_of_files_is_moved_and_they_are_given_back) {
  publish(1200);
  checkpoint();
  rest_a_little();
  leave_every(100);
  const std::uint64_t before = machine.journal->stats().segment_bytes;
  clean();
  for (int i = 0; i < 10 && machine.journal->wants_checkpoint(); ++i) checkpoint();
  rest_a_little();
  EXPECT_LT(machine.journal->stats().segment_bytes, before / 5);
  for (const auto& [key, location] : places()) EXPECT_EQ(read(location), body(key.second));
  power_off_and_on();
  expect_all_back();
}

TEST_F(JournalCleaner, a_crash_at_any_moment_of_a_pass_loses_nothing_and_doubles_nothing) {
  publish(1200);
  checkpoint();
  rest_a_little();
  leave_every(100);
  const std::size_t left = places().size();
  std::uint64_t crashes = 0;
  for (; crashes < 3'000; ++crashes) {
    if (machine.journal->wants_checkpoint()) {
      CheckpointWriter& writer = machine.journal->begin_checkpoint();
      writer.begin_queue(QueueId{7}, Seq{next_});
      for (const auto& [key, location] : places()) writer.message(Seq{key.second}, location, false, 0, {});
      writer.finish(machine.journal->end());
    }
    const auto branch = machine.storage.clone(crashes);
    branch->crash();
    const auto disk = branch->open_disk();
    ReplayWitness replay;
    const auto journal = Journal::open(*disk, machine.options, replay, machine.events);
    ASSERT_TRUE(journal.has_value()) << journal.error().message;
    std::set<std::uint64_t> there = replay.there[7];
    for (const Replayed& record : replay.records) {
      if (record.type == RecordType::settle) there.erase(record.seq);
    }
    std::set<std::uint64_t> placed;
    for (const auto& [key, location] : replay.listed) placed.insert(key.second);
    for (const std::uint64_t seq : there) {
      if (seq < replay.nexts[7]) EXPECT_TRUE(placed.contains(seq) || seq > 1000) << seq;
    }
    EXPECT_GE(there.size() + replay.records.size(), left);
    if (machine.journal->stats().clean_passes > 0 && machine.journal->next_tend_ms() != 10 &&
        machine.disk->in_flight() == 0)
      break;
    machine.journal->flush_riding();
    machine.turn();
    machine.journal->tend();
  }
  EXPECT_GT(crashes, 10U);
  EXPECT_LT(crashes, 3'000U);
  EXPECT_EQ(files_of("g-"), 1U);
  power_off_and_on();
  expect_all_back();
}

TEST_F(JournalCleaner, a_file_with_a_damaged_record_is_left_alone) {
  publish(1200);
  checkpoint();
  rest_a_little();
  leave_every(100);
  const Location damaged = places().begin()->second;
  machine.storage.flip_bit(machine.file_of(damaged), damaged.offset() + 100, 1);
  for (int i = 0; i < 20; ++i) {
    if (machine.journal->wants_checkpoint()) checkpoint();
    rest_a_little();
    machine.clock.advance_ms(2'000);
  }
  EXPECT_EQ(places().begin()->second, damaged) << "who reads it hears of the damage";
  EXPECT_GT(machine.journal->stats().clean_passes, 0U) << "the others are cleaned";
}

}  // namespace
}  // namespace weir::storage
