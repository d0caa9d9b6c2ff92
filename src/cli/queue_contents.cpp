#include "cli/queue_contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/admin_server.h"
#include "cli/json_text.h"
#include "cli/message_filter_options.h"
#include "cli/progress_bar.h"
#include "cli/quantities.h"
#include "protocol/http/codec/target.h"

namespace weir::cli {
namespace {

namespace json = boost::json;

constexpr std::uint64_t page_max = 500;
constexpr std::uint64_t step_ms = 500;  // so that the bar moves

struct ContentsOptions {
  AdminServer server;
  std::string queue, vhost = "/";
  std::optional<std::string> from;
  MessageFilterOptions filter;
  std::uint64_t count = 100;
  std::optional<std::uint64_t> truncate, limit;
  bool as_json = false, count_only = false;
  std::optional<std::string> to_queue, to_exchange, to_key, redrive;
};

// One piece of work on a queue's messages.
class Steps {
 public:
  Steps(const ContentsOptions& options, std::string verb, std::string what)
      : options_(options), verb_(std::move(verb)), bar_(std::move(what)) {}

  // Until there is no more, or `take` returns false. The exit code.
  int run(json::object body, const std::function<bool(const json::object& answer)>& take);
  void clear_bar() { bar_.clear(); }

 private:
  const ContentsOptions& options_;
  const std::string verb_;
  ProgressBar bar_;
};

std::uint64_t count_at(const json::object& answer, std::string_view path) {
  return static_cast<std::uint64_t>(std::max(number_at(answer, path).value_or(0), 0.0));
}

int Steps::run(json::object body, const std::function<bool(const json::object& answer)>& take) {
  HttpCall call{.method = "POST", .target = "", .body = ""};
  call.target = fmt::format("/api/queues/{}/{}/{}", http::percent_encode(options_.vhost),
                            http::percent_encode(options_.queue), verb_);
  body["max_time_ms"] = step_ms;
  while (true) {
    call.body = json::serialize(body);
    const Result<http::Response> response = ask(options_.server, call);
    if (!response || response->status >= 400) bar_.clear();
    if (!response) return complain(response.error());
    if (response->status >= 400) return complain(reason_of(*response), admin_exit::refused);
    boost::system::error_code error;
    const json::value parsed = json::parse(response->body, error);
    if (error || !parsed.is_object()) return complain("the answer can't be read", admin_exit::refused);
    const json::object& answer = parsed.as_object();
    const auto of = static_cast<double>(std::max<std::uint64_t>(count_at(answer, "progress.of"), 1));
    bar_.show(static_cast<double>(count_at(answer, "progress.looked_at")) / of,
              fmt::format("{} found", grouped(count_at(answer, "progress.found"))));
    if (!take(answer)) return admin_exit::ok;
    const json::value* const done = answer.if_contains("done");
    const json::value* const token = answer.if_contains("token");
    if ((done != nullptr && done->is_bool() && done->as_bool()) || token == nullptr || !token->is_string())
      return admin_exit::ok;
    body["token"] = *token;
    body.erase("from");
  }
}

// What all calls of a search or a look have in common: messages are printed as they come.
int show_messages(const ContentsOptions& options, json::object filter, const char* what) {
  json::object body;
  if (!filter.empty()) body["filter"] = std::move(filter);
  if (options.from) body["from"] = place_in_queue(*options.from);
  if (options.truncate) body["truncate"] = *options.truncate;
  if (options.count_only) body["count_only"] = true;
  std::uint64_t left = options.count, found = 0, unsearched = 0;
  body["page_size"] = std::min(left, page_max);
  Steps steps(options, "search", what);
  json::array all;
  const int code = steps.run(std::move(body), [&](const json::object& answer) {
    found = count_at(answer, "progress.found");
    unsearched += count_at(answer, "bodies_not_searched");
    const json::value* const messages = answer.if_contains("messages");
    if (options.count_only || messages == nullptr || !messages->is_array()) return true;
    json::array now;
    for (const json::value& message : messages->as_array()) {
      if (left == 0) break;
      --left;
      now.push_back(message);
    }
    if (options.as_json) {
      all.insert(all.end(), now.begin(), now.end());
    } else if (!now.empty()) {
      steps.clear_bar();
      fmt::print("{}", messages_text(now));
    }
    return left > 0;
  });
  steps.clear_bar();
  if (code != admin_exit::ok) return code;
  if (options.count_only)
    fmt::print("{}\n",
               options.as_json ? json::serialize(json::object{{"found", found}}) : fmt::to_string(found));
  if (options.as_json && !options.count_only) fmt::print("{}\n", json::serialize(all));
  if (unsearched > 0)
    fmt::print(stderr, "weir: {} bodies are too large to be searched\n", grouped(unsearched));
  return admin_exit::ok;
}

int peek(const ContentsOptions& options) { return show_messages(options, {}, "looking"); }

int search(const ContentsOptions& options) {
  Result<json::object> filter = message_filter(options.filter);
  if (!filter) return complain(filter.error().message, admin_exit::usage);
  return show_messages(options, std::move(*filter), "searching");
}

Result<json::object> destination(const ContentsOptions& options) {
  const int said = int{options.to_queue.has_value()} + int{options.to_exchange.has_value()} +
                   int{options.redrive.has_value()};
  if (said != 1) return fail(ErrorCode::invalid_argument, "one of --to-queue, --to-exchange and --redrive");
  json::object to;
  if (options.to_queue) to["queue"] = *options.to_queue;
  if (options.redrive) to["redrive"] = *options.redrive;
  if (options.to_exchange) {
    to["exchange"] = *options.to_exchange;
    if (options.to_key) to["routing_key"] = *options.to_key;
  }
  return to;
}

// `done` is what the answer calls those that it was done to, of all calls.
int work(const ContentsOptions& options, const char* verb, const char* what, const char* done,
         json::object body) {
  Result<json::object> filter = message_filter(options.filter);
  if (!filter) return complain(filter.error().message, admin_exit::usage);
  body["filter"] = std::move(*filter);
  if (options.from) body["from"] = place_in_queue(*options.from);
  if (options.limit) body["limit"] = *options.limit;
  json::object sums{{done, 0}};
  std::string stopped;
  Steps steps(options, verb, what);
  const int code = steps.run(std::move(body), [&](const json::object& answer) {
    sums[done] = count_at(answer, done);
    for (const char* stays : {"unroutable", "rejected", "never_died"}) {
      if (const std::uint64_t now = count_at(answer, stays); now > 0)
        sums[stays] = count_at(sums, stays) + now;
    }
    stopped = text_at(answer, "stopped");
    return stopped.empty();
  });
  steps.clear_bar();
  if (code != admin_exit::ok) return code;
  if (options.as_json) {
    fmt::print("{}\n", json::serialize(sums));
  } else {
    for (const auto& [name, count] : sums)
      fmt::print("{} {}\n", grouped(count_at(sums, name)), std::string_view(name));
  }
  return stopped.empty() ? admin_exit::ok : complain(stopped, admin_exit::refused);
}

int move_or_copy(const ContentsOptions& options, bool copies) {
  Result<json::object> to = destination(options);
  if (!to) return complain(to.error().message, admin_exit::usage);
  return work(options, copies ? "copy" : "move", copies ? "copying" : "moving", copies ? "copied" : "moved",
              json::object{{"to", std::move(*to)}});
}

int move(const ContentsOptions& options) { return move_or_copy(options, false); }
int copy(const ContentsOptions& options) { return move_or_copy(options, true); }

int remove(const ContentsOptions& options) {
  const Result<json::object> filter = message_filter(options.filter);
  if (filter && filter->empty() && !options.limit)
    return complain("say which messages, or use `weir queue purge`", admin_exit::usage);
  return work(options, "remove", "removing", "removed", {});
}

// --- the commands ---

struct ContentsCommand {
  const char* name;
  const char* help;
  int (*run)(const ContentsOptions&);
  bool filters = false, shows = false, takes_destination = false;
  const char* example = "";
};

constexpr ContentsCommand commands[] = {
    {"peek", "Show messages at any place of a queue; nothing of it changes", peek, false, true, false,
     "weir queue peek tickets --count 10\n  weir queue peek tickets --from -5\n"
     "  weir queue peek tickets --from 2026-01-31T12:00:00Z"},
    {"search", "Find messages of a queue; nothing of it changes", search, true, true, false,
     "weir queue search tickets --where '$.customer.id == 42' --since 2026-01-31T00:00:00Z"},
    {"move", "Move messages of a queue somewhere else, safely", move, true, false, true,
     "weir queue move dead --redrive first --died-reason rejected --limit 1000\n"
     "  weir queue move tickets --to-queue vip --header tier=gold"},
    {"copy", "Copy messages of a queue somewhere else", copy, true, false, true,
     "weir queue copy tickets --to-queue test --limit 100"},
    {"remove", "Delete those messages of a queue that are meant", remove, true, false, false,
     "weir queue remove tickets --contains spam"},
};

void add_command(CLI::App& queue, const ContentsCommand& command, int& exit_code) {
  CLI::App* const app = queue.add_subcommand(command.name, command.help);
  const auto options = std::make_shared<ContentsOptions>();
  app->add_option("QUEUE", options->queue, "The queue")->required();
  app->add_option("--vhost", options->vhost, "The virtual host")->type_name("NAME")->capture_default_str();
  app->add_option("--from", options->from,
                  "Begin there: first, last, -50 (the last 50), a sequence number, or a time")
      ->type_name("PLACE");
  if (command.shows) {
    if (!command.filters) options->count = 1;
    app->add_option("--count", options->count, "How many at most")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app->add_option("--truncate", options->truncate, "So many bytes of a payload at most")
        ->type_name("NUMBER");
  } else {
    app->add_option("--limit", options->limit, "So many at most")->check(CLI::PositiveNumber);
  }
  if (command.shows && command.filters)
    app->add_flag("--count-only", options->count_only, "Count all, and show none");
  if (command.takes_destination) {
    app->add_option("--to-queue", options->to_queue, "To this queue")->type_name("QUEUE");
    app->add_option("--to-exchange", options->to_exchange, "To this exchange")->type_name("NAME");
    app->add_option("--to-key", options->to_key, "There with this routing key (its own)")->type_name("KEY");
    app->add_option("--redrive", options->redrive, "Dead letters to where they died: first or last")
        ->check(CLI::IsMember({"first", "last"}));
  }
  if (command.filters) add_message_filter_options(*app, options->filter);
  app->add_flag("--json", options->as_json, "Print JSON");
  add_admin_server_options(*app, options->server);
  app->footer(fmt::format("Example:\n  {}", command.example));
  app->callback([run = command.run, options, &exit_code] { exit_code = run(*options); });
}

}  // namespace

void add_queue_contents(CLI::App& queue, int& exit_code) {
  for (const ContentsCommand& command : commands) add_command(queue, command, exit_code);
}

}  // namespace weir::cli
