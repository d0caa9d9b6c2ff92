// What it is: which pages of other sites may use the API from a browser (CORS), as RabbitMQ has it: off, unless origins are
// named.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/http/codec/message.h"

namespace weir::admin {

struct CrossOrigin {
  std::vector<std::string> allowed;  // "https://admin.example"; "*": any
  std::uint64_t max_age_s = 0;       // how long a browser may remember what it was told; 0: it is not told
};

// What the answer says to the page that asks; `methods` are those of the path, for a browser that asks beforehand.
std::vector<http::Header> cross_origin_headers(const CrossOrigin& rules, const http::Request& request,
                                               const std::vector<std::string>& methods);

}  // namespace weir::admin
