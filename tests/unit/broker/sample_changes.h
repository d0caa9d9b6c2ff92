// What it is: one of each change, with every kind of value in it: what the golden file holds.
#pragma once

#include <vector>

#include "broker/definitions.h"

namespace weir::broker {

Table every_kind_of_value();
std::vector<Change> one_of_each_change();
std::vector<std::byte> encoded(const std::vector<Change>& changes);

}  // namespace weir::broker
