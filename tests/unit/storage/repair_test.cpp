// Looking at a damaged directory, and repairing what a start refuses.
#include "storage/repair.h"

#include <gtest/gtest.h>

#include <set>

#include "base/cursor.h"
#include "storage/checkpoint_writer.h"
#include "storage/message_census.h"
#include "storage/snapshot.h"
#include "storage/verify.h"
#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

JournalOptions options_with_checkpoints() {
  JournalOptions options = small_options();
  options.checkpoint_bytes = 1;
  options.clean_gain_bytes = UINT64_MAX;
  return options;
}

class Repair : public ::testing::Test {
 protected:
  Repair() : machine(1, options_with_checkpoints()) { EXPECT_TRUE(machine.boot()); }

  void publish(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t seq = next_++;
      const Location location = machine.append(seq, body(seq));
      machine.journal->retain(location);
      places()[{7, seq}] = location;
    }
    ASSERT_TRUE(machine.make_durable());
  }
  void settle(std::uint64_t seq) {
    std::vector<std::byte> run;
    Writer out(run);
    out.le(seq);
    out.le(std::uint32_t{1});
    machine.append(seq, as_text(run), 7, RecordType::settle, Journal::Urgency::ride);
    machine.journal->release(places().at({7, seq}));
    places().erase({7, seq});
  }
  void checkpoint() {
    CheckpointWriter& writer = machine.journal->begin_checkpoint();
    writer.begin_queue(QueueId{7}, Seq{next_});
    for (const auto& [key, location] : places()) writer.message(Seq{key.second}, location, false, 0, {});
    writer.finish(machine.journal->end());
    machine.journal->flush_riding();
    ASSERT_TRUE(machine.run_until([&] {
      machine.journal->tend();
      return !writer.active() && machine.disk->in_flight() == 0;
    }));
  }
  // Segments, a checkpoint, a log behind it, and settlements of both.
  void fill() {
    publish(300);
    for (std::uint64_t seq = 1; seq <= 300; seq += 3) settle(seq);
    checkpoint();
    publish(100);
    for (std::uint64_t seq = 2; seq <= 90; seq += 3) settle(seq);
    ASSERT_TRUE(machine.make_durable());
    machine.journal->write_mark();
    ASSERT_TRUE(machine.settle_disk());
    power_off();
  }
  void power_off() {
    for (const auto& [key, location] : places()) expected_.insert(key.second);
    machine.power_off();
    machine.disk = machine.storage.open_disk();
  }
  void flip(const std::string& name, std::uint64_t byte, unsigned bit = 1) {
    ASSERT_TRUE(machine.storage.flip_bit(path(name), byte, bit)) << name;
  }
  void ruin(const std::string& name) {
    for (const std::uint64_t byte : {8U, 17U, 33U}) flip(name, byte);
  }
  std::string path(const std::string& name) const { return machine.options.directory + "/" + name; }
  std::string first_file(std::string_view prefix) const {
    for (const std::string& path : machine.storage.paths()) {
      const std::string name = path.substr(path.rfind('/') + 1);
      if (name.starts_with(prefix)) return name;
    }
    return {};
  }

  ShardReport verify(bool definitions = false) {
    VerifyOptions options;
    options.deep = true;
    options.definitions = definitions;
    const auto before = state();
    auto report = verify_shard(*machine.disk, machine.options.directory, options);
    EXPECT_EQ(state(), before) << "it writes nothing";
    EXPECT_TRUE(report.has_value());
    return report ? std::move(*report) : ShardReport{};
  }
  std::map<std::string, std::vector<std::byte>> state() const {
    std::map<std::string, std::vector<std::byte>> files;
    for (const std::string& path : machine.storage.paths()) files[path] = machine.storage.contents(path);
    return files;
  }
  std::size_t repair(bool definitions = false) {
    RepairOptions options;
    options.definitions = definitions;
    const auto before = state();
    const auto plan = plan_shard_repair(*machine.disk, machine.options.directory, options);
    EXPECT_TRUE(plan.has_value()) << plan.error().message;
    EXPECT_EQ(state(), before) << "a plan writes nothing";
    if (!plan) return 0;
    for (const RepairStep& step : plan->steps) {
      const Status done = step.carry_out();
      EXPECT_TRUE(done.has_value()) << step.what << ": " << done.error().message;
    }
    return plan->steps.size();
  }
  // What a start finds.
  std::set<std::uint64_t> start() {
    std::set<std::uint64_t> found;
    if (!machine.boot()) {
      ADD_FAILURE() << machine.open_error.message;
      return found;
    }
    MessageCensus census;
    for (const auto& [queue, seqs] : machine.replay.there) {
      for (const std::uint64_t seq : seqs) census.there(QueueId{queue}, {Seq{seq}, 1, false, 0});
    }
    for (const auto& [queue, next] : machine.replay.nexts) census.next(QueueId{queue}, Seq{next});
    for (const Replayed& record : machine.replay.records)
      census.take({record.type, 0, QueueId{record.queue}, Seq{record.seq}, {}, as_bytes(record.payload)});
    census.for_each([](QueueId, Seq) {}, [&](Seq seq) { found.insert(seq.value); });
    return found;
  }
  bool starts() { return machine.boot(); }
  static std::string body(std::uint64_t seq) {
    return std::to_string(seq) + std::string(900 + seq % 300, static_cast<char>('a' + seq % 26));
  }
  std::map<std::pair<std::uint32_t, std::uint64_t>, Location>& places() { return machine.events.places; }
  static bool refuses(const ShardReport& report) {
    for (const Finding& finding : report.findings) {
      if (finding.severity == Severity::refuses) return true;
    }
    return false;
  }

  Machine machine;
  std::uint64_t next_ = 1;
  std::set<std::uint64_t> expected_;
};

TEST_F(Repair, a_whole_directory_is_whole_and_its_messages_are_counted) {
  fill();
  const ShardReport report = verify();
  EXPECT_TRUE(report.findings.empty())
      << report.findings.front().file << ": " << report.findings.front().what;
  ASSERT_EQ(report.queues.count(QueueId{7}), 1U);
  EXPECT_EQ(report.queues.at(QueueId{7}).messages, expected_.size());
  EXPECT_EQ(report.queues.at(QueueId{7}).lost, 0U);
  EXPECT_EQ(repair(), 0U);
  EXPECT_EQ(start(), expected_);
}

TEST_F(Repair, both_superblocks_with_a_wrong_bit_are_put_right) {
  fill();
  flip("super.A", 40);
  flip("super.B", 40);
  EXPECT_FALSE(starts());
  machine.disk = machine.storage.open_disk();
  EXPECT_TRUE(refuses(verify()));
  EXPECT_EQ(repair(), 1U);
  EXPECT_TRUE(verify().findings.empty());
  EXPECT_EQ(start(), expected_);
}

TEST_F(Repair, both_superblocks_are_rebuilt_from_the_batches) {
  for (int restarts = 0; restarts < 3; ++restarts) {
    publish(20);
    const auto kept = places();
    ASSERT_TRUE(machine.reboot_after_power_off());
    places() = kept;
    std::map<std::uint64_t, Location> found;
    for (std::size_t i = 0; i < machine.replay.records.size(); ++i)
      found[machine.replay.records[i].seq] = machine.replay.locations[i];
    for (auto& [key, location] : places()) {
      location = found.at(key.second);
      machine.journal->retain(location);
    }
  }
  fill();
  ruin("super.A");
  ruin("super.B");
  EXPECT_FALSE(starts());
  machine.disk = machine.storage.open_disk();
  const ShardReport report = verify();
  EXPECT_TRUE(refuses(report));
  EXPECT_EQ(report.queues.at(QueueId{7}).messages, expected_.size());
  EXPECT_EQ(repair(), 1U);
  EXPECT_TRUE(verify().findings.empty());
  EXPECT_EQ(start(), expected_);
  EXPECT_TRUE(machine.replay.damages.empty());
  // It goes on, and another start finds what came.
  machine.append(100'000, "more");
  ASSERT_TRUE(machine.make_durable());
  machine.power_off();
  expected_.insert(100'000);
  EXPECT_EQ(start(), expected_);
}

TEST_F(Repair, without_superblocks_and_checkpoints_the_log_and_the_segments_are_enough) {
  fill();
  for (const char* name : {"super.A", "super.B"}) ruin(name);
  for (const char* name : {"checkpoint.A", "checkpoint.B"}) ruin(name);
  EXPECT_GE(repair(), 1U);
  const std::set<std::uint64_t> found = start();
  for (const std::uint64_t seq : expected_) EXPECT_TRUE(found.contains(seq)) << seq;
}

TEST_F(Repair, both_checkpoints_are_made_anew_from_the_segments) {
  fill();
  ruin("checkpoint.A");
  ruin("checkpoint.B");
  EXPECT_FALSE(starts());
  machine.disk = machine.storage.open_disk();
  EXPECT_TRUE(refuses(verify()));
  EXPECT_GE(repair(), 1U);
  EXPECT_FALSE(refuses(verify()));
  EXPECT_EQ(start(), expected_);
}

TEST_F(Repair, one_copy_of_a_checkpoint_is_written_anew_from_the_other) {
  fill();
  ruin("checkpoint.A");
  const ShardReport report = verify();
  EXPECT_EQ(report.findings.size(), 1U);
  EXPECT_FALSE(refuses(report));
  EXPECT_EQ(repair(), 1U);
  EXPECT_TRUE(verify().findings.empty());
  EXPECT_EQ(start(), expected_);
  EXPECT_FALSE(machine.storage.contents(path("lost+found/checkpoint.A")).empty());
}

TEST_F(Repair, a_damaged_listing_is_set_aside_and_made_anew_by_the_server) {
  fill();
  const std::string listing = first_file("i-");
  ASSERT_FALSE(listing.empty());
  flip(listing, 40);
  EXPECT_EQ(verify().findings.size(), 1U);
  EXPECT_EQ(repair(), 1U);
  ASSERT_TRUE(machine.storage.contents(path(listing)).empty());
  EXPECT_EQ(start(), expected_);
  places().clear();
  for (const auto& [key, location] : machine.replay.listed) places()[key] = location;
  for (std::size_t i = 0; i < machine.replay.records.size(); ++i) {
    const Replayed& record = machine.replay.records[i];
    if (record.type == RecordType::enqueue && expected_.contains(record.seq))
      places()[{7, record.seq}] = machine.replay.locations[i];
  }
  std::erase_if(places(), [&](const auto& place) { return !expected_.contains(place.first.second); });
  for (const auto& [key, location] : places()) machine.journal->retain(location);
  next_ = 1000;
  EXPECT_TRUE(machine.journal->wants_checkpoint());
  checkpoint();
  EXPECT_FALSE(machine.storage.contents(path(listing)).empty());
  machine.power_off();
  machine.disk = machine.storage.open_disk();
  EXPECT_TRUE(verify().findings.empty());
  EXPECT_EQ(start(), expected_);
}

TEST_F(Repair, a_damaged_record_of_a_segment_names_its_message) {
  publish(300);
  const std::string file = machine.file_of(places().at({7, 42}));
  const std::uint64_t at = places().at({7, 42}).offset();
  checkpoint();
  power_off();
  ASSERT_TRUE(machine.storage.flip_bit(file, at + record_header_bytes + 200, 3));
  const ShardReport report = verify();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].offset, at);
  EXPECT_EQ(report.findings[0].severity, Severity::loss);
  ASSERT_EQ(report.findings[0].messages.size(), 1U);
  EXPECT_EQ(report.findings[0].messages[0].queue, QueueId{7});
  EXPECT_EQ(report.findings[0].messages[0].first, Seq{42});
  EXPECT_EQ(repair(), 0U) << "no start is refused for it";
}

TEST_F(Repair, a_missing_segment_counts_what_it_held) {
  fill();
  std::string segment = first_file("i-");
  segment.replace(0, 1, "j").replace(segment.size() - 3, 3, "log");
  ASSERT_TRUE(machine.disk->remove_now(path(segment)).has_value());
  const ShardReport report = verify();
  EXPECT_GT(report.queues.at(QueueId{7}).lost, 0U);
  EXPECT_LT(report.queues.at(QueueId{7}).lost, report.queues.at(QueueId{7}).messages);
}

TEST_F(Repair, a_missing_file_of_the_log_may_have_held_definitions) {
  publish(400);
  machine.journal->write_mark();
  ASSERT_TRUE(machine.settle_disk());
  power_off();
  const std::string missing = machine.log_files().at(1);
  ASSERT_TRUE(machine.disk->remove_now(missing).has_value());
  EXPECT_FALSE(refuses(verify(false)));
  EXPECT_TRUE(refuses(verify(true)));
  EXPECT_EQ(repair(true), 1U);
  EXPECT_FALSE(refuses(verify(true)));
  const auto snapshot = load_newest_snapshot(*machine.disk, machine.options.directory);
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_TRUE(starts());
  EXPECT_GT(machine.journal->recovery().definitions_lost_before, Lsn{});
  EXPECT_LE(machine.journal->recovery().definitions_lost_before, snapshot->snapshot.lsn);
}

TEST_F(Repair, definitions_come_from_the_log_where_both_snapshots_are_damaged) {
  machine.append(0, "first;", 0, RecordType::meta);
  publish(10);
  machine.append(0, "second;", 0, RecordType::meta);
  publish(10);
  power_off();
  for (const char* copy : {"snapshot.A", "snapshot.B"}) {
    const std::vector<std::byte> file =
        encode_snapshot(Lsn{0}, as_bytes("something longer than a few bytes"));
    ASSERT_TRUE(machine.disk->write_file_now(path(copy), file).has_value());
    ruin(copy);
  }
  EXPECT_TRUE(refuses(verify(true)));
  EXPECT_EQ(repair(true), 1U);
  const auto snapshot = load_newest_snapshot(*machine.disk, machine.options.directory);
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_EQ(text_of(snapshot->snapshot.contents), "first;second;");
  EXPECT_FALSE(refuses(verify(true)));
}

TEST_F(Repair, the_files_of_the_log_are_all_gone_and_it_goes_on) {
  fill();
  for (const std::string& file : machine.log_files()) {
    const ShardReport report = verify();
    const std::string name = file.substr(file.rfind('/') + 1);
    for (const VerifiedFile& verified : report.files) {
      if (verified.name == name && verified.kind == FileKind::log)
        ASSERT_TRUE(machine.disk->remove_now(file).has_value());
    }
  }
  EXPECT_FALSE(starts());
  machine.disk = machine.storage.open_disk();
  EXPECT_TRUE(refuses(verify()));
  EXPECT_EQ(repair(), 1U);
  const std::set<std::uint64_t> found = start();
  EXPECT_FALSE(found.empty()) << "the segments are there";
  EXPECT_FALSE(machine.replay.damages.empty());
}

}  // namespace
}  // namespace weir::storage
