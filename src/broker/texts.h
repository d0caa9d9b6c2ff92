// What it is: the pieces of the messages that clients match on.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "broker/definitions.h"
#include "broker/topology.h"

namespace weir::broker {

std::string_view to_string(Access access);
std::string_view to_string(DestinationKind kind);

// "queue 'q' in vhost '/'"
std::string resource_text(DestinationKind kind, std::string_view vhost, std::string_view name);
// "no queue 'q' in vhost '/'"
std::unexpected<Error> no_such(DestinationKind kind, std::string_view vhost, std::string_view name);
std::unexpected<Error> no_such_vhost(std::string_view vhost);

}  // namespace weir::broker
