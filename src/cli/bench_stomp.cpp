#include "cli/bench_stomp.h"

#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>

#include "cli/bench_command.h"
#include "cli/server_arguments.h"
#include "cli/stomp_load.h"

namespace weir::cli {

namespace {

struct StompArguments {
  BenchOptions options;
  ServerArguments server{.port_plain = 61613, .port_tls = 61614, .has_uri = false};
  StompAck ack = StompAck::individual;
};

void add_stomp_options(CLI::App& app, StompArguments& a) {
  BenchOptions& o = a.options;
  app.add_option("--producers", o.producers, "Sending connections")->capture_default_str();
  app.add_option("--consumers", o.consumers, "Subscribed connections")->capture_default_str();
  app.add_option("--queues", o.queues, "Queues; producers and consumers are spread over them")
      ->capture_default_str();
  app.add_option("--name", o.name_prefix,
                 "What the names of queues begin with; none: one that no run has used");
  add_load_options(app, o);
  app.add_flag("--receipts,!--no-receipts", o.confirm, "Every SEND asks for a receipt");
  app.add_flag("--persistent,!--transient", o.persistent, "Messages outlive the broker");
  const std::map<std::string, StompAck> modes{{"auto", StompAck::automatic},
                                              {"client", StompAck::client},
                                              {"client-individual", StompAck::individual}};
  app.add_option("--ack", a.ack, "auto, client or client-individual")
      ->transform(CLI::CheckedTransformer(modes, CLI::ignore_case));
  app.add_option("--ack-every", o.ack_every, "With --ack client: one ACK for so many messages")
      ->capture_default_str();
  app.add_option("--prefetch", o.prefetch, "Unacknowledged messages per consumer")->capture_default_str();
}

int run(StompArguments& a) {
  Result<BenchPlan> plan;
  if (Status completed = complete_server(a.server, a.options.server); !completed) {
    plan = std::unexpected(completed.error());
  } else {
    // STOMP deletes no queues: what a broken run has left is not in the way of the next one.
    if (a.options.name_prefix.empty()) a.options.name_prefix = fmt::format("weir-bench-{}", ::getpid());
    if (a.options.producers == 0) a.options.verify = false;
    plan = make_plan(a.options);
  }
  return run_bench_command("weir bench stomp", a.options, std::move(plan), StompProtocol(a.ack));
}

}  // namespace

void add_bench_stomp(CLI::App& bench, int& exit_code) {
  auto arguments = std::make_shared<StompArguments>();
  CLI::App& app = *bench.add_subcommand("stomp", "Load a STOMP broker and measure it");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  arguments->options.name_prefix.clear();
  add_server_options(app, arguments->server);
  add_stomp_options(app, *arguments);
  add_run_options(app, arguments->options);
  app.callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace weir::cli
