// What it is: whether a declaration asks for what is there already. inequivalent, with the words that clients match on.
#pragma once

#include <string_view>

#include "base/error.h"
#include "broker/value.h"

namespace weir::broker {

// `resource` is "queue 'q' in vhost '/'".
Status same_property(std::string_view name, std::string_view resource, std::string_view received,
                     std::string_view current);
Status same_property(std::string_view name, std::string_view resource, bool received, bool current);

// Numbers are compared by value, whatever their width.
Status same_argument(std::string_view name, std::string_view resource, const Table& received,
                     const Table& current);

}  // namespace weir::broker
