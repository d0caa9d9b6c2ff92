// What it is: `weir server`: everything is put together here, started, and taken down in the opposite order.
#pragma once

#include <string>

#include "app/settings_load.h"

namespace weir::app {

struct ServerOptions {
  SettingSources sources;
  std::string ports_file;  // empty: none
};

// Runs until SIGTERM or SIGINT, or until it can't go on; returns the exit code.
int run_server(const ServerOptions& options);

}  // namespace weir::app
