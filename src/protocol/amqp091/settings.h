// What it is: what operators and the composition root may set for AMQP 0-9-1 connections, and the fixed limits and times.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/limits.h"
#include "protocol/amqp091/codec/frame.h"
#include "protocol/common/certificate_login.h"

namespace weir::amqp091 {

struct Settings {
  std::uint32_t frame_max =
      frame_max_default;              // offered in tune, not 0; a client may choose less, never more
  std::uint16_t channel_max = 2'047;  // the same
  std::uint16_t heartbeat_s = 60;     // offered; the client decides; 0: none
  std::uint32_t handshake_timeout_ms = 10'000;  // from accepting the socket to connection.open
  CertificateLogin certificate_login = CertificateLogin::distinguished_name;  // of SASL EXTERNAL
  std::size_t max_message_bytes = limits::message_bytes_default;
  // What a consumer without a prefetch gets at most before it has to acknowledge.
  std::uint32_t unacked_per_consumer_max = 1'000'000;
  // For basic.get, which no prefetch bounds.
  std::uint32_t unacked_per_channel_max = 4'000'000;
  // How long a delivery may go without an acknowledgement before its channel is closed; 0: for ever. A queue can have its
  // own.
  std::uint64_t consumer_timeout_ms = 1'800'000;
  std::uint16_t consumers_per_connection_max = 65'000;
};

// How long a peer has to answer our connection.close.
inline constexpr std::uint32_t close_ok_timeout_ms = 5'000;
// How long a socket stays open after a refusal that the peer can't answer: it has to read why, and should not come back
// at once.
inline constexpr std::uint32_t silent_close_delay_ms = 1'000;
// How long shut_down() waits for close-ok.
inline constexpr std::uint32_t shutdown_grace_ms = 1'000;

// Bodies that one connection may have declared and not finished sending, at least one of the largest.
inline constexpr std::size_t unfinished_bodies_bytes_max = 64U << 20;
// What one connection keeps of large bodies that its channels are receiving; what is more goes on in shorter pieces.
inline constexpr std::size_t piece_buffers_bytes_max = 1U << 20;

}  // namespace weir::amqp091
