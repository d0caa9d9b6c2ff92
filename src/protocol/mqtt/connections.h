// What it is: the MQTT connections of one shard: takes accepted streams, and holds what the connections share.
// Shard: its BrokerClient's.
// Lifetime: the BrokerClient and the Node outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "node/session.h"
#include "protocol/common/connection_set.h"
#include "protocol/common/front_end.h"
#include "protocol/common/login_delays.h"
#include "protocol/common/output.h"
#include "protocol/mqtt/connection.h"
#include "protocol/mqtt/directory.h"
#include "protocol/mqtt/retained_stores.h"
#include "protocol/mqtt/settings.h"
#include "protocol/mqtt/sys_topics.h"
#include "protocol/mqtt/will_keeper.h"
#include "runtime/stream.h"

namespace weir::mqtt {

// What the shards have in common. It lives as long as anything that was posted by it.
struct Common : std::enable_shared_from_this<Common> {
  // `post` runs a call on a shard, in a later turn; on any thread.
  Common(std::uint16_t shards, Directory::Post post)
      : directory(shards,
                  [this, post = std::move(post)](ShardId shard, std::function<void()> call) {
                    post(shard, [keep = shared_from_this(), call = std::move(call)] { call(); });
                  }),
        retained(shards),
        sys(shards) {}
  Directory directory;
  RetainedSeats retained;
  SysSeats sys;
};

class Connections final : public FrontEnd, public ConnectionOwner {
 public:
  // `tally` may be null, and outlives this otherwise.
  Connections(node::BrokerClient& client, Settings settings, std::shared_ptr<Common> common,
              ConnectionTally* tally);
  ~Connections() override;

  std::size_t size() const { return set_.size(); }

  // --- FrontEnd: sends DISCONNECT to everyone who knows it, and waits shutdown_grace_ms for them to go ---
  void accept(std::unique_ptr<runtime::ByteStream> stream) override;
  void shut_down(std::function<void()> done) override;

  // --- ConnectionOwner ---
  void on_ended(Connection& connection) override;
  ClientConnection::Shared shared() override { return {blocks_, login_delays_}; }
  Rng& names() override { return names_; }
  Directory& directory() override { return common_->directory; }
  RetainedStores& retained() override { return retained_; }
  SysTopics& sys_topics() override { return sys_; }
  void keep_will(DelayedWill will) override;

 private:
  void count(std::int64_t more);

  node::BrokerClient& client_;
  const Settings settings_;
  const std::shared_ptr<Common> common_;
  ConnectionTally* const tally_;
  OutputBlocks blocks_;
  Rng names_;
  LoginDelays login_delays_;
  RetainedStores retained_;
  WillKeeper wills_;
  SysTopics sys_;
  ConnectionSet<Connection> set_;
};

}  // namespace weir::mqtt
