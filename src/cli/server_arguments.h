// What it is: the options that say which broker a command talks to. A URI is the base that single options override.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/bench_options.h"

namespace weir::cli {

// What the parser fills.
struct ServerArguments {
  // Of the protocol: where its brokers listen, and whether it has URIs that we know, and virtual hosts.
  std::uint16_t port_plain = 5672, port_tls = 5671;
  bool has_uri = true, has_vhost = true;

  std::string uri{};
  std::optional<std::string> host{}, user{}, password{}, vhost{};
  std::optional<std::uint16_t> port{};
  bool tls = false;
};

void add_server_options(CLI::App& app, ServerArguments& arguments);
// Errors: config, for a URI that is none.
Status complete_server(const ServerArguments& arguments, BenchServer& server);

}  // namespace weir::cli
