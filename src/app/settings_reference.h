// What it is: the table of settings as pages for people.
#pragma once

#include <string>

#include "app/settings.h"

namespace weir::app {

// docs/settings.md (`weir settings --markdown`).
std::string settings_as_markdown();

// A configuration file with everything at its default, commented out (`weir settings`).
std::string settings_as_toml();

// What is in force, by name, as a JSON object; secrets are left out.
std::string settings_as_json(const Settings& settings);

}  // namespace weir::app
