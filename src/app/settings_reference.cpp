#include "app/settings_reference.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string_view>

#include "app/settings_table.h"

namespace weir::app {
namespace {

constexpr std::size_t text_columns = 100;

std::string_view group_of(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
}

std::string_view heading_of(std::string_view group) {
  struct Heading {
    std::string_view group, words;
  };
  constexpr Heading headings[] = {
      {"", "General"},        {"listeners", "Listeners"},  {"log", "Log"},
      {"auth", "Logins"},     {"oauth2", "Access tokens"}, {"tls", "TLS"},
      {"amqp", "AMQP 0-9-1"}, {"admin", "Management API"}, {"web_socket", "WebSocket"},
      {"limits", "Limits"},   {"memory", "Memory"},        {"disk", "Disk"},
      {"journal", "Journal"}};
  for (const Heading& heading : headings) {
    if (heading.group == group) return heading.words;
  }
  return group;
}

// The groups in the order of the table, each once: a group's settings need not stand together there.
std::vector<std::string_view> groups() {
  std::vector<std::string_view> found;
  for (const SettingSpec& spec : settings_table()) {
    const std::string_view group = group_of(spec.name);
    bool known = false;
    for (const std::string_view other : found) known = known || other == group;
    if (!known) found.push_back(group);
  }
  return found;
}

std::string help_of(const SettingSpec& spec) {
  return spec.built ? std::string(spec.help) : fmt::format("{} Not served by this build yet.", spec.help);
}

std::string in_table_cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

// Lines of up to text_columns, each after `prefix`.
std::string wrapped(std::string_view text, std::string_view prefix) {
  std::string out, line(prefix);
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    if (line.size() + 1 + word.size() > text_columns && line.size() > prefix.size()) {
      out += line + "\n";
      line = prefix;
    }
    if (line.size() > prefix.size()) line += ' ';
    line += word;
    text = space == std::string_view::npos ? std::string_view{} : text.substr(space + 1);
  }
  return out + line + "\n";
}

constexpr std::string_view introduction = R"(# Settings

<!-- Written by `weir settings --markdown`; edit the table in src/app/settings_table.cpp instead. -->

A server takes its settings from, later ones over earlier ones:

1. the defaults below,
2. the file that `--config FILE.toml`, or `WEIR_CONFIG` in the environment, names,
3. the environment: `WEIR_` and the name in capitals, with `_` for `.` (`WEIR_LISTENERS_AMQP`),
4. the command line: `--set key=value`, as often as needed, `--data-dir DIR` and `--definitions FILE.json`.

The file is [TOML](https://toml.io). `[listeners]` with `amqp = ":5672"` below it and `listeners.amqp = ":5672"` are the
same. `weir settings` prints a file with all defaults to begin with. A setting that does not exist, or a value that is not
allowed, is refused with its line, and the server does not start (exit code 78).

- **bytes**: a number, or a text with a unit: `"64MiB"` (KiB, MiB, GiB, TiB: powers of 1024), `"64MB"` (kB, MB, GB, TB:
  powers of 1000).
- **seconds**, **milliseconds**: a number in the unit that the name ends in, or a text: `"500ms"`, `"10s"`, `"5m"`, `"1h"`.
- **address**: `"host:port"`, `"[IPv6]:port"`, `":port"` for all addresses, or a port alone for all IPv4 addresses. Port 0
  takes a free one (`--ports-file` tells which). `""` switches the listener off.
- **list of strings**: `["a", "b"]`; on the command line and in the environment also `a,b`.
)";

}  // namespace

std::string settings_as_markdown() {
  std::string page(introduction);
  for (const std::string_view group : groups()) {
    page += fmt::format("\n## {}\n\n| Setting | Takes | Default | Meaning |\n| --- | --- | --- | --- |\n",
                        heading_of(group));
    for (const SettingSpec& spec : settings_table()) {
      if (group_of(spec.name) != group) continue;
      page += fmt::format("| `{}` | {} | `{}` | {} |\n", spec.name, in_table_cell(describe_type(spec)),
                          default_as_toml(spec), in_table_cell(help_of(spec)));
    }
  }
  return page;
}

std::string settings_as_toml() {
  std::string page = "# Settings of weir, each at its default. Remove the # before a setting to change it.\n";
  for (const std::string_view group : groups()) {
    page += fmt::format("\n# --- {} ---\n", heading_of(group));
    for (const SettingSpec& spec : settings_table()) {
      if (group_of(spec.name) != group) continue;
      page += fmt::format("\n{}{}#{} = {}\n", wrapped(help_of(spec), "# "),
                          wrapped(fmt::format("Takes: {}.", describe_type(spec)), "# "), spec.name,
                          default_as_toml(spec));
    }
  }
  return page;
}

namespace {

struct AsJson {
  const Settings& settings;

  boost::json::value operator()(BytesOrFraction Settings::* slot) const {
    const BytesOrFraction& value = settings.*slot;
    return value.fraction > 0 ? boost::json::value(value.fraction) : boost::json::value(value.bytes);
  }
  boost::json::value operator()(std::vector<std::string> Settings::* slot) const {
    const std::vector<std::string>& words = settings.*slot;
    return boost::json::array(words.begin(), words.end());
  }
  template <typename Value>
  boost::json::value operator()(Value Settings::* slot) const {
    return boost::json::value(settings.*slot);
  }
};

}  // namespace

std::string settings_as_json(const Settings& settings) {
  boost::json::object all;
  for (const SettingSpec& spec : settings_table()) {
    if (spec.built && !spec.secret) all[spec.name] = std::visit(AsJson{settings}, spec.slot);
  }
  return boost::json::serialize(all);
}

}  // namespace weir::app
