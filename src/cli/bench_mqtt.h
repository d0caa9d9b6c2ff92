// What it is: `weir bench mqtt`: the command line of the load generator for MQTT.
#pragma once

#include <CLI/CLI.hpp>

namespace weir::cli {

// As add_bench_amqp().
void add_bench_mqtt(CLI::App& bench, int& exit_code);

}  // namespace weir::cli
