// What it is: AMQP 0-9-1's properties as a table by their names ("content_type", "headers"), and back: the form in which those
// tell and read them who speak another protocol.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "broker/definitions.h"
#include "protocol/amqp091/codec/content.h"

namespace weir::amqp091 {

// The properties view the table, and `headers`. Those that it can't have, of another type, too long or not UTF-8, are left
// out; `fault`, if it is not null, tells of the first: invalid_argument. Only a correlation id becomes the header
// "x-correlation-id" then.
Properties properties_from(const broker::Table& table, std::vector<std::byte>& headers,
                           std::optional<Error>* fault = nullptr);

// Of valid ones, as they are on the wire.
broker::Table properties_table(Bytes raw);

}  // namespace weir::amqp091
