#include "admin/definitions_file.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>
#include <variant>

#include "admin/definitions_sections.h"
#include "admin/entry_lines.h"
#include "admin/json_entry.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

// In the order in which they are applied.
constexpr DefinitionsSection sections[] = {
    {"vhosts", "name", read_vhost},
    {"users", "name", read_user},
    {"permissions", "user", read_permission},
    {"topic_permissions", "user", read_topic_permission},
    {"weir_limits", "vhost", read_weir_limits},
    {"parameters", "name", read_parameter},
    {"global_parameters", "name", read_global_parameter},
    {"policies", "name", read_policy},
    {"exchanges", "name", read_exchange},
    {"queues", "name", read_queue},
    {"bindings", "source", read_binding},
};

Status read_section(const DefinitionsSection& section, const json::value& value, const EntryLines& lines,
                    Reading& reading) {
  const json::array* entries = value.if_array();
  if (entries == nullptr) return fail(ErrorCode::config, fmt::format("\"{}\" must be a list", section.key));
  for (std::size_t i = 0; i < entries->size(); ++i) {
    JsonEntry entry((*entries)[i], fmt::format("{}[{}]", section.key, i), section.name_key);
    section.read(entry, reading);
    const auto of_section = lines.find(section.key);
    const std::uint32_t line =
        of_section == lines.end() || i >= of_section->second.size() ? 1 : of_section->second[i];
    reading.file.lines.resize(reading.file.requests.size(), line);
    if (const Status good = entry.status(); !good)
      return fail(ErrorCode::config, fmt::format("line {}: {}", line, good.error().message));
  }
  return {};
}

// What an export says about itself, and the sections that describe the exporting cluster.
bool says_nothing(std::string_view key) {
  for (const std::string_view known :
       {"rabbit_version", "rabbitmq_version", "product_name", "product_version", "rabbitmq_definition_format",
        "original_vhost_name", "explanation", "metadata", "description", "default_queue_type",
        "original_cluster_name", "tags"}) {
    if (key == known) return true;
  }
  return false;
}

void note_skipped(const json::object& file, DefinitionsFile& out) {
  for (const auto& [key, value] : file) {
    bool known = says_nothing(key);
    for (const DefinitionsSection& section : sections) known = known || key == section.key;
    if (known) continue;
    if (const json::array* entries = value.if_array()) {
      if (!entries->empty())
        out.skipped.push_back(fmt::format("{} {}", entries->size(), std::string_view(key)));
    } else {
      out.skipped.push_back(fmt::format("\"{}\"", std::string_view(key)));
    }
  }
}

std::string line_of(std::string_view text, std::size_t offset) {
  std::size_t line = 1;
  for (const char c : text.substr(0, offset)) line += c == '\n' ? 1 : 0;
  return fmt::format("line {}", line);
}

Result<json::value> parse_json(std::string_view text) {
  json::error_code error;
  json::stream_parser parser;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (error)
    return fail(ErrorCode::config, fmt::format("{}: not JSON: {}", line_of(text, read), error.message()));
  if (text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
    return fail(ErrorCode::config,
                fmt::format("{}: there is something after the JSON object", line_of(text, read)));
  }
  return parser.release();
}

}  // namespace

Result<DefinitionsFile> parse_definitions(std::string_view json_text, const std::string& default_vhost) {
  if (json_text.size() > definitions_file_bytes_max) {
    return fail(ErrorCode::config,
                fmt::format("the file is larger than {} MiB", definitions_file_bytes_max >> 20));
  }
  auto parsed = parse_json(json_text);
  if (!parsed) return std::unexpected(std::move(parsed).error());
  const json::object* object = parsed->if_object();
  if (object == nullptr) return fail(ErrorCode::config, "the file must hold one JSON object");
  Reading reading{{}, default_vhost};
  const EntryLines lines = entry_lines(json_text);
  for (const DefinitionsSection& section : sections) {
    const json::value* value = object->if_contains(section.key);
    if (value != nullptr) WEIR_TRY(read_section(section, *value, lines, reading));
  }
  note_skipped(*object, reading.file);
  return std::move(reading.file);
}

}  // namespace weir::admin
