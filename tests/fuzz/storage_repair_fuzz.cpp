// A shard's directory with a superblock, a log, segments and a checkpoint, damaged anywhere: verify and repair end, what verify
// finds no refusal in can be started, and so can what was repaired.
// The input: edits of 8 bytes. u8 what: 0 to 3 overwrite two bytes, 4 cut off, 5 remove, 6 zero 512 bytes, 7 give it the contents
// of the next file; u8 the file; u32 where in it; u16 a value.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/cursor.h"
#include "base/log.h"
#include "runtime/sim/sim_disk.h"
#include "storage/checkpoint_writer.h"
#include "storage/journal.h"
#include "storage/repair.h"
#include "storage/verify.h"

namespace {

using namespace weir;
using namespace weir::storage;

constexpr const char* directory = "d";
constexpr std::size_t edit_bytes = 8;
constexpr std::size_t edits_max = 16;

void check(bool holds) {
  if (!holds) std::abort();
}

class Witness final : public ReplayVisitor, public JournalEvents {
 public:
  void on_record(const Record&, Location, Lsn) override {}
  void on_damage(Lsn, Lsn, std::uint64_t) override {}
  void on_messages(QueueId, const CheckpointRun&) override {}
  void on_queue(QueueId, Seq) override {}
  void on_listed(const ListedMessage&, Location) override {}
  void on_durable(Lsn) override {}
  void on_journal_failed(const Error&) override { std::abort(); }
  bool on_moved(QueueId, Seq, Location, Location) override { return false; }
};

JournalOptions options_of(const Clock& clock) {
  JournalOptions options;
  options.clock = &clock;
  options.directory = directory;
  options.first_file_bytes = options.file_bytes_max = 64U << 10;
  options.cache_bytes = 64U << 10;
  options.batch_bytes_max = 16U << 10;
  options.checkpoint_bytes = 1;
  options.clean_gain_bytes = UINT64_MAX;
  options.random_seed = 0x1234'5678'9abc'def0;
  return options;
}

// Messages of a queue, some settled, a checkpoint, and more of both behind it.
class Maker {
 public:
  explicit Maker(runtime::SimStorage& storage) : disk_(storage.open_disk()) {
    check(disk_->make_directories(directory).has_value());
    auto opened = Journal::open(*disk_, options_of(clock_), witness_, witness_);
    check(opened.has_value());
    journal_ = std::move(*opened);
    publish(200);
    for (std::uint64_t seq = 1; seq < 200; seq += 3) settle(seq);
    checkpoint();
    publish(60);
    for (std::uint64_t seq = 2; seq < 90; seq += 3) settle(seq);
    run_until([&] { return journal_->idle() && disk_->in_flight() == 0; });
    journal_->write_mark();
    run_until([&] { return journal_->idle() && disk_->in_flight() == 0; });
  }

 private:
  void run_until(const auto& condition) {
    for (int turns = 0; !condition(); ++turns) {
      check(turns < 20'000);
      clock_.advance_ms(1);
      journal_->flush_riding();
      journal_->flush();
      disk_->submit();
      disk_->poll();
    }
  }
  void publish(std::uint64_t count) {
    for (; count > 0; --count, ++next_) {
      const auto space = journal_->append(RecordType::enqueue, 0, QueueId{7}, Seq{next_}, 0, 700 + next_,
                                          Journal::Urgency::wait);
      std::memset(space.bytes.data(), 'x', space.bytes.size());
      journal_->finish();
      journal_->retain(space.location);
      places_[next_] = space.location;
      if (next_ % 16 == 0) run_until([&] { return journal_->idle(); });
    }
  }
  void settle(std::uint64_t seq) {
    std::vector<std::byte> run;
    Writer out(run);
    out.le(seq);
    out.le(std::uint32_t{1});
    const auto space =
        journal_->append(RecordType::settle, 0, QueueId{7}, Seq{0}, 0, run.size(), Journal::Urgency::ride);
    std::memcpy(space.bytes.data(), run.data(), run.size());
    journal_->finish();
    journal_->release(places_.at(seq));
    places_.erase(seq);
  }
  void checkpoint() {
    CheckpointWriter& writer = journal_->begin_checkpoint();
    writer.begin_queue(QueueId{7}, Seq{next_});
    for (const auto& [seq, location] : places_) writer.message(Seq{seq}, location, false, 0, {});
    writer.finish(journal_->end());
    run_until([&] {
      journal_->tend();
      return !writer.active() && disk_->in_flight() == 0;
    });
  }

  ManualClock clock_;
  Witness witness_;
  std::unique_ptr<runtime::Disk> disk_;
  std::unique_ptr<Journal> journal_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Location> places_;
};

// As kill -9 leaves it.
const std::map<std::string, std::vector<std::byte>>& whole_directory() {
  static const std::map<std::string, std::vector<std::byte>> files = [] {
    std::map<std::string, std::vector<std::byte>> made;
    runtime::SimStorage storage(1);
    const Maker maker(storage);
    for (const std::string& path : storage.paths()) made[path] = storage.contents(path);
    return made;
  }();
  return files;
}

void damage(std::map<std::string, std::vector<std::byte>>& files, const std::uint8_t* edit) {
  const auto* const bytes = reinterpret_cast<const std::byte*>(edit);
  auto at = std::next(files.begin(), static_cast<std::ptrdiff_t>(edit[1] % files.size()));
  std::vector<std::byte>& file = at->second;
  const std::size_t offset = file.empty() ? 0 : load_le<std::uint32_t>(bytes + 2) % file.size();
  switch (edit[0] % 8) {
    case 4: file.resize(offset); break;
    case 5:
      if (files.size() > 1) files.erase(at);
      break;
    case 6:
      std::fill_n(file.begin() + offset, std::min<std::size_t>(512, file.size() - offset), std::byte{0});
      break;
    case 7: file = std::next(at) == files.end() ? files.begin()->second : std::next(at)->second; break;
    default:
      if (offset + 2 <= file.size()) store_le(file.data() + offset, load_le<std::uint16_t>(bytes + 6));
  }
}

void put(const std::map<std::string, std::vector<std::byte>>& files, runtime::Disk& disk) {
  check(disk.make_directories(directory).has_value());
  for (const auto& [path, contents] : files) check(disk.write_file_now(path, contents).has_value());
}

bool starts(runtime::Disk& disk) {
  const ManualClock clock;
  Witness witness;
  return Journal::open(disk, options_of(clock), witness, witness).has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mute_log();
  std::map<std::string, std::vector<std::byte>> files = whole_directory();
  for (std::size_t i = 0; i < edits_max && (i + 1) * edit_bytes <= size; ++i)
    damage(files, data + i * edit_bytes);
  runtime::SimStorage storage(1);
  auto disk = storage.open_disk();
  put(files, *disk);

  VerifyOptions deep;
  deep.deep = true;
  const Result<ShardReport> report = verify_shard(*disk, directory, deep);
  check(report.has_value());
  const bool refuses =
      std::any_of(report->findings.begin(), report->findings.end(),
                  [](const Finding& finding) { return finding.severity == Severity::refuses; });
  if (!refuses) {
    runtime::SimStorage other(1);
    auto as_it_is = other.open_disk();
    put(files, *as_it_is);
    check(starts(*as_it_is));
  }
  const Result<RepairPlan> plan = plan_shard_repair(*disk, directory, {});
  if (!plan) {
    check(refuses);
    return 0;
  }
  check(!refuses || !plan->steps.empty());
  for (const RepairStep& step : plan->steps) check(step.carry_out().has_value());
  check(starts(*disk));
  return 0;
}
