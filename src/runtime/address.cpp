#include "runtime/address.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <charconv>
#include <cstring>
#include <memory>

namespace weir::runtime {
namespace {

const sockaddr_in& as_v4(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in&>(storage);
}
const sockaddr_in6& as_v6(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in6&>(storage);
}

bool mapped_v4(const sockaddr_storage& storage) {
  return storage.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&as_v6(storage).sin6_addr);
}

// The last four bytes of an IPv6 address, or the IPv4 address.
const std::uint8_t* v4_bytes(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET6) return as_v6(storage).sin6_addr.s6_addr + 12;
  return reinterpret_cast<const std::uint8_t*>(&as_v4(storage).sin_addr);
}

}  // namespace

Result<HostPort> parse_host_port(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const auto refuse = [&text](const char* why) {
    return fail(ErrorCode::invalid_argument, "address \"" + text + "\": " + why);
  };
  if (colon == std::string::npos) return refuse("has no port (host:port, [v6]:port or :port)");
  HostPort result;
  result.host = text.substr(0, colon);
  if (result.host.starts_with('[')) {
    if (!result.host.ends_with(']')) return refuse("the bracket is not closed");
    result.host = result.host.substr(1, result.host.size() - 2);
    if (result.host.empty()) return refuse("has no host between the brackets");
  } else if (result.host.find(':') != std::string::npos) {
    return refuse("an IPv6 host is written in brackets");
  }
  const char* const first = text.data() + colon + 1;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, result.port);
  if (error != std::errc() || end != last || first == last)
    return refuse("the port is not a number up to 65535");
  return result;
}

std::uint16_t SocketAddress::port() const {
  return ntohs(family() == AF_INET6 ? as_v6(storage).sin6_port : as_v4(storage).sin_port);
}

void SocketAddress::set_port(std::uint16_t port) {
  if (family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(storage).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(storage).sin_port = htons(port);
  }
}

std::string SocketAddress::host() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (family() == AF_INET || mapped_v4(storage)) {
    ::inet_ntop(AF_INET, v4_bytes(storage), text, sizeof text);
  } else if (family() == AF_INET6) {
    ::inet_ntop(AF_INET6, &as_v6(storage).sin6_addr, text, sizeof text);
  }
  return text;
}

bool SocketAddress::loopback() const {
  if (family() == AF_INET || mapped_v4(storage)) return v4_bytes(storage)[0] == 127;
  return family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&as_v6(storage).sin6_addr);
}

Result<std::vector<SocketAddress>> resolve(const HostPort& where, bool passive) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const std::string port = std::to_string(where.port);
  const int error =
      ::getaddrinfo(where.host.empty() ? nullptr : where.host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return fail(ErrorCode::not_found, "host \"" + where.host + "\": " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> holder(found, &::freeaddrinfo);
  std::vector<SocketAddress> result;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    SocketAddress& address = result.emplace_back();
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.length = at->ai_addrlen;
  }
  return result;
}

PeerInfo peer_info_of(int descriptor) {
  PeerInfo info;
  SocketAddress remote;
  if (::getpeername(descriptor, remote.get(), &remote.length) == 0) {
    info.address = remote.host();
    info.port = remote.port();
    info.loopback = remote.loopback();
  }
  SocketAddress local;
  if (::getsockname(descriptor, local.get(), &local.length) == 0) {
    info.local_address = local.host();
    info.local_port = local.port();
  }
  return info;
}

}  // namespace weir::runtime
