// What it is: where settings come from, later ones over earlier ones: defaults, the file, the environment (WEIR_…), the
// command line. Whatever is wrong is told all at once, each with its place.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/settings.h"

namespace weir::app {

struct SettingSources {
  std::string config_file;                         // empty: none
  std::map<std::string, std::string> environment;  // the variables that begin with WEIR_, and STATE_DIRECTORY
  std::vector<std::string> assignments;            // of --set: "key=value"
  std::string data_dir;                            // of --data-dir; empty: not given
  std::string definitions;                         // of --definitions; empty: not given
};

struct LoadedSettings {
  Settings settings;
  std::vector<std::string> problems;  // empty: the settings can be used. One line each, "weir.toml:3: …"
  std::vector<std::string> warnings;
};

LoadedSettings load_settings(const SettingSources& sources);

// What load_settings looks at of this process's environment.
std::map<std::string, std::string> settings_environment();

}  // namespace weir::app
