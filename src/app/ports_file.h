// What it is: the file that tells on which ports a server listens (--ports-file): {"amqp": 41233, "amqps": 41234}.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace weir::app {

using Ports = std::vector<std::pair<std::string, std::uint16_t>>;

std::string ports_as_json(const Ports& ports);

// Whoever waits for the file sees it whole or not at all. io_error.
Status write_ports_file(const std::string& path, const Ports& ports);

}  // namespace weir::app
