// What it is: the spans of one channel: of messages that are published on it until they are confirmed, and of deliveries until
// they are settled. There is none where nothing is traced, and it does nothing for messages that are not sampled.
// A message that starts a trace here gets a traceparent header; one that has it keeps it as it is.
// Shard: its connection's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "broker/message.h"
#include "node/session.h"
#include "node/tracing.h"

namespace weir::amqp091 {

// A header where it lies, if it is there as text.
std::optional<std::string_view> header_text(broker::NativeForm native, Bytes properties,
                                            std::string_view name);

class ChannelTraces {
 public:
  explicit ChannelTraces(node::SpanSink& sink) : sink_(sink) {}

  // The message that is being published has these properties; they may get a traceparent, and lie here then until the next.
  void begin_publish(Bytes& raw_properties);
  // It was routed.
  void published(const node::Publish& publish, std::string_view vhost, bool unroutable);
  void confirmed(std::uint64_t up_to);
  void rejected(std::uint64_t first, std::uint64_t last);

  // The message is being handed to the client. False: it is not traced, and there is nothing to end.
  bool begin_delivery(const broker::StoredMessage& message);
  struct Handed {
    std::string_view vhost, queue;
    std::uint64_t tag = 0;
    bool settles = false;  // the client will settle it
  };
  void end_delivery(const node::Delivery& delivery, const Handed& handed);
  void settled(std::uint64_t tag, node::Outcome outcome);

 private:
  static constexpr std::size_t waiting_max = 10'000;  // of each kind; beyond it, spans end without an outcome

  struct Publishing {
    std::uint64_t seq;
    node::Span span;
  };
  void start_trace(Bytes& raw_properties);
  void finish(node::Span&& span, std::string_view outcome, bool failed);

  node::SpanSink& sink_;
  std::optional<node::Span> current_;  // of the message that is being published
  std::vector<std::byte> properties_;  // with our traceparent
  std::optional<node::TraceContext> delivering_;
  std::uint64_t delivery_began_ns_ = 0;
  std::deque<Publishing> unconfirmed_;                       // by ascending seq
  std::unordered_map<std::uint64_t, node::Span> unsettled_;  // by delivery tag
};

}  // namespace weir::amqp091
