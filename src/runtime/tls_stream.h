// What it is: makes streams that are TLS over TCP. Private to runtime: users see Loop::adopt_tls().
#pragma once

#include <memory>
#include <string>

#include "runtime/socket_stream.h"
#include "runtime/tls.h"

namespace weir::runtime {

// The handshake begins with open().
std::unique_ptr<ByteStream> make_tls_server_stream(SocketContext& context, Socket socket, TlsContext& tls);
std::unique_ptr<ByteStream> make_tls_client_stream(SocketContext& context, Socket socket, TlsContext& tls,
                                                   const std::string& host);

}  // namespace weir::runtime
