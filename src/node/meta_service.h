// What it is: the one place where definitions change. A request is decided against what is durable, logged where it must
// last, and applied on all shards when it is durable; when they all have applied it, it is answered: whoever hears of it,
// on any connection, finds it. Requests that touch a name that is on its way to the disk wait; all others share the commit.
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
    // On all shards, this one included. `user`: who wants it, if it is known.
    std::function<void(const Changes&, const std::string& user)> apply;
    std::function<void(SessionReply)> reply;
  };
  MetaService(Surroundings surroundings, std::uint64_t seed)
      : at_(std::move(surroundings)), rng_(seed), applied_by_(at_.shards) {}
  void use_journal(storage::Journal& journal) { journal_ = &journal; }

  void request(MetaRequest request);
  void on_durable(Lsn up_to);
  void on_applied(ShardId by, std::uint64_t count);
  void expect_all_shards() { all_are_up_ = true; }
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
    std::string user;
  };
  struct Waiting {
    MetaRequest request;
    std::vector<std::string> names;
  };
  bool blocked(const std::vector<std::string>& names) const;
  struct Answer {
    std::uint64_t changes;  // that all shards must have applied before
    SessionReply reply;
  };
  void decide(MetaRequest request, std::vector<std::string> names);
  void apply(const Changes& changes, const std::string& user);
  void answer(SessionReply reply);
  std::uint64_t applied_by_all() const;
  void log(const std::vector<broker::Change>& changes);

  Surroundings at_;
  storage::Journal* journal_ = nullptr;
  Rng rng_;
  std::deque<Pending> pending_;                 // logged, not durable
  std::deque<Waiting> waiting_;                 // for a name
  std::unordered_multiset<std::string> names_;  // that pending and waiting requests touch
  std::uint64_t made_ = 0;                      // changes sent to all shards since the start
  std::vector<std::uint64_t> applied_by_;       // of those, per shard
  bool all_are_up_ = false;                     // before that nobody is waited for
  std::deque<Answer> answers_;                  // in order
  Lsn newest_record_{0};
};

}  // namespace weir::node
