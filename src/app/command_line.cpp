#include "app/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "app/command_reference.h"
#include "app/definitions_command.h"
#include "app/exit_codes.h"
#include "app/nearest_name.h"
#include "app/server.h"
#include "app/settings_reference.h"
#include "base/version.h"
#include "cli/admin.h"
#include "cli/bench_amqp.h"
#include "cli/bench_churn.h"
#include "cli/bench_mqtt.h"
#include "cli/bench_stomp.h"
#include "cli/demo.h"
#include "cli/store.h"
#include "cli/top.h"

namespace weir::app {
namespace {

#if defined(__clang__)
constexpr std::string_view compiler = "clang " __clang_version__;
#else
constexpr std::string_view compiler = "g++ " __VERSION__;
#endif

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string version_line() { return fmt::format("weir {}", version); }

void add_server(CLI::App& app, ServerOptions& options, int& exit_code) {
  CLI::App* server = app.add_subcommand("server", "Run the broker until SIGTERM or Ctrl-C");
  server->add_option("--config", options.sources.config_file, "Settings, a TOML file")
      ->type_name("FILE.toml")
      ->envname("WEIR_CONFIG");
  server
      ->add_option("--data-dir", options.sources.data_dir,
                   "Where queues and definitions lie (setting data_dir)")
      ->type_name("DIR");
  server
      ->add_option("--definitions", options.sources.definitions,
                   "Users, queues, policies … that are to be there, as RabbitMQ exports them (setting "
                   "load_definitions)")
      ->type_name("FILE.json");
  server->add_option("--set", options.sources.assignments, "A setting, over the file's and the environment's")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  server->add_option("--ports-file", options.ports_file, "Once ready, write the ports there as JSON")
      ->type_name("FILE");
  server->footer(
      "Examples:\n"
      "  weir server                                        AMQP on port 5672, data in ./weir-data\n"
      "  weir server --config /etc/weir/weir.toml\n"
      "  weir server --data-dir /tmp/w --set listeners.amqp=127.0.0.1:0 --ports-file /tmp/w/ports.json\n"
      "\n"
      "`weir settings` lists what can be set.");
  server->callback([&options, &exit_code] {
    options.sources.environment = settings_environment();
    exit_code = run_server(options);
  });
}

void add_settings(CLI::App& app, bool& markdown) {
  CLI::App* settings =
      app.add_subcommand("settings", "Print all settings with their defaults, as a TOML file");
  settings->add_flag("--markdown", markdown, "Print the reference page instead");
  settings->footer("Example:\n  weir settings > weir.toml");
  settings->callback([&markdown] { print(markdown ? settings_as_markdown() : settings_as_toml()); });
}

void add_bench(CLI::App& app, int& exit_code) {
  CLI::App* bench = app.add_subcommand("bench", "Put load on a broker and measure it");
  bench->require_subcommand(1);
  bench->footer("`weir bench amqp --help` tells more.");
  cli::add_bench_amqp(*bench, exit_code);
  cli::add_bench_stomp(*bench, exit_code);
  cli::add_bench_mqtt(*bench, exit_code);
  cli::add_bench_churn(*bench, exit_code);
}

void add_reference(CLI::App& app, std::string& shell) {
  CLI::App* completion = app.add_subcommand("completion", "Print the completion script of a shell");
  completion->add_option("SHELL", shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->footer("Example:\n  weir completion bash > /etc/bash_completion.d/weir");
  completion->callback([&app, &shell] { print(completion_script(app, shell)); });
  CLI::App* manual = app.add_subcommand("manual", "Print the manual page");
  manual->footer("Example:\n  weir manual > /usr/local/share/man/man1/weir.1");
  manual->callback([&app] { print(manual_page(app)); });
}

// A word where a command was expected is most often a slip.
std::string suggestion(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string_view near = nearest_name(argv[1], candidates);
  return near.empty() || near == argv[1] ? "" : fmt::format("weir: did you mean `weir {}`?\n", near);
}

int parse_and_run(int argc, char** argv) {
  CLI::App app("Weir: a message broker", "weir");
  app.set_version_flag("--version", version_line());
  app.require_subcommand(1);
  app.footer("`weir COMMAND --help` tells more. Example:\n  weir server --data-dir ./weir-data");
  int exit_code = exit_code::ok;
  ServerOptions server_options;
  bool markdown = false;
  add_server(app, server_options, exit_code);
  add_settings(app, markdown);
  app.add_subcommand("version", "Print the version and how it was built")->callback([] {
    print(fmt::format("{} ({})\n", version_line(), compiler));
  });
  add_bench(app, exit_code);
  cli::add_demo(app, exit_code);
  cli::add_store(app, exit_code);
  add_definitions(app, exit_code);
  cli::add_admin(app, exit_code);
  cli::add_top(app, exit_code);
  std::string shell;
  add_reference(app, shell);
  if (argc < 2) {
    print(app.help());
    return exit_code::usage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {  // --help, --version
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    fmt::print(stderr, "{}", suggestion(app, argc, argv));
    return exit_code::usage;
  }
  return exit_code;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "weir: {}\n", error.what());
    return exit_code::failed;
  }
}

}  // namespace weir::app
