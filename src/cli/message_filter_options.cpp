#include "cli/message_filter_options.h"

#include <fmt/format.h>

#include <charconv>

namespace weir::cli {
namespace {

namespace json = boost::json;

// Numbers stay text: a text fits a header of any type that is written so.
Status put_pairs(const std::vector<std::string>& pairs, json::object& into) {
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == 0)
      return fail(ErrorCode::invalid_argument, fmt::format("{}: not of the form KEY=VALUE", pair));
    into[pair.substr(0, equals)] =
        equals == std::string::npos ? json::value() : json::value(pair.substr(equals + 1));
  }
  return {};
}

void put(json::object& into, const char* key, const std::optional<std::string>& value) {
  if (value) into[key] = *value;
}

}  // namespace

void add_message_filter_options(CLI::App& app, MessageFilterOptions& o) {
  constexpr const char* group = "Which messages";
  const auto text = [&](const char* name, std::optional<std::string>& into, const char* help,
                        const char* type) {
    app.add_option(name, into, help)->group(group)->type_name(type);
  };
  const auto several = [&](const char* name, std::vector<std::string>& into, const char* help,
                           const char* type) {
    app.add_option(name, into, help)->group(group)->type_name(type)->allow_extra_args(false);
  };
  text("--exchange", o.exchange, "Published to it", "NAME");
  text("--key", o.routing_key, "With this routing key; * and # as topic exchanges have them", "PATTERN");
  several("--header", o.headers, "With this header; without =VALUE, whatever it is", "KEY[=VALUE]");
  several("--property", o.properties, "With this property, as message_id=42", "KEY=VALUE");
  text("--contains", o.contains, "With this text in the body", "TEXT");
  several("--where", o.where, "The body is JSON of which this holds, as '$.total > 100'", "CONDITION");
  text("--since", o.since, "Came then or later: 2026-01-31T12:00:00Z, or Unix milliseconds", "TIME");
  text("--until", o.until, "Came before", "TIME");
  app.add_flag("--redelivered", o.redelivered, "Was delivered before")->group(group);
  text("--died-reason", o.died_reason, "Died so: rejected, expired, maxlen, delivery_limit", "REASON");
  text("--died-queue", o.died_queue, "Died in this queue", "QUEUE");
  text("--filter", o.json, "All of it as JSON instead", "JSON");
}

json::value place_in_queue(const std::string& typed) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(typed.data(), typed.data() + typed.size(), number);
  if (!typed.empty() && parsed.ec == std::errc() && parsed.ptr == typed.data() + typed.size()) return number;
  return json::value(typed);
}

Result<json::object> message_filter(const MessageFilterOptions& o) {
  json::object filter;
  if (o.json) {
    boost::system::error_code error;
    const json::value given = json::parse(*o.json, error);
    if (error || !given.is_object())
      return fail(ErrorCode::invalid_argument, fmt::format("--filter {}: not a JSON object", *o.json));
    filter = given.as_object();
  }
  put(filter, "exchange", o.exchange);
  put(filter, "routing_key", o.routing_key);
  put(filter, "body_contains", o.contains);
  if (o.since) filter["received_from"] = place_in_queue(*o.since);
  if (o.until) filter["received_to"] = place_in_queue(*o.until);
  if (o.redelivered) filter["redelivered"] = true;
  json::object headers, properties, died;
  WEIR_TRY(put_pairs(o.headers, headers));
  WEIR_TRY(put_pairs(o.properties, properties));
  put(died, "reason", o.died_reason);
  put(died, "queue", o.died_queue);
  if (!headers.empty()) filter["headers"] = std::move(headers);
  if (!properties.empty()) filter["properties"] = std::move(properties);
  if (!died.empty()) filter["dead_letter"] = std::move(died);
  if (!o.where.empty()) {
    json::array conditions;
    for (const std::string& condition : o.where) conditions.emplace_back(condition);
    filter["json"] = std::move(conditions);
  }
  return filter;
}

}  // namespace weir::cli
