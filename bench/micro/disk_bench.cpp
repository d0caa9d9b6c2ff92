// Durable writes into a prepared file, as the journal makes them: through a loop that sleeps until they complete.
// Arguments: bytes of a write, writes in flight. p50_us and p99_us are of one write, cpu_us the process's time per
// write, helper threads included. The file is made in $WEIR_BENCH_DIR, or in the system's folder for temporary files.

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/assert.h"
#include "base/chunk.h"
#include "runtime/loop.h"

namespace weir::runtime {
namespace {

constexpr std::uint64_t file_bytes = 256U << 20;

std::string bench_path() {
  const char* const directory = std::getenv("WEIR_BENCH_DIR");
  return (directory != nullptr ? std::string(directory) : std::filesystem::temp_directory_path().string()) +
         "/weir-disk-bench";
}

double cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

// Keeps one write in flight until `left` of all writers is used up.
class Writer final : public IoRequest {
 public:
  struct Shared {
    Loop* loop = nullptr;
    FileHandle file = no_file;
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
    std::size_t left = 0;
    std::size_t busy = 0;
    std::vector<double> latencies_us;
  };
  explicit Writer(Shared& shared) : shared_(shared), data_(ChunkRef::adopt(Chunk::make(shared.bytes))) {
    std::fill_n(data_->data(), shared.bytes, std::byte{0x5a});
  }

  void begin() {
    --shared_.left;
    ++shared_.busy;
    if (shared_.offset + shared_.bytes > file_bytes) shared_.offset = 0;
    started_ns_ = shared_.loop->clock().monotonic_ns();
    shared_.loop->disk().write_durable(shared_.file, shared_.offset, {data_->data(), shared_.bytes}, *this);
    shared_.offset += shared_.bytes;
  }
  void on_io(std::int64_t result) override {
    WEIR_ASSERT(result == static_cast<std::int64_t>(shared_.bytes));
    const std::uint64_t took_ns = shared_.loop->clock().monotonic_ns() - started_ns_;
    shared_.latencies_us.push_back(static_cast<double>(took_ns) / 1'000);
    --shared_.busy;
    if (shared_.left > 0) return begin();
    if (shared_.busy == 0) shared_.loop->stop();
  }

 private:
  Shared& shared_;
  ChunkRef data_;
  std::uint64_t started_ns_ = 0;
};

void durable_writes(benchmark::State& state, bool io_uring) {
  constexpr std::size_t writes_per_iteration = 200;
  const std::unique_ptr<Loop> loop =
      Loop::make({.ring = io_uring ? KernelRing::all : KernelRing::no}).value();
  if (!std::filesystem::exists(bench_path())) {
    WEIR_ASSERT(loop->disk().prepare_file_now(bench_path(), file_bytes).has_value());
  }
  Writer::Shared shared;
  shared.loop = loop.get();
  shared.file = loop->disk().open(bench_path()).value();
  shared.bytes = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<Writer>> writers;
  for (std::int64_t i = 0; i < state.range(1); ++i) writers.push_back(std::make_unique<Writer>(shared));
  const double cpu_before_us = cpu_us();
  for (auto _ : state) {
    shared.left = writes_per_iteration;
    for (const std::unique_ptr<Writer>& writer : writers) writer->begin();
    loop->disk().submit();
    loop->run(nullptr);
  }
  std::vector<double>& latencies = shared.latencies_us;
  const auto count = static_cast<double>(latencies.size());
  state.counters["cpu_us"] = (cpu_us() - cpu_before_us) / count;
  std::sort(latencies.begin(), latencies.end());
  state.counters["p50_us"] = latencies[latencies.size() / 2];
  state.counters["p99_us"] = latencies[latencies.size() * 99 / 100];
  state.SetItemsProcessed(static_cast<std::int64_t>(latencies.size()));
  state.SetBytesProcessed(static_cast<std::int64_t>(latencies.size() * shared.bytes));
  loop->disk().close(shared.file);
}

BENCHMARK_CAPTURE(durable_writes, io_uring, true)
    ->ArgsProduct({{4 << 10, 64 << 10, 1 << 20}, {1, 2}})
    ->UseRealTime();
BENCHMARK_CAPTURE(durable_writes, threads, false)
    ->ArgsProduct({{4 << 10, 64 << 10, 1 << 20}, {1, 2}})
    ->UseRealTime();

}  // namespace
}  // namespace weir::runtime
