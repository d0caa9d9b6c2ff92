// What it is: a TOML text as a flat list of dotted names with what was written and the line. The one place that knows
// the TOML library.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "app/setting_value.h"
#include "base/error.h"

namespace weir::app {

struct TomlEntry {
  std::string name;  // "listeners.amqp"
  WrittenValue written;
  std::size_t line = 0;
};

// In order of their lines. config: "weir.toml:3: ..." for a text that is not TOML.
Result<std::vector<TomlEntry>> parse_toml(std::string_view text, const std::string& file_name);

// `["a", "b"]`. invalid_argument.
Result<std::vector<std::string>> parse_toml_list(std::string_view text);

}  // namespace weir::app
