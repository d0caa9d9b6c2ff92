// $SYS: what the server tells of itself, to a client that has subscribed to it.
#include <algorithm>

#include "protocol/mqtt/connection.h"
#include "protocol/mqtt/stored_properties.h"

namespace weir::mqtt {

void Connection::watch_sys() {
  const bool wants =
      std::any_of(subscriptions_.all().begin(), subscriptions_.all().end(),
                  [](const auto& one) { return std::string_view(one.filter).starts_with(sys_prefix); });
  if (!wants && !watches_sys_) return;
  watches_sys_ = wants;
  if (wants) return owner_.sys_topics().join(*this);
  owner_.sys_topics().leave(*this);
}

// By QoS 0, and by no queue: to a client that does not read, what is next will do.
void Connection::on_sys(const std::vector<SysValue>& values, bool first) {
  if (!has_session() || !running() || output_.unsent_bytes() > output_high_bytes) return;
  std::vector<std::byte> stored;
  append_stored(stored, {.qos = 0, .retain = true}, {});
  for (const SysValue& value : values) {
    ids_.clear();
    Handing handing = subscriptions_.match(value.topic, false, ids_);
    if (!handing.wanted) continue;
    handing.retain_as_published = handing.retain_as_published || first;
    node::Delivery delivery;
    delivery.consumer = own_;
    delivery.looked_at = true;
    delivery.message.native = broker::NativeForm::mqtt;
    delivery.message.properties = stored;
    delivery.message.body = as_bytes(value.text);
    hand_over(delivery, handing, value.topic);
  }
}

}  // namespace weir::mqtt
