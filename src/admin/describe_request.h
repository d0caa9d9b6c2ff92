// What it is: requests on definitions in words, for messages: "queue 'orders' in vhost '/'".
#pragma once

#include <string>

#include "broker/decide.h"

namespace weir::admin {

std::string describe(const broker::Request& request);

}  // namespace weir::admin
