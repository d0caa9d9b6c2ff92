#include "metrics_text_parser.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

namespace weir::admin {
namespace {

bool is_name(std::string_view text, bool colons) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (colons && c == ':');
  });
}

class Reader {
 public:
  explicit Reader(ParsedMetrics& out) : out_(out) {}

  void line(std::string_view text) {
    if (text.starts_with("# TYPE ")) return type(text.substr(7));
    if (text.starts_with("# HELP ")) return help(text.substr(7));
    if (text.empty() || text[0] == '#') return complain("a line that says nothing", text);
    sample(text);
  }

 private:
  void complain(const char* what, std::string_view text) {
    out_.problems.push_back(std::string(what) + ": " + std::string(text));
  }

  void type(std::string_view text) {
    const std::size_t space = text.find(' ');
    family_ = std::string(text.substr(0, space));
    const std::string kind(space == std::string_view::npos ? "" : text.substr(space + 1));
    const std::set<std::string> kinds{"counter", "gauge", "histogram", "summary", "untyped"};
    if (!is_name(family_, true) || !kinds.contains(kind)) complain("not a type", text);
    if (!out_.types.emplace(family_, kind).second) complain("a family in two places", text);
    if (kind == "counter" && !family_.ends_with("_total")) complain("a counter not called _total", text);
  }

  void help(std::string_view text) {
    if (text.substr(0, text.find(' ')) != family_) complain("help of another family", text);
    if (text.find(' ') == std::string_view::npos) complain("no help", text);
  }

  bool of_family(std::string_view name) const {
    if (name == family_) return out_.types[family_] != "histogram";
    if (out_.types[family_] != "histogram" || !name.starts_with(family_)) return false;
    const std::string_view suffix = name.substr(family_.size());
    return suffix == "_bucket" || suffix == "_sum" || suffix == "_count";
  }

  // Behind the opening brace. Returns where the closing one is.
  std::size_t labels(std::string_view text, std::size_t at) {
    std::set<std::string> names;
    while (true) {
      const std::size_t equals = text.find("=\"", at);
      if (equals == std::string_view::npos) return std::string_view::npos;
      const std::string name(text.substr(at, equals - at));
      if (!is_name(name, false) || !names.insert(name).second) complain("a label's name", text);
      for (at = equals + 2; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] != '\\') continue;
        ++at;
        if (at == text.size() || (text[at] != '\\' && text[at] != '"' && text[at] != 'n'))
          complain("an escape", text);
      }
      if (at + 1 >= text.size()) return std::string_view::npos;
      ++at;
      if (text[at] == '}') return at;
      if (text[at] != ',') return std::string_view::npos;
      ++at;
    }
  }

  void sample(std::string_view text) {
    std::size_t end = text.find_first_of("{ ");
    if (end == std::string_view::npos) return complain("no value", text);
    const std::string_view name = text.substr(0, end);
    if (!is_name(name, true) || !of_family(name)) complain("a sample of no family", text);
    if (text[end] == '{') end = labels(text, end + 1);
    if (end == std::string_view::npos) return complain("labels that do not end", text);
    if (text[end] == '}') ++end;
    if (end >= text.size() || text[end] != ' ') return complain("no value", text);
    const std::string number(text.substr(end + 1));
    char* rest = nullptr;
    const double value = std::strtod(number.c_str(), &rest);
    if (number.empty() || *rest != '\0') complain("not a number", text);
    if (out_.types[family_] == "counter" && !(value >= 0)) complain("a counter below zero", text);
    if (!out_.values.emplace(std::string(text.substr(0, end)), value).second)
      complain("the same sample twice", text);
  }

  ParsedMetrics& out_;
  std::string family_;
};

}  // namespace

ParsedMetrics parse_metrics(std::string_view text) {
  ParsedMetrics parsed;
  Reader reader(parsed);
  if (!text.ends_with('\n')) parsed.problems.emplace_back("the last line does not end");
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    reader.line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parsed;
}

}  // namespace weir::admin
