#include "node/message_shares.h"

#include "broker/declare_arguments.h"
#include "broker/delay.h"
#include "broker/group_key.h"
#include "broker/message_extras.h"
#include "node/queue_host.h"

namespace weir::node {

std::vector<std::byte> extras_for(const broker::Topology& topology, const MessageToShare& of,
                                  const broker::Target& target) {
  broker::MessageExtras extras = broker::view_extras(of.message.extras);
  if (of.headers != nullptr) {
    const broker::Table& headers = of.headers->headers();
    if (target.grouped) {
      const broker::QueueDefinition* const queue = topology.find_queue(target.queue);
      extras.group =
          broker::group_key(headers.find(*queue->arguments.find(broker::groups_argument)->as_string()));
    }
    if (target.delays) extras.deliver_ms = of.clock.now_ms() + broker::delay_ms(headers);
  }
  std::vector<std::byte> encoded;
  broker::append_extras(encoded, extras);
  return encoded;
}

}  // namespace weir::node
