// What it is: messages that come without a connection (protocol/common/plain_message.h), in the form of AMQP 0-9-1.
#pragma once

#include "protocol/common/native_forms.h"
#include "protocol/common/plain_message.h"

namespace weir::amqp091 {

PlainMessages plain_messages(NativeForms forms);

}  // namespace weir::amqp091
