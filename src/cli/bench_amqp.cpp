#include "cli/bench_amqp.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/amqp_consumer.h"
#include "cli/amqp_producer.h"
#include "cli/amqp_topology.h"
#include "cli/bench_command.h"
#include "cli/server_arguments.h"

namespace weir::cli {

namespace {

class AmqpProtocol final : public BenchProtocol {
 public:
  Status prepare(const BenchOptions& options, const BenchPlan& plan,
                 runtime::TlsContext* tls) const override {
    return declare_topology(options, plan, tls);
  }
  Result<std::uint64_t> clean_up(const BenchOptions& options, const BenchPlan& plan,
                                 runtime::TlsContext* tls) const override {
    return delete_topology(options, plan, tls);
  }
  std::unique_ptr<BenchProducer> make_producer(std::uint32_t index, const BenchContext& context,
                                               BenchTally& tally, runtime::Loop& loop,
                                               Nudge& own_thread) const override {
    return std::make_unique<AmqpProducer>(index, context, tally, loop, own_thread);
  }
  std::unique_ptr<BenchConsumer> make_consumer(std::uint32_t index, const BenchContext& context,
                                               BenchTally& tally, runtime::Loop& loop) const override {
    return std::make_unique<AmqpConsumer>(index, context, tally, loop);
  }
};

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
  add_load_options(app, o);
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
  const AmqpProtocol protocol;
  return run_bench_command("weir bench amqp", arguments.options, make_plan(arguments.options), protocol);
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
