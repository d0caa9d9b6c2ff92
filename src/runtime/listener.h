// What it is: accepting TCP connections. Private to runtime: users see Loop::listen().
// Shard: the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "runtime/loop.h"
#include "runtime/reactor.h"

namespace weir::runtime {

Result<std::unique_ptr<Listener>> make_listener(Reactor& reactor, TimerWheel& timers,
                                                const std::string& address,
                                                std::function<void(Socket)> accepted);

}  // namespace weir::runtime
