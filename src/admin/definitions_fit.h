// What it is: a definitions file fitted to what a node has: tried on a copy of the definitions, all of it or nothing.
// Shard: any thread; hashing passwords takes its time.
#pragma once

#include <cstdint>
#include <vector>

#include "admin/definitions_file.h"
#include "base/error.h"
#include "broker/decide.h"
#include "broker/definitions.h"

namespace weir::admin {

// The requests of the file that change something in `state`, in order, with passwords hashed. config: one does not fit to
// what is there, or to what comes before it in the file.
Result<std::vector<broker::Request>> fit_definitions(DefinitionsFile file,
                                                     const std::vector<broker::Change>& state,
                                                     std::uint16_t shards);

}  // namespace weir::admin
