// What it is: a machine with a simulated disk, a journal on it, and witnesses of what the journal said.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "runtime/sim/sim_disk.h"
#include "storage/journal.h"

namespace weir::storage {

struct Replayed {
  RecordType type{};
  std::uint32_t queue = 0;
  std::uint64_t seq = 0;
  std::string payload;
  bool operator==(const Replayed&) const = default;
};

inline std::string text_of(Bytes bytes) { return std::string(as_text(bytes)); }

class ReplayWitness final : public ReplayVisitor {
 public:
  struct Damage {
    Lsn from, to;
    std::uint64_t records_lost;
    bool operator==(const Damage&) const = default;
  };
  void on_record(const Record& record, Location location, Lsn lsn) override {
    EXPECT_TRUE(lsns.empty() || lsn > lsns.back()) << "records come in the order of the log";
    lsns.push_back(lsn);
    locations.push_back(location);
    records.push_back({record.type, record.queue.value, record.seq.value, text_of(record.payload)});
    extensions.push_back(text_of(record.extension));
  }
  void on_damage(Lsn from, Lsn to, std::uint64_t records_lost) override {
    damages.push_back({from, to, records_lost});
  }
  void on_messages(QueueId queue, const CheckpointRun& run) override {
    for (std::uint64_t i = 0; i < run.count; ++i) there[queue.value].insert(run.first.value + i);
  }
  void on_queue(QueueId queue, Seq next) override { nexts[queue.value] = next.value; }
  void on_listed(const ListedMessage& message, Location location) override {
    if (there[message.queue.value].contains(message.seq.value))
      listed[{message.queue.value, message.seq.value}] = location;
  }

  // Of a checkpoint, by queue.
  std::map<std::uint32_t, std::set<std::uint64_t>> there;
  std::map<std::uint32_t, std::uint64_t> nexts;
  std::map<std::pair<std::uint32_t, std::uint64_t>, Location> listed;
  std::vector<Replayed> records;
  std::vector<std::string> extensions;
  std::vector<Location> locations;
  std::vector<Lsn> lsns;
  std::vector<Damage> damages;
};

class EventsWitness final : public JournalEvents {
 public:
  void on_durable(Lsn up_to) override {
    EXPECT_GT(up_to, durable) << "ascending";
    EXPECT_FALSE(failed) << "nothing after the failure";
    durable = up_to;
    ++times;
    if (then) then();
  }
  void on_journal_failed(const Error& error) override {
    EXPECT_FALSE(failed) << "told once";
    failed = true;
    message = error.message;
  }
  bool on_moved(QueueId queue, Seq seq, Location from, Location to) override {
    const auto at = places.find({queue.value, seq.value});
    if (at == places.end() || at->second != from) return false;
    at->second = to;
    return true;
  }

  std::map<std::pair<std::uint32_t, std::uint64_t>, Location> places;  // of what is retained

  Lsn durable;
  int times = 0;
  bool failed = false;
  std::string message;
  std::function<void()> then;
};

class ReadWitness final : public ReadWaiter {
 public:
  void on_read(Result<CachedRecord> record) override {
    ++times;
    if (!record) {
      error = record.error().code;
      return;
    }
    const std::size_t length = load_le<std::uint32_t>(record->at + 4);
    payload = text_of(parse_record(Bytes(record->at, length)).payload);
  }
  int times = 0;
  ErrorCode error{};
  std::string payload;
};

// Small files and caches, so that everything happens within a few records.
inline JournalOptions small_options() {
  JournalOptions options;
  options.directory = "data/shard-00";
  options.first_file_bytes = 64U << 10;
  options.file_bytes_max = 256U << 10;
  options.cache_bytes = 256U << 10;
  options.batch_bytes_max = 32U << 10;
  options.random_seed = 0x1234'5678'9abc'def0;
  return options;
}

class Machine {
 public:
  explicit Machine(std::uint64_t seed = 1, JournalOptions wanted = small_options())
      : storage(seed), options(std::move(wanted)) {
    options.clock = &clock;
    // Damage and full disks are what is tested here: their warnings are no news.
    mute_log();
  }
  ~Machine() { journal.reset(); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Starts the process; false if the journal does not open.
  bool boot(runtime::SimFaults faults = {}) {
    journal.reset();
    disk = storage.open_disk(faults);
    replay = ReplayWitness{};
    auto then = std::exchange(events.then, nullptr);
    events = EventsWitness{};
    events.then = std::move(then);
    auto opened = Journal::open(*disk, options, replay, events);
    if (!opened) {
      open_error = opened.error();
      return false;
    }
    journal = std::move(*opened);
    events.durable = journal->durable();
    return true;
  }
  void power_off() {
    storage.crash();
    journal.reset();
    disk.reset();
  }
  bool reboot_after_power_off(runtime::SimFaults faults = {}) {
    power_off();
    return boot(faults);
  }

  Location append(std::uint64_t seq, std::string_view payload, std::uint32_t queue = 7,
                  RecordType type = RecordType::enqueue, Journal::Urgency urgency = Journal::Urgency::wait) {
    const Journal::Space space =
        journal->append(type, 0, QueueId{queue}, Seq{seq}, 0, payload.size(), urgency);
    if (!payload.empty()) std::memcpy(space.bytes.data(), payload.data(), payload.size());
    journal->finish();
    return space.location;
  }
  void turn() {
    clock.advance_ms(1);
    journal->flush();
    disk->submit();
    disk->poll();
  }
  // False if that does not come about in many turns.
  bool run_until(const std::function<bool()>& condition) {
    constexpr int turns_max = 20'000;
    for (int i = 0; i < turns_max && !condition(); ++i) turn();
    return condition();
  }
  bool make_durable() {
    const Lsn end = journal->end();
    journal->flush_riding();
    return run_until([&] { return journal->durable() >= end && journal->idle(); });
  }
  bool settle_disk() {
    return run_until([&] { return disk->in_flight() == 0; });
  }
  std::string cached_payload(Location location) {
    const CachedRecord record = journal->cached(location);
    if (record.at == nullptr) return "(not in memory)";
    return text_of(parse_record(Bytes(record.at, location.bytes())).payload);
  }
  // Where a record is on the disk; right as long as nothing was reclaimed since the last start.
  std::string file_of(Location location) const { return log_files().at(location.slot()); }
  std::vector<std::string> log_files() const {
    std::vector<std::string> found;
    for (const std::string& path : storage.paths()) {
      if (path.ends_with(".log") && path.find("lost+found") == std::string::npos) found.push_back(path);
    }
    return found;
  }
  std::vector<std::uint64_t> seqs() const {
    std::vector<std::uint64_t> found;
    for (const Replayed& record : replay.records) found.push_back(record.seq);
    return found;
  }

  ManualClock clock;
  runtime::SimStorage storage;
  JournalOptions options;
  std::unique_ptr<runtime::Disk> disk;
  ReplayWitness replay;
  EventsWitness events;
  std::unique_ptr<Journal> journal;
  Error open_error{};
};

inline std::vector<std::uint64_t> ascending(std::uint64_t first, std::uint64_t count) {
  std::vector<std::uint64_t> result;
  for (std::uint64_t i = 0; i < count; ++i) result.push_back(first + i);
  return result;
}

}  // namespace weir::storage
