// What it is: how a delivery leaves, by whatever method: as a whole, or its body read from the broker as it leaves.
#pragma once

#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/delivery_properties.h"

namespace weir::amqp091 {

template <AnyMethod M>
void Channel::send_delivery(const M& method, const node::Delivery& delivery) {
  const Bytes properties =
      delivery_properties(delivery.message, delivery.returns,
                          delivery.looked_at ? std::optional(delivery.seq) : std::nullopt, scratch_);
  if (delivery.body != node::no_body) [[unlikely]] {
    return connection_.send_large_content(number_, method, properties, delivery.body, delivery.body_bytes);
  }
  connection_.send_content(number_, method, properties, delivery.message.body, delivery.chunk);
}

}  // namespace weir::amqp091
