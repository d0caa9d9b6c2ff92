// What it is: what operators may set for STOMP connections, and the fixed limits and times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/limits.h"
#include "protocol/common/certificate_login.h"

namespace weir::stomp {

struct Settings {
  std::string default_vhost = "/";
  std::uint32_t handshake_timeout_ms = 10'000;  // from accepting the socket to CONNECTED
  CertificateLogin certificate_login = CertificateLogin::distinguished_name;  // who comes without "login"
  std::size_t max_message_bytes = limits::message_bytes_default;
};

// Of CONNECT, before anybody is known.
inline constexpr std::size_t connect_head_bytes_max = 8U << 10;
inline constexpr std::size_t head_bytes_max = 64U << 10;
inline constexpr std::size_t headers_max = 512;
// What a client asks to be sent or to send more often, it is not.
inline constexpr std::uint32_t heart_beat_ms_min = 100;
inline constexpr std::size_t subscriptions_max = 10'000;
inline constexpr std::size_t transactions_max = 100;
// What a subscription without prefetch-count gets at most before it has to acknowledge.
inline constexpr std::uint32_t unacked_per_subscription_max = 1'000'000;

// How long the last frame, ERROR or a receipt, has to leave.
inline constexpr std::uint32_t close_delay_ms = 5'000;
// How long what was sent before DISCONNECT has to become safe, and what is leaving has to leave.
inline constexpr std::uint32_t disconnect_timeout_ms = 30'000;
inline constexpr std::uint32_t shutdown_grace_ms = 1'000;

// A body up to this size is copied into the output.
inline constexpr std::size_t body_copy_bytes_max = 4'096;

}  // namespace weir::stomp
