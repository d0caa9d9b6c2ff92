// What it is: what the disk itself can do, as the yardstick beside broker benchmarks: durable writes (O_DIRECT and
// RWF_DSYNC) into a pre-written file, without anything of Weir's.
//   latency: 4 KiB, one at a time.   throughput: 1 MiB, two in flight.
// Prints one line of JSON.

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t file_bytes = 128U << 20;
constexpr std::size_t small_bytes = 4096;
constexpr std::size_t large_bytes = 1U << 20;
constexpr unsigned in_flight = 2;

using SteadyClock = std::chrono::steady_clock;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "raw_sync: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

std::byte* aligned_buffer(std::size_t bytes) {
  void* memory = std::aligned_alloc(4096, bytes);
  if (memory == nullptr) die("aligned_alloc");
  std::memset(memory, 'w', bytes);
  return static_cast<std::byte*>(memory);
}

void write_at(int file, std::byte* from, std::size_t bytes, std::size_t offset, int flags) {
  const iovec piece{from, bytes};
  if (::pwritev2(file, &piece, 1, static_cast<off_t>(offset), flags) != static_cast<ssize_t>(bytes))
    die("write");
}

// Every block written and synced, so that the measured writes change no metadata.
int make_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0600);
  if (file < 0) die(path.c_str());
  std::byte* buffer = aligned_buffer(large_bytes);
  for (std::size_t at = 0; at < file_bytes; at += large_bytes) write_at(file, buffer, large_bytes, at, 0);
  if (::fsync(file) != 0) die("fsync");
  std::free(buffer);
  return file;
}

std::vector<double> sync_latencies_us(int file, double seconds) {
  std::byte* buffer = aligned_buffer(small_bytes);
  std::vector<double> latencies;
  const auto end = SteadyClock::now() + std::chrono::duration<double>(seconds);
  std::size_t at = 0;
  for (auto begin = SteadyClock::now(); begin < end; at = (at + small_bytes) % file_bytes) {
    write_at(file, buffer, small_bytes, at, RWF_DSYNC);
    const auto now = SteadyClock::now();
    latencies.push_back(std::chrono::duration<double, std::micro>(now - begin).count());
    begin = now;
  }
  std::free(buffer);
  std::sort(latencies.begin(), latencies.end());
  return latencies;
}

double write_mb_per_s(int file, double seconds) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> written{0};
  const auto begin = SteadyClock::now();
  const auto end = begin + std::chrono::duration<double>(seconds);
  const auto write_on = [&] {
    std::byte* buffer = aligned_buffer(large_bytes);
    while (SteadyClock::now() < end) {
      write_at(file, buffer, large_bytes, next.fetch_add(1) * large_bytes % file_bytes, RWF_DSYNC);
      written.fetch_add(large_bytes);
    }
    std::free(buffer);
  };
  std::vector<std::thread> writers;
  for (unsigned i = 0; i < in_flight; ++i) writers.emplace_back(write_on);
  for (std::thread& writer : writers) writer.join();
  const double took_s = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  return static_cast<double>(written.load()) / 1e6 / took_s;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: raw_sync DIRECTORY [SECONDS]\n");
    return 2;
  }
  const double seconds = argc == 3 ? std::atof(argv[2]) : 2;
  const std::string path = std::string(argv[1]) + "/raw_sync." + std::to_string(::getpid());
  const int file = make_file(path);
  ::unlink(path.c_str());
  const std::vector<double> latencies = sync_latencies_us(file, seconds / 2);
  const double mb_per_s = write_mb_per_s(file, seconds / 2);
  const auto at = [&](double fraction) {
    return latencies[static_cast<std::size_t>(fraction * static_cast<double>(latencies.size() - 1))];
  };
  std::printf("{\"sync_p50_us\": %.1f, \"sync_p99_us\": %.1f, \"syncs\": %zu, \"write_mb_per_s\": %.1f}\n",
              at(0.5), at(0.99), latencies.size(), mb_per_s);
}
