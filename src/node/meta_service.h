// What it is: the one place where definitions change. A request is decided against what is durable, logged where it must
// last, and applied on all shards when it is durable; then it is answered. Requests that touch a name that is on its way
// to the disk wait; all others share the commit.
// Shard: shard 0.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/rng.h"
#include "broker/decide.h"
#include "broker/topology.h"
#include "node/messages.h"
#include "storage/journal.h"

namespace weir::node {

class MetaService {
 public:
  struct Surroundings {
    std::uint16_t shards = 1;
    const broker::Topology& topology;
    std::function<void(const Changes&)> apply;  // on all shards, this one included
    std::function<void(SessionReply)> reply;
  };
  MetaService(Surroundings surroundings, std::uint64_t seed) : at_(std::move(surroundings)), rng_(seed) {}
  void use_journal(storage::Journal& journal) { journal_ = &journal; }

  void request(MetaRequest request);
  void on_durable(Lsn up_to);
  // The end of the newest definition record: a snapshot must reach it before the files up to it are given back.
  Lsn newest_record() const { return newest_record_; }
  void set_newest_record(Lsn lsn) { newest_record_ = lsn; }
  bool idle() const { return pending_.empty() && waiting_.empty(); }

 private:
  struct Pending {
    Lsn lsn;
    Changes changes;
    std::vector<std::string> names;
    bool reply = false;
    SessionReply answer;
  };
  bool blocked(const std::vector<std::string>& names) const;
  void decide(MetaRequest request, std::vector<std::string> names);
  void log(const std::vector<broker::Change>& changes);

  Surroundings at_;
  storage::Journal* journal_ = nullptr;
  Rng rng_;
  std::deque<Pending> pending_;                 // logged, not durable
  std::deque<MetaRequest> waiting_;             // for a name
  std::unordered_multiset<std::string> names_;  // that pending and waiting requests touch
  Lsn newest_record_{0};
};

}  // namespace weir::node
