// What it is: what a queue's definition says of how it treats its messages, with its arguments read once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "broker/attributes.h"
#include "broker/definitions.h"
#include "broker/message_extras.h"

namespace weir::broker {

class Alarms;

enum class Overflow : std::uint8_t { drop_head, reject_publish, reject_publish_dead_letter };

// Of what type it was declared. They are all of one make here; those who count tell them apart.
enum class QueueKind : std::uint8_t { classic, quorum, stream, count };

// Which messages that come back wait before they go again: those that a consumer failed with, those that one gave back.
enum class DelayedRetry : std::uint8_t { none = 0, failed = 1, returned = 2, all = 3 };

struct QueueOptions {
  QueueId id;
  std::string vhost, name;
  bool journaled = false;  // durable and not exclusive: persistent messages go to the journal
  bool auto_delete = false;
  QueueKind kind = QueueKind::classic;

  // Its messages have attributes though they say nothing of it themselves.
  bool attributed = false;
  std::optional<std::uint32_t> ttl_ms;
  std::uint64_t expires_ms = 0;  // unused for so long, it is deleted; 0: never
  bool limited = false;          // by one of these
  std::uint64_t max_messages = UINT64_MAX;
  std::uint64_t max_bytes = UINT64_MAX;
  Overflow overflow = Overflow::drop_head;
  bool prioritised = false;
  std::uint8_t max_priority = 0;
  bool grouped = false;
  bool last_value = false;  // of each key the newest message counts
  bool fair = false;        // by key
  bool deduplicates = false;
  std::uint64_t dedup_window_ms = 0;  // 0: of any age
  std::uint64_t dedup_ids_max = 0;
  bool single_active = false;  // one consumer at a time
  bool counts_returns = false;
  std::optional<std::uint64_t> delivery_limit;
  DelayedRetry delayed_retry = DelayedRetry::none;  // where returns are counted
  std::uint32_t retry_min_ms = 0;                   // for each return so far
  std::uint32_t retry_max_ms = UINT32_MAX;

  // It holds what waits at a delayed exchange: what is due goes to that exchange, as a letter that must arrive.
  bool holds_delays = false;

  bool dead_letters = false;
  bool at_least_once = false;
  std::string dead_letter_exchange;
  std::optional<std::string> dead_letter_key;

  Alarms* alarms = nullptr;  // of its shard; may be null where nothing has a time

  bool keyed() const { return grouped || last_value || fair; }
  // How long a message waits that has come back so often; 0: not at all.
  std::uint64_t retry_delay_ms(std::uint16_t returns, bool failed) const;
  bool counts_bytes() const { return max_bytes != UINT64_MAX; }
};

// `arguments`: the effective ones (Topology::effective_arguments), checked.
QueueOptions queue_options(const QueueDefinition& definition, const Table& arguments);

// How long its consumers may take to acknowledge; 0: as the server has it. Of checked arguments.
std::uint64_t consumer_timeout_ms(const Table& arguments);

// What a queue knows of a message that it gets. The same live and in replay. `body_bytes`: without pieces.
MessageAttributes attributes_in(const QueueOptions& queue, std::uint8_t priority, const MessageExtras& extras,
                                std::uint64_t received_ms, std::size_t body_bytes);

}  // namespace weir::broker
