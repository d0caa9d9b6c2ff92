#include "cli/admin.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/admin_call.h"
#include "cli/admin_server.h"
#include "cli/json_text.h"
#include "cli/progress_bar.h"
#include "cli/queue_contents.h"

namespace weir::cli {
namespace {

namespace json = boost::json;

struct AdminOptions {
  AdminServer server;
  bool as_json = false;
  std::optional<std::string> vhost;
  std::vector<std::string> columns;
};

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }
int show(const AdminCommand& command, const AdminOptions& options, const http::Response& response) {
  if (command.shows == Shows::nothing) return admin_exit::ok;
  if (command.shows == Shows::as_it_came) {
    print(response.body + "\n");
    return admin_exit::ok;
  }
  boost::system::error_code error;
  const json::value answer = json::parse(response.body, error);
  if (error) return complain("the answer can't be read: " + error.message(), admin_exit::refused);
  if (options.as_json) print(json::serialize(answer) + "\n");
  if (command.shows == Shows::routed) {
    const json::value* const routed = answer.is_object() ? answer.as_object().if_contains("routed") : nullptr;
    if (routed != nullptr && routed->is_bool() && routed->as_bool()) return admin_exit::ok;
    return complain("no queue took the message", admin_exit::refused);
  }
  if (options.as_json) return admin_exit::ok;
  for (const std::string& column : unknown_columns(answer, options.columns))
    fmt::print(stderr, "weir: nothing here has '{}'\n", column);
  std::vector<std::string> columns = options.columns;
  if (columns.empty()) columns.assign(command.columns.begin(), command.columns.end());
  if (command.shows == Shows::item && answer.is_object()) print(item_text(answer.as_object(), columns));
  if (command.shows == Shows::list && answer.is_array()) print(table_text(answer.as_array(), columns));
  if (command.shows == Shows::messages && answer.is_array()) print(messages_text(answer.as_array()));
  return admin_exit::ok;
}

int run(const AdminCommand& command, const AdminOptions& options, Typed typed) {
  for (std::size_t i = 0; i < typed.size(); ++i) {
    if (command.arguments[i].name != "PAYLOAD" || !typed[i] || typed[i]->front() != "-") continue;
    typed[i]->front().assign(std::istreambuf_iterator<char>(std::cin), {});
  }
  const Result<HttpCall> call = admin_call(command, typed, options.vhost);
  if (!call) return complain(call.error().message, admin_exit::usage);
  const Result<http::Response> response = ask(options.server, *call);
  if (!response) return complain(response.error());
  if (response->status >= 400) return complain(reason_of(*response), admin_exit::refused);
  return show(command, options, *response);
}

CLI::App* subcommand(CLI::App& of, std::string_view name, std::string_view help) {
  const std::string wanted(name);
  for (CLI::App* const known : of.get_subcommands(nullptr)) {
    if (known->get_name() == wanted) return known;
  }
  return of.add_subcommand(wanted, std::string(help));
}

void add_command(CLI::App& app, const AdminCommand& command, int& exit_code) {
  const auto options = std::make_shared<AdminOptions>();
  const auto given = std::make_shared<std::vector<CLI::Option*>>();
  for (const AdminArgument& argument : command.arguments) {
    const std::string name(argument.name), help(argument.help);
    CLI::Option* option = nullptr;
    if (argument.kind == Kind::flag || argument.kind == Kind::off_flag) {
      option = app.add_flag(name, help);
    } else if (!name.empty()) {
      option =
          app.add_option(name)->description(help)->type_name(argument.kind == Kind::key_values ? "KEY=VALUE"
                                                             : argument.kind == Kind::number   ? "NUMBER"
                                                                                               : "TEXT");
      option->required(!name.starts_with("--"));
      argument.kind == Kind::key_values ? option->allow_extra_args(false)->expected(-1) : option->expected(1);
    }
    given->push_back(option);
  }
  if (command.path.find("{vhost") != std::string_view::npos)
    app.add_option("--vhost", options->vhost, "The virtual host")->type_name("NAME");
  if (command.shows != Shows::nothing)
    app.add_flag("--json", options->as_json, "Print what the broker answered");
  if (command.shows == Shows::list || command.shows == Shows::item) {
    app.add_option("--columns", options->columns, "What to show, as name,messages")
        ->delimiter(',')
        ->type_name("COLUMN,…");
  }
  add_admin_server_options(app, options->server);
  if (!command.example.empty()) app.footer(fmt::format("Example:\n  {}", command.example));
  app.callback([&command, options, given, &exit_code] {
    Typed typed(given->size());
    for (std::size_t i = 0; i < given->size(); ++i) {
      const CLI::Option* const option = (*given)[i];
      if (option != nullptr && option->count() > 0) typed[i] = option->results();
    }
    exit_code = run(command, *options, std::move(typed));
  });
}

// --- definitions, which are files ---

void add_import(CLI::App& definitions, int& exit_code) {
  const auto options = std::make_shared<AdminOptions>();
  const auto file = std::make_shared<std::string>();
  CLI::App* const app =
      definitions.add_subcommand("import", "Put a file's definitions into a running broker");
  app->add_option("FILE", *file, "In RabbitMQ's format; - is standard input")->required();
  app->add_option("--vhost", options->vhost, "Into this virtual host, a file of one")->type_name("NAME");
  add_admin_server_options(*app, options->server);
  app->footer("All of it or nothing. Example:\n  weir definitions import rabbitmq.json");
  app->callback([options, file, &exit_code] {
    std::ifstream opened(*file, std::ios::binary);
    std::istream& from = *file == "-" ? std::cin : opened;
    if (!from) {
      exit_code = complain(*file + " can't be read", admin_exit::usage);
      return;
    }
    const AdminCommand command{"definitions", "import", "", "POST", "/api/definitions/{vhost?}", {}};
    Result<HttpCall> call = admin_call(command, {}, options->vhost);
    call->body.assign(std::istreambuf_iterator<char>(from), {});
    ProgressBar bar("importing");
    call->on_sent = [&bar](std::size_t sent, std::size_t of) {
      bar.show(static_cast<double>(sent) / static_cast<double>(of),
               sent < of ? "" : "the broker puts it in force");
    };
    const Result<http::Response> response = ask(options->server, *call);
    bar.clear();
    if (!response) {
      exit_code = complain(response.error());
    } else if (response->status >= 400) {
      exit_code = complain(reason_of(*response), admin_exit::refused);
    }
  });
}

}  // namespace

void add_admin(CLI::App& app, int& exit_code) {
  for (const AdminNoun& noun : admin_nouns()) {
    CLI::App* const of_noun = subcommand(app, noun.name, noun.help);
    for (const AdminCommand& command : admin_commands()) {
      if (command.noun != noun.name) continue;
      if (command.verb.empty()) {
        add_command(*of_noun, command, exit_code);
        continue;
      }
      of_noun->require_subcommand(1);
      add_command(*of_noun->add_subcommand(std::string(command.verb), std::string(command.help)), command,
                  exit_code);
    }
  }
  add_queue_contents(*subcommand(app, "queue", ""), exit_code);
  CLI::App* const definitions = subcommand(app, "definitions", "Virtual hosts, users, queues … as a file");
  static const AdminCommand fetch{"definitions",
                                  "fetch",
                                  "",
                                  "GET",
                                  "/api/definitions/{vhost?}",
                                  {},
                                  Shows::as_it_came,
                                  {},
                                  "weir definitions fetch > definitions.json"};
  add_command(*definitions->add_subcommand("fetch", "Show the definitions of a running broker"), fetch,
              exit_code);
  add_import(*definitions, exit_code);
}

}  // namespace weir::cli
