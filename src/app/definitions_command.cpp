#include "app/definitions_command.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "admin/definitions_export.h"
#include "app/exit_codes.h"
#include "base/log.h"
#include "node/node.h"
#include "runtime/lock_file.h"

namespace weir::app {
namespace {

struct ExportArguments {
  std::string directory, file, vhost;
};

Result<std::string> read_definitions(const ExportArguments& arguments) {
  if (!std::filesystem::exists(arguments.directory + "/node.id"))
    return fail(ErrorCode::config, fmt::format("{} is no data directory", arguments.directory));
  const auto lock = runtime::LockFile::acquire(arguments.directory);
  if (!lock) return std::unexpected(lock.error());
  node::NodeOptions options;
  options.data_directory = arguments.directory;
  options.default_user.clear();  // what is not there is not made
  options.default_vhost.clear();
  Result<std::unique_ptr<node::Node>> node = node::Node::start(std::move(options));
  if (!node) return std::unexpected(node.error());
  Result<std::string> text = fail(ErrorCode::not_found, fmt::format("vhost '{}' not found", arguments.vhost));
  (*node)->run_on(ShardId{0}, [&] {
    const broker::Topology& topology = (*node)->client(ShardId{0}).topology();
    if (arguments.vhost.empty()) {
      text = admin::export_definitions(topology);
    } else if (topology.find_vhost(arguments.vhost) != nullptr) {
      text = admin::export_vhost_definitions(topology, arguments.vhost);
    }
  });
  WEIR_TRY((*node)->stop());
  return text;
}

Status export_to_file(const ExportArguments& arguments) {
  Result<std::string> text = read_definitions(arguments);
  if (!text) return std::unexpected(text.error());
  *text += '\n';
  if (arguments.file.empty()) {
    std::fwrite(text->data(), 1, text->size(), stdout);
    return {};
  }
  std::ofstream file(arguments.file, std::ios::binary | std::ios::trunc);
  file.write(text->data(), static_cast<std::streamsize>(text->size()));
  file.close();
  if (file) return {};
  return fail(ErrorCode::io_error, fmt::format("{}: {}", arguments.file, std::strerror(errno)));
}

}  // namespace

void add_definitions(CLI::App& app, int& exit_code) {
  CLI::App* definitions = app.add_subcommand("definitions", "Virtual hosts, users, queues … as a file");
  definitions->require_subcommand(1);
  CLI::App* exported = definitions->add_subcommand(
      "export", "Write the definitions of a data directory, in RabbitMQ's format; its server must not run");
  const auto arguments = std::make_shared<ExportArguments>();
  exported->add_option("--data-dir", arguments->directory, "The data directory")
      ->type_name("DIR")
      ->required();
  exported->add_option("--vhost", arguments->vhost, "Only what is in this virtual host")->type_name("NAME");
  exported->add_option("FILE", arguments->file, "Where to write it; standard output without one");
  exported->footer(
      "Example:\n"
      "  weir definitions export --data-dir ./weir-data definitions.json\n"
      "\n"
      "The setting load_definitions reads such a file; so does `rabbitmqctl import_definitions`.");
  exported->callback([arguments, &exit_code] {
    mute_log();
    const Status done = export_to_file(*arguments);
    if (done) return;
    fmt::print(stderr, "weir: {}\n", done.error().message);
    exit_code = exit_code_of(done.error().code);
  });
}

}  // namespace weir::app
