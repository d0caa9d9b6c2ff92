#include "auth/scopes.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace weir::auth {

namespace json = boost::json;
using broker::Wildcard;

namespace {

std::string_view view_of(const json::string& text) { return {text.data(), text.size()}; }

// Calls with each part; empty ones are none.
template <typename Take>
void split(std::string_view text, char at, Take&& take) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(at), text.size());
    if (end > 0) take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

class Collector {
 public:
  explicit Collector(const ScopeSettings& settings) : settings_(settings) {}

  // A text with scopes separated by spaces, or a list of texts.
  void take_scopes(const json::value& from, std::string_view before = {}) {
    const auto add = [&](std::string_view scope) {
      scopes_.push_back(std::string(before) + std::string(scope));
    };
    if (from.is_string()) split(view_of(from.get_string()), ' ', add);
    if (!from.is_array()) return;
    for (const json::value& item : from.get_array()) {
      if (item.is_string()) add(view_of(item.get_string()));
    }
  }

  // At the end of `path` there are scopes, or an object with those of each resource server, without its prefix.
  void follow(const json::value& from, std::string_view path) {
    if (from.is_array() && !path.empty()) {
      for (const json::value& item : from.get_array()) follow(item, path);
      return;
    }
    if (path.empty()) {
      if (!from.is_object()) return take_scopes(from);
      const std::string& id = settings_.resource_server_id;
      if (const json::value* const own = from.get_object().if_contains(id)) take_scopes(*own, id + '.');
      return;
    }
    if (from.is_object()) follow(from.get_object(), path);
  }
  void follow(const json::object& from, std::string_view path) {
    const std::size_t end = std::min(path.find('.'), path.size());
    const std::string_view name = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (const json::value* const next = from.if_contains({name.data(), name.size()})) follow(*next, path);
  }

  std::vector<std::string> scopes_;

 private:
  const ScopeSettings& settings_;
};

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// nullopt: not a permission.
std::optional<broker::Grant> read_grant(std::string_view scope) {
  broker::Access access{};
  if (take_word(scope, "read:")) {
    access = broker::Access::read;
  } else if (take_word(scope, "write:")) {
    access = broker::Access::write;
  } else if (take_word(scope, "configure:")) {
    access = broker::Access::configure;
  } else {
    return std::nullopt;
  }
  std::vector<Wildcard> parts;
  for (std::size_t begin = 0; begin <= scope.size();) {
    const std::size_t end = std::min(scope.find('/', begin), scope.size());
    std::optional<Wildcard> part = Wildcard::parse(scope.substr(begin, end - begin));
    if (!part || parts.size() == 3) return std::nullopt;
    parts.push_back(std::move(*part));
    begin = end + 1;
  }
  if (parts.size() < 2) return std::nullopt;
  broker::Grant grant{access, std::move(parts[0]), std::move(parts[1]), std::nullopt};
  if (parts.size() == 3) grant.routing_key = std::move(parts[2]);
  return grant;
}

}  // namespace

Result<Allowed> read_scopes(const json::object& claims, const ScopeSettings& settings) {
  Collector found(settings);
  if (const json::value* const scope = claims.if_contains("scope")) found.take_scopes(*scope);
  split(settings.additional_keys, ' ', [&](std::string_view path) { found.follow(claims, path); });
  std::vector<std::string>& scopes = found.scopes_;
  std::erase_if(scopes, [&](const std::string& scope) { return !scope.starts_with(settings.prefix); });
  std::sort(scopes.begin(), scopes.end());
  scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
  if (scopes.size() > scopes_max) return fail(ErrorCode::access_refused, "the token has too many scopes");
  Allowed allowed;
  for (const std::string& text : scopes) {
    std::string_view scope = std::string_view(text).substr(settings.prefix.size());
    if (auto grant = read_grant(scope)) {
      allowed.grants.push_back(std::move(*grant));
    } else if (take_word(scope, "tag:") && !scope.empty()) {
      allowed.tags.emplace_back(scope);
    }
  }
  return allowed;
}

}  // namespace weir::auth
