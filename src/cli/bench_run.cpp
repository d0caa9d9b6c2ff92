#include "cli/bench_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/rng.h"
#include "cli/bench_thread.h"
#include "cli/pacing_thread.h"
#include "cli/progress_bar.h"
#include "cli/quantities.h"

namespace weir::cli {

namespace {

constexpr double ready_s_max = 60;
constexpr double close_s_max = 15;
constexpr double bar_s = 0.2;
constexpr double look_s = 0.005;               // how often the drain is looked at
constexpr std::uint64_t lead_ns = 20'000'000;  // from "all are ready" to the start

std::uint64_t now_ns() { return runtime::system_clock().monotonic_ns(); }
double seconds_until(std::uint64_t at_ns) {
  const std::uint64_t now = now_ns();
  return at_ns > now ? static_cast<double>(at_ns - now) / 1e9 : 0;
}
std::uint64_t ns_of(double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); }

class BenchRun final : Nudge {
 public:
  BenchRun(const BenchOptions& options, BenchPlan plan, const BenchProtocol& protocol)
      : options_(options),
        protocol_(protocol),
        plan_(std::move(plan)),
        trackers_(plan_.tracker_count()),
        context_{options_,
                 plan_,
                 control_,
                 trackers_,
                 options.producers > 0 ? Rng(now_ns() ^ static_cast<std::uint64_t>(::getpid())).next() : 0,
                 *this} {}

  Result<BenchReport> run();

 private:
  void nudge() override {
    for (auto& thread : threads_) {
      if (thread->has_producers()) thread->nudge();
    }
  }
  Status make_threads();
  Status start();
  void set_times();
  void measure();
  void sample(ProcessUsage& own, ProcessUsage& broker) const;
  std::uint64_t deliveries_wanted() const;
  bool drained() const;
  void pause_until(std::uint64_t at_ns);
  void show_progress();
  void drain();
  void end();
  std::vector<std::uint64_t> sent_per_lane() const;
  void count_losses();

  const BenchOptions& options_;
  const BenchProtocol& protocol_;
  BenchPlan plan_;
  BenchControl control_;
  std::vector<TrackedLane> trackers_;
  BenchContext context_;
  std::unique_ptr<runtime::TlsContext> tls_;
  std::vector<std::unique_ptr<BenchThread>> threads_;
  BenchReport report_;
  ProgressBar bar_{"measuring"};
};

// With one thread, all connections are on it. With more, the first half has the producers, the rest the consumers.
Status BenchRun::make_threads() {
  for (std::uint32_t i = 0; i < options_.threads; ++i) {
    threads_.push_back(std::make_unique<BenchThread>(context_, protocol_, tls_.get()));
    WEIR_TRY(threads_.back()->make_loop());
  }
  const std::uint32_t producing = std::max(options_.threads / 2, 1U);
  const std::uint32_t consuming_from = options_.threads == 1 ? 0 : producing;
  for (std::uint32_t p = 0; p < options_.producers; ++p) threads_[p % producing]->add_producer(p);
  for (std::uint32_t c = 0; c < options_.consumers; ++c) {
    // All consumers of a queue on one thread: they share its sequence trackers.
    const std::uint32_t queue = plan_.queues_of_consumer[c].front();
    threads_[consuming_from + queue % (options_.threads - consuming_from)]->add_consumer(c);
  }
  return {};
}

Status BenchRun::start() {
  if (options_.server.tls) {
    auto made = runtime::TlsContext::client({});
    if (!made) return std::unexpected(std::move(made).error());
    tls_ = std::move(*made);
  }
  WEIR_TRY(protocol_.prepare(options_, plan_, tls_.get()));
  WEIR_TRY(make_threads());
  // Consumers of what is there already have no one to wait for.
  if (options_.producers == 0) set_times();
  for (auto& thread : threads_) thread->start();
  if (control_.wait_ready(options_.producers + options_.consumers, ready_s_max)) return {};
  const std::string why = control_.failure().value_or("not all connections were set up in time");
  for (auto& thread : threads_) thread->stop();
  return fail(ErrorCode::closed, why);
}

void BenchRun::set_times() {
  BenchTimes& times = control_.times;
  times.start_ns = now_ns() + (options_.producers > 0 ? lead_ns : 0);
  const bool by_count = options_.messages > 0;
  times.measure_begin_ns = times.start_ns + (by_count ? 0 : ns_of(options_.warmup_s));
  if (!by_count) times.measure_end_ns = times.measure_begin_ns + ns_of(options_.seconds);
  control_.begin();
}

void BenchRun::sample(ProcessUsage& own, ProcessUsage& broker) const {
  own = own_usage();
  if (options_.broker_pid > 0) broker = usage_of(options_.broker_pid);
}

// By time, or by count.
void BenchRun::show_progress() {
  if (!bar_.shown()) return;
  const std::uint64_t published = control_.published.load(), consumed = control_.consumed.load();
  const BenchTimes& times = control_.times;
  double share = 1;
  if (options_.messages > 0) {
    const bool consumes = options_.consumers > 0;
    share = static_cast<double>(consumes ? consumed : published) /
            static_cast<double>(options_.messages * (consumes ? plan_.copies() : 1));
  } else if (now_ns() < times.measure_end_ns) {
    share = static_cast<double>(now_ns() - times.start_ns) /
            static_cast<double>(times.measure_end_ns - times.start_ns);
  }
  bar_.show(share, fmt::format("{} published, {} consumed", grouped(published), grouped(consumed)));
}

void BenchRun::pause_until(std::uint64_t at_ns) {
  if (!bar_.shown()) {
    control_.pause_s(seconds_until(at_ns));
    return;
  }
  while (seconds_until(at_ns) > 0) {
    if (!control_.pause_s(std::min(seconds_until(at_ns), bar_s))) return;
    show_progress();
  }
}

void BenchRun::measure() {
  const BenchTimes& times = control_.times;
  std::optional<PacingThread> pacing;
  control_.pause_s(seconds_until(times.start_ns));
  nudge();
  if (options_.rate_per_s > 0) {
    pacing.emplace(Pacer(options_.rate_per_s, times.start_ns), times.measure_end_ns, [this] { nudge(); });
  }
  control_.pause_s(seconds_until(times.measure_begin_ns));
  ProcessUsage own_before;
  ProcessUsage broker_before;
  sample(own_before, broker_before);
  if (options_.messages > 0) {
    drain();
  } else {
    pause_until(times.measure_end_ns);
  }
  ProcessUsage own_after;
  ProcessUsage broker_after;
  sample(own_after, broker_after);
  report_.generator = own_after.since(own_before);
  report_.broker = broker_after.since(broker_before);
  nudge();  // a producer that waits has to see that the time is over
}

std::uint64_t BenchRun::deliveries_wanted() const {
  if (options_.producers > 0) return control_.published.load() * plan_.copies();
  return options_.messages * (options_.filled_by > 0 ? plan_.copies() : 1);
}

bool BenchRun::drained() const {
  if (control_.publishing_done() < options_.producers) return false;
  if (options_.consumers == 0) return true;
  return control_.consumed.load() >= deliveries_wanted();
}

// Until every message has come, or nothing has moved for a while.
void BenchRun::drain() {
  const auto progress = [this] {
    return control_.confirmed.load() + control_.consumed.load() + control_.published.load();
  };
  std::uint64_t seen = progress();
  std::uint64_t moved_ns = now_ns();
  while (!drained()) {
    if (!control_.pause_s(look_s)) return;
    show_progress();
    const std::uint64_t now = progress();
    if (now != seen) moved_ns = now_ns();
    seen = now;
    if (now_ns() - moved_ns > ns_of(options_.drain_idle_s)) {
      report_.failure = fmt::format("nothing came for {} s", options_.drain_idle_s);
      return;
    }
  }
}

void BenchRun::end() {
  const bool failed = control_.failure().has_value();
  bar_.clear();
  for (auto& thread : threads_) thread->finish();
  if (!failed && !control_.wait_closed(options_.producers + options_.consumers, close_s_max)) {
    if (report_.failure.empty()) report_.failure = "the broker did not answer the goodbye";
  }
  for (auto& thread : threads_) {
    thread->stop();
    report_.tally.merge(thread->tally());
  }
  if (auto failure = control_.failure()) report_.failure = *failure;
  report_.published = control_.published.load();
  report_.confirmed = control_.confirmed.load() - report_.tally.refused;
  report_.consumed = control_.consumed.load();
  if (options_.confirm) report_.unconfirmed = report_.published - report_.confirmed - report_.tally.refused;
  count_losses();
}

// Of each lane, in the order of plan_.lanes.
std::vector<std::uint64_t> BenchRun::sent_per_lane() const {
  std::vector<std::uint64_t> sent(plan_.lanes.size());
  for (const auto& thread : threads_) {
    for (const auto& producer : thread->producers()) {
      const std::vector<std::uint32_t>& lanes = plan_.lanes_of_producer[producer->index()];
      for (std::size_t i = 0; i < lanes.size(); ++i) sent[lanes[i]] = producer->sent_per_lane()[i];
    }
  }
  for (std::uint32_t lane = 0; options_.filled_by > 0 && lane < sent.size(); ++lane) {
    sent[lane] = plan_.messages_of_lane(lane, options_.messages);
  }
  return sent;
}

void BenchRun::count_losses() {
  if (options_.consumers == 0 || plan_.lanes.empty()) return;
  const bool tracked = options_.verify && options_.size_bytes >= stamp_with_lane_bytes;
  if (!tracked) {
    const std::uint64_t wanted = deliveries_wanted();
    report_.lost = wanted > report_.consumed ? wanted - report_.consumed : 0;
    return;
  }
  const std::vector<std::uint64_t> sent = sent_per_lane();
  for (std::uint32_t lane = 0; lane < sent.size(); ++lane) {
    for (std::uint32_t q = 0; q < plan_.queues.size(); ++q) {
      if (plan_.belongs(lane, q))
        report_.lost += trackers_[plan_.tracker_of(lane, q)].seen.missing(sent[lane]);
    }
  }
}

Result<BenchReport> BenchRun::run() {
  WEIR_TRY(start());
  if (options_.producers > 0) set_times();
  measure();
  const std::uint64_t measured_to_ns = now_ns();
  drain();
  const std::uint64_t drained_ns = now_ns();
  end();
  if (options_.messages > 0) {
    const std::uint64_t last_ns = std::max(report_.tally.last_event_ns, control_.times.start_ns);
    report_.measured_s = static_cast<double>(last_ns - control_.times.start_ns) / 1e9;
  } else {
    report_.measured_s = options_.seconds;
  }
  report_.drain_s = static_cast<double>(drained_ns - measured_to_ns) / 1e9;
  if (!options_.keep) {
    const Result<std::uint64_t> left = protocol_.clean_up(options_, plan_, tls_.get());
    if (left) report_.left_in_queues = *left;
    if (!left && report_.failure.empty()) report_.failure = left.error().message;
  }
  return std::move(report_);
}

}  // namespace

Result<BenchReport> run_bench(const BenchOptions& options, BenchPlan plan, const BenchProtocol& protocol) {
  BenchRun run(options, std::move(plan), protocol);
  return run.run();
}

}  // namespace weir::cli
