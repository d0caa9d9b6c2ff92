// What it is: the topics below "$SYS/broker/", that tell how the broker is, by Mosquitto's names. They are in no queue: while
// somebody has subscribed to one, a shard looks at the node now and then, and each shard hands the values to its connections.
// Shard: one per shard. Lifetime: the BrokerClient, the Directory and the SysSeats outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "node/observe.h"
#include "node/session.h"
#include "protocol/mqtt/directory.h"
#include "runtime/timers.h"

namespace weir::mqtt {

inline constexpr std::string_view sys_prefix = "$SYS/";

struct SysValue {
  std::string topic, text;
};

class SysWatcher {
 public:
  // `first`: it has just subscribed, and gets them as retained ones.
  virtual void on_sys(const std::vector<SysValue>& values, bool first) = 0;

 protected:
  ~SysWatcher() = default;
};

class SysTopics;

// Those of all shards; each is used on its own only.
struct SysSeats {
  explicit SysSeats(std::uint16_t shards) : all(shards, nullptr) {}
  std::vector<SysTopics*> all;
};

class SysTopics {
 public:
  // interval_s 0: there are none.
  SysTopics(node::BrokerClient& client, Directory& directory, SysSeats& seats, std::uint32_t interval_s);
  ~SysTopics();
  SysTopics(const SysTopics&) = delete;
  SysTopics& operator=(const SysTopics&) = delete;

  // As often as it likes.
  void join(SysWatcher& watcher);
  void leave(SysWatcher& watcher);

 private:
  void ask(bool wants);
  void take(const std::vector<SysValue>& values);
  // At home, the shard that looks.
  void set_wanted(ShardId shard, bool wants);
  void look();
  void tell(const node::Observed& seen);

  node::BrokerClient& client_;
  Directory& directory_;
  SysSeats& seats_;
  const std::uint32_t interval_s_;
  const std::uint64_t started_ns_;
  std::unordered_set<SysWatcher*> watchers_, waiting_;  // the latter have got nothing yet
  std::vector<SysValue> values_;
  std::vector<bool> wanted_;  // by shard
  std::unique_ptr<node::Observing> looking_;
  runtime::MethodTimer<SysTopics, &SysTopics::look> timer_{*this};
};

}  // namespace weir::mqtt
