#include "cli/bench_amqp.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>

#include "cli/bench_run.h"
#include "cli/server_arguments.h"

namespace weir::cli {

namespace {

struct BenchArguments {
  BenchOptions options;
  ServerArguments server;
};

void add_topology_options(CLI::App& app, BenchOptions& o) {
  app.add_option("--producers", o.producers, "Publishing connections")->capture_default_str();
  app.add_option("--consumers", o.consumers, "Consuming connections")->capture_default_str();
  app.add_option("--filled-by", o.filled_by,
                 "With --producers 0: verify the --messages that so many producers left in these queues");
  app.add_option("--queues", o.queues, "Queues; producers and consumers are spread over them")
      ->capture_default_str();
  app.add_option("--fanout", o.fanout, "A fanout exchange with this many queues, instead of --queues");
  app.add_option("--exchange", o.exchange,
                 "Publish to this exchange; it is declared unless its name begins with amq.");
  app.add_option("--exchange-type", o.exchange_type, "direct, topic or fanout")
      ->check(CLI::IsMember({"direct", "topic", "fanout"}))
      ->capture_default_str();
  app.add_option("--routing-key", o.routing_key,
                 "Of every message; every queue is bound by it and gets a copy");
  app.add_option("--binding-key", o.binding_key,
                 "Binds the queues instead of the routing key (topic patterns)");
  app.add_option("--queue-type", o.queue_type, "classic or quorum")
      ->check(CLI::IsMember({"classic", "quorum"}))
      ->capture_default_str();
  app.add_flag("--durable-queue,!--transient-queue", o.durable_queue,
               "Queues (and exchange) outlive the broker");
  app.add_option("--name", o.name_prefix, "What the names of queues and exchange begin with")
      ->capture_default_str();
  app.add_flag("--keep", o.keep, "Delete the queues neither before nor after");
}

void add_message_options(CLI::App& app, BenchOptions& o) {
  app.add_option("--size", o.size_bytes, "Bytes of a body")->capture_default_str();
  app.add_option("--messages", o.messages, "Publish so many in all, without warm-up, instead of --seconds");
  app.add_option("--seconds", o.seconds, "Measured time; then what is on its way is drained")
      ->capture_default_str();
  app.add_option("--warmup", o.warmup_s, "Seconds before the measured time")->capture_default_str();
  app.add_option("--rate", o.rate_per_s,
                 "Messages/s in all, evenly spaced; latency counts from the intended time");
  app.add_option("--window", o.window, "Unconfirmed messages per producer; 1 waits for each")
      ->capture_default_str();
  app.add_option("--backlog", o.backlog, "Producers wait while so many messages are not consumed; 0: never");
  app.add_flag("--confirm,!--no-confirm", o.confirm, "Publisher confirms");
  app.add_flag("--tx", o.tx, "Publish in transactions of up to --window messages, instead of confirms");
  app.add_flag("--persistent,!--transient", o.persistent, "Delivery mode 2 or 1");
  app.add_flag("--mandatory", o.mandatory, "Messages that reach no queue come back");
  app.add_option("--prefetch", o.prefetch, "Unacknowledged messages per consumer; 0: any")
      ->capture_default_str();
  app.add_option("--ack-every", o.ack_every, "One acknowledgement for so many messages")
      ->capture_default_str();
  app.add_flag("--auto-ack", o.auto_ack, "Consume without acknowledgements");
}

void add_run_options(CLI::App& app, BenchOptions& o) {
  app.add_option("--threads", o.threads, "1: one for all; else half for producers, half for consumers")
      ->capture_default_str();
  app.add_flag("--verify,!--no-verify", o.verify, "Check order, loss and duplicates");
  app.add_option("--drain-idle", o.drain_idle_s, "Seconds without any message after which the rest is lost")
      ->capture_default_str();
  app.add_option("--json", o.json_file, "Write the result to this file, too");
  app.add_option("--broker-pid", o.broker_pid, "Report this process's CPU time and memory");
}

Status complete(BenchArguments& a) {
  WEIR_TRY(complete_server(a.server, a.options.server));
  // Without producers there are no stamps of this run to check, unless it is told whose they are.
  if (a.options.producers == 0 && a.options.filled_by == 0) a.options.verify = false;
  return {};
}

int run(BenchArguments& arguments) {
  if (Status completed = complete(arguments); !completed) {
    fmt::print(stderr, "weir bench amqp: {}\n", completed.error().message);
    return 2;
  }
  const BenchOptions& options = arguments.options;
  const Result<BenchReport> report = run_bench(options);
  if (!report) {
    fmt::print(stderr, "weir bench amqp: {}\n", report.error().message);
    return report.error().code == ErrorCode::config ? 2 : 1;
  }
  fmt::print("{}", report_text(options, *report));
  if (!options.json_file.empty()) {
    std::ofstream file(options.json_file);
    file << report_json(options, *report);
    if (!file.flush()) {
      fmt::print(stderr, "weir bench amqp: {} can't be written\n", options.json_file);
      return 1;
    }
  }
  return report->ok() ? 0 : 1;
}

}  // namespace

void add_bench_amqp(CLI::App& bench, int& exit_code) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App& app = *bench.add_subcommand("amqp", "Load an AMQP 0-9-1 broker and measure it");
  // An option that comes twice: the last one counts, so that scripts can append to a base.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_server_options(app, arguments->server);
  app.add_option("--heartbeat", arguments->options.heartbeat_s, "Seconds; 0 for none")->capture_default_str();
  add_topology_options(app, arguments->options);
  add_message_options(app, arguments->options);
  add_run_options(app, arguments->options);
  app.callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace weir::cli
