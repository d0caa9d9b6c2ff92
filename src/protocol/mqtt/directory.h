// What it is: who has which client id, in the whole node: a client that connects again takes its id over from its older
// connection, whatever shard that is on. Each id has a home shard, by its hash, that decides.
//
//   Connection -> claim() at its own shard -> the home shard: the id is free, or its holder is asked to leave -> granted
//
// Shard: a Seat per shard, used there; they talk by posted calls.
// Lifetime: the Directory outlives all seats' users.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "protocol/mqtt/will.h"

namespace weir::mqtt {

class WillKeeper;

class ClientIdUser {
 public:
  virtual void on_id_granted() = 0;
  // Somebody else of another user has it.
  virtual void on_id_refused() = 0;
  // The id goes to a newer connection of the same user: leave, and release it.
  virtual void on_taken_over() = 0;

 protected:
  ~ClientIdUser() = default;
};

class Directory {
 public:
  // Runs a call on a shard, in a later turn of it. Any thread.
  using Post = std::function<void(ShardId shard, std::function<void()> call)>;

  Directory(std::uint16_t shards, Post post);
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::uint16_t shards() const { return static_cast<std::uint16_t>(seats_.size()); }
  void post(ShardId shard, std::function<void()> call) const { post_(shard, std::move(call)); }

  // On shard `self`. The number stands for the claim. `user_name`: only the same one may take an id over. `clean_start`: the
  // session that there was ends, whose will waits no longer.
  std::uint64_t claim(ShardId self, std::string_view vhost, std::string_view client_id, std::string user_name,
                      bool clean_start, ClientIdUser& claimant);
  // On the same shard; what is under way comes to nothing. What the claimant asked of the broker in this turn is done when
  // the next one gets the id.
  void release(ShardId self, std::uint64_t claim);

  // Those of an id wait at its home until they are due, or the client is back. Any shard.
  void keep_will(DelayedWill will);
  // On that shard.
  void watch_wills(ShardId self, WillKeeper& keeper) { seats_[self.value]->wills = &keeper; }
  void unwatch_wills(ShardId self) { seats_[self.value]->wills = nullptr; }

 private:
  struct Claim {
    std::string key;
    ClientIdUser* user = nullptr;
  };
  struct Place {
    ShardId shard;
    std::uint64_t claim = 0;
    std::string user_name;
    bool clean_start = false;
  };
  struct Entry {
    Place holder;
    std::optional<Place> next;
  };
  // What each shard has of its own: claims of its connections, and the ids whose home it is.
  struct Seat {
    std::unordered_map<std::uint64_t, Claim> claims;
    std::uint64_t last_claim = 0;
    std::unordered_map<std::string, Entry> entries;
    WillKeeper* wills = nullptr;
  };

  ShardId home_of(const std::string& key) const;
  void take(ShardId home, const std::string& key, Place place);
  void give_up(ShardId home, const std::string& key, const Place& place);
  void tell(const Place& place, void (ClientIdUser::*what)());

  const Post post_;
  std::vector<std::unique_ptr<Seat>> seats_;
};

}  // namespace weir::mqtt
