// What it is: a message as those publish and read it who have no connection of a messaging protocol: its properties by
// the names that AMQP 0-9-1 gives them ("content_type", "headers"), whatever form they are kept in.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "broker/definitions.h"
#include "node/session.h"

namespace weir {

struct PlainMessage {
  std::string exchange, routing_key;
  broker::Table properties;  // those that have no such name are not looked at
  std::string body;
};

// Given by whoever knows the form.
struct PlainMessages {
  // With all that a message's properties ask of the broker. invalid_argument: a property has another type, or a value that
  // it can't have; else those of Session::publish.
  Result<node::PublishResult> (*publish)(node::Session& session, const PlainMessage& message,
                                         node::PublisherNumber publisher, std::uint64_t seq) = nullptr;
  // As a receiver gets them.
  std::function<broker::Table(const node::Delivery& delivery)> properties_of;
};

}  // namespace weir
