#include "cli/admin_call.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <utility>

#include "protocol/http/codec/target.h"

namespace weir::cli {
namespace {

namespace json = boost::json;

Result<json::value> parse(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return fail(ErrorCode::invalid_argument, fmt::format("{}: {}", text, error.message()));
  return value;
}

// Of the table's defaults, and KEY=VALUE: numbers and booleans are what they look like, all else is text.
json::value guess(std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) return number;
  return json::value(json::string_view(text.data(), text.size()));
}

Result<json::value> value_of(const AdminArgument& argument, const std::vector<std::string>& typed) {
  switch (argument.kind) {
    case Kind::flag: return true;
    case Kind::off_flag: return false;
    case Kind::text: return json::value(json::string(typed.front()));
    case Kind::json: return parse(typed.front());
    case Kind::number: {
      json::value value = guess(typed.front());
      if (value.is_int64()) return value;
      return fail(ErrorCode::invalid_argument, fmt::format("{}: not a number", typed.front()));
    }
    case Kind::key_values: {
      json::object object;
      for (const std::string& pair : typed) {
        const std::size_t equals = pair.find('=');
        if (equals == std::string::npos || equals == 0)
          return fail(ErrorCode::invalid_argument, fmt::format("{}: not of the form KEY=VALUE", pair));
        object[pair.substr(0, equals)] = guess(std::string_view(pair).substr(equals + 1));
      }
      return object;
    }
  }
  std::unreachable();
}

std::string plain(const json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

class Builder {
 public:
  explicit Builder(const AdminCommand& command) : path_(command.path) { call_.method = command.method; }

  Status put(const AdminArgument& argument, const std::vector<std::string>* typed) {
    if (typed == nullptr && argument.otherwise.empty()) return {};
    Result<json::value> value = typed != nullptr ? value_of(argument, *typed) : parse(argument.otherwise);
    if (!value) return std::unexpected(value.error());
    const std::string key(argument.key);
    switch (argument.goes) {
      case Goes::path: fill(key, plain(*value)); break;
      case Goes::query:
        query_ += fmt::format("{}{}={}", query_.empty() ? "?" : "&", key, plain(*value));
        break;
      case Goes::header: call_.headers.push_back({key, plain(*value)}); break;
      case Goes::body: body_[key] = std::move(*value); break;
      case Goes::arguments: put_arguments(key, std::move(*value)); break;
    }
    return {};
  }
  HttpCall finish(const std::optional<std::string>& vhost) {
    fill("vhost", vhost.value_or("/"));
    if (const std::size_t at = path_.find("/{vhost?}"); at != std::string::npos)
      path_.replace(at, 9, vhost ? "/" + http::percent_encode(*vhost) : "");
    call_.target = path_ + query_;
    if (call_.method != "GET" && call_.method != "DELETE") call_.body = json::serialize(body_);
    return std::move(call_);
  }

 private:
  void fill(const std::string& key, const std::string& value) {
    const std::string place = "{" + key + "}";
    if (const std::size_t at = path_.find(place); at != std::string::npos)
      path_.replace(at, place.size(), http::percent_encode(value));
  }
  void put_arguments(const std::string& key, json::value value) {
    if (!body_.contains("arguments")) body_["arguments"] = json::object();
    json::object& arguments = body_["arguments"].as_object();
    if (!key.empty()) {
      arguments[key] = std::move(value);
      return;
    }
    for (auto& [name, of] : value.as_object()) arguments[name] = std::move(of);
  }

  std::string path_, query_;
  json::object body_;
  HttpCall call_;
};

}  // namespace

Result<HttpCall> admin_call(const AdminCommand& command, const Typed& typed,
                            const std::optional<std::string>& vhost) {
  Builder builder(command);
  for (std::size_t i = 0; i < command.arguments.size(); ++i) {
    const auto* const given = i < typed.size() && typed[i] ? &*typed[i] : nullptr;
    WEIR_TRY(builder.put(command.arguments[i], given));
  }
  return builder.finish(vhost);
}

}  // namespace weir::cli
