#include "cli/server_arguments.h"

#include <fmt/format.h>

#include "cli/amqp_uri.h"

namespace weir::cli {

void add_server_options(CLI::App& app, ServerArguments& arguments) {
  if (arguments.has_uri) app.add_option("--uri", arguments.uri, "amqp[s]://user:password@host:port/vhost");
  app.add_option("--host", arguments.host, "Host of the broker (127.0.0.1)");
  app.add_option(
      "--port", arguments.port,
      fmt::format("Port of the broker ({}; {} with --tls)", arguments.port_plain, arguments.port_tls));
  app.add_option("--user", arguments.user, "User name (guest)");
  app.add_option("--password", arguments.password, "Password (guest)");
  if (arguments.has_vhost) app.add_option("--vhost", arguments.vhost, "Virtual host (/)");
  app.add_flag("--tls", arguments.tls, "TLS; the broker's certificate is not verified");
}

Status complete_server(const ServerArguments& arguments, BenchServer& server) {
  server.port = arguments.port_plain;
  if (!arguments.uri.empty()) {
    Result<BenchServer> parsed = parse_amqp_uri(arguments.uri);
    if (!parsed) return std::unexpected(std::move(parsed).error());
    server = std::move(*parsed);
  }
  if (arguments.tls && !server.tls) {
    server.tls = true;
    if (arguments.uri.empty()) server.port = arguments.port_tls;
  }
  if (arguments.host) server.host = *arguments.host;
  if (arguments.port) server.port = *arguments.port;
  if (arguments.user) server.user = *arguments.user;
  if (arguments.password) server.password = *arguments.password;
  if (arguments.vhost) server.vhost = *arguments.vhost;
  return {};
}

}  // namespace weir::cli
