// What it is: which messages of a queue are meant, as options of a command, and as the filter of the management API.
#pragma once

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace weir::cli {

struct MessageFilterOptions {
  std::optional<std::string> exchange, routing_key, contains, since, until, died_reason, died_queue, json;
  std::vector<std::string> headers, properties, where;
  bool redelivered = false;
};

void add_message_filter_options(CLI::App& app, MessageFilterOptions& options);

// Empty: all messages. invalid_argument: KEY=VALUE without "=", or JSON that is none.
Result<boost::json::object> message_filter(const MessageFilterOptions& options);
// A place in a queue as the API takes it: a number, or text.
boost::json::value place_in_queue(const std::string& typed);

}  // namespace weir::cli
