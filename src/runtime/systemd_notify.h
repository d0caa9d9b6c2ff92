// What it is: words to the service manager that started us ("READY=1", "STOPPING=1"): one datagram to $NOTIFY_SOCKET,
// the protocol of sd_notify(3).
#pragma once

#include <string_view>

#include "base/error.h"

namespace weir::runtime {

// Does nothing where no service manager listens. Never blocks. invalid_argument: an address that is none; io_error.
Status notify_service_manager(std::string_view state);

}  // namespace weir::runtime
