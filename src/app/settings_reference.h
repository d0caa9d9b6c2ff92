// What it is: the table of settings as pages for people.
#pragma once

#include <string>

namespace weir::app {

// docs/settings.md (`weir settings --markdown`).
std::string settings_as_markdown();

// A configuration file with everything at its default, commented out (`weir settings`).
std::string settings_as_toml();

}  // namespace weir::app
