// What it is: how a headers exchange compares a binding's arguments with a message's headers.
#pragma once

#include "base/error.h"
#include "broker/value.h"

namespace weir::broker {

// x-match: all (also when it is absent), any, all-with-x, any-with-x. Fields whose name begins with "x-" count only
// with the latter two; x-match itself never. A void value asks for the header to be there.
bool headers_match(const Table& arguments, const Table& headers);

// precondition_failed: x-match is none of them.
Status check_headers_binding(const Table& arguments);

}  // namespace weir::broker
