#include "app/otlp_exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <random>
#include <utility>

#include "base/log.h"
#include "base/rng.h"
#include "cli/amqp_uri.h"
#include "cli/http_client.h"
#include "runtime/loop.h"

namespace weir::app {
namespace {

constexpr std::uint64_t interval_ms = 1'000;  // a batch waits for more so long
constexpr std::uint64_t answer_ms_max = 10'000, last_answer_ms_max = 2'000;
constexpr unsigned attempts_max = 5;
constexpr std::uint64_t first_pause_ms = 500;  // doubled from attempt to attempt
constexpr std::uint64_t tell_every_ns = 60'000'000'000;
constexpr const char* default_path = "/v1/traces";
constexpr std::uint16_t default_port = 4318;

// Unpredictable enough for ids that only have to differ.
std::uint64_t random_number() {
  thread_local Rng rng([] {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  }());
  return rng.next();
}

template <std::size_t Bytes>
std::array<std::uint8_t, Bytes> random_id() {
  std::array<std::uint8_t, Bytes> id{};
  for (std::size_t at = 0; at < Bytes; at += 8) {
    std::uint64_t number = 0;
    while (number == 0) number = random_number();
    for (std::size_t i = 0; i < 8; ++i) id[at + i] = static_cast<std::uint8_t>(number >> 8 * i);
  }
  return id;
}

std::uint64_t threshold(double ratio) {
  if (ratio >= 1) return UINT64_MAX;
  return static_cast<std::uint64_t>(std::ldexp(std::max(ratio, 0.0), 64));
}

}  // namespace

Result<OtlpEndpoint> parse_otlp_url(std::string_view url) {
  const std::size_t authority = url.find("://");
  const std::size_t begin = authority == std::string_view::npos ? 0 : authority + 3;
  const std::size_t slash = std::min(url.find('/', begin), url.size());
  Result<cli::BenchServer> server = cli::parse_http_uri(url.substr(0, slash));
  if (!server) return std::unexpected(std::move(server).error());
  OtlpEndpoint endpoint{std::move(*server), std::string(url.substr(slash))};
  if (endpoint.path.find_first_of(" \r\n\t") != std::string::npos)
    return fail(ErrorCode::config, fmt::format("{}: bad path", url));
  if (endpoint.path.empty() || endpoint.path == "/") endpoint.path = default_path;
  const std::string_view login_and_host = url.substr(begin, slash - begin);
  const std::size_t at = login_and_host.rfind('@');
  if (at == std::string_view::npos) endpoint.server.user.clear();
  const std::string_view host = login_and_host.substr(at == std::string_view::npos ? 0 : at + 1);
  const bool has_port = host.starts_with('[') ? host.find("]:") != std::string_view::npos
                                              : host.find(':') != std::string_view::npos;
  if (!has_port) endpoint.server.port = default_port;
  return endpoint;
}

OtlpExporter::OtlpExporter(OtlpOptions options)
    : options_(std::move(options)), starts_below_(threshold(options_.sample_ratio)) {
  thread_ = std::thread([this] { run(); });
}

OtlpExporter::~OtlpExporter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void OtlpExporter::record(node::Span&& span) {
  bool full_batch = false;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= queue_max) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    queue_.push_back(std::move(span));
    full_batch = queue_.size() == batch_max;
  }
  if (full_batch) changed_.notify_all();
}

bool OtlpExporter::starts_trace() { return starts_below_ != 0 && random_number() < starts_below_; }
node::TraceId OtlpExporter::new_trace_id() { return random_id<16>(); }
node::SpanId OtlpExporter::new_span_id() { return random_id<8>(); }

std::uint64_t OtlpExporter::now_ns() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

// --- the thread ---

// False: it stops, and this is the last batch.
bool OtlpExporter::wait_for_batch(std::vector<node::Span>& batch) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(interval_ms),
                    [this] { return stopping_ || queue_.size() >= batch_max; });
  const std::size_t count = std::min(queue_.size(), batch_max);
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  batch.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return !stopping_;
}

bool OtlpExporter::pause_ms(std::uint64_t ms) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stopping_; });
}

bool OtlpExporter::send(const std::string& body, std::uint64_t ms_max) {
  cli::HttpCall call{.method = "POST", .target = options_.endpoint.path, .body = body};
  call.answer_ms_max = ms_max;
  const Result<http::Response> response = cli::call_http(options_.endpoint.server, options_.ca_file, call);
  if (!response) {
    tell(response.error().message);
  } else if (response->status >= 300) {
    tell(fmt::format("status {}", response->status));
  }
  return response && response->status < 300;
}

void OtlpExporter::send_or_drop(const std::vector<node::Span>& batch) {
  const std::string body = otlp_json(options_.resource, batch);
  std::uint64_t pause = first_pause_ms;
  for (unsigned attempt = 1;; ++attempt) {
    if (send(body, answer_ms_max)) {
      exported_.fetch_add(batch.size(), std::memory_order_relaxed);
      return;
    }
    if (attempt == attempts_max || !pause_ms(pause)) break;
    pause *= 2;
  }
  dropped_.fetch_add(batch.size(), std::memory_order_relaxed);
}

void OtlpExporter::tell(std::string_view why) {
  const std::uint64_t now = runtime::system_clock().monotonic_ns();
  if (told_ns_ != 0 && now - told_ns_ < tell_every_ns) return;
  told_ns_ = now;
  log_warning("tracing", "spans can't be sent to {}:{}{}: {}; {} are dropped so far",
              options_.endpoint.server.host, options_.endpoint.server.port, options_.endpoint.path, why,
              dropped());
}

void OtlpExporter::run() {
  std::vector<node::Span> batch;
  while (wait_for_batch(batch)) {
    if (!batch.empty()) send_or_drop(batch);
    const std::uint64_t dropped_now = dropped();
    if (dropped_now != told_dropped_) tell("too many");
    told_dropped_ = dropped_now;
  }
  while (!batch.empty() && send(otlp_json(options_.resource, batch), last_answer_ms_max)) {
    exported_.fetch_add(batch.size(), std::memory_order_relaxed);
    wait_for_batch(batch);
  }
}

}  // namespace weir::app
