#include "protocol/mqtt/sys_topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/version.h"
#include "protocol/mqtt/retained_store.h"

namespace weir::mqtt {

namespace {

constexpr ShardId home{0};

}  // namespace

SysTopics::SysTopics(node::BrokerClient& client, Directory& directory, SysSeats& seats,
                     std::uint32_t interval_s)
    : client_(client),
      directory_(directory),
      seats_(seats),
      interval_s_(interval_s),
      started_ns_(client.clock().monotonic_ns()),
      wanted_(directory.shards(), false) {
  seats_.all[client_.shard().value] = this;
}

SysTopics::~SysTopics() {
  client_.timers().cancel(timer_);
  seats_.all[client_.shard().value] = nullptr;
}

void SysTopics::join(SysWatcher& watcher) {
  if (interval_s_ == 0) return;
  const bool first = watchers_.empty();
  watchers_.insert(&watcher);
  if (!values_.empty()) return watcher.on_sys(values_, true);
  waiting_.insert(&watcher);
  if (first) ask(true);
}

void SysTopics::leave(SysWatcher& watcher) {
  waiting_.erase(&watcher);
  if (watchers_.erase(&watcher) == 0 || !watchers_.empty()) return;
  values_.clear();
  ask(false);
}

void SysTopics::ask(bool wants) {
  directory_.post(home, [&seats = seats_, shard = client_.shard(), wants] {
    if (SysTopics* const there = seats.all[home.value]) there->set_wanted(shard, wants);
  });
}

void SysTopics::take(const std::vector<SysValue>& values) {
  if (watchers_.empty()) return;
  values_ = values;
  for (SysWatcher* const watcher : std::vector(watchers_.begin(), watchers_.end()))
    watcher->on_sys(values_, waiting_.contains(watcher));
  waiting_.clear();
}

// --- at home ---

void SysTopics::set_wanted(ShardId shard, bool wants) {
  wanted_[shard.value] = wants;
  if (wants) return look();
  if (std::find(wanted_.begin(), wanted_.end(), true) != wanted_.end()) return;
  client_.timers().cancel(timer_);
  looking_.reset();
}

void SysTopics::look() {
  client_.timers().arm(timer_, interval_s_ * 1'000ULL);
  node::ObserveScope scope;
  scope.shards = true;
  scope.reads_oldest = false;
  for (const broker::VhostDefinition* const vhost : client_.topology().vhosts()) {
    if (const auto* const queue = client_.topology().find_queue(vhost->name, retained_queue))
      scope.only.push_back(queue->id);
  }
  scope.queues = !scope.only.empty();
  looking_ = client_.observe(std::move(scope), [this](node::Observed&& seen) { tell(seen); });
}

void SysTopics::tell(const node::Observed& seen) {
  using broker::QueueCount;
  using node::SessionCount;
  node::Traffic::OfProtocol own;
  for (const node::ShardRow& shard : seen.shards) own += shard.traffic.of(node::Protocol::mqtt);
  std::uint64_t sent = 0, retained = 0;
  for (const auto& kind : own.deliveries)
    sent += kind[QueueCount::deliver] + kind[QueueCount::deliver_no_ack];
  for (const node::QueueRow& queue : seen.queues) retained += queue.messages();
  const std::uint64_t opened = own.sessions[SessionCount::connections_opened];
  const std::uint64_t uptime_s = (client_.clock().monotonic_ns() - started_ns_) / 1'000'000'000;
  std::vector<SysValue> values;
  const auto add = [&](std::string_view name, std::string text) {
    values.push_back({fmt::format("{}broker/{}", sys_prefix, name), std::move(text)});
  };
  const auto add_number = [&](std::string_view name, std::uint64_t number) {
    add(name, std::to_string(number));
  };
  add("version", fmt::format("Weir {}", version));
  add("uptime", fmt::format("{} seconds", uptime_s));
  add_number("clients/connected", opened - own.sessions[SessionCount::connections_closed]);
  add_number("messages/received", own.sessions[SessionCount::received]);
  add_number("messages/sent", sent);
  add_number("retained messages/count", retained);
  for (std::size_t shard = 0; shard < wanted_.size(); ++shard) {
    if (!wanted_[shard]) continue;
    directory_.post(ShardId{static_cast<std::uint16_t>(shard)}, [&seats = seats_, shard, values] {
      if (SysTopics* const there = seats.all[shard]) there->take(values);
    });
  }
}

}  // namespace weir::mqtt
