#include "cli/demo.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/rush_run.h"

namespace weir::cli {
namespace {

constexpr int exit_usage = 64;
constexpr std::uint32_t orders_max = 10'000'000;

int run(RushOptions options) {
  if (options.restart_broker && !options.url.empty()) {
    fmt::print(stderr,
               "weir demo rush: --restart-broker kills a broker of its own, never the one at --url\n");
    return exit_usage;
  }
  std::error_code error;
  options.program = "/proc/self/exe";
  if (options.parent.empty()) options.parent = std::filesystem::temp_directory_path(error).string();
  if (options.fast) options.scale();
  return run_rush(options);
}

}  // namespace

void add_demo(CLI::App& app, int& exit_code) {
  CLI::App* const demo = app.add_subcommand("demo", "Show what the broker is good for");
  demo->require_subcommand(1);
  CLI::App* const rush = demo->add_subcommand(
      "rush", "A rush on tickets: more orders than a database can take, nothing may be lost");
  const auto options = std::make_shared<RushOptions>();
  const auto positive = CLI::PositiveNumber;
  rush->add_option("--orders", options->orders, "How many arrive")
      ->check(CLI::Range(std::uint32_t{1}, orders_max))
      ->capture_default_str();
  rush->add_option("--rush-seconds", options->rush_s, "In so many seconds")
      ->check(positive)
      ->capture_default_str();
  rush->add_option("--rate", options->database_per_s, "Orders that the database takes in a second")
      ->check(positive)
      ->capture_default_str();
  rush->add_option("--shops", options->shops, "Publishing connections")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  rush->add_option("--workers", options->workers, "Consuming connections; the first one dies in the middle")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  rush->add_option("--prefetch", options->prefetch, "Orders that a worker holds")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  rush->add_option("--stall-seconds", options->stalled_s, "It is over when nothing has moved for so long")
      ->check(positive)
      ->capture_default_str();
  rush->add_flag("--restart-broker", options->restart_broker,
                 "Kill the broker (-9) in the rush, and start it again");
  rush->add_flag("--fast", options->fast, "Ten times as fast");
  rush->add_flag("--json", options->as_json, "Print the verdict alone, as JSON");
  rush->add_option("--url", options->url,
                   "The management API of a running broker; without it, a broker is started for the demo")
      ->type_name("URL");
  rush->add_option("--dir", options->parent, "Where that broker's temporary directory is made")
      ->type_name("DIR");
  rush->footer(
      "Ends with 0 if every order came through, 1 if one was lost. Examples:\n"
      "  weir demo rush --restart-broker\n"
      "  weir demo rush --orders 20000 --fast --json");
  rush->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace weir::cli
