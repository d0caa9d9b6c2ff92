// What it is: the way from a connection to the retained messages of its virtual host, which are on the shard of their queue.
// Shard: one per shard; what is asked of another one is posted there.
// Lifetime: the Directory, and the RetainedSeats, outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/session.h"
#include "protocol/mqtt/directory.h"
#include "protocol/mqtt/retained_store.h"

namespace weir::mqtt {

class RetainedStores;

// Those of all shards; each is used on its own only.
struct RetainedSeats {
  explicit RetainedSeats(std::uint16_t shards) : all(shards, nullptr) {}
  std::vector<RetainedStores*> all;
};

class RetainedStores {
 public:
  RetainedStores(node::BrokerClient& client, Directory& directory, RetainedSeats& seats);
  ~RetainedStores();
  RetainedStores(const RetainedStores&) = delete;
  RetainedStores& operator=(const RetainedStores&) = delete;

  // The queue, as this shard knows.
  bool is_there(std::string_view vhost) const;
  // Makes it; `done` is called on this shard, in a later turn, unless `guard` has gone.
  void make(const std::string& vhost, std::weak_ptr<void> guard, std::function<void()> done);
  // What the filter matches goes to the queue.
  void send(const std::string& vhost, std::string filter, std::string queue);

 private:
  ShardId home_of(std::string_view vhost) const;
  RetainedStore& store(const std::string& vhost);  // on its home
  void at_home(const std::string& vhost, std::function<void(RetainedStores& home)> call);

  node::BrokerClient& client_;
  Directory& directory_;
  RetainedSeats& seats_;
  std::map<std::string, std::unique_ptr<RetainedStore>, std::less<>> stores_;
};

}  // namespace weir::mqtt
