#include "cli/mqtt_idle.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "cli/mqtt_crowd.h"
#include "cli/process_usage.h"

namespace weir::cli {

namespace {

constexpr double hold_s = 0.5;  // until their memory is looked at

struct IdleReport {
  std::uint32_t connections = 0;
  double opened_s = 0;
  std::uint64_t resident_before_bytes = 0,
                resident_bytes = 0;  // of the broker; 0: nobody said which process it is
  ProcessUsage generator, broker;    // while they were opened

  double per_s() const { return connections / opened_s; }
  double bytes_each() const {
    return (static_cast<double>(resident_bytes) - static_cast<double>(resident_before_bytes)) / connections;
  }
};

Result<IdleReport> open_idle(const BenchOptions& options, mqtt::Version version, std::uint32_t connections) {
  std::unique_ptr<runtime::TlsContext> tls;
  if (options.server.tls) {
    auto made = runtime::TlsContext::client({});
    if (!made) return std::unexpected(std::move(made).error());
    tls = std::move(*made);
  }
  std::vector<std::string> ids;
  for (std::uint32_t i = 0; i < connections; ++i)
    ids.push_back(fmt::format("{}-i{:05}", options.name_prefix, i));
  MqttCrowd first(options.server, version, tls.get());  // what the first one costs is not each one's cost
  WEIR_TRY(first.open({options.name_prefix + "-first"}));
  MqttCrowd crowd(options.server, version, tls.get());

  IdleReport report;
  report.connections = connections;
  const ProcessUsage broker_before = usage_of(options.broker_pid);
  const ProcessUsage own_before = own_usage();
  const std::uint64_t begin_ns = runtime::system_clock().monotonic_ns();
  WEIR_TRY(crowd.open(ids));
  report.opened_s = static_cast<double>(runtime::system_clock().monotonic_ns() - begin_ns) / 1e9;
  report.generator = own_usage().since(own_before);
  report.broker = usage_of(options.broker_pid).since(broker_before);
  WEIR_TRY(crowd.hold(hold_s));
  report.resident_before_bytes = broker_before.resident_bytes;
  report.resident_bytes = usage_of(options.broker_pid).resident_bytes;
  WEIR_TRY(crowd.close());
  WEIR_TRY(first.close());
  return report;
}

std::string json_of(const IdleReport& r) {
  return fmt::format(
      "{{\"connections\": {}, \"opened_s\": {:.4f}, \"per_s\": {:.1f}, \"bytes_per_connection\": {:.1f}, "
      "\"cpu\": {{\"generator\": {:.3f}, \"broker\": {:.3f}}}}}\n",
      r.connections, r.opened_s, r.per_s(), r.bytes_each(), r.generator.user_s + r.generator.system_s,
      r.broker.user_s + r.broker.system_s);
}

}  // namespace

int run_mqtt_idle(const char* command, const BenchOptions& options, mqtt::Version version,
                  std::uint32_t connections) {
  const Result<IdleReport> report = open_idle(options, version, connections);
  if (!report) {
    fmt::print(stderr, "{}: {}\n", command, report.error().message);
    return 1;
  }
  fmt::print("{} connections in {:.3f} s: {:.0f}/s\n", connections, report->opened_s, report->per_s());
  if (options.broker_pid > 0) {
    fmt::print("broker memory      {:.0f} bytes per connection that does nothing\n", report->bytes_each());
    fmt::print("CPU while opening  generator {:.2f} s, broker {:.2f} s\n",
               report->generator.user_s + report->generator.system_s,
               report->broker.user_s + report->broker.system_s);
  }
  if (options.json_file.empty()) return 0;
  std::ofstream file(options.json_file);
  file << json_of(*report);
  if (file.flush()) return 0;
  fmt::print(stderr, "{}: {} can't be written\n", command, options.json_file);
  return 1;
}

}  // namespace weir::cli
