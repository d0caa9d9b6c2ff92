// What it is: what a user's tags let it do, as RabbitMQ has it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "admin/route.h"

namespace weir::admin {

struct Rights {
  bool management = false;  // may use the API at all
  bool policymaker = false, monitor = false, administrator = false;
};

Rights rights_of(const std::vector<std::string>& tags);
// Empty: the user has them. Otherwise why not, in RabbitMQ's words.
std::string_view missing_right(const Rights& rights, Needs needs);

}  // namespace weir::admin
