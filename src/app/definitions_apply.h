// What it is: brings a definitions file to a running node, all of it or nothing: it is tried on a copy of the definitions
// first. Applying a file again changes nothing.
// Shard: the main thread, before clients are let in.
#pragma once

#include <string>
#include <vector>

#include "app/definitions_file.h"
#include "base/error.h"
#include "broker/definitions.h"
#include "broker/topology.h"
#include "node/node.h"

namespace weir::app {

// The file's contents. config: it can't be read, with its path.
Result<DefinitionsFile> read_definitions_file(const std::string& path, const std::string& default_vhost);

// The requests of the file that change something in `state`, in order, with passwords hashed. config: one does not fit to
// what is there, or to what comes before it in the file.
Result<std::vector<broker::Request>> fit_definitions(DefinitionsFile file,
                                                     const std::vector<broker::Change>& state,
                                                     std::uint16_t shards);

Status apply_definitions(node::Node& node, DefinitionsFile file);

}  // namespace weir::app
