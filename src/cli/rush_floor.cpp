#include "cli/rush_floor.h"

#include <algorithm>

namespace weir::cli {
namespace {

constexpr std::uint64_t tick_ms = 5;
constexpr double allowance_s = 0.1;  // the database does not catch up on more
constexpr std::uint32_t unacknowledged_at_death = 5;
constexpr std::uint64_t goodbye_ns_max = 5'000'000'000;

}  // namespace

RushFloor::~RushFloor() {
  if (!thread_.joinable()) return;
  loop_->stop();
  thread_.join();
}

Status RushFloor::start(const BenchServer& server, const std::string& queue) {
  auto loop = runtime::Loop::make({.ring = runtime::KernelRing::no});
  if (!loop) return std::unexpected(std::move(loop).error());
  loop_ = std::move(*loop);
  if (server.tls) {
    auto tls = runtime::TlsContext::client({});
    if (!tls) return std::unexpected(std::move(tls).error());
    tls_ = std::move(*tls);
  }
  place_ = std::make_unique<RushPlace>(RushPlace{server, queue, book_, *loop_, tls_.get()});
  for (std::uint32_t i = 0; i < options_.shops; ++i)
    shops_.push_back(std::make_unique<RushShop>(*place_, i, options_.shops, options_.orders));
  for (std::uint32_t i = 0; i < options_.workers; ++i)
    workers_.push_back(std::make_unique<RushWorker>(*place_, options_.prefetch));
  last_ns_ = loop_->clock().monotonic_ns();
  arrivals_ = std::make_unique<Pacer>(options_.orders / options_.rush_s, last_ns_);
  thread_ = std::thread([this] {
    loop_->timers().arm(timer_, 0);
    loop_->run(nullptr);
    loop_->timers().cancel(timer_);
  });
  return {};
}

void RushFloor::on_tick() {
  const std::uint64_t now_ns = loop_->clock().monotonic_ns();
  const auto gone = [](const auto& client) { return client->finished(); };
  if (closing_ && (now_ns >= close_by_ns_ || (std::all_of(shops_.begin(), shops_.end(), gone) &&
                                              std::all_of(workers_.begin(), workers_.end(), gone))))
    return loop_->stop();
  loop_->timers().arm(timer_, tick_ms);
  if (closing_) return;
  book_.counts.arrived.store(std::min<std::uint64_t>(arrivals_->due(now_ns), options_.orders));
  for (const auto& shop : shops_) shop->tick(now_ns);
  for (const auto& worker : workers_) worker->tick(now_ns);
  write_to_database(now_ns);
}

void RushFloor::write_to_database(std::uint64_t now_ns) {
  allowance_ += options_.database_per_s * static_cast<double>(now_ns - last_ns_) / 1e9;
  allowance_ = std::min(allowance_, std::max(options_.database_per_s * allowance_s, 1.0));
  last_ns_ = now_ns;
  // In turn, until it has had enough or nobody has anything.
  for (bool any = true; any && allowance_ >= 1;) {
    any = false;
    for (const auto& worker : workers_) {
      if (allowance_ < 1 || !worker->commit_one()) continue;
      allowance_ -= 1;
      any = true;
    }
  }
  for (const auto& worker : workers_) worker->acknowledge();
}

void RushFloor::kill_worker(std::size_t worker) {
  loop_->post([this, worker] { workers_[worker]->kill(unacknowledged_at_death); });
}

void RushFloor::revive_worker(std::size_t worker) {
  loop_->post([this, worker] { workers_[worker]->revive(); });
}

void RushFloor::finish() {
  if (!thread_.joinable()) return;
  loop_->post([this] {
    closing_ = true;
    close_by_ns_ = loop_->clock().monotonic_ns() + goodbye_ns_max;
    for (const auto& worker : workers_) worker->close();
    for (const auto& shop : shops_) shop->close();
  });
  thread_.join();
}

}  // namespace weir::cli
