// What it is: the lines of the log on a client's connection, the same for every protocol: one when it was accepted, one when its
// user was let in, one when it ended, with the reason.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/log.h"
#include "runtime/stream.h"

namespace weir {

struct LoggedConnection {
  const runtime::PeerInfo& peer;
  std::string_view protocol;
  // As far as they are known; empty otherwise.
  std::string_view user, vhost, client, name, mechanism;
};

struct LoggedTraffic {
  double duration_s = 0;
  std::uint64_t messages_in = 0, messages_out = 0;  // from the client, to it
  std::uint64_t bytes_in = 0, bytes_out = 0;
};

void log_connection_opened(const LoggedConnection& connection);
void log_connection_authenticated(const LoggedConnection& connection);
void log_login_refused(const LoggedConnection& connection, std::string_view reason);
void log_connection_closed(const LoggedConnection& connection, LogLevel level, std::string_view reason,
                           const LoggedTraffic& traffic);

}  // namespace weir
