// What it is: the management API that a command asks: where it is, who we are there, and what went wrong.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/http_client.h"

namespace weir::cli {

namespace admin_exit {
inline constexpr int ok = 0;
inline constexpr int refused = 1;  // the broker said no, or what was asked about is not well
inline constexpr int usage = 64;   // as app::exit_code
inline constexpr int unreachable = 69;
}  // namespace admin_exit

// What the parser fills.
struct AdminServer {
  std::string url;  // empty: WEIR_URL, or the first line of ~/.config/weir/url, or this machine
  std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";
  bool insecure = false;
};

void add_admin_server_options(CLI::App& app, AdminServer& server);

// Errors: config, for a URL that is none; and those of call_http.
Result<http::Response> ask(const AdminServer& server, const HttpCall& call);
// What the broker says of a refusal, in its own words.
std::string reason_of(const http::Response& response);
// Tells it on standard error, and is the exit code.
int complain(std::string_view text, int code);
// Of a call that had no answer.
int complain(const Error& error);

}  // namespace weir::cli
