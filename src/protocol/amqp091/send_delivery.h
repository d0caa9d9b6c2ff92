// What it is: how a delivery leaves, by whatever method: as a whole, or its body read from the broker as it leaves.
#pragma once

#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/delivery_properties.h"

namespace weir::amqp091 {

// `settles`: the client will settle it.
template <AnyMethod M>
void Channel::send_delivery(const M& method, const node::Delivery& delivery, bool settles) {
  const bool traced = traces_ != nullptr && traces_->begin_delivery(delivery.message);
  const auto properties_by = [&](const node::HeadersOf& forms) {
    return delivery_properties(delivery.message, delivery.returns,
                               delivery.looked_at ? std::optional(delivery.seq) : std::nullopt, forms,
                               scratch_);
  };
  static constexpr node::HeadersOf none{};  // nobody has to read our own form
  const bool own = delivery.message.native == broker::NativeForm::amqp091;
  const Bytes properties = own ? properties_by(none) : properties_by(connection_.client().headers_of());
  if (delivery.body != node::no_body) [[unlikely]] {
    connection_.send_large_content(number_, method, properties, delivery.body, delivery.body_bytes);
  } else {
    connection_.send_content(number_, method, properties, delivery.message.body, delivery.chunk);
  }
  if (traced) [[unlikely]]
    trace_delivery(delivery, method.delivery_tag, settles);
}

}  // namespace weir::amqp091
