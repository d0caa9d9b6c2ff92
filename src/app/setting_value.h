// What it is: from what somebody wrote for a setting to its typed value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings_table.h"
#include "base/error.h"

namespace weir::app {

// What was written, and how: TOML tells a number from a string, the command line and the environment do not.
struct WrittenValue {
  enum class Kind : std::uint8_t { untyped, boolean, integer, floating, string, list, other };
  Kind kind = Kind::untyped;
  std::string text;
  std::vector<std::string> items;  // of a list
};

// An invalid_argument says what was written and what would be allowed, without naming the setting.
Status set_value(Settings& settings, const SettingSpec& spec, const WrittenValue& written);

// Every setting at its default.
Settings default_settings();

// The items of a list as --set takes it: "a,b", "" or a TOML array of strings. invalid_argument.
Result<std::vector<std::string>> parse_list(std::string_view text);

}  // namespace weir::app
