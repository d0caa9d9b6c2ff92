// What it is: one of each change, with every kind of value in it: what the golden file holds.
#pragma once

#include <vector>

#include "broker/definitions.h"

namespace weir::broker {

Table every_kind_of_value();
// Of the kinds that there were at first, and of those that came later.
std::vector<Change> first_changes();
std::vector<Change> later_changes();
std::vector<Change> one_of_each_change();
// Says more than the first version of its kind could.
Change vhost_with_metadata();
std::vector<std::byte> encoded(const std::vector<Change>& changes);

}  // namespace weir::broker
