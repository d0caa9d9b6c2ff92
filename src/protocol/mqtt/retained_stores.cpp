#include "protocol/mqtt/retained_stores.h"

#include <utility>

namespace weir::mqtt {

RetainedStores::RetainedStores(node::BrokerClient& client, Directory& directory, RetainedSeats& seats)
    : client_(client), directory_(directory), seats_(seats) {
  seats_.all[client_.shard().value] = this;
}

RetainedStores::~RetainedStores() { seats_.all[client_.shard().value] = nullptr; }

ShardId RetainedStores::home_of(std::string_view vhost) const {
  return broker::place_queue(vhost, retained_queue, directory_.shards());
}

bool RetainedStores::is_there(std::string_view vhost) const {
  return client_.topology().find_queue(vhost, retained_queue) != nullptr;
}

// A store of a virtual host that was made anew, or whose queue was deleted, begins anew, too.
RetainedStore& RetainedStores::store(const std::string& vhost) {
  std::unique_ptr<RetainedStore>& store = stores_[vhost];
  if (store != nullptr && store->broken()) store.reset();
  if (store == nullptr) store = std::make_unique<RetainedStore>(client_, vhost);
  return *store;
}

void RetainedStores::at_home(const std::string& vhost, std::function<void(RetainedStores& home)> call) {
  const ShardId home = home_of(vhost);
  directory_.post(home, [&seats = seats_, home, call = std::move(call)] {
    if (RetainedStores* const there = seats.all[home.value]) call(*there);
  });
}

void RetainedStores::make(const std::string& vhost, std::weak_ptr<void> guard, std::function<void()> done) {
  const ShardId asks = client_.shard();
  at_home(vhost, [vhost, asks, guard = std::move(guard), done = std::move(done)](RetainedStores& home) {
    Directory& directory = home.directory_;
    home.store(vhost).when_there([&directory, asks, guard, done] {
      directory.post(asks, [guard, done] {
        if (!guard.expired()) done();
      });
    });
  });
}

void RetainedStores::send(const std::string& vhost, std::string filter, std::string queue) {
  if (!is_there(vhost)) return;
  at_home(vhost, [vhost, filter = std::move(filter), queue = std::move(queue)](RetainedStores& home) {
    home.store(vhost).send(filter, queue);
  });
}

}  // namespace weir::mqtt
