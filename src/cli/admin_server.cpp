#include "cli/admin_server.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>

#include "cli/amqp_uri.h"

namespace weir::cli {
namespace {

constexpr const char* default_url = "http://guest:guest@127.0.0.1:15672";

std::string url_of(const AdminServer& server) {
  if (!server.url.empty()) return server.url;
  if (const char* const url = std::getenv("WEIR_URL"); url != nullptr && *url != '\0') return url;
  const char* const config = std::getenv("XDG_CONFIG_HOME");
  const char* const home = std::getenv("HOME");
  const std::string folder =
      config != nullptr ? config : fmt::format("{}/.config", home != nullptr ? home : "");
  std::ifstream file(folder + "/weir/url");
  std::string line;
  return std::getline(file, line) && !line.empty() ? line : default_url;
}

}  // namespace

void add_admin_server_options(CLI::App& app, AdminServer& server) {
  app.add_option("--url", server.url, fmt::format("The management API ({}; WEIR_URL)", default_url))
      ->group("Where")
      ->type_name("URL");
  app.add_option("--ca-file", server.ca_file, "Who may have signed its certificate")
      ->group("Where")
      ->type_name("FILE");
  app.add_flag("--insecure", server.insecure, "Do not verify its certificate")->group("Where");
}

Result<http::Response> ask(const AdminServer& server, const HttpCall& call) {
  const Result<BenchServer> parsed = parse_http_uri(url_of(server));
  if (!parsed) return std::unexpected(parsed.error());
  return call_http(*parsed, server.insecure ? "" : server.ca_file, call);
}

std::string reason_of(const http::Response& response) {
  boost::system::error_code error;
  const boost::json::value body = boost::json::parse(response.body, error);
  if (!error && body.is_object()) {
    for (const char* key : {"reason", "error"}) {
      if (const boost::json::value* const text = body.as_object().if_contains(key))
        return text->is_string() ? std::string(text->as_string()) : boost::json::serialize(*text);
    }
  }
  return fmt::format("{} {}", response.status, http::reason_phrase(response.status));
}

int complain(std::string_view text, int code) {
  fmt::print(stderr, "weir: {}\n", text);
  return code;
}

int complain(const Error& error) {
  return complain(error.message,
                  error.code == ErrorCode::config ? admin_exit::usage : admin_exit::unreachable);
}

}  // namespace weir::cli
