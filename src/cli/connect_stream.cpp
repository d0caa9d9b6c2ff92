#include "cli/connect_stream.h"

namespace weir::cli {

Result<std::unique_ptr<runtime::ByteStream>> connect_stream(runtime::Loop& loop, const std::string& host,
                                                            std::uint16_t port, runtime::TlsContext* tls) {
  Result<runtime::Socket> socket = runtime::Loop::connect_now(host, port);
  if (!socket) return std::unexpected(std::move(socket).error());
  if (tls != nullptr) return loop.adopt_tls_client(std::move(*socket), *tls, host);
  return loop.adopt(std::move(*socket));
}

}  // namespace weir::cli
