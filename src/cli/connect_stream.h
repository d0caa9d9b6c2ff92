// What it is: the way from a host and a port to a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "runtime/loop.h"
#include "runtime/stream.h"
#include "runtime/tls.h"

namespace weir::cli {

// Connects and adopts the stream on `loop`. `tls` is null for plain TCP.
Result<std::unique_ptr<runtime::ByteStream>> connect_stream(runtime::Loop& loop, const std::string& host,
                                                            std::uint16_t port, runtime::TlsContext* tls);

}  // namespace weir::cli
