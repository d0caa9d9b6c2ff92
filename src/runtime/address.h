// What it is: host and port texts, and the socket addresses behind them. Private to runtime.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "runtime/stream.h"

namespace weir::runtime {

struct HostPort {
  std::string host;  // empty: all addresses
  std::uint16_t port = 0;
};

// "host:port", "[v6]:port" or ":port".
Result<HostPort> parse_host_port(const std::string& text);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;

  int family() const { return storage.ss_family; }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  std::string host() const;  // numeric; IPv4 also where it is mapped into IPv6
  bool loopback() const;
};

// Blocks. Never empty. `passive`: to listen on.
Result<std::vector<SocketAddress>> resolve(const HostPort& where, bool passive);

// Of a connected socket, from both of its ends.
PeerInfo peer_info_of(int descriptor);

}  // namespace weir::runtime
