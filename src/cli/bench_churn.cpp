#include "cli/bench_churn.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/amqp_client.h"
#include "cli/connect_stream.h"
#include "cli/server_arguments.h"
#include "protocol/amqp091/codec/queue_methods.h"
#include "runtime/loop.h"
#include "runtime/tls.h"

namespace weir::cli {

namespace {

constexpr std::uint64_t end_ms_max = 30'000;

struct ChurnOptions {
  ServerArguments arguments;
  BenchServer server;
  std::string what = "queues";
  std::uint32_t lanes = 8;
  double seconds = 5;
  bool durable = true;
  std::string name_prefix = "weir-churn";
  std::string json_file;
};

class Churn;

// One client at a time: it does its rounds, or is a round itself.
class Lane final : public ClientEvents {
 public:
  Lane(Churn& churn, std::uint32_t number) : churn_(churn), number_(number) {}
  void begin();

 private:
  void on_ready() override;
  void on_input_begin() override {}
  void on_frame(const amqp091::Frame& frame) override;
  void on_input_end() override {}
  void on_output_room() override {}
  void on_failed(const Error& error) override;
  void on_closed() override;

  void declare();

  Churn& churn_;
  std::uint32_t number_;
  std::unique_ptr<AmqpClient> client_;
  std::string queue_;
  std::uint64_t rounds_ = 0;
};

// Shard: all lanes are on one loop.
class Churn {
 public:
  Churn(const ChurnOptions& options, runtime::Loop& loop, runtime::TlsContext* tls)
      : options_(options), loop_(loop), tls_(tls) {}

  Status run() {
    begin_ns_ = loop_.clock().monotonic_ns();
    end_ns_ = begin_ns_ + static_cast<std::uint64_t>(options_.seconds * 1e9);
    loop_.timers().arm(timer_, static_cast<std::uint64_t>(options_.seconds * 1e3) + end_ms_max);
    for (std::uint32_t i = 0; i < options_.lanes; ++i) {
      lanes_.push_back(std::make_unique<Lane>(*this, i));
      ++at_work_;
      lanes_.back()->begin();
    }
    loop_.run(nullptr);
    loop_.timers().cancel(timer_);
    if (error_) return std::unexpected(*error_);
    return {};
  }

  const ChurnOptions& options() const { return options_; }
  runtime::Loop& loop() { return loop_; }
  runtime::TlsContext* tls() { return tls_; }
  bool over() const { return error_ || loop_.clock().monotonic_ns() >= end_ns_; }
  void count_round() { rounds_ += over() ? 0 : 1; }
  std::uint64_t rounds() const { return rounds_; }
  void fail(Error error) {
    if (!error_) error_ = std::move(error);
    loop_.stop();
  }
  void lane_ended() {
    if (--at_work_ == 0) loop_.stop();
  }

 private:
  void on_timer() { fail({ErrorCode::timed_out, "the broker does not answer any more"}); }

  const ChurnOptions& options_;
  runtime::Loop& loop_;
  runtime::TlsContext* tls_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::uint64_t begin_ns_ = 0, end_ns_ = 0;
  std::uint64_t rounds_ = 0;
  std::uint32_t at_work_ = 0;
  std::optional<Error> error_;
  runtime::MethodTimer<Churn, &Churn::on_timer> timer_{*this};
};

void Lane::begin() {
  const ChurnOptions& options = churn_.options();
  auto stream = connect_stream(churn_.loop(), options.server.host, options.server.port, churn_.tls());
  if (!stream) return churn_.fail(std::move(stream).error());
  client_ = std::make_unique<AmqpClient>(ClientOptions{.user = options.server.user,
                                                       .password = options.server.password,
                                                       .vhost = options.server.vhost,
                                                       .name = fmt::format("weir bench churn {}", number_)},
                                         churn_.loop(), *this);
  client_->start(std::move(*stream));
}

void Lane::on_ready() { churn_.options().what == "connections" ? client_->close() : declare(); }

void Lane::declare() {
  if (churn_.over()) return client_->close();
  queue_ = fmt::format("{}-{}-{}", churn_.options().name_prefix, number_, rounds_++);
  client_->append(amqp091::QueueDeclare{.queue = queue_, .durable = churn_.options().durable});
  client_->flush();
}

void Lane::on_frame(const amqp091::Frame& frame) {
  if (amqp091::method_id_of(frame.payload) == amqp091::QueueDeclareOk::info.id) {
    client_->append(amqp091::QueueDelete{.queue = queue_});
    return client_->flush();
  }
  churn_.count_round();
  declare();
}

void Lane::on_failed(const Error& error) { churn_.fail(error); }

// The client is still on the stack.
void Lane::on_closed() {
  if (churn_.options().what == "connections") churn_.count_round();
  if (churn_.over()) return churn_.lane_ended();
  churn_.loop().post([this] { begin(); });
}

Status complete(ChurnOptions& options) {
  WEIR_TRY(complete_server(options.arguments, options.server));
  if (options.lanes == 0 || options.lanes > 1'000)
    return fail(ErrorCode::config, "--connections must be between 1 and 1000");
  if (options.seconds <= 0) return fail(ErrorCode::config, "--seconds must be more than 0");
  return {};
}

Result<std::uint64_t> churn(const ChurnOptions& options) {
  std::unique_ptr<runtime::TlsContext> tls;
  if (options.server.tls) {
    auto made = runtime::TlsContext::client({});
    if (!made) return std::unexpected(std::move(made).error());
    tls = std::move(*made);
  }
  Result<std::unique_ptr<runtime::Loop>> loop = runtime::Loop::make();
  if (!loop) return std::unexpected(std::move(loop).error());
  Churn run(options, **loop, tls.get());
  WEIR_TRY(run.run());
  return run.rounds();
}

int run(ChurnOptions& options) {
  Result<std::uint64_t> rounds = fail(ErrorCode::config, "");
  if (Status completed = complete(options); !completed) {
    rounds = std::unexpected(completed.error());
  } else {
    rounds = churn(options);
  }
  if (!rounds) {
    fmt::print(stderr, "weir bench churn: {}\n", rounds.error().message);
    return rounds.error().code == ErrorCode::config ? 2 : 1;
  }
  const double per_s = static_cast<double>(*rounds) / options.seconds;
  fmt::print("{} {} in {:g} s, {} at a time: {:.0f}/s\n", *rounds,
             options.what == "queues" ? "queues declared and deleted" : "connections opened and closed",
             options.seconds, options.lanes, per_s);
  if (options.json_file.empty()) return 0;
  std::ofstream file(options.json_file);
  file << fmt::format("{{\"what\": \"{}\", \"rounds\": {}, \"seconds\": {}, \"per_s\": {}}}\n", options.what,
                      *rounds, options.seconds, per_s);
  if (file.flush()) return 0;
  fmt::print(stderr, "weir bench churn: {} can't be written\n", options.json_file);
  return 1;
}

}  // namespace

void add_bench_churn(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<ChurnOptions>();
  CLI::App& app = *bench.add_subcommand("churn", "Open and close connections, or declare and delete queues");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_server_options(app, options->arguments);
  app.add_option("--what", options->what, "connections (with one channel) or queues")
      ->check(CLI::IsMember({"connections", "queues"}))
      ->capture_default_str();
  app.add_option("--connections", options->lanes, "So many at a time")->capture_default_str();
  app.add_option("--seconds", options->seconds, "For so long")->capture_default_str();
  app.add_flag("--durable-queue,!--transient-queue", options->durable, "Queues outlive the broker");
  app.add_option("--name", options->name_prefix, "What the names of queues begin with")
      ->capture_default_str();
  app.add_option("--json", options->json_file, "Write the result to this file, too");
  app.callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace weir::cli
