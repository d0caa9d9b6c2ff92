// What a record costs in the journal, without the disk: append, copy of the payload, checksums, commit and reclaim.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "base/assert.h"
#include "micro/null_disk.h"
#include "storage/journal.h"

namespace weir::storage {
namespace {

class Silent final : public ReplayVisitor, public JournalEvents {
 public:
  void on_record(const Record&, Location, Lsn) override {}
  void on_damage(Lsn, Lsn, std::uint64_t) override {}
  void on_messages(QueueId, const CheckpointRun&) override {}
  void on_queue(QueueId, Seq) override {}
  void on_listed(const ListedMessage&, Location) override {}
  void on_durable(Lsn) override {}
  void on_journal_failed(const Error&) override { WEIR_UNREACHABLE(); }
  bool on_moved(QueueId, Seq, Location, Location) override { return false; }
};

std::unique_ptr<Journal> open_journal(runtime::Disk& disk, Silent& silent) {
  JournalOptions options;
  options.directory = "bench";
  auto journal = Journal::open(disk, options, silent, silent);
  WEIR_ASSERT(journal.has_value());
  return std::move(*journal);
}

// `records_per_turn` records, then the end of a turn.
void append_and_commit(benchmark::State& state) {
  const auto payload_bytes = static_cast<std::size_t>(state.range(0));
  const auto records_per_turn = static_cast<int>(state.range(1));
  bench::NullDisk disk;
  Silent silent;
  const std::unique_ptr<Journal> journal = open_journal(disk, silent);
  const std::vector<std::byte> payload(payload_bytes, std::byte{'x'});
  std::uint64_t seq = 0;
  std::uint64_t turns = 0;
  for (auto _ : state) {
    for (int i = 0; i < records_per_turn; ++i) {
      const Journal::Space space = journal->append(RecordType::enqueue, 0, QueueId{1}, Seq{++seq}, 0,
                                                   payload.size(), Journal::Urgency::wait);
      std::memcpy(space.bytes.data(), payload.data(), payload.size());
      journal->finish();
    }
    journal->flush();
    disk.submit();
    disk.poll();
    if (++turns % 64 == 0) journal->reclaim(journal->reclaimable(), Seq{});
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(seq));
  state.counters["ns/record"] = benchmark::Counter(static_cast<double>(seq) * 1e-9,
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void find_in_the_tail(benchmark::State& state) {
  constexpr int records = 10'000;
  bench::NullDisk disk;
  Silent silent;
  const std::unique_ptr<Journal> journal = open_journal(disk, silent);
  std::vector<Location> locations;
  for (int i = 0; i < records; ++i) {
    locations.push_back(
        journal->append(RecordType::enqueue, 0, QueueId{1}, Seq{1}, 0, 1024, Journal::Urgency::wait)
            .location);
    journal->finish();
    if (i % 50 == 0) {
      journal->flush();
      disk.poll();
    }
  }
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(journal->cached(locations[next]));
    next = next + 1 == locations.size() ? 0 : next + 1;
  }
}

BENCHMARK(append_and_commit)->ArgNames({"payload", "per_turn"})->Args({16, 100})->Args({16, 1000});
BENCHMARK(append_and_commit)
    ->ArgNames({"payload", "per_turn"})
    ->Args({1024, 1})
    ->Args({1024, 100})
    ->Args({16384, 10});
BENCHMARK(find_in_the_tail);

}  // namespace
}  // namespace weir::storage
