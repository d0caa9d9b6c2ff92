// What it is: the basic class (spec 1.8) with the extension nack.
// How a struct describes its method: method.h. `ticket` is a relic of 0-8 that nobody reads.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

struct BasicQos {
  static constexpr MethodInfo info{{60, 10}, "basic.qos", Sender::client};
  std::uint32_t prefetch_size = 0;
  std::uint16_t prefetch_count = 0;
  bool global = false;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.prefetch_size, m.prefetch_count, m.global); }
  bool operator==(const BasicQos&) const = default;
};

struct BasicQosOk {
  static constexpr MethodInfo info{{60, 11}, "basic.qos-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const BasicQosOk&) const = default;
};

struct BasicConsume {
  static constexpr MethodInfo info{{60, 20}, "basic.consume", Sender::client};
  std::string_view queue{};
  std::string_view consumer_tag{};
  bool no_local = false;
  bool no_ack = false;
  bool exclusive = false;
  bool no_wait = false;
  TableBytes arguments{};
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.ticket, m.queue, m.consumer_tag, m.no_local, m.no_ack, m.exclusive, m.no_wait, m.arguments);
  }
  bool operator==(const BasicConsume&) const = default;
};

struct BasicConsumeOk {
  static constexpr MethodInfo info{{60, 21}, "basic.consume-ok", Sender::server};
  std::string_view consumer_tag{};
  static constexpr void fields(auto& m, auto&& visit) { visit(m.consumer_tag); }
  bool operator==(const BasicConsumeOk&) const = default;
};

struct BasicCancel {
  static constexpr MethodInfo info{{60, 30}, "basic.cancel", Sender::both};
  std::string_view consumer_tag{};
  bool no_wait = false;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.consumer_tag, m.no_wait); }
  bool operator==(const BasicCancel&) const = default;
};

struct BasicCancelOk {
  static constexpr MethodInfo info{{60, 31}, "basic.cancel-ok", Sender::both};
  std::string_view consumer_tag{};
  static constexpr void fields(auto& m, auto&& visit) { visit(m.consumer_tag); }
  bool operator==(const BasicCancelOk&) const = default;
};

struct BasicPublish {
  static constexpr MethodInfo info{{60, 40}, "basic.publish", Sender::client, true};
  std::string_view exchange{};
  std::string_view routing_key{};
  bool mandatory = false;
  bool immediate = false;
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.ticket, m.exchange, m.routing_key, m.mandatory, m.immediate);
  }
  bool operator==(const BasicPublish&) const = default;
};

struct BasicReturn {
  static constexpr MethodInfo info{{60, 50}, "basic.return", Sender::server, true};
  std::uint16_t reply_code = 0;
  std::string_view reply_text{};
  std::string_view exchange{};
  std::string_view routing_key{};
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.reply_code, m.reply_text, m.exchange, m.routing_key);
  }
  bool operator==(const BasicReturn&) const = default;
};

struct BasicDeliver {
  static constexpr MethodInfo info{{60, 60}, "basic.deliver", Sender::server, true};
  std::string_view consumer_tag{};
  std::uint64_t delivery_tag = 0;
  bool redelivered = false;
  std::string_view exchange{};
  std::string_view routing_key{};
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.consumer_tag, m.delivery_tag, m.redelivered, m.exchange, m.routing_key);
  }
  bool operator==(const BasicDeliver&) const = default;
};

struct BasicGet {
  static constexpr MethodInfo info{{60, 70}, "basic.get", Sender::client};
  std::string_view queue{};
  bool no_ack = false;
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.ticket, m.queue, m.no_ack); }
  bool operator==(const BasicGet&) const = default;
};

struct BasicGetOk {
  static constexpr MethodInfo info{{60, 71}, "basic.get-ok", Sender::server, true};
  std::uint64_t delivery_tag = 0;
  bool redelivered = false;
  std::string_view exchange{};
  std::string_view routing_key{};
  std::uint32_t message_count = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.delivery_tag, m.redelivered, m.exchange, m.routing_key, m.message_count);
  }
  bool operator==(const BasicGetOk&) const = default;
};

struct BasicGetEmpty {
  static constexpr MethodInfo info{{60, 72}, "basic.get-empty", Sender::server};
  std::string_view cluster_id{};
  static constexpr void fields(auto& m, auto&& visit) { visit(m.cluster_id); }
  bool operator==(const BasicGetEmpty&) const = default;
};

struct BasicAck {
  static constexpr MethodInfo info{{60, 80}, "basic.ack", Sender::both};
  std::uint64_t delivery_tag = 0;
  bool multiple = false;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.delivery_tag, m.multiple); }
  bool operator==(const BasicAck&) const = default;
};

struct BasicReject {
  static constexpr MethodInfo info{{60, 90}, "basic.reject", Sender::client};
  std::uint64_t delivery_tag = 0;
  bool requeue = false;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.delivery_tag, m.requeue); }
  bool operator==(const BasicReject&) const = default;
};

struct BasicRecoverAsync {
  static constexpr MethodInfo info{{60, 100}, "basic.recover-async", Sender::client};
  bool requeue = false;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.requeue); }
  bool operator==(const BasicRecoverAsync&) const = default;
};

struct BasicRecover {
  static constexpr MethodInfo info{{60, 110}, "basic.recover", Sender::client};
  bool requeue = false;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.requeue); }
  bool operator==(const BasicRecover&) const = default;
};

struct BasicRecoverOk {
  static constexpr MethodInfo info{{60, 111}, "basic.recover-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const BasicRecoverOk&) const = default;
};

struct BasicNack {
  static constexpr MethodInfo info{{60, 120}, "basic.nack", Sender::both};
  std::uint64_t delivery_tag = 0;
  bool multiple = false;
  bool requeue = false;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.delivery_tag, m.multiple, m.requeue); }
  bool operator==(const BasicNack&) const = default;
};

}  // namespace weir::amqp091
