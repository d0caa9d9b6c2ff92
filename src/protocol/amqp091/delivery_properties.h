// What it is: the properties that a message leaves with: its own, bit for bit, unless the broker has something to tell: that
// it was dead-lettered (x-death and its relatives, as RabbitMQ writes them), how often it came back (x-delivery-count), or
// that it has waited (x-delay, negative by now), where it is in its queue (x-stream-offset, for those who only look).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "broker/definitions.h"
#include "broker/message.h"
#include "node/stored_headers.h"

namespace weir::amqp091 {

// `returns`: how often it came back, where its queue counts that. `offset`: its seq, if that is told. One that came by
// another protocol is read by `forms`. The result views the message, or `scratch`.
Bytes delivery_properties(const broker::StoredMessage& message, std::uint16_t returns,
                          std::optional<Seq> offset, const node::HeadersOf& forms,
                          std::vector<std::byte>& scratch);

// The headers of a message in this form, and one of its properties as text ("message_id").
broker::Table headers_of(Bytes properties);
std::optional<std::string> property_of(Bytes properties, std::string_view name);

// Of a message of the broker's own. `timestamp_s`: 0: none.
std::vector<std::byte> own_properties(const broker::Table& headers, bool persistent,
                                      std::uint64_t timestamp_s);

}  // namespace weir::amqp091
