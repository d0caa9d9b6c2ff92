// What it is: the spans of messages that came into queues of this shard and are not durable yet.
// Shard: its QueueHost's.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "broker/message.h"
#include "node/stored_headers.h"
#include "node/tracing.h"

namespace weir::node {

class EnqueueTraces {
 public:
  EnqueueTraces(SpanSink& sink, HeaderText header) : sink_(sink), header_(header) {}

  // It is durable when the log is up to `needed`. `queue` is the first of `queues`.
  struct Where {
    std::string_view vhost, queue;
    std::uint32_t queues = 1;
    bool durable = true;  // one of them keeps it on disk
  };
  // Whether the message is traced at all: before anything else is looked up.
  std::optional<TraceContext> context_of(const broker::IncomingMessage& message) const;
  void begin(const TraceContext& context, const broker::IncomingMessage& message, const Where& where,
             Lsn needed);
  void on_durable(Lsn up_to);

 private:
  static constexpr std::size_t pending_max = 10'000;  // beyond it, spans are not begun

  struct Pending {
    Lsn needed;
    Span span;
  };

  SpanSink& sink_;
  HeaderText header_;
  std::vector<Pending> pending_;
};

}  // namespace weir::node
