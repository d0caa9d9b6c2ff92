// What it is: how a front-end reads the properties of messages that came by another protocol. In between they are a table by
// the names that AMQP 0-9-1 gives them ("content_type", "headers": a table of its own): each protocol turns its own form
// into it and makes its own of it.
#pragma once

#include "base/bytes.h"
#include "broker/definitions.h"
#include "broker/message.h"

namespace weir {

struct NativeForms {
  // Of properties in a form; empty for a form that nobody knows. Null: as if there were none.
  broker::Table (*properties_of)(broker::NativeForm form, Bytes properties) = nullptr;

  broker::Table read(broker::NativeForm form, Bytes properties) const {
    return properties_of == nullptr ? broker::Table() : properties_of(form, properties);
  }
};

}  // namespace weir
