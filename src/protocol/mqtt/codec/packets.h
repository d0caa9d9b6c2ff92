// What it is: the control packets as values. Both directions use them: what one decodes, the other encodes.
// Lifetime: views into the packet that was decoded, or of what is to be encoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "protocol/mqtt/codec/packet_type.h"
#include "protocol/mqtt/codec/properties.h"
#include "protocol/mqtt/codec/reason_code.h"
#include "protocol/mqtt/codec/version.h"

namespace weir::mqtt {

inline constexpr std::uint32_t remaining_bytes_max = 268'435'455;
inline constexpr std::size_t packet_bytes_max = std::size_t{remaining_bytes_max} + 5;

struct Will {
  std::string_view topic{};
  Bytes payload{};
  std::uint8_t qos = 0;
  bool retain = false;
  PublishProperties properties{};
};

struct Connect {
  Version version = Version::v5;
  bool clean_start = true;  // "clean session" before 5.0
  std::uint16_t keep_alive_s = 0;
  std::string_view client_id{};
  std::optional<Will> will{};
  std::optional<std::string_view> user_name{};
  std::optional<Bytes> password{};
  ConnectProperties properties{};
};

struct Connack {
  bool session_present = false;
  ReasonCode code = ReasonCode::success;
  ConnackProperties properties{};
};

struct Publish {
  std::string_view topic{};
  Bytes payload{};
  std::uint8_t qos = 0;
  bool dup = false, retain = false;
  std::uint16_t packet_id = 0;  // of QoS 1 and 2
  PublishProperties properties{};
  SubscriptionIds subscription_ids{};  // of one that a server sent
};

// PUBACK, PUBREC, PUBREL and PUBCOMP.
struct Ack {
  PacketType type = PacketType::puback;
  std::uint16_t packet_id = 0;
  ReasonCode code = ReasonCode::success;
  AckProperties properties{};
};

struct Subscription {
  std::string_view filter{};
  std::uint8_t qos = 0;  // the most that is wanted
  bool no_local = false, retain_as_published = false;
  std::uint8_t retain_handling = 0;  // 0: send what is retained, 1: if the subscription is new, 2: do not
  bool operator==(const Subscription&) const = default;
};

// What a SUBSCRIBE or an UNSUBSCRIBE lists, in its checked bytes: `for (const Subscription& subscription : packet.all)`.
template <typename Entry>
class EntryList {
 public:
  class Iterator {
   public:
    explicit Iterator(Bytes left) : left_(left) { advance(); }
    const Entry& operator*() const { return at_; }
    const Entry* operator->() const { return &at_; }
    Iterator& operator++() {
      advance();
      return *this;
    }
    bool operator==(std::nullptr_t) const { return ended_; }

   private:
    void advance() {
      ended_ = left_.empty();
      if (ended_) return;
      Input input(left_);
      at_ = take(input);
      left_ = left_.last(input.left());
    }
    static Entry take(Input& input);
    Bytes left_;
    Entry at_{};
    bool ended_ = false;
  };

  EntryList() = default;
  EntryList(Bytes raw, std::size_t count) : raw_(raw), count_(count) {}
  Iterator begin() const { return Iterator(raw_); }
  std::nullptr_t end() const { return nullptr; }
  std::size_t size() const { return count_; }

 private:
  Bytes raw_;
  std::size_t count_ = 0;
};

template <>
inline Subscription EntryList<Subscription>::Iterator::take(Input& input) {
  Subscription taken;
  taken.filter = input.unchecked_text();
  const std::uint8_t options = input.u8();
  taken.qos = options & 3U;
  taken.no_local = (options & 4U) != 0;
  taken.retain_as_published = (options & 8U) != 0;
  taken.retain_handling = (options >> 4U) & 3U;
  return taken;
}
template <>
inline std::string_view EntryList<std::string_view>::Iterator::take(Input& input) {
  return input.unchecked_text();
}

struct Subscribe {
  std::uint16_t packet_id = 0;
  EntryList<Subscription> subscriptions{};  // each filter is_subscribable()
  SubscribeProperties properties{};
};

struct Unsubscribe {
  std::uint16_t packet_id = 0;
  EntryList<std::string_view> filters{};  // each is_subscribable()
  UnsubscribeProperties properties{};
};

// SUBACK and UNSUBACK: one code for each entry. Before 5.0 an UNSUBACK has none.
struct SubscriptionAck {
  PacketType type = PacketType::suback;
  std::uint16_t packet_id = 0;
  std::span<const ReasonCode> codes{};
  AckProperties properties{};
};

struct Disconnect {
  ReasonCode code = ReasonCode::success;
  DisconnectProperties properties{};
};

struct Auth {
  ReasonCode code = ReasonCode::success;
  AuthProperties properties{};
};

}  // namespace weir::mqtt
