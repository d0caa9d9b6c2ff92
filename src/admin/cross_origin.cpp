#include "admin/cross_origin.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::admin {

std::vector<http::Header> cross_origin_headers(const CrossOrigin& rules, const http::Request& request,
                                               const std::vector<std::string>& methods) {
  std::vector<http::Header> headers;
  if (rules.allowed.empty()) return headers;
  // Caches must not give one site's answer to another.
  headers.push_back({"Vary", "Origin"});
  const std::string* const origin = request.header("Origin");
  const auto allows = [&](const std::string& one) {
    return one == "*" || (origin != nullptr && one == *origin);
  };
  if (origin == nullptr || std::none_of(rules.allowed.begin(), rules.allowed.end(), allows)) return headers;
  headers.push_back({"Access-Control-Allow-Origin", *origin});
  headers.push_back({"Access-Control-Allow-Credentials", "true"});
  if (request.method != "OPTIONS") return headers;
  headers.push_back({"Access-Control-Allow-Methods", fmt::format("{}", fmt::join(methods, ", "))});
  if (const std::string* const wanted = request.header("Access-Control-Request-Headers"))
    headers.push_back({"Access-Control-Allow-Headers", *wanted});
  if (rules.max_age_s > 0) headers.push_back({"Access-Control-Max-Age", std::to_string(rules.max_age_s)});
  return headers;
}

}  // namespace weir::admin
