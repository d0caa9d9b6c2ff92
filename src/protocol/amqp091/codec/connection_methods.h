// What it is: the connection class (spec 1.4.2) with its extensions blocked, unblocked and update-secret.
// How a struct describes its method: method.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

struct ConnectionStart {
  static constexpr MethodInfo info{{10, 10}, "connection.start", Sender::server};
  std::uint8_t version_major = 0;
  std::uint8_t version_minor = 9;
  TableBytes server_properties{};
  LongString mechanisms{};
  LongString locales{};
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.version_major, m.version_minor, m.server_properties, m.mechanisms, m.locales);
  }
  bool operator==(const ConnectionStart&) const = default;
};

struct ConnectionStartOk {
  static constexpr MethodInfo info{{10, 11}, "connection.start-ok", Sender::client};
  TableBytes client_properties{};
  std::string_view mechanism{};
  LongString response{};
  std::string_view locale{};
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.client_properties, m.mechanism, m.response, m.locale);
  }
  bool operator==(const ConnectionStartOk&) const = default;
};

struct ConnectionSecure {
  static constexpr MethodInfo info{{10, 20}, "connection.secure", Sender::server};
  LongString challenge{};
  static constexpr void fields(auto& m, auto&& visit) { visit(m.challenge); }
  bool operator==(const ConnectionSecure&) const = default;
};

struct ConnectionSecureOk {
  static constexpr MethodInfo info{{10, 21}, "connection.secure-ok", Sender::client};
  LongString response{};
  static constexpr void fields(auto& m, auto&& visit) { visit(m.response); }
  bool operator==(const ConnectionSecureOk&) const = default;
};

struct ConnectionTune {
  static constexpr MethodInfo info{{10, 30}, "connection.tune", Sender::server};
  std::uint16_t channel_max = 0;
  std::uint32_t frame_max = 0;
  std::uint16_t heartbeat_s = 0;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.channel_max, m.frame_max, m.heartbeat_s); }
  bool operator==(const ConnectionTune&) const = default;
};

struct ConnectionTuneOk {
  static constexpr MethodInfo info{{10, 31}, "connection.tune-ok", Sender::client};
  std::uint16_t channel_max = 0;
  std::uint32_t frame_max = 0;
  std::uint16_t heartbeat_s = 0;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.channel_max, m.frame_max, m.heartbeat_s); }
  bool operator==(const ConnectionTuneOk&) const = default;
};

struct ConnectionOpen {
  static constexpr MethodInfo info{{10, 40}, "connection.open", Sender::client};
  std::string_view virtual_host{};
  std::string_view capabilities{};
  bool insist = false;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.virtual_host, m.capabilities, m.insist); }
  bool operator==(const ConnectionOpen&) const = default;
};

struct ConnectionOpenOk {
  static constexpr MethodInfo info{{10, 41}, "connection.open-ok", Sender::server};
  std::string_view known_hosts{};
  static constexpr void fields(auto& m, auto&& visit) { visit(m.known_hosts); }
  bool operator==(const ConnectionOpenOk&) const = default;
};

struct ConnectionClose {
  static constexpr MethodInfo info{{10, 50}, "connection.close", Sender::both};
  std::uint16_t reply_code = 0;
  std::string_view reply_text{};
  std::uint16_t class_id = 0;
  std::uint16_t method_id = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.reply_code, m.reply_text, m.class_id, m.method_id);
  }
  bool operator==(const ConnectionClose&) const = default;
};

struct ConnectionCloseOk {
  static constexpr MethodInfo info{{10, 51}, "connection.close-ok", Sender::both};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const ConnectionCloseOk&) const = default;
};

struct ConnectionBlocked {
  static constexpr MethodInfo info{{10, 60}, "connection.blocked", Sender::server};
  std::string_view reason{};
  static constexpr void fields(auto& m, auto&& visit) { visit(m.reason); }
  bool operator==(const ConnectionBlocked&) const = default;
};

struct ConnectionUnblocked {
  static constexpr MethodInfo info{{10, 61}, "connection.unblocked", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const ConnectionUnblocked&) const = default;
};

struct ConnectionUpdateSecret {
  static constexpr MethodInfo info{{10, 70}, "connection.update-secret", Sender::client};
  LongString new_secret{};
  std::string_view reason{};
  static constexpr void fields(auto& m, auto&& visit) { visit(m.new_secret, m.reason); }
  bool operator==(const ConnectionUpdateSecret&) const = default;
};

struct ConnectionUpdateSecretOk {
  static constexpr MethodInfo info{{10, 71}, "connection.update-secret-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const ConnectionUpdateSecretOk&) const = default;
};

}  // namespace weir::amqp091
