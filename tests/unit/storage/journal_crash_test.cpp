// The journal against a model, with the power going or the process dying at any moment, also during recovery.
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <string>

#include "unit/storage/dying_disk.h"
#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

struct Life {
  std::uint64_t seed = 0;
  bool slow_disk = false;
  bool big_records = false;
  bool reclaims = true;
};

// Appends records of ascending seq; every record's bytes tell its seq and the boot that wrote it.
class Model {
 public:
  explicit Model(Life life)
      : life_(life), rng_(life.seed * 0x9e37'79b9 + 17), machine_(life.seed, options_of(life)) {}

  void run() {
    start();
    for (int life = 0; life < 12 && !::testing::Test::HasFatalFailure(); ++life) {
      const std::uint64_t steps = rng_.below(160);
      for (std::uint64_t step = 0; step < steps; ++step) live();
      die();
      if (::testing::Test::HasFatalFailure()) return;
      start();
    }
  }

 private:
  struct Entry {
    std::uint64_t seq;
    std::uint64_t boot;
    std::size_t bytes;
    Location location;
    Lsn end;
  };

  static JournalOptions options_of(const Life& life) {
    JournalOptions options = small_options();
    options.commits_in_flight_max = life.seed % 3 == 0 ? 4 : 2;
    options.batch_bytes_max = life.seed % 2 == 0 ? 8U << 10 : 32U << 10;
    return options;
  }

  std::string payload_of(std::uint64_t seq, std::uint64_t boot, std::size_t bytes) const {
    std::string text = std::to_string(seq) + "/" + std::to_string(boot) + "/";
    while (text.size() < bytes) text += text;
    text.resize(bytes);
    return text;
  }

  std::size_t random_size() {
    const std::uint64_t kind = rng_.below(40);
    if (kind == 0 && life_.big_records) return 100'000 + rng_.below(400'000);
    if (kind < 4) return 8'000 + rng_.below(24'000);
    return 24 + rng_.below(1'500);
  }

  void append_one() {
    Entry entry{next_seq_++, boots_, random_size(), {}, {}};
    const auto urgency = rng_.chance(1, 4) ? Journal::Urgency::ride : Journal::Urgency::wait;
    entry.location = machine_.append(entry.seq, payload_of(entry.seq, entry.boot, entry.bytes), 7,
                                     RecordType::enqueue, urgency);
    entry.end = machine_.journal->end();
    machine_.journal->retain(entry.location);
    entries_.push_back(entry);
  }

  void live() {
    switch (rng_.below(10)) {
      case 0: machine_.journal->flush_riding(); break;
      case 1: machine_.journal->write_mark(); break;
      case 2: release_some(); break;
      case 3:
      case 4: machine_.turn(); break;
      default: append_one(); break;
    }
    if (rng_.chance(1, 3)) machine_.turn();
  }

  void release_some() {
    if (!life_.reclaims) return;
    for (std::uint64_t count = rng_.below(40); count > 0 && released_ < entries_.size(); --count) {
      if (entries_[released_].end > machine_.journal->durable()) break;
      machine_.journal->release(entries_[released_].location);
      ++released_;
    }
    machine_.journal->tend();
    machine_.journal->reclaim(machine_.journal->reclaimable(), Seq{});
  }

  void die() {
    durable_count_ = 0;
    while (durable_count_ < entries_.size() && entries_[durable_count_].end <= machine_.journal->durable()) {
      ++durable_count_;
    }
    const std::uint64_t kind = rng_.below(8);
    if (kind == 0) {
      ASSERT_TRUE(machine_.journal->close_clean().has_value());
      durable_count_ = entries_.size();
      machine_.journal.reset();
      machine_.disk.reset();
    } else if (kind < 3) {
      machine_.storage.kill();
      machine_.journal.reset();
      machine_.disk.reset();
    } else {
      machine_.power_off();
    }
    while (rng_.chance(1, 3)) die_in_recovery();
  }

  // Each such recovery ends at another of its steps.
  void die_in_recovery() {
    machine_.disk = machine_.storage.open_disk();
    DyingDisk dying(*machine_.disk, rng_.below(8), rng_.next());
    ReplayWitness replay;
    EventsWitness events;
    auto opened = Journal::open(dying, machine_.options, replay, events);
    if (opened) opened->reset();
    machine_.power_off();
  }

  void start() {
    runtime::SimFaults faults;
    if (life_.slow_disk) faults.slow_one_in = 4;
    ASSERT_TRUE(machine_.boot(faults)) << machine_.open_error.message;
    ++boots_;
    check();
    if (rng_.chance(1, 3)) {
      const std::vector<Replayed> before = machine_.replay.records;
      ASSERT_TRUE(machine_.reboot_after_power_off(faults));
      ++boots_;
      ASSERT_EQ(machine_.replay.records, before) << "recovery of what was recovered";
    }
    adopt();
  }

  void check() const {
    const std::vector<Replayed>& found = machine_.replay.records;
    ASSERT_TRUE(machine_.replay.damages.empty());
    if (found.empty()) {
      ASSERT_LE(durable_count_, released_) << "all that was durable and live is lost";
      return;
    }
    const std::uint64_t first = found.front().seq;
    ASSERT_FALSE(entries_.empty());
    ASSERT_GE(first, entries_.front().seq);
    ASSERT_LE(first, entries_.front().seq + released_) << "live records are missing at the beginning";
    const std::uint64_t skipped = first - entries_.front().seq;
    ASSERT_LE(found.size() + skipped, entries_.size()) << "invented records";
    ASSERT_GE(found.size() + skipped, durable_count_) << "durable records are missing at the end";
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Entry& entry = entries_[i + skipped];
      ASSERT_EQ(found[i].seq, entry.seq);
      ASSERT_TRUE(found[i].payload == payload_of(entry.seq, entry.boot, entry.bytes)) << "seq " << entry.seq;
    }
  }

  // What the log holds now is what counts; the lost seqs are used again, with other bytes.
  void adopt() {
    std::deque<Entry> kept;
    const std::vector<Replayed>& found = machine_.replay.records;
    std::size_t released = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      Entry entry = entries_[found[i].seq - entries_.front().seq];
      entry.location = machine_.replay.locations[i];
      entry.end = machine_.journal->durable();
      if (entry.seq < entries_.front().seq + released_) {
        ++released;
      } else {
        machine_.journal->retain(entry.location);
      }
      kept.push_back(entry);
    }
    if (kept.empty() && !entries_.empty())
      next_seq_ = entries_.front().seq + std::min(released_, entries_.size());
    if (!kept.empty()) next_seq_ = kept.back().seq + 1;
    entries_ = std::move(kept);
    released_ = released;
  }

  Life life_;
  Rng rng_;
  Machine machine_;
  std::deque<Entry> entries_;  // of the log, oldest first
  std::size_t released_ = 0;   // of those, from the front
  std::size_t durable_count_ = 0;
  std::uint64_t next_seq_ = 1;
  std::uint64_t boots_ = 0;
};

std::uint64_t seeds() {
  const char* wanted = std::getenv("WEIR_JOURNAL_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 400;
}

void run_lives(bool slow_disk, bool big_records, bool reclaims) {
  const std::uint64_t count = seeds();
  for (std::uint64_t seed = 1; seed <= count && !::testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model({seed, slow_disk, big_records, reclaims}).run();
  }
}

TEST(JournalCrash, every_durable_record_comes_back_once_and_in_order) { run_lives(false, false, false); }
TEST(JournalCrash, also_while_files_are_reclaimed_and_recycled) { run_lives(false, false, true); }
TEST(JournalCrash, also_with_records_larger_than_files) { run_lives(false, true, true); }
TEST(JournalCrash, also_when_commits_take_long_and_complete_out_of_order) { run_lives(true, true, true); }

}  // namespace
}  // namespace weir::storage
