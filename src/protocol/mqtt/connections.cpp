#include "protocol/mqtt/connections.h"

#include <utility>

namespace weir::mqtt {

Connections::Connections(node::BrokerClient& client, Settings settings, std::shared_ptr<Common> common,
                         ConnectionTally* tally)
    : client_(client),
      settings_(std::move(settings)),
      common_(std::move(common)),
      tally_(tally),
      names_(client.clock().monotonic_ns() ^ client.clock().wall_ms() << 20),
      retained_(client, common_->directory, common_->retained),
      wills_(client, settings_, retained_),
      sys_(client, common_->directory, common_->sys, settings_.sys_interval_s),
      set_(client) {
  common_->directory.watch_wills(client_.shard(), wills_);
}

Connections::~Connections() {
  common_->directory.unwatch_wills(client_.shard());
  count(-static_cast<std::int64_t>(set_.size()));
}

void Connections::count(std::int64_t more) {
  if (tally_ != nullptr) tally_->add(more);
}

void Connections::accept(std::unique_ptr<runtime::ByteStream> stream) {
  if (set_.stopping()) return stream->close();
  count(1);
  set_.open(std::make_unique<Connection>(client_, std::move(stream), settings_, *this));
}

void Connections::on_ended(Connection& connection) {
  if (set_.ended(connection)) count(-1);
}

void Connections::keep_will(DelayedWill will) { common_->directory.keep_will(std::move(will)); }

void Connections::shut_down(std::function<void()> done) {
  set_.shut_down(
      shutdown_grace_ms, [](Connection& connection) { connection.shut_down("broker shut down"); },
      std::move(done));
}

}  // namespace weir::mqtt
