#include "admin/metrics_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace weir::admin {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '"': out += "\\\""; break;
      case '\n': out += "\\n"; break;
      default: out += c;
    }
  }
}

void append_value(std::string& out, MetricValue value) {
  char text[32];
  if (const auto* const integer = std::get_if<std::uint64_t>(&value)) {
    out.append(text, std::to_chars(text, text + sizeof text, *integer).ptr);
    return;
  }
  const double number = std::get<double>(value);
  if (std::isnan(number)) {
    out += "NaN";
  } else if (std::isinf(number)) {
    out += number > 0 ? "+Inf" : "-Inf";
  } else {
    out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
  }
}

}  // namespace

std::string metric_labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out += name;
    out += "=\"";
    append_escaped(out, value);
    out += '"';
  }
  return out;
}

void MetricsWriter::family(std::string_view prefix, std::string_view name, std::string_view type,
                           std::string_view help) {
  name_.assign(prefix).append(name);
  out_.append("# TYPE ").append(name_).append(" ").append(type);
  out_.append("\n# HELP ").append(name_).append(" ").append(help).append("\n");
}

void MetricsWriter::sample(std::string_view suffix, std::string_view labels, std::string_view more,
                           MetricValue value) {
  out_.append(name_).append(suffix);
  if (!labels.empty() || !more.empty()) {
    out_.append("{").append(labels);
    if (!labels.empty() && !more.empty()) out_ += ',';
    out_.append(more).append("}");
  }
  out_ += ' ';
  append_value(out_, value);
  out_ += '\n';
}

void MetricsWriter::line(std::string_view labels, MetricValue value) { sample("", labels, "", value); }

void MetricsWriter::histogram(std::string_view labels, const LogHistogram& values, double units,
                              std::size_t first, std::size_t last) {
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket <= std::min(last, LogHistogram::buckets - 2); ++bucket) {
    below += values.in_bucket(bucket);
    if (bucket < first) continue;
    std::string bound = "le=\"";
    append_value(bound, std::ldexp(1.0, static_cast<int>(bucket)) / units);
    sample("_bucket", labels, bound + "\"", below);
  }
  sample("_bucket", labels, "le=\"+Inf\"", values.count());
  sample("_sum", labels, "", static_cast<double>(values.sum()) / units);
  sample("_count", labels, "", values.count());
}

}  // namespace weir::admin
