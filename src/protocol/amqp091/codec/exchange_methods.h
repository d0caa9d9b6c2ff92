// What it is: the exchange class (spec 1.6) with the extensions bind and unbind.
// How a struct describes its method: method.h. `ticket` is a relic of 0-8 that nobody reads.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

struct ExchangeDeclare {
  static constexpr MethodInfo info{{40, 10}, "exchange.declare", Sender::client};
  std::string_view exchange{};
  std::string_view type{};
  bool passive = false;
  bool durable = false;
  bool auto_delete = false;
  bool internal = false;
  bool no_wait = false;
  TableBytes arguments{};
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.ticket, m.exchange, m.type, m.passive, m.durable, m.auto_delete, m.internal, m.no_wait,
          m.arguments);
  }
  bool operator==(const ExchangeDeclare&) const = default;
};

struct ExchangeDeclareOk {
  static constexpr MethodInfo info{{40, 11}, "exchange.declare-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const ExchangeDeclareOk&) const = default;
};

struct ExchangeDelete {
  static constexpr MethodInfo info{{40, 20}, "exchange.delete", Sender::client};
  std::string_view exchange{};
  bool if_unused = false;
  bool no_wait = false;
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.ticket, m.exchange, m.if_unused, m.no_wait); }
  bool operator==(const ExchangeDelete&) const = default;
};

struct ExchangeDeleteOk {
  static constexpr MethodInfo info{{40, 21}, "exchange.delete-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const ExchangeDeleteOk&) const = default;
};

struct ExchangeBind {
  static constexpr MethodInfo info{{40, 30}, "exchange.bind", Sender::client};
  std::string_view destination{};
  std::string_view source{};
  std::string_view routing_key{};
  bool no_wait = false;
  TableBytes arguments{};
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.ticket, m.destination, m.source, m.routing_key, m.no_wait, m.arguments);
  }
  bool operator==(const ExchangeBind&) const = default;
};

struct ExchangeBindOk {
  static constexpr MethodInfo info{{40, 31}, "exchange.bind-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const ExchangeBindOk&) const = default;
};

struct ExchangeUnbind {
  static constexpr MethodInfo info{{40, 40}, "exchange.unbind", Sender::client};
  std::string_view destination{};
  std::string_view source{};
  std::string_view routing_key{};
  bool no_wait = false;
  TableBytes arguments{};
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.ticket, m.destination, m.source, m.routing_key, m.no_wait, m.arguments);
  }
  bool operator==(const ExchangeUnbind&) const = default;
};

struct ExchangeUnbindOk {
  static constexpr MethodInfo info{{40, 51}, "exchange.unbind-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const ExchangeUnbindOk&) const = default;
};

}  // namespace weir::amqp091
