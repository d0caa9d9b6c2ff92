// What the tracing of messages sees of queues.
#include "node/queue_host.h"

namespace weir::node {

// The queues that take() has found are still noted.
void QueueHost::trace_taken(const broker::IncomingMessage& message, Lsn needed) {
  const std::size_t queues = journaled_targets_.size() + memory_targets_.size();
  if (queues == 0) return;
  const auto context = traces_->context_of(message);
  if (!context) return;
  const broker::Queue& first =
      journaled_targets_.empty() ? *memory_targets_.front() : *journaled_targets_.front();
  traces_->begin(*context, message,
                 {.vhost = first.options().vhost,
                  .queue = first.options().name,
                  .queues = static_cast<std::uint32_t>(queues),
                  .durable = !journaled_targets_.empty()},
                 needed);
}

}  // namespace weir::node
