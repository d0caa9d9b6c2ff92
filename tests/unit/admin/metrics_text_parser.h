// What it is: a strict reader of Prometheus' text format (version 0.0.4), as far as the server writes it: says what is wrong
// with a text, or what is in it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::admin {

struct ParsedMetrics {
  std::map<std::string, std::string> types;  // by family
  std::map<std::string, double> values;      // by name and labels, as they stand: up{a="b"}
  std::vector<std::string> problems;
};

ParsedMetrics parse_metrics(std::string_view text);

}  // namespace weir::admin
