// What it is: what `weir store verify` found, as text for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "cli/store_names.h"
#include "storage/data_directory.h"
#include "storage/verify.h"

namespace weir::cli {

struct StoreReport {
  std::string directory;
  storage::NodeIdentity identity;  // no node_id: node.id can't be read
  std::string identity_damage;
  std::vector<storage::ShardReport> shards;

  bool whole(const StoreNames& names) const;
};

// Messages of queues that are defined, and those that are lost of them.
struct StoreQueue {
  QueueId id;
  std::uint64_t messages = 0, lost = 0;
};
std::vector<StoreQueue> queues_of(const storage::ShardReport& report, const StoreNames& names);

std::string report_as_text(const StoreReport& report, const StoreNames& names);
std::string report_as_json(const StoreReport& report, const StoreNames& names);

}  // namespace weir::cli
