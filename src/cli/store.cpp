#include "cli/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "cli/progress_bar.h"
#include "cli/quantities.h"
#include "cli/store_names.h"
#include "cli/store_report.h"
#include "runtime/lock_file.h"
#include "runtime/loop.h"
#include "storage/data_directory.h"
#include "storage/repair.h"
#include "storage/verify.h"

namespace weir::cli {
namespace {

constexpr int exit_ok = 0;
constexpr int exit_damaged = 1;
constexpr int exit_no_directory = 2;
constexpr int exit_in_use = 3;

struct StoreArguments {
  std::string directory;
  bool json = false, deep = false, yes = false;
};

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void complain(std::string_view text) { fmt::print(stderr, "weir: {}\n", text); }

// Of all files below the directory.
class Progress {
 public:
  Progress(const std::string& directory, std::string what) : bar_(std::move(what)) {
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
      if (at->is_regular_file(error)) total_ += at->file_size(error);
    }
  }
  void advance(std::uint64_t bytes) {
    done_ += bytes;
    const double share = total_ > 0 ? static_cast<double>(done_) / static_cast<double>(total_) : 1;
    bar_.show(share, fmt::format("{} of {}", bytes_text(static_cast<double>(done_)),
                                 bytes_text(static_cast<double>(total_))));
  }

 private:
  ProgressBar bar_;
  std::uint64_t total_ = 0, done_ = 0;
};

// A directory that no server runs on, locked while it is looked at.
struct OpenStore {
  std::string directory;
  std::optional<runtime::LockFile> lock;
  std::unique_ptr<runtime::Loop> loop;  // for its disk
  std::uint16_t shards = 0;
  runtime::Disk& disk() const { return loop->disk(); }
};

std::uint16_t shard_directories(const std::string& directory) {
  std::uint16_t shards = 0;
  std::error_code error;
  while (std::filesystem::is_directory(storage::shard_directory(directory, shards), error)) ++shards;
  return shards;
}

int open_store(const std::string& directory, OpenStore& store) {
  std::error_code error;
  const bool has_identity = std::filesystem::exists(directory + "/node.id", error);
  store.directory = directory;
  store.shards = shard_directories(directory);
  if (directory.empty() || (!has_identity && store.shards == 0)) {
    complain(directory.empty() ? "which data directory?" : directory + " is not a data directory");
    return exit_no_directory;
  }
  auto lock = runtime::LockFile::acquire(directory);
  if (!lock) {
    complain(lock.error().message);
    return lock.error().code == ErrorCode::locked ? exit_in_use : exit_damaged;
  }
  store.lock = std::move(*lock);
  auto loop = runtime::Loop::make({.ring = runtime::KernelRing::no});  // all is blocking here
  if (!loop) {
    complain(loop.error().message);
    return exit_damaged;
  }
  store.loop = std::move(*loop);
  return exit_ok;
}

int verify(const StoreArguments& arguments) {
  OpenStore store;
  if (const int code = open_store(arguments.directory, store); code != exit_ok) return code;
  StoreReport report;
  report.directory = arguments.directory;
  // Only read where it is: it would be made where there is none.
  if (!std::filesystem::exists(arguments.directory + "/node.id")) {
    report.identity_damage = "node.id is missing";
  } else if (auto identity = storage::open_identity(store.disk(), arguments.directory, 1, 0)) {
    report.identity = std::move(*identity);
    if (report.identity.shards > store.shards)
      report.identity_damage = fmt::format("directories of {} of {} shards are missing",
                                           report.identity.shards - store.shards, report.identity.shards);
  } else {
    report.identity_damage = identity.error().message;
  }
  StoreNames names;
  {
    Progress progress(arguments.directory, "verifying");
    for (std::uint16_t shard = 0; shard < store.shards; ++shard) {
      storage::VerifyOptions options;
      options.deep = arguments.deep;
      options.definitions = shard == 0;
      options.progress = [&progress](std::uint64_t bytes) { progress.advance(bytes); };
      if (shard == 0) options.on_definitions = [&names](Bytes changes) { names.take(changes); };
      auto verified =
          storage::verify_shard(store.disk(), storage::shard_directory(arguments.directory, shard), options);
      if (!verified) {
        complain(verified.error().message);
        return exit_damaged;
      }
      report.shards.push_back(std::move(*verified));
    }
  }
  print(arguments.json ? report_as_json(report, names) : report_as_text(report, names));
  return report.whole(names) ? exit_ok : exit_damaged;
}

// Shard 0 comes last: its definitions are completed for the messages of all.
Result<std::vector<std::pair<std::string, storage::RepairPlan>>> plan_all(OpenStore& store) {
  std::vector<std::pair<std::string, storage::RepairPlan>> plans;
  auto identity = storage::plan_identity_repair(store.disk(), store.directory, store.shards,
                                                std::uint64_t{std::random_device{}()});
  if (!identity) return std::unexpected(identity.error());
  plans.emplace_back("node.id", std::move(*identity));
  std::vector<std::pair<QueueId, ShardId>> with_messages;
  QueueId highest;
  ProgressBar bar("looking for damage");
  for (std::uint16_t shard = store.shards; shard-- > 0;) {
    bar.show(1 - (shard + 1.0) / store.shards, fmt::format("shard {}", shard));
    const auto collect = [&, shard](const storage::RepairPlan& plan) {
      for (const QueueId queue : plan.queues) with_messages.emplace_back(queue, ShardId{shard});
      highest = std::max(highest, plan.highest_queue);
    };
    storage::RepairOptions options;
    options.definitions = shard == 0;
    options.complete_definitions = [&](std::vector<std::byte> contents, const storage::RepairPlan& plan) {
      collect(plan);
      return with_recovered_queues(std::move(contents), with_messages, highest);
    };
    const std::string directory = storage::shard_directory(store.directory, shard);
    auto plan = storage::plan_shard_repair(store.disk(), directory, options);
    if (!plan) return std::unexpected(plan.error());
    collect(*plan);
    plans.emplace_back(fmt::format("shard-{:02}", shard), std::move(*plan));
  }
  return plans;
}

bool asked(std::size_t steps) {
  fmt::print(stderr, "Carry out {} steps? What is replaced goes to lost+found. [y/N] ", steps);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

int repair(const StoreArguments& arguments) {
  OpenStore store;
  if (const int code = open_store(arguments.directory, store); code != exit_ok) return code;
  const auto plans = plan_all(store);
  if (!plans) {
    complain(plans.error().message);
    return exit_damaged;
  }
  std::size_t steps = 0;
  for (const auto& [where, plan] : *plans) {
    for (const storage::RepairStep& step : plan.steps) {
      print(fmt::format("{}. {}: {}\n", ++steps, where, step.what));
      if (!step.consequence.empty()) print(fmt::format("   {}\n", step.consequence));
    }
  }
  for (const auto& [where, plan] : *plans) {
    for (const std::string& loss : plan.losses) print(fmt::format("stays lost: {}/{}\n", where, loss));
  }
  std::fflush(stdout);
  if (steps == 0) {
    print("nothing to repair: a server starts on this directory\n");
    return exit_ok;
  }
  if (!arguments.yes && !asked(steps)) {
    print("nothing was changed\n");
    return exit_damaged;
  }
  std::size_t done = 0;
  ProgressBar bar("repairing");
  for (const auto& [where, plan] : *plans) {
    for (const storage::RepairStep& step : plan.steps) {
      bar.show(static_cast<double>(done) / static_cast<double>(steps), step.what);
      ++done;
      const Status carried_out = step.carry_out();
      bar.clear();
      if (!carried_out) {
        complain(fmt::format("step {} failed: {}", done, carried_out.error().message));
        return exit_damaged;
      }
      print(fmt::format("{}. done\n", done));
    }
  }
  print("repaired: a server starts on this directory\n");
  return exit_ok;
}

}  // namespace

void add_store(CLI::App& app, int& exit_code) {
  CLI::App* store = app.add_subcommand("store", "Look at or repair a data directory whose server is stopped");
  store->require_subcommand(1);
  const auto arguments = std::make_shared<StoreArguments>();
  const auto quietly = [arguments, &exit_code](int (*command)(const StoreArguments&)) {
    // What it finds is its own output.
    mute_log();
    exit_code = command(*arguments);
  };

  CLI::App* look =
      store->add_subcommand("verify", "Read everything and tell what is damaged; writes nothing");
  look->add_option("DIR", arguments->directory, "The data directory");
  look->add_flag("--json", arguments->json, "Print JSON");
  look->add_flag("--deep", arguments->deep,
                 "Read the files too that no start reads: spares, orphans, lost+found");
  look->footer(
      "Ends with 0 if all is whole, 1 if there is damage, 2 if DIR is not a data directory, 3 if a server "
      "uses it.");
  look->callback([quietly] { quietly(verify); });

  CLI::App* mend =
      store->add_subcommand("repair", "Do what a start refuses to do by itself; deletes nothing");
  mend->add_option("DIR", arguments->directory, "The data directory");
  mend->add_flag("--yes", arguments->yes, "Do not ask");
  mend->footer("Prints what it would do and what that costs, and asks. Copy the directory first if you can.");
  mend->callback([quietly] { quietly(repair); });
}

}  // namespace weir::cli
