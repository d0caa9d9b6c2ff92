// What it is: the classes channel (spec 1.5), access (legacy, of 0-8; old clients still send it), confirm and
// tx (1.9). How a struct describes its method: method.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

struct ChannelOpen {
  static constexpr MethodInfo info{{20, 10}, "channel.open", Sender::client};
  std::string_view out_of_band{};
  static constexpr void fields(auto& m, auto&& visit) { visit(m.out_of_band); }
  bool operator==(const ChannelOpen&) const = default;
};

struct ChannelOpenOk {
  static constexpr MethodInfo info{{20, 11}, "channel.open-ok", Sender::server};
  LongString channel_id{};
  static constexpr void fields(auto& m, auto&& visit) { visit(m.channel_id); }
  bool operator==(const ChannelOpenOk&) const = default;
};

struct ChannelFlow {
  static constexpr MethodInfo info{{20, 20}, "channel.flow", Sender::both};
  bool active = false;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.active); }
  bool operator==(const ChannelFlow&) const = default;
};

struct ChannelFlowOk {
  static constexpr MethodInfo info{{20, 21}, "channel.flow-ok", Sender::both};
  bool active = false;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.active); }
  bool operator==(const ChannelFlowOk&) const = default;
};

struct ChannelClose {
  static constexpr MethodInfo info{{20, 40}, "channel.close", Sender::both};
  std::uint16_t reply_code = 0;
  std::string_view reply_text{};
  std::uint16_t class_id = 0;
  std::uint16_t method_id = 0;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.reply_code, m.reply_text, m.class_id, m.method_id);
  }
  bool operator==(const ChannelClose&) const = default;
};

struct ChannelCloseOk {
  static constexpr MethodInfo info{{20, 41}, "channel.close-ok", Sender::both};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const ChannelCloseOk&) const = default;
};

struct AccessRequest {
  static constexpr MethodInfo info{{30, 10}, "access.request", Sender::client};
  std::string_view realm{};
  bool exclusive = false;
  bool passive = true;
  bool active = true;
  bool write = true;
  bool read = true;
  static constexpr void fields(auto& m, auto&& visit) {
    visit(m.realm, m.exclusive, m.passive, m.active, m.write, m.read);
  }
  bool operator==(const AccessRequest&) const = default;
};

struct AccessRequestOk {
  static constexpr MethodInfo info{{30, 11}, "access.request-ok", Sender::server};
  std::uint16_t ticket = 0;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.ticket); }
  bool operator==(const AccessRequestOk&) const = default;
};

struct ConfirmSelect {
  static constexpr MethodInfo info{{85, 10}, "confirm.select", Sender::client};
  bool no_wait = false;
  static constexpr void fields(auto& m, auto&& visit) { visit(m.no_wait); }
  bool operator==(const ConfirmSelect&) const = default;
};

struct ConfirmSelectOk {
  static constexpr MethodInfo info{{85, 11}, "confirm.select-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const ConfirmSelectOk&) const = default;
};

struct TxSelect {
  static constexpr MethodInfo info{{90, 10}, "tx.select", Sender::client};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const TxSelect&) const = default;
};

struct TxSelectOk {
  static constexpr MethodInfo info{{90, 11}, "tx.select-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const TxSelectOk&) const = default;
};

struct TxCommit {
  static constexpr MethodInfo info{{90, 20}, "tx.commit", Sender::client};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const TxCommit&) const = default;
};

struct TxCommitOk {
  static constexpr MethodInfo info{{90, 21}, "tx.commit-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const TxCommitOk&) const = default;
};

struct TxRollback {
  static constexpr MethodInfo info{{90, 30}, "tx.rollback", Sender::client};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const TxRollback&) const = default;
};

struct TxRollbackOk {
  static constexpr MethodInfo info{{90, 31}, "tx.rollback-ok", Sender::server};
  static constexpr void fields(auto&, auto&& visit) { visit(); }
  bool operator==(const TxRollbackOk&) const = default;
};

}  // namespace weir::amqp091
