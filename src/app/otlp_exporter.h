// What it is: spans on their way to a collector, by OTLP/HTTP: kept in a bounded queue, sent in batches by a thread of its
// own. Nobody waits for it; what is too much, or can't be sent, is dropped and counted.
// Shard: any thread records; made and destroyed on the main thread, after the shards have stopped.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/otlp_json.h"
#include "base/error.h"
#include "cli/bench_options.h"
#include "node/tracing.h"

namespace weir::app {

// http[s]://[user:password@]host:port[/path]
struct OtlpEndpoint {
  cli::BenchServer server;  // an empty user: nobody
  std::string path;
};
// Errors: config.
Result<OtlpEndpoint> parse_otlp_url(std::string_view url);

struct OtlpOptions {
  OtlpEndpoint endpoint;
  OtlpResource resource;
  std::string ca_file;      // who may have signed the collector's certificate
  double sample_ratio = 0;  // of messages that come without a trace
};

class OtlpExporter final : public node::SpanSink {
 public:
  static constexpr std::size_t queue_max = 16'384;  // spans
  static constexpr std::size_t batch_max = 512;

  explicit OtlpExporter(OtlpOptions options);
  // Sends what is there, once and for a short while.
  ~OtlpExporter() override;

  void record(node::Span&& span) override;
  bool starts_trace() override;
  node::TraceId new_trace_id() override;
  node::SpanId new_span_id() override;
  std::uint64_t now_ns() const override;

  std::uint64_t exported() const { return exported_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void run();
  bool wait_for_batch(std::vector<node::Span>& batch);
  bool send(const std::string& body, std::uint64_t ms_max);
  void send_or_drop(const std::vector<node::Span>& batch);
  bool pause_ms(std::uint64_t ms);
  void tell(std::string_view why);

  const OtlpOptions options_;
  const std::uint64_t starts_below_;  // a random number below it starts a trace
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<node::Span> queue_;  // under the mutex
  bool stopping_ = false;          // under the mutex
  std::atomic<std::uint64_t> exported_{0}, dropped_{0};
  std::uint64_t told_ns_ = 0, told_dropped_ = 0;  // of the thread
  std::thread thread_;
};

}  // namespace weir::app
