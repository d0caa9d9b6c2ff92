#include "broker/queue_options.h"

#include <algorithm>

#include "broker/declare_arguments.h"

namespace weir::broker {

namespace {

std::optional<std::int64_t> integer(const Table& arguments, std::string_view name) {
  const Value* const value = arguments.find(name);
  std::int64_t number = 0;
  if (value == nullptr || !value->as_integer(number)) return std::nullopt;
  return number;
}

const std::string* text(const Table& arguments, std::string_view name) {
  const Value* const value = arguments.find(name);
  return value == nullptr ? nullptr : value->as_string();
}

void read_limits(const Table& arguments, QueueOptions& options) {
  if (const auto most = integer(arguments, "x-max-length"))
    options.max_messages = static_cast<std::uint64_t>(*most);
  if (const auto most = integer(arguments, "x-max-length-bytes"))
    options.max_bytes = static_cast<std::uint64_t>(*most);
  options.limited = options.max_messages != UINT64_MAX || options.max_bytes != UINT64_MAX;
  const std::string* const overflow = text(arguments, "x-overflow");
  if (overflow == nullptr) return;
  if (*overflow == "reject-publish") options.overflow = Overflow::reject_publish;
  if (*overflow == "reject-publish-dlx") options.overflow = Overflow::reject_publish_dead_letter;
}

void read_dead_letters(const Table& arguments, QueueOptions& options) {
  const std::string* const exchange = text(arguments, "x-dead-letter-exchange");
  if (exchange == nullptr) return;
  options.dead_letters = true;
  options.dead_letter_exchange = *exchange;
  if (const std::string* const key = text(arguments, "x-dead-letter-routing-key"))
    options.dead_letter_key = *key;
  const std::string* const strategy = text(arguments, "x-dead-letter-strategy");
  // A queue that drops its head has no room for what it must keep.
  options.at_least_once =
      strategy != nullptr && *strategy == "at-least-once" && options.overflow == Overflow::reject_publish;
}

// Of an exchange's own queue.
void read_role(const QueueDefinition& definition, QueueOptions& options) {
  switch (definition.role) {
    case QueueRole::plain: return;
    case QueueRole::delays:
      options.holds_delays = options.dead_letters = options.at_least_once = true;
      options.dead_letter_exchange = definition.name;
      return;
    case QueueRole::history: options.journaled = false; return;
  }
}

}  // namespace

QueueOptions queue_options(const QueueDefinition& definition, const Table& arguments) {
  QueueOptions options;
  options.id = definition.id;
  options.vhost = definition.vhost;
  options.name = definition.name;
  options.journaled = definition.durable && !definition.exclusive;
  options.auto_delete = definition.auto_delete;
  read_role(definition, options);
  if (arguments.empty()) return options;
  if (const auto ttl = integer(arguments, "x-message-ttl")) options.ttl_ms = static_cast<std::uint32_t>(*ttl);
  if (const auto expires = integer(arguments, "x-expires"))
    options.expires_ms = static_cast<std::uint64_t>(*expires);
  read_limits(arguments, options);
  read_dead_letters(arguments, options);
  if (const auto most = integer(arguments, "x-max-priority"); most && *most > 0) {
    options.prioritised = true;
    options.max_priority = static_cast<std::uint8_t>(*most);
  }
  options.grouped = arguments.find(groups_argument) != nullptr;
  if (queue_type(arguments) == QueueType::quorum) {
    options.counts_returns = true;
    if (const auto limit = integer(arguments, "x-delivery-limit"); limit && *limit >= 0)
      options.delivery_limit = static_cast<std::uint64_t>(*limit);
  }
  options.attributed = options.ttl_ms || options.prioritised || options.grouped || options.counts_bytes();
  return options;
}

std::uint64_t consumer_timeout_ms(const Table& arguments) {
  const auto timeout = arguments.empty() ? std::nullopt : integer(arguments, "x-consumer-timeout");
  return timeout ? static_cast<std::uint64_t>(*timeout) : 0;
}

MessageAttributes attributes_in(const QueueOptions& queue, std::uint8_t priority, const MessageExtras& extras,
                                std::uint64_t received_ms, std::size_t body_bytes) {
  MessageAttributes attributes;
  if (queue.holds_delays) {
    attributes.deliver_ms = std::max<std::uint64_t>(extras.deliver_ms, 1);
    return attributes;
  }
  if (extras.deliver_ms > received_ms) attributes.deliver_ms = extras.deliver_ms;
  if (queue.ttl_ms || extras.ttl_ms) {
    const std::uint32_t ttl_ms =
        std::min(queue.ttl_ms.value_or(UINT32_MAX), extras.ttl_ms.value_or(UINT32_MAX));
    // A message that may not be delivered yet has its time from then on.
    attributes.expires_ms = std::max(received_ms, extras.deliver_ms) + ttl_ms;
  }
  if (queue.prioritised) attributes.priority = std::min(priority, queue.max_priority);
  if (queue.grouped) attributes.group = extras.group;
  if (queue.counts_bytes()) attributes.body_bytes = static_cast<std::uint32_t>(body_bytes);
  return attributes;
}

}  // namespace weir::broker
