// What it is: what a start refuses to do by itself, because something is lost or must be guessed by it: a plan for one
// shard's directory, of steps that are carried out in order, after which a start is not refused any more. Blocking; no
// server runs on the directory. Nothing is deleted: what is replaced goes to lost+found.
// Errors: io_error; corrupt where not even a plan can be made.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "runtime/disk.h"

namespace weir::storage {

struct RepairStep {
  std::string what;         // for people
  std::string consequence;  // what is lost or may come twice; may be empty
  std::function<Status()> carry_out;
};

struct RepairPlan {
  std::vector<RepairStep> steps;
  std::vector<std::string>
      losses;                   // that nothing can be done about, and that do not keep a server from starting
  std::vector<QueueId> queues;  // with messages
  QueueId highest_queue;        // that anything was told of
};

struct RepairOptions {
  bool definitions = false;  // shard 0: they are in its journal
  // Adds to a snapshot's contents what messages need that are still there; may be empty.
  std::function<std::vector<std::byte>(std::vector<std::byte> contents, const RepairPlan& plan)>
      complete_definitions;
};

Result<RepairPlan> plan_shard_repair(runtime::Disk& disk, const std::string& directory,
                                     const RepairOptions& options);

// Of `node.id` in the data directory; no steps if it is whole.
Result<RepairPlan> plan_identity_repair(runtime::Disk& disk, const std::string& directory,
                                        std::uint16_t shards_found, std::uint64_t random_seed);

// Moves `name` from the directory to its lost+found, under a name that is free there. Nothing to do if it is not there.
Status set_aside(runtime::Disk& disk, const std::string& directory, const std::string& name);

}  // namespace weir::storage
