#include "admin/route.h"

#include <algorithm>

namespace weir::admin {
namespace {

std::vector<std::string> split(std::string_view pattern) {
  std::vector<std::string> segments;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', at + 1), pattern.size());
    segments.emplace_back(pattern.substr(at + 1, end - at - 1));
    at = end;
  }
  return segments;
}

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  return std::equal(
      pattern.begin(), pattern.end(), path.begin(), path.end(),
      [](const std::string& want, const std::string& have) { return want.starts_with(':') || want == have; });
}

}  // namespace

RouteTable::RouteTable(std::span<const Route> routes) {
  for (const Route& route : routes) entries_.push_back({&route, split(route.pattern)});
}

RouteTable::Found RouteTable::find(std::string_view method, const std::vector<std::string>& path) const {
  Found found;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  std::string_view pattern;
  for (const Entry& entry : entries_) {
    if (pattern.empty() ? !fits(entry.segments, path) : entry.route->pattern != pattern) continue;
    pattern = entry.route->pattern;
    if (entry.route->method == "GET") found.allowed.emplace_back("HEAD");
    found.allowed.emplace_back(entry.route->method);
    if (entry.route->method != wanted) continue;
    found.route = entry.route;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (entry.segments[i].starts_with(':')) found.captures[entry.segments[i].substr(1)] = path[i];
    }
  }
  if (!found.allowed.empty()) found.allowed.emplace_back("OPTIONS");
  return found;
}

}  // namespace weir::admin
