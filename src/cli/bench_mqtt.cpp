#include "cli/bench_mqtt.h"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "cli/bench_command.h"
#include "cli/mqtt_idle.h"
#include "cli/mqtt_load.h"
#include "cli/server_arguments.h"

namespace weir::cli {

namespace {

constexpr const char* command = "weir bench mqtt";

struct MqttArguments {
  BenchOptions options;
  MqttOptions mqtt;
  ServerArguments server{.port_plain = 1883, .port_tls = 8883, .has_uri = false, .has_vhost = false};
  std::string version = "3.1.1";
  std::uint32_t idle = 0;
};

void add_mqtt_options(CLI::App& app, MqttArguments& a) {
  BenchOptions& o = a.options;
  app.add_option("--mqtt", a.version, "Version of the protocol: 3.1.1 or 5")
      ->check(CLI::IsMember({"3.1.1", "5"}))
      ->capture_default_str();
  app.add_option("--qos", a.mqtt.qos, "Of messages and subscriptions: 0, 1 or 2")
      ->check(CLI::Range(0, 2))
      ->capture_default_str();
  app.add_option("--publishers", o.producers, "Publishing connections")->capture_default_str();
  app.add_option("--subscribers", o.consumers, "Subscribed connections; each topic has one")
      ->capture_default_str();
  app.add_option("--topics", o.queues, "Topics; publishers and subscribers are spread over them")
      ->capture_default_str();
  app.add_option("--fanout", o.fanout, "One topic with so many subscribers, instead of the two above");
  app.add_flag("--durable-session,!--clean-session", a.mqtt.durable_session,
               "Sessions of subscribers outlive their connections");
  app.add_option("--receive-maximum", o.prefetch, "With --mqtt 5: unacknowledged messages per subscriber")
      ->capture_default_str();
  app.add_option("--name", o.name_prefix,
                 "What topics and client ids begin with; none: one that no run has used");
  app.add_option("--idle", a.idle, "Open so many connections that do nothing, instead of a load");
}

Result<BenchPlan> complete(MqttArguments& a) {
  BenchOptions& o = a.options;
  WEIR_TRY(complete_server(a.server, o.server));
  if (o.name_prefix.empty()) o.name_prefix = fmt::format("weir-bench-{}", ::getpid());
  a.mqtt.version = a.version == "5" ? mqtt::Version::v5 : mqtt::Version::v3_1_1;
  o.confirm = a.mqtt.qos > 0;
  o.persistent = a.mqtt.durable_session;
  if (o.fanout > 0) o.consumers = o.fanout;
  if (o.producers == 0) o.verify = false;
  return make_topic_plan(o);
}

int run(MqttArguments& a) {
  Result<BenchPlan> plan = complete(a);
  if (a.idle == 0 || !plan)
    return run_bench_command(command, a.options, std::move(plan), MqttProtocol(a.mqtt));
  return run_mqtt_idle(command, a.options, a.mqtt.version, a.idle);
}

}  // namespace

void add_bench_mqtt(CLI::App& bench, int& exit_code) {
  auto arguments = std::make_shared<MqttArguments>();
  CLI::App& app = *bench.add_subcommand("mqtt", "Load an MQTT broker and measure it");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  arguments->options.name_prefix.clear();
  add_server_options(app, arguments->server);
  add_mqtt_options(app, *arguments);
  add_load_options(app, arguments->options);
  add_run_options(app, arguments->options);
  app.callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace weir::cli
