#include "protocol/mqtt/directory.h"

#include <utility>

#include "protocol/mqtt/will_keeper.h"

namespace weir::mqtt {

namespace {
std::string key_of(std::string_view vhost, std::string_view client_id) {
  std::string key(vhost);
  key += '\0';
  key += client_id;
  return key;
}
}  // namespace

Directory::Directory(std::uint16_t shards, Post post) : post_(std::move(post)) {
  for (std::uint16_t shard = 0; shard < shards; ++shard) seats_.push_back(std::make_unique<Seat>());
}

ShardId Directory::home_of(const std::string& key) const {
  return ShardId{static_cast<std::uint16_t>(std::hash<std::string>()(key) % seats_.size())};
}

std::uint64_t Directory::claim(ShardId self, std::string_view vhost, std::string_view client_id,
                               std::string user_name, bool clean_start, ClientIdUser& claimant) {
  Seat& seat = *seats_[self.value];
  const std::string key = key_of(vhost, client_id);
  const std::uint64_t number = ++seat.last_claim;
  seat.claims.emplace(number, Claim{key, &claimant});
  const ShardId home = home_of(key);
  Place place{self, number, std::move(user_name), clean_start};
  if (home == self) {
    take(home, key, std::move(place));
  } else {
    post_(home, [this, home, key, place] { take(home, key, place); });
  }
  return number;
}

// In a later turn: what its session leaves behind is on its way then.
void Directory::release(ShardId self, std::uint64_t number) {
  Seat& seat = *seats_[self.value];
  const auto at = seat.claims.find(number);
  if (at == seat.claims.end()) return;
  const std::string key = std::move(at->second.key);
  seat.claims.erase(at);
  const ShardId home = home_of(key);
  const Place place{self, number, {}, false};
  post_(self,
        [this, home, key, place] { post_(home, [this, home, key, place] { give_up(home, key, place); }); });
}

void Directory::take(ShardId home, const std::string& key, Place place) {
  Seat& seat = *seats_[home.value];
  const auto [at, is_new] = seat.entries.try_emplace(key);
  Entry& entry = at->second;
  const bool is_refused = !is_new && entry.holder.user_name != place.user_name;
  if (seat.wills != nullptr && !is_refused) seat.wills->come_back(key, place.clean_start);
  if (is_new) {
    entry.holder = std::move(place);
    return tell(entry.holder, &ClientIdUser::on_id_granted);
  }
  if (is_refused) return tell(place, &ClientIdUser::on_id_refused);
  // One that waits has already asked the holder to leave; it is too late itself.
  if (entry.next) {
    tell(*entry.next, &ClientIdUser::on_taken_over);
  } else {
    tell(entry.holder, &ClientIdUser::on_taken_over);
  }
  entry.next = std::move(place);
}

void Directory::keep_will(DelayedWill will) {
  const std::string key = key_of(will.vhost, will.client_id);
  const ShardId home = home_of(key);
  post_(home, [this, home, key, will = std::move(will)] {
    Seat& seat = *seats_[home.value];
    const auto at = seat.entries.find(key);
    if (seat.wills == nullptr) return;
    seat.wills->keep(key, will);
    const bool is_back = at != seat.entries.end() && at->second.next.has_value();
    if (is_back) seat.wills->come_back(key, at->second.next->clean_start);
  });
}

void Directory::give_up(ShardId home, const std::string& key, const Place& place) {
  Seat& seat = *seats_[home.value];
  const auto at = seat.entries.find(key);
  if (at == seat.entries.end()) return;
  Entry& entry = at->second;
  const auto is = [&](const Place& one) { return one.shard == place.shard && one.claim == place.claim; };
  if (entry.next && is(*entry.next)) {
    entry.next.reset();
    return;
  }
  if (!is(entry.holder)) return;
  if (!entry.next) {
    seat.entries.erase(at);
    return;
  }
  entry.holder = std::move(*entry.next);
  entry.next.reset();
  tell(entry.holder, &ClientIdUser::on_id_granted);
}

void Directory::tell(const Place& place, void (ClientIdUser::*what)()) {
  const auto there = [this, shard = place.shard, number = place.claim, what] {
    const auto& claims = seats_[shard.value]->claims;
    const auto at = claims.find(number);
    if (at != claims.end()) (at->second.user->*what)();
  };
  post_(place.shard, there);
}

}  // namespace weir::mqtt
