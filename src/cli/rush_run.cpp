#include "cli/rush_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/rng.h"
#include "cli/amqp_uri.h"
#include "cli/http_client.h"
#include "cli/own_broker.h"
#include "cli/quantities.h"
#include "cli/rush_floor.h"
#include "cli/rush_view.h"

namespace weir::cli {
namespace {

namespace json = boost::json;

constexpr std::uint64_t frame_ms = 100;  // from picture to picture
constexpr std::uint64_t look_ms = 250;   // how often the broker is asked
constexpr std::uint64_t answer_ms_max = 1'000;
constexpr double line_s = 5;  // without a terminal; one with --fast
constexpr double start_s_max = 60;
constexpr double empty_s_max = 10;      // from the last order to the last message
constexpr double worker_dies_at = 0.4;  // of what is done
constexpr double broker_dies_at = 0.6;  // of what has arrived
constexpr std::size_t depths_kept = 500;

double now_s() { return static_cast<double>(runtime::system_clock().monotonic_ns()) / 1e9; }

// How much a counter grows in a second, over about the last one.
class Speed {
 public:
  double of(std::uint64_t count, double at_s) {
    if (at_s - since_s_ >= 1 || since_s_ == 0) {
      if (since_s_ > 0) per_s_ = static_cast<double>(count - counted_) / (at_s - since_s_);
      counted_ = count;
      since_s_ = at_s;
    }
    return per_s_;
  }

 private:
  std::uint64_t counted_ = 0;
  double since_s_ = 0, per_s_ = 0;
};

class Rush {
 public:
  explicit Rush(const RushOptions& options)
      : options_(options),
        run_(Rng(runtime::system_clock().monotonic_ns() ^ static_cast<std::uint64_t>(::getpid())).next()),
        queue_(fmt::format("weir-rush-{:08x}", run_ & 0xffffffff)),
        book_(options.orders, run_),
        floor_(options_, book_) {}

  int run();

 private:
  Status begin();
  Result<BenchServer> find_broker();
  Status wait_for_broker();
  Result<http::Response> ask(std::string method, std::string target) const;
  bool over();
  void follow_the_script();
  void follow_the_broker();
  void look_at_queue();
  void refresh();
  void show();
  void tell(std::string event);
  int end();

  const RushOptions& options_;
  const std::uint64_t run_;
  const std::string queue_;
  TerminalEvents events_;
  std::unique_ptr<TerminalScreen> screen_;  // null: lines
  std::unique_ptr<OwnBroker> broker_;       // null: another's
  BenchServer management_;
  OrderBook book_;
  RushFloor floor_;
  RushView view_;
  Speed arrived_, confirmed_, done_;
  double began_s_ = 0, looked_s_ = 0, line_s_ = 0, moved_s_ = 0, all_done_s_ = 0;
  std::uint64_t moved_ = 0;
  // The script.
  std::optional<double> worker_died_s_, broker_died_s_;
  bool worker_back_ = false, broker_spawned_ = false, broker_back_ = false;
  std::uint64_t left_ = 0;
  std::string failure_;
  int signal_ = 0;
};

Result<http::Response> Rush::ask(std::string method, std::string target) const {
  HttpCall call{.method = std::move(method), .target = std::move(target), .body = ""};
  call.answer_ms_max = answer_ms_max;
  return call_http(management_, "", call);
}

Status Rush::wait_for_broker() {
  const double until_s = now_s() + start_s_max;
  while (broker_->look() == OwnBroker::State::starting && now_s() < until_s) {
    if (const auto event = events_.wait(10); event.kind == TerminalEvents::Kind::end) {
      signal_ = event.signal;
      return fail(ErrorCode::cancelled, "interrupted");
    }
  }
  if (broker_->look() == OwnBroker::State::ready) return {};
  return fail(ErrorCode::timed_out, "the broker does not start:\n" + broker_->last_words());
}

// Where AMQP is: on the port that the management API tells.
Result<BenchServer> Rush::find_broker() {
  if (options_.url.empty()) {
    broker_ = std::make_unique<OwnBroker>(options_.program, options_.parent);
    WEIR_TRY(broker_->spawn());
    WEIR_TRY(wait_for_broker());
    management_.port = broker_->admin_port();
    BenchServer server;
    server.port = broker_->amqp_port();
    return server;
  }
  Result<BenchServer> parsed = parse_http_uri(options_.url);
  if (!parsed) return parsed;
  management_ = std::move(*parsed);
  const Result<http::Response> response = ask("GET", "/api/overview");
  if (!response) return std::unexpected(response.error());
  boost::system::error_code error;
  const json::value overview = json::parse(response->body, error);
  const json::value* const listeners =
      !error && overview.is_object() ? overview.as_object().if_contains("listeners") : nullptr;
  if (response->status != 200 || listeners == nullptr || !listeners->is_array())
    return fail(ErrorCode::access_refused,
                fmt::format("{}: the broker does not tell its listeners (status {})", options_.url,
                            response->status));
  for (const json::value& listener : listeners->as_array()) {
    const json::value* const protocol =
        listener.is_object() ? listener.as_object().if_contains("protocol") : nullptr;
    const json::value* const port = listener.is_object() ? listener.as_object().if_contains("port") : nullptr;
    if (protocol == nullptr || *protocol != "amqp" || port == nullptr || !port->is_int64()) continue;
    BenchServer server = management_;
    server.port = static_cast<std::uint16_t>(port->as_int64());
    server.tls = false;
    return server;
  }
  return fail(ErrorCode::not_found, options_.url + ": the broker does not listen for AMQP");
}

Status Rush::begin() {
  const Result<BenchServer> server = find_broker();
  if (!server) return std::unexpected(server.error());
  if (shows_on_terminal() && !options_.as_json) screen_ = std::make_unique<TerminalScreen>();
  view_.title = fmt::format("{} ticket orders arrive in {}; the database takes {}", grouped(options_.orders),
                            seconds_text(options_.rush_s), per_second(options_.database_per_s));
  view_.orders = options_.orders;
  if (screen_ == nullptr && !options_.as_json) fmt::print("{}\n", view_.title);
  began_s_ = moved_s_ = now_s();
  return floor_.start(*server, queue_);
}

void Rush::tell(std::string event) {
  event = fmt::format("{}  {}", right_in(seconds_text(now_s() - began_s_), 12), event);
  if (screen_ == nullptr && !options_.as_json) fmt::print("{}\n", event);
  view_.events.push_back(std::move(event));
}

void Rush::follow_the_script() {
  const double at_s = now_s();
  const auto reached = [this](std::uint64_t count, double share) {
    return static_cast<double>(count) >= share * options_.orders;
  };
  if (!worker_died_s_ && reached(book_.counts.done.load(), worker_dies_at)) {
    worker_died_s_ = at_s;
    tell(fmt::format("worker 1 dies with {} orders in its hands", floor_.workers()[0]->holds()));
    floor_.kill_worker(0);
  } else if (worker_died_s_ && !worker_back_ && at_s - *worker_died_s_ >= options_.outage_s) {
    worker_back_ = true;
    tell("worker 1 is started again");
    floor_.revive_worker(0);
  }
  if (options_.restart_broker && !broker_died_s_ && reached(book_.counts.arrived.load(), broker_dies_at)) {
    broker_died_s_ = at_s;
    const std::uint64_t confirmed = book_.counts.confirmed.load();
    broker_->kill();
    tell(fmt::format("kill -9 of the broker: {} orders are confirmed, {} are done", grouped(confirmed),
                     grouped(book_.counts.done.load())));
  }
}

void Rush::follow_the_broker() {
  if (broker_ == nullptr) return;
  const OwnBroker::State state = broker_->look();
  if (!broker_died_s_ || broker_back_) {
    if (state == OwnBroker::State::ended) failure_ = "the broker has ended:\n" + broker_->last_words();
    return;
  }
  if (!broker_spawned_) {
    if (now_s() - *broker_died_s_ < options_.outage_s) return;
    broker_spawned_ = true;
    if (const Status spawned = broker_->spawn(); !spawned) failure_ = spawned.error().message;
    return;
  }
  if (state == OwnBroker::State::ended)
    failure_ = "the broker did not start again:\n" + broker_->last_words();
  if (state != OwnBroker::State::ready) return;
  broker_back_ = true;
  tell(fmt::format("the broker is back, {} after it was killed", seconds_text(now_s() - *broker_died_s_)));
}

void Rush::look_at_queue() {
  const auto forget = [this] { view_.depth.reset(), view_.oldest_s.reset(), view_.drain_s.reset(); };
  const Result<http::Response> response = ask("GET", "/api/queues/%2F/" + queue_);
  view_.broker_up = response.has_value();
  if (!response || response->status != 200) return forget();
  boost::system::error_code error;
  const json::value queue = json::parse(response->body, error);
  if (error || !queue.is_object()) return forget();
  const auto number = [&queue](const char* name) -> std::optional<double> {
    const json::value* const value = queue.as_object().if_contains(name);
    boost::system::error_code none;
    if (value == nullptr || !value->is_number()) return std::nullopt;
    return value->to_number<double>(none);
  };
  view_.depth = static_cast<std::uint64_t>(number("messages").value_or(0));
  const auto age_ms = number("oldest_message_age_ms");
  view_.oldest_s = age_ms ? std::optional(*age_ms / 1e3) : std::nullopt;
  view_.drain_s = number("seconds_to_drain");
  if (view_.depths.size() == depths_kept) view_.depths.erase(view_.depths.begin());
  view_.depths.push_back(*view_.depth);
}

void Rush::refresh() {
  const double at_s = now_s();
  const OrderCounts& counts = book_.counts;
  view_.elapsed_s = at_s - began_s_;
  view_.arrived = counts.arrived.load();
  view_.published = counts.published.load();
  view_.confirmed = counts.confirmed.load();
  view_.done = counts.done.load();
  view_.again = counts.again.load();
  view_.arrived_per_s = arrived_.of(view_.arrived, at_s);
  view_.confirmed_per_s = confirmed_.of(view_.confirmed, at_s);
  view_.done_per_s = done_.of(view_.done, at_s);
  view_.workers.clear();
  for (const auto& worker : floor_.workers()) view_.workers.push_back({worker->connected(), worker->holds()});
  if ((at_s - looked_s_) * 1e3 >= look_ms) {
    look_at_queue();
    looked_s_ = now_s();
  }
}

void Rush::show() {
  if (screen_ != nullptr) return screen_->show(rush_screen(view_, TerminalScreen::size(), terminal_paint()));
  if (options_.as_json || view_.elapsed_s - line_s_ < (options_.fast ? 1 : line_s)) return;
  line_s_ = view_.elapsed_s;
  fmt::print("{}\n", rush_line(view_));
  std::fflush(stdout);
}

// Every order is confirmed and done, and the queue is empty again; or nothing moves any more.
bool Rush::over() {
  const double at_s = now_s();
  const std::uint64_t moved = view_.arrived + view_.published + view_.confirmed + view_.done + view_.again;
  if (moved != moved_) moved_s_ = at_s;
  moved_ = moved;
  if (!failure_.empty()) return true;
  if (at_s - moved_s_ > options_.stalled_s) {
    failure_ = fmt::format("nothing has moved for {}", seconds_text(options_.stalled_s));
    return true;
  }
  if (view_.confirmed < view_.orders || view_.done < view_.orders || !worker_back_) return false;
  if (options_.restart_broker && !broker_back_) return false;
  if (all_done_s_ == 0) all_done_s_ = at_s;
  left_ = view_.depth.value_or(0);
  return (view_.depth == 0U && looked_s_ > all_done_s_) || at_s - all_done_s_ > empty_s_max;
}

int Rush::end() {
  screen_.reset();
  floor_.finish();
  RushVerdict verdict = book_.verdict();
  verdict.left_in_queue = left_;
  verdict.broker_restarted = broker_died_s_.has_value();
  if (broker_ == nullptr) static_cast<void>(ask("DELETE", "/api/queues/%2F/" + queue_));
  const double took_s = now_s() - began_s_;
  if (options_.as_json) {
    fmt::print("{}", verdict_json(verdict, took_s));
  } else {
    for (const std::string& event : view_.events) {
      if (shows_on_terminal()) fmt::print("{}\n", event);
    }
    fmt::print("{}", verdict_text(verdict));
  }
  std::fflush(stdout);
  if (signal_ != 0) fmt::print(stderr, "weir demo rush: interrupted after {}\n", seconds_text(took_s));
  if (!failure_.empty()) fmt::print(stderr, "weir demo rush: {}\n", failure_);
  if (signal_ != 0) return 128 + signal_;
  return failure_.empty() && verdict.ok() ? 0 : 1;
}

int Rush::run() {
  // That the broker goes away is part of it.
  mute_log();
  if (const Status begun = begin(); !begun) {
    screen_.reset();
    fmt::print(stderr, "weir demo rush: {}\n", begun.error().message);
    return signal_ != 0 ? 128 + signal_ : 1;
  }
  while (true) {
    const TerminalEvents::Event event = events_.wait(frame_ms, screen_.get());
    const bool quits = event.kind == TerminalEvents::Kind::key && event.key == 'q';
    if (event.kind == TerminalEvents::Kind::end || quits) {
      signal_ = quits ? SIGINT : event.signal;
      break;
    }
    follow_the_broker();
    refresh();
    follow_the_script();
    show();
    if (over()) break;
  }
  return end();
}

}  // namespace

int run_rush(const RushOptions& options) { return Rush(options).run(); }

}  // namespace weir::cli
