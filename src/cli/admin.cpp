#include "cli/admin.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/admin_call.h"
#include "cli/amqp_uri.h"
#include "cli/json_text.h"

namespace weir::cli {
namespace {

namespace json = boost::json;

constexpr const char* default_url = "http://guest:guest@127.0.0.1:15672";
constexpr const char* system_ca_file = "/etc/ssl/certs/ca-certificates.crt";

struct AdminOptions {
  std::string url, ca_file = system_ca_file;
  bool insecure = false, as_json = false;
  std::optional<std::string> vhost;
  std::vector<std::string> columns;
};

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }
int complain(std::string_view text, int code) {
  fmt::print(stderr, "weir: {}\n", text);
  return code;
}

// --url, or WEIR_URL, or the first line of ~/.config/weir/url.
std::string url_of(const AdminOptions& options) {
  if (!options.url.empty()) return options.url;
  if (const char* const url = std::getenv("WEIR_URL"); url != nullptr && *url != '\0') return url;
  const char* const config = std::getenv("XDG_CONFIG_HOME");
  const char* const home = std::getenv("HOME");
  const std::string folder =
      config != nullptr ? config : fmt::format("{}/.config", home != nullptr ? home : "");
  std::ifstream file(folder + "/weir/url");
  std::string line;
  return std::getline(file, line) && !line.empty() ? line : default_url;
}

Result<http::Response> ask(const AdminOptions& options, const HttpCall& call) {
  const Result<BenchServer> server = parse_http_uri(url_of(options));
  if (!server) return std::unexpected(server.error());
  return call_http(*server, options.insecure ? "" : options.ca_file, call);
}

// What the broker says of it, in its own words.
std::string reason_of(const http::Response& response) {
  boost::system::error_code error;
  const json::value body = json::parse(response.body, error);
  if (!error && body.is_object()) {
    for (const char* key : {"reason", "error"}) {
      if (const json::value* const text = body.as_object().if_contains(key))
        return text->is_string() ? std::string(text->as_string()) : json::serialize(*text);
    }
  }
  return fmt::format("{} {}", response.status, http::reason_phrase(response.status));
}

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
  const Result<http::Response> response = ask(options, *call);
  if (!response) {
    const bool typo = response.error().code == ErrorCode::config;
    return complain(response.error().message, typo ? admin_exit::usage : admin_exit::unreachable);
  }
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

void add_common(CLI::App& app, AdminOptions& options) {
  app.add_option("--url", options.url, fmt::format("The management API ({}; WEIR_URL)", default_url))
      ->group("Where")
      ->type_name("URL");
  app.add_option("--ca-file", options.ca_file, "Who may have signed its certificate")
      ->group("Where")
      ->type_name("FILE");
  app.add_flag("--insecure", options.insecure, "Do not verify its certificate")->group("Where");
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
  add_common(app, *options);
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
  add_common(*app, *options);
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
    const Result<http::Response> response = ask(*options, *call);
    if (!response) {
      exit_code = complain(response.error().message, admin_exit::unreachable);
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
