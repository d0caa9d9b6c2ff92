// What it is: what the server sets for MQTT, and the limits of a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/limits.h"
#include "protocol/common/certificate_login.h"

namespace weir::mqtt {

struct Settings {
  std::string default_vhost = "/";
  std::string exchange = "amq.topic";  // a topic exchange: what is published goes there
  std::string anonymous_user;          // who connects without a user name; empty: nobody may
  std::uint32_t handshake_timeout_ms = 10'000;
  std::uint64_t max_message_bytes = 16U << 20;
  std::uint32_t session_expiry_s_max = UINT32_MAX;  // UINT32_MAX: sessions may last for ever
  std::uint16_t receive_maximum = 1'000;            // messages in flight, either way
  std::uint16_t topic_aliases_max = 16;
  std::uint64_t session_bytes_max = 0;  // that a session's queue keeps; the oldest go. 0: no limit
  std::uint32_t sys_interval_s = 10;    // of the topics of $SYS; 0: there are none
  CertificateLogin certificate_login = CertificateLogin::distinguished_name;
};

inline constexpr std::size_t connect_bytes_max = 256U << 10;  // of CONNECT: a will is in it
inline constexpr std::size_t topic_bytes_most = 255;          // what a routing key takes
inline constexpr std::size_t client_id_bytes_max = 230;       // what a queue's name has room for
// How long a shared subscription is kept for members that end with their connections.
inline constexpr std::int64_t shared_queue_expires_ms_min = 10'000;
inline constexpr std::size_t subscriptions_max = 10'000;  // of a session
// What a session without a limit of its own may have out.
inline constexpr std::uint32_t close_delay_ms = 2'000;
inline constexpr std::uint32_t shutdown_grace_ms = 1'000;
inline constexpr std::uint32_t claim_timeout_ms = 10'000;
// By QoS 2, larger ones are at least once over a crash: they are not held as a whole.
inline constexpr std::size_t once_bytes_max = 256U << 10;
// Of retained messages in a vhost, together with their topics.
inline constexpr std::uint64_t retained_bytes_max = 1ULL << 30;

}  // namespace weir::mqtt
