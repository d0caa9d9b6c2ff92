// What it is: the text format of Prometheus (version 0.0.4): families with their help and type, then a line for each value.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/log_histogram.h"

namespace weir::admin {

inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4";

using MetricValue = std::variant<std::uint64_t, double>;

// One label, or several with commas between them, as they stand between the braces: name="value", with what must be
// escaped escaped.
std::string metric_labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels);

class MetricsWriter {
 public:
  explicit MetricsWriter(std::string& out) : out_(out) {}

  // `type`: "counter", "gauge", "histogram", "untyped". All lines of a family follow it.
  void family(std::string_view prefix, std::string_view name, std::string_view type, std::string_view help);
  // Its lines go on, after others have written to the text.
  void go_on(std::string_view prefix, std::string_view name) { name_.assign(prefix).append(name); }
  // `labels`: of metric_labels(); may be empty.
  void line(std::string_view labels, MetricValue value);
  // Of a family of type histogram. What was counted in units of which `units` make one of the family's. Buckets from
  // 2^first to 2^last are told.
  void histogram(std::string_view labels, const LogHistogram& values, double units, std::size_t first,
                 std::size_t last);

 private:
  void sample(std::string_view suffix, std::string_view labels, std::string_view more, MetricValue value);

  std::string& out_;
  std::string name_;
};

}  // namespace weir::admin
