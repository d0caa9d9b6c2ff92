// What it is: messages that come without a connection (protocol/common/plain_message.h), in the form of AMQP 0-9-1.
#pragma once

#include "node/stored_headers.h"
#include "protocol/common/plain_message.h"

namespace weir::amqp091 {

PlainMessages plain_messages(node::HeadersOf forms);

}  // namespace weir::amqp091
