// What it is: the queue class (spec 1.7).
// How a struct describes its method: method.h. `ticket` is a relic of 0-8 that nobody reads.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

struct QueueDeclare {
  static constexpr MethodInfo info{{50, 10}, "queue.declare", Sender::client};
  std::string_view queue{};
  bool passive = false;
  bool durable = false;
  bool exclusive = false;
  bool auto_delete = false;
  bool no_wait = false;
  TableBytes arguments{};
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.ticket, m.queue, m.passive, m.durable, m.exclusive, m.auto_delete, m.no_wait, m.arguments);
  }
  bool operator==(const QueueDeclare&) const = default;
};

struct QueueDeclareOk {
  static constexpr MethodInfo info{{50, 11}, "queue.declare-ok", Sender::server};
  std::string_view queue{};
  std::uint32_t message_count = 0;
  std::uint32_t consumer_count = 0;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.queue, m.message_count, m.consumer_count); }
  bool operator==(const QueueDeclareOk&) const = default;
};

struct QueueBind {
  static constexpr MethodInfo info{{50, 20}, "queue.bind", Sender::client};
  std::string_view queue{};
  std::string_view exchange{};
  std::string_view routing_key{};
  bool no_wait = false;
  TableBytes arguments{};
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.ticket, m.queue, m.exchange, m.routing_key, m.no_wait, m.arguments);
  }
  bool operator==(const QueueBind&) const = default;
};

struct QueueBindOk {
  static constexpr MethodInfo info{{50, 21}, "queue.bind-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const QueueBindOk&) const = default;
};

struct QueuePurge {
  static constexpr MethodInfo info{{50, 30}, "queue.purge", Sender::client};
  std::string_view queue{};
  bool no_wait = false;
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.ticket, m.queue, m.no_wait); }
  bool operator==(const QueuePurge&) const = default;
};

struct QueuePurgeOk {
  static constexpr MethodInfo info{{50, 31}, "queue.purge-ok", Sender::server};
  std::uint32_t message_count = 0;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.message_count); }
  bool operator==(const QueuePurgeOk&) const = default;
};

struct QueueDelete {
  static constexpr MethodInfo info{{50, 40}, "queue.delete", Sender::client};
  std::string_view queue{};
  bool if_unused = false;
  bool if_empty = false;
  bool no_wait = false;
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.ticket, m.queue, m.if_unused, m.if_empty, m.no_wait);
  }
  bool operator==(const QueueDelete&) const = default;
};

struct QueueDeleteOk {
  static constexpr MethodInfo info{{50, 41}, "queue.delete-ok", Sender::server};
  std::uint32_t message_count = 0;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.message_count); }
  bool operator==(const QueueDeleteOk&) const = default;
};

struct QueueUnbind {
  static constexpr MethodInfo info{{50, 50}, "queue.unbind", Sender::client};
  std::string_view queue{};
  std::string_view exchange{};
  std::string_view routing_key{};
  TableBytes arguments{};
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.ticket, m.queue, m.exchange, m.routing_key, m.arguments);
  }
  bool operator==(const QueueUnbind&) const = default;
};

struct QueueUnbindOk {
  static constexpr MethodInfo info{{50, 51}, "queue.unbind-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const QueueUnbindOk&) const = default;
};

}  // namespace weir::amqp091
