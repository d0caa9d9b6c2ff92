#include "cli/top.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "cli/admin_server.h"
#include "cli/json_text.h"
#include "cli/top_view.h"
#include "protocol/http/codec/target.h"
#include "runtime/loop.h"

namespace weir::cli {
namespace {

namespace json = boost::json;

constexpr std::uint64_t answer_ms_max = 5'000;
constexpr std::size_t rows_max = 500;  // of a page

struct TopOptions {
  AdminServer server;
  std::string vhost;
  std::string sort = "d";
  double interval_s = 1;
  std::size_t rows = 20;  // without a terminal
  bool connections = false, once = false, as_json = false;
};

class Top {
 public:
  explicit Top(const TopOptions& options) : options_(options) {
    view_.list = options.connections ? TopList::connections : TopList::queues;
    if (!sort_by(options.sort.front())) sort_by('n');
  }
  int once();
  int live();

 private:
  Result<json::value> get(const std::string& target);
  Status sample(std::size_t rows);
  std::string list_target(std::size_t rows) const;
  bool sort_by(char key);
  bool on_key(char key);
  void draw() { screen_->show(top_screen(view_, screen_->size(), terminal_paint(), true)); }
  std::uint64_t wait_ms() const;

  const TopOptions& options_;
  TopView view_;
  std::unique_ptr<TerminalScreen> screen_;
  double due_s_ = 0;
  int refused_ = 0;  // the status with which the broker said no
};

double now_s() { return static_cast<double>(runtime::system_clock().monotonic_ns()) / 1e9; }

Result<json::value> Top::get(const std::string& target) {
  HttpCall call{.target = target, .body = ""};
  call.answer_ms_max = answer_ms_max;
  const Result<http::Response> response = ask(options_.server, call);
  if (!response) return std::unexpected(response.error());
  refused_ = response->status >= 400 ? static_cast<int>(response->status) : 0;
  if (refused_ != 0) return fail(ErrorCode::access_refused, reason_of(*response));
  boost::system::error_code error;
  json::value answer = json::parse(response->body, error);
  if (error) return fail(ErrorCode::corrupt, "the answer can't be read: " + error.message());
  return answer;
}

std::string Top::list_target(std::size_t rows) const {
  const std::string vhost = http::percent_encode(options_.vhost);
  const std::string path =
      view_.list == TopList::queues
          ? (vhost.empty() ? "/api/queues" : "/api/queues/" + vhost)
          : (vhost.empty() ? "/api/connections" : "/api/vhosts/" + vhost + "/connections");
  const TopColumn* const column = top_column_of(view_.list, view_.sort_key);
  return fmt::format("{}?page=1&page_size={}&sort={}&sort_reverse={}", path,
                     std::clamp<std::size_t>(rows, 1, rows_max), column->path, view_.reverse);
}

Status Top::sample(std::size_t rows) {
  auto overview = get("/api/overview");
  if (!overview) return std::unexpected(overview.error());
  auto nodes = get("/api/nodes");
  if (!nodes && refused_ == 0) return std::unexpected(nodes.error());
  auto list = get(list_target(rows));
  if (!list) return std::unexpected(list.error());
  if (!overview->is_object() || !list->is_object())
    return fail(ErrorCode::corrupt, "an answer of another kind");
  TopSample sample{.at_s = now_s(), .overview = overview->as_object(), .node = {}, .items = {}};
  if (nodes && nodes->is_array() && !nodes->as_array().empty() && nodes->as_array().front().is_object())
    sample.node = nodes->as_array().front().as_object();
  if (const json::value* const items = list->as_object().if_contains("items");
      items != nullptr && items->is_array())
    sample.items = items->as_array();
  if (const json::value* const all = list->as_object().if_contains("filtered_count");
      all != nullptr && all->is_int64())
    sample.items_all = static_cast<std::uint64_t>(all->as_int64());
  const auto confirmed = number_at(sample.overview, "message_stats.confirm");
  const auto before = number_at(view_.sample.overview, "message_stats.confirm");
  if (confirmed && before && *confirmed >= *before && sample.at_s > view_.sample.at_s)
    view_.confirmed_per_s = (*confirmed - *before) / (sample.at_s - view_.sample.at_s);
  view_.sample = std::move(sample);
  return {};
}

bool Top::sort_by(char key) {
  const TopColumn* const column = top_column_of(view_.list, key);
  if (column == nullptr) return false;
  view_.sort_key = key;
  view_.reverse = column->kind != TopKind::name && column->kind != TopKind::text;
  return true;
}

// True if what is shown changes.
bool Top::on_key(char key) {
  if (key == 'r') {
    view_.reverse = !view_.reverse;
    return true;
  }
  if (key != '\t') return sort_by(key);
  view_.list = view_.list == TopList::queues ? TopList::connections : TopList::queues;
  view_.sample.items.clear();
  if (!sort_by(view_.sort_key)) sort_by('n');
  return true;
}

int Top::once() {
  if (const Status sampled = sample(options_.rows); !sampled)
    return refused_ != 0 ? complain(sampled.error().message, admin_exit::refused) : complain(sampled.error());
  if (options_.as_json) {
    const char* const list = view_.list == TopList::queues ? "queues" : "connections";
    const json::value node = view_.sample.node ? json::value(*view_.sample.node) : json::value();
    fmt::print("{}\n", json::serialize(json::object{
                           {"overview", view_.sample.overview}, {"node", node}, {list, view_.sample.items}}));
    return admin_exit::ok;
  }
  const TerminalSize size{shows_on_terminal() ? TerminalScreen::size().columns : 120, 0};
  for (const std::string& line : top_screen(view_, size, terminal_paint(), false)) fmt::print("{}\n", line);
  return admin_exit::ok;
}

std::uint64_t Top::wait_ms() const {
  return static_cast<std::uint64_t>(std::max(due_s_ - now_s(), 0.0) * 1e3) + 1;
}

int Top::live() {
  TerminalEvents events;
  // Whoever may not, or asks in vain, is told so where it stays.
  if (const Status sampled = sample(rows_max); !sampled)
    return refused_ != 0 ? complain(sampled.error().message, admin_exit::refused) : complain(sampled.error());
  screen_ = std::make_unique<TerminalScreen>();
  due_s_ = now_s();
  while (true) {
    if (now_s() >= due_s_) {
      const Status sampled = sample(top_rows(TerminalScreen::size()));
      view_.trouble = sampled ? "" : sampled.error().message;
      due_s_ = now_s() + options_.interval_s;
      draw();
    }
    const TerminalEvents::Event event = events.wait(wait_ms(), screen_.get());
    if (event.kind == TerminalEvents::Kind::end) return event.signal == SIGINT ? 0 : 128 + event.signal;
    if (event.kind == TerminalEvents::Kind::resized) due_s_ = 0;
    if (event.kind != TerminalEvents::Kind::key) continue;
    if (event.key == 'q') return 0;
    if (on_key(event.key)) due_s_ = 0;
  }
}

int run(const TopOptions& options) {
  Top top(options);
  return options.once || options.as_json || !shows_on_terminal() ? top.once() : top.live();
}

}  // namespace

void add_top(CLI::App& app, int& exit_code) {
  CLI::App* const top = app.add_subcommand("top", "Queues and connections by rate, depth and age, live");
  const auto options = std::make_shared<TopOptions>();
  top->add_option("--vhost", options->vhost, "Only of this virtual host")->type_name("NAME");
  top->add_flag("--connections", options->connections, "Begin with connections");
  top->add_option("--sort", options->sort, "By the column with this key, as when it runs")
      ->check([](const std::string& key) {
        const bool known = key.size() == 1 && (top_column_of(TopList::queues, key[0]) != nullptr ||
                                               top_column_of(TopList::connections, key[0]) != nullptr);
        return known ? std::string() : "no column has this key";
      })
      ->type_name("KEY")
      ->capture_default_str();
  top->add_option("--interval", options->interval_s, "Seconds from one look to the next")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  top->add_option("--rows", options->rows, "How many, without a terminal")
      ->check(CLI::Range(std::size_t{1}, rows_max))
      ->capture_default_str();
  top->add_flag("--once", options->once, "Print one look and end; so it is without a terminal");
  top->add_flag("--json", options->as_json, "The same as JSON");
  add_admin_server_options(*top, options->server);
  top->footer(
      "Keys: q quits, Tab goes from queues to connections and back, r turns the order round; the bottom line "
      "says "
      "which letter sorts by which column.\nExample:\n  weir top --sort a");
  top->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace weir::cli
