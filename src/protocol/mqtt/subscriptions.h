// What it is: what a session has subscribed to, and what that means for a message that its queue brings.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/definitions.h"
#include "node/session.h"
#include "protocol/mqtt/codec/packets.h"
#include "protocol/mqtt/codec/topic.h"
#include "protocol/mqtt/subscription_tree.h"

namespace weir::mqtt {

struct Subscribed {
  std::string filter;
  std::uint8_t qos = 0;
  bool no_local = false, retain_as_published = false;
  std::uint32_t id = 0;  // 0: none
  // Of a shared one, and of "$queue/<name>": it has a consumer of its own.
  node::ConsumerNumber consumer = node::no_consumer;
  std::string queue;
  bool operator==(const Subscribed&) const = default;
};

// What is kept with a binding, so that a session that comes again has its subscriptions.
inline constexpr std::string_view filter_argument = "x-mqtt-filter", options_argument = "x-mqtt-options",
                                  id_argument = "x-mqtt-subscription-id", member_argument = "x-mqtt-client";
broker::Table arguments_of(const Subscribed& subscribed);
std::optional<Subscribed> subscribed_by(const broker::Table& arguments);

// "$queue/<name>": messages of a queue of the broker, whoever filled it.
inline constexpr std::string_view queue_prefix = "$queue/";

// How a message is handed to the client.
struct Handing {
  bool wanted = false;
  std::uint8_t qos = 0;  // the most that a subscription allows
  bool retain_as_published = false;
};

class SubscriptionSet {
 public:
  std::size_t size() const { return all_.size(); }
  const std::vector<Subscribed>& all() const { return all_; }
  Subscribed* find(std::string_view filter);
  Subscribed* find(node::ConsumerNumber consumer);
  void put(Subscribed subscribed);
  void remove(std::string_view filter);
  void clear() {
    all_.clear();
    tree_.reset();
  }
  // Of those that the session's own queue serves.
  std::uint8_t qos_max() const;
  bool any_of_own() const;

  // The subscriptions that match; `ids` gets their identifiers. `own`: the client published it itself.
  Handing match(std::string_view topic, bool own, std::vector<std::uint32_t>& ids) const;

 private:
  // From so many on, they are found by a tree; before, by looking at each.
  static constexpr std::size_t tree_from = 16;
  void add_to(Handing& handing, std::vector<std::uint32_t>& ids, const Subscribed& one, bool own) const;

  std::vector<Subscribed> all_;
  std::unique_ptr<SubscriptionTree> tree_;  // to places in all_; null: there are few
};

}  // namespace weir::mqtt
