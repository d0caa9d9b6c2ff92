// What it is: brings a definitions file to a running node, all of it or nothing: it is tried on a copy of the definitions
// first. Applying a file again changes nothing.
// Shard: the main thread, before clients are let in.
#pragma once

#include <string>

#include "admin/definitions_file.h"
#include "base/error.h"
#include "node/node.h"

namespace weir::app {

// The file's contents. config: it can't be read, with its path.
Result<admin::DefinitionsFile> read_definitions_file(const std::string& path,
                                                     const std::string& default_vhost);

Status apply_definitions(node::Node& node, admin::DefinitionsFile file);

}  // namespace weir::app
