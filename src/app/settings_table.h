// What it is: the one table of settings: what each is called, what it takes, what it is without being set, and what it
// is for. Everything that knows settings by name goes through it.
// Lifetime: constant data; the views last for ever.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/settings.h"

namespace weir::app {

enum class SettingType : std::uint8_t {
  boolean,
  integer,            // within [least, most]
  bytes,              // 1048576, "1MiB", "1MB"
  bytes_or_fraction,  // the same, or a share above 0 and below 1
  fraction,           // from 0 to 1
  duration,           // a number of `unit`, or "10s", "500ms"
  string,
  string_list,
  choice,   // one of `choices`
  address,  // "host:port", "[v6]:port", ":port", a port, or ""
  path,
};

using SettingSlot =
    std::variant<bool Settings::*, std::uint64_t Settings::*, double Settings::*, BytesOrFraction Settings::*,
                 std::string Settings::*, std::vector<std::string> Settings::*>;

struct SettingSpec {
  std::string_view name;
  SettingType type;
  SettingSlot slot;
  std::string_view default_text;  // as --set takes it
  std::string_view help;
  std::uint64_t least = 0, most = UINT64_MAX;
  std::string_view unit = {};     // of integers and durations
  std::string_view choices = {};  // "text|json"
  bool built = true;              // false: a listener of a protocol that this build does not serve
  bool secret = false;            // not told to anybody
};

std::span<const SettingSpec> settings_table();
const SettingSpec* find_setting(std::string_view name);

// "WEIR_LISTENERS_AMQP"
std::string environment_name(const SettingSpec& spec);

// What the setting takes, for people: "integer, 0 to 64", "text or json".
std::string describe_type(const SettingSpec& spec);

// The default as it is written in a TOML file.
std::string default_as_toml(const SettingSpec& spec);

}  // namespace weir::app
