#include "broker/queue_options.h"

#include <algorithm>

#include "broker/declare_arguments.h"

namespace weir::broker {

namespace {

// Of a queue that says nothing else.
constexpr std::uint64_t dedup_window_default_ms = 300'000;
constexpr std::uint64_t dedup_ids_default = 4'000'000;
constexpr std::int64_t delivery_limit_default = 20;  // less than 0: none

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

bool is_true(const Table& arguments, std::string_view name) {
  const Value* const value = arguments.find(name);
  const bool* const flag = value == nullptr ? nullptr : std::get_if<bool>(&value->v);
  return flag != nullptr && *flag;
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

void read_keys(const Table& arguments, QueueOptions& options) {
  options.grouped = arguments.find(groups_argument) != nullptr;
  options.last_value = arguments.find(last_value_argument) != nullptr;
  options.fair = arguments.find(fair_argument) != nullptr;
  if (!is_true(arguments, dedup_argument)) return;
  options.deduplicates = true;
  const auto window_ms = integer(arguments, "x-cache-ttl"), ids = integer(arguments, "x-cache-size");
  options.dedup_window_ms = window_ms ? static_cast<std::uint64_t>(*window_ms)
                            : ids     ? 0
                                      : dedup_window_default_ms;
  options.dedup_ids_max = ids ? static_cast<std::uint64_t>(*ids) : dedup_ids_default;
}

void read_delayed_retry(const Table& arguments, QueueOptions& options) {
  const std::string* const type = text(arguments, "x-delayed-retry-type");
  const auto least = integer(arguments, "x-delayed-retry-min");
  if (type == nullptr || !least) return;
  if (*type == "all") options.delayed_retry = DelayedRetry::all;
  if (*type == "failed") options.delayed_retry = DelayedRetry::failed;
  if (*type == "returned") options.delayed_retry = DelayedRetry::returned;
  options.retry_min_ms = static_cast<std::uint32_t>(*least);
  if (const auto most = integer(arguments, "x-delayed-retry-max"))
    options.retry_max_ms = static_cast<std::uint32_t>(*most);
}

}  // namespace

std::uint64_t QueueOptions::retry_delay_ms(std::uint16_t returns, bool failed) const {
  const DelayedRetry how = failed ? DelayedRetry::failed : DelayedRetry::returned;
  if ((static_cast<unsigned>(delayed_retry) & static_cast<unsigned>(how)) == 0) return 0;
  return std::min(std::uint64_t{retry_min_ms} * returns, std::uint64_t{retry_max_ms});
}

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
  read_keys(arguments, options);
  options.single_active = is_true(arguments, "x-single-active-consumer");
  const QueueType type = queue_type(arguments);
  if (type == QueueType::stream) options.kind = QueueKind::stream;
  if (type == QueueType::quorum) {
    options.kind = QueueKind::quorum;
    options.counts_returns = true;
    read_delayed_retry(arguments, options);
    const std::int64_t limit = integer(arguments, "x-delivery-limit").value_or(delivery_limit_default);
    if (limit >= 0) options.delivery_limit = static_cast<std::uint64_t>(limit);
  }
  options.attributed = options.ttl_ms || options.prioritised || options.keyed() || options.counts_bytes();
  return options;
}

std::uint64_t consumer_timeout_ms(const Table& arguments) {
  const auto timeout = arguments.empty() ? std::nullopt : integer(arguments, "x-consumer-timeout");
  return timeout ? static_cast<std::uint64_t>(*timeout) : 0;
}

MessageAttributes attributes_in(const QueueOptions& queue, std::uint8_t priority, const MessageExtras& extras,
                                std::uint64_t received_ms, std::size_t body_bytes) {
  MessageAttributes attributes;
  if (extras.pieces) attributes.pieces_end = extras.pieces->last.value + 1;
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
  if (queue.keyed()) attributes.group = extras.group;
  if (queue.counts_bytes())
    attributes.body_bytes =
        static_cast<std::uint32_t>(body_bytes + (extras.pieces ? extras.pieces->bytes : 0));
  return attributes;
}

}  // namespace weir::broker
