#include "storage/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "storage/checkpoint.h"
#include "storage/data_directory.h"
#include "storage/repair_bits.h"
#include "storage/repair_checkpoint.h"
#include "storage/repair_definitions.h"
#include "storage/repair_superblock.h"
#include "storage/shard_files.h"
#include "storage/snapshot.h"
#include "storage/superblock.h"
#include "storage/verify.h"

namespace weir::storage {
namespace {

using Contents = std::shared_ptr<const std::vector<std::byte>>;

class Planning {
 public:
  Planning(runtime::Disk& disk, std::string directory, const RepairOptions& options)
      : disk_(disk), directory_(std::move(directory)), options_(options) {}

  Result<RepairPlan> run();

 private:
  Status plan_superblock();
  Status plan_checkpoint();
  Status rebuild_both_checkpoints();
  void plan_listings();
  Status plan_snapshots();

  bool found(std::string_view prefix, bool refusing) const {
    return std::any_of(report_.findings.begin(), report_.findings.end(), [&](const Finding& finding) {
      return finding.file.starts_with(prefix) && (!refusing || finding.severity == Severity::refuses);
    });
  }
  void add(std::string what, std::string consequence, std::function<Status()> carry_out) {
    plan_.steps.push_back({std::move(what), std::move(consequence), std::move(carry_out)});
  }
  // Both copies, the damaged ones set aside first.
  void add_copies(std::string what, std::string consequence, const std::string& stem, Contents contents);

  runtime::Disk& disk_;
  const std::string directory_;
  const RepairOptions& options_;
  ShardFiles names_;
  ShardReport report_;
  Superblock superblock_;
  RepairPlan plan_;
};

void Planning::add_copies(std::string what, std::string consequence, const std::string& stem,
                          Contents contents) {
  std::vector<std::string> damaged;
  for (const VerifiedFile& file : report_.files) {
    if (!file.whole && file.name.starts_with(stem)) damaged.push_back(file.name);
  }
  add(std::move(what), std::move(consequence),
      [&disk = disk_, directory = directory_, stem, contents, damaged]() -> Status {
        for (const std::string& name : damaged) WEIR_TRY(set_aside(disk, directory, name));
        for (const char* copy : {"A", "B"})
          WEIR_TRY(disk.write_file_now(fmt::format("{}/{}{}", directory, stem, copy), *contents));
        return {};
      });
}

Status Planning::plan_superblock() {
  std::string what;
  std::string consequence;
  const auto loaded = load_superblock(disk_, directory_);
  if (loaded && *loaded) {
    superblock_ = **loaded;
    if (found("super.", false)) what = "one copy of the superblock is damaged: written anew from the other";
  } else if (found("super.", false)) {
    const auto rebuilt = rebuild_superblock(disk_, directory_, names_);
    if (!rebuilt) return std::unexpected(rebuilt.error());
    superblock_ = rebuilt->superblock;
    what = "both copies of the superblock are damaged: " + rebuilt->how;
    if (!rebuilt->exact)
      consequence =
          "the last commits before the end are kept only if they are whole; all messages are marked "
          "redelivered";
  }
  const auto missing = std::find_if(report_.findings.begin(), report_.findings.end(),
                                    [](const Finding& f) { return f.what == "the log's files are missing"; });
  if (missing != report_.findings.end()) {
    superblock_.awaits_file = true;
    what += what.empty() ? "" : "; ";
    what += fmt::format("the log's files from {} on are missing: it goes on with an empty one",
                        superblock_.start.value);
    consequence += consequence.empty() ? "" : "; ";
    consequence +=
        "what was in them is lost: messages that came last, and settlements, so that earlier ones come again";
  }
  if (what.empty()) return {};
  add(std::move(what), std::move(consequence),
      [&disk = disk_, directory = directory_, superblock = superblock_]() mutable -> Status {
        for (std::uint64_t side = 0; side < 2; ++side) {
          const auto bytes = disk.read_file_now(superblock_path(directory, side));
          if (bytes && !decode_superblock(*bytes))
            WEIR_TRY(set_aside(disk, directory, side == 0 ? "super.A" : "super.B"));
        }
        return store_superblock_now(disk, directory, superblock);
      });
  return {};
}

Status Planning::plan_checkpoint() {
  if (!found("checkpoint.", false)) return {};
  std::optional<std::vector<std::byte>> best;
  std::uint64_t generation = 0;
  bool put_right = false;
  for (const bool bitwise : {false, true}) {
    for (int copy = 0; copy < 2 && (!bitwise || !best || put_right); ++copy) {
      auto file = disk_.read_file_now(checkpoint_path(directory_, copy));
      if (!file) continue;
      if (bitwise && !repair_one_bit(*file)) continue;
      const auto reader = CheckpointReader::open(*file);
      if (!reader) continue;
      const CheckpointHeader& header = reader->header();
      const bool counts = header.generation >= superblock_.checkpoint && header.from >= superblock_.start;
      if (!counts || (best && header.generation <= generation)) continue;
      generation = header.generation;
      best = std::move(*file);
      put_right = bitwise;
    }
  }
  if (best) {
    add_copies(put_right ? "the checkpoint is damaged, one bit was wrong in it: put right"
                         : "one copy of the checkpoint is damaged: written anew from the other",
               "", "checkpoint.", std::make_shared<const std::vector<std::byte>>(std::move(*best)));
    return {};
  }
  if (superblock_.has_checkpoint) return rebuild_both_checkpoints();
  add("a checkpoint that nothing needs any more is damaged: set aside", "",
      [&disk = disk_, directory = directory_]() -> Status {
        WEIR_TRY(set_aside(disk, directory, "checkpoint.A"));
        return set_aside(disk, directory, "checkpoint.B");
      });
  return {};
}

Status Planning::rebuild_both_checkpoints() {
  auto rebuilt = rebuild_checkpoint(disk_, directory_, superblock_, names_);
  if (!rebuilt) return std::unexpected(rebuilt.error());
  for (const QueueId queue : rebuilt->queues) {
    plan_.queues.push_back(queue);
    if (queue != bodies_queue) plan_.highest_queue = std::max(plan_.highest_queue, queue);
  }
  if (!rebuilt->spares.empty()) {
    add(fmt::format("{} files have no listing, and hold messages that are nowhere else: set aside",
                    rebuilt->spares.size()),
        "they are most likely spares, whose messages were settled long ago",
        [&disk = disk_, directory = directory_, names = rebuilt->spares]() -> Status {
          for (const std::string& name : names) WEIR_TRY(set_aside(disk, directory, name));
          return {};
        });
  }
  add_copies(
      fmt::format("both copies of the checkpoint are damaged: made anew from {} segments, with {} messages",
                  rebuilt->segments, rebuilt->messages),
      "messages that were settled long ago may be delivered once more, and all are marked redelivered",
      "checkpoint.", std::make_shared<const std::vector<std::byte>>(std::move(rebuilt->file)));
  return {};
}

void Planning::plan_listings() {
  for (const VerifiedFile& file : report_.files) {
    if (file.kind != FileKind::listing || file.whole || file.note == "missing") continue;
    add(fmt::format("the listing {} is damaged: set aside; the next start reads its file and makes a new one",
                    file.name),
        "", [&disk = disk_, directory = directory_, name = file.name] {
          return set_aside(disk, directory, name);
        });
  }
}

Status Planning::plan_snapshots() {
  if (!options_.definitions) return {};
  const bool lost_in_log = found("j-", true) || found("snapshot.", true);
  if (!lost_in_log && !found("snapshot.", false)) return {};
  if (!lost_in_log) {
    const auto loaded = load_newest_snapshot(disk_, directory_);
    if (!loaded) return std::unexpected(loaded.error());
    add_copies("one copy of the definitions is damaged: written anew from the other", "", "snapshot.",
               std::make_shared<const std::vector<std::byte>>(
                   encode_snapshot(loaded->snapshot.lsn, loaded->snapshot.contents)));
    return {};
  }
  auto rebuilt = rebuild_definitions(disk_, directory_, superblock_, names_, report_.end);
  if (!rebuilt) return std::unexpected(rebuilt.error());
  std::string consequence;
  if (!rebuilt->has_base) {
    consequence =
        "only definitions that the log still tells of are left: others, users and their permissions too, "
        "must be made "
        "again (load_definitions)";
  } else if (!rebuilt->put_right) {
    consequence = "definitions that were made or removed in what is lost are missing, or are back";
  }
  if (options_.complete_definitions && !rebuilt->put_right)
    rebuilt->contents = options_.complete_definitions(std::move(rebuilt->contents), plan_);
  add_copies(fmt::format("the definitions are put together from {} and {} records of the log",
                         !rebuilt->has_base   ? "no snapshot"
                         : rebuilt->put_right ? "a snapshot, put right in one bit,"
                                              : "a snapshot",
                         rebuilt->records),
             std::move(consequence), "snapshot.",
             std::make_shared<const std::vector<std::byte>>(encode_snapshot(report_.end, rebuilt->contents)));
  return {};
}

Result<RepairPlan> Planning::run() {
  auto names = list_shard_files(disk_, directory_);
  if (!names) return std::unexpected(names.error());
  names_ = std::move(*names);
  VerifyOptions options;
  options.definitions = options_.definitions;
  auto report = verify_shard(disk_, directory_, options);
  if (!report) return std::unexpected(report.error());
  report_ = std::move(*report);
  for (const auto& [queue, count] : report_.queues) {
    if (count.messages > count.lost) plan_.queues.push_back(queue);
    if (queue != bodies_queue) plan_.highest_queue = std::max(plan_.highest_queue, queue);
  }
  WEIR_TRY(plan_superblock());
  WEIR_TRY(plan_checkpoint());
  plan_listings();
  WEIR_TRY(plan_snapshots());
  for (const Finding& finding : report_.findings) {
    if (finding.severity == Severity::loss)
      plan_.losses.push_back(fmt::format("{}, {} bytes from {} on: {}", finding.file, finding.bytes,
                                         finding.offset, finding.what));
  }
  return std::move(plan_);
}

}  // namespace

Result<RepairPlan> plan_shard_repair(runtime::Disk& disk, const std::string& directory,
                                     const RepairOptions& options) {
  return Planning(disk, directory, options).run();
}

Result<RepairPlan> plan_identity_repair(runtime::Disk& disk, const std::string& directory,
                                        std::uint16_t shards_found, std::uint64_t random_seed) {
  RepairPlan plan;
  const auto bytes = disk.read_file_now(directory + "/node.id");
  if (!bytes && bytes.error().code != ErrorCode::not_found) return std::unexpected(bytes.error());
  if (bytes && open_identity(disk, directory, 1, random_seed)) return plan;
  plan.steps.push_back({fmt::format("node.id is {}: made anew, for the {} shards that are there",
                                    bytes ? "damaged" : "missing", shards_found),
                        "the directory has another identity than before",
                        [&disk, directory, shards_found, random_seed]() -> Status {
                          WEIR_TRY(set_aside(disk, directory, "node.id"));
                          return store_identity(disk, directory, make_identity(shards_found, random_seed));
                        }});
  return plan;
}

Status set_aside(runtime::Disk& disk, const std::string& directory, const std::string& name) {
  const auto there = disk.open(directory + "/" + name);
  if (!there) return there.error().code == ErrorCode::not_found ? Status{} : std::unexpected(there.error());
  disk.close(*there);
  const std::string aside = directory + "/" + lost_and_found;
  WEIR_TRY(disk.make_directories(aside));
  const auto entries = disk.list(aside);
  if (!entries) return std::unexpected(entries.error());
  const auto taken = [&](const std::string& wanted) {
    return std::any_of(entries->begin(), entries->end(),
                       [&](const auto& entry) { return entry.name == wanted; });
  };
  std::string to = name;
  for (int number = 2; taken(to); ++number) to = fmt::format("{}.{}", name, number);
  return disk.rename_now(directory + "/" + name, aside + "/" + to);
}

}  // namespace weir::storage
