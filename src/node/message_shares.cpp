#include "node/message_shares.h"

#include "broker/delay.h"
#include "broker/message_extras.h"
#include "broker/message_keys.h"
#include "node/queue_host.h"

namespace weir::node {

std::vector<std::byte> extras_for(const broker::Topology& topology, const MessageToShare& of,
                                  const broker::Target& target) {
  broker::MessageExtras extras = broker::view_extras(of.message.extras);
  if (of.headers != nullptr) {
    const broker::Table& headers = of.headers->headers();
    if (target.grouped) broker::add_keys(topology.find_queue(target.queue)->arguments, headers, extras);
    // A message that goes around by dead-lettering is not taken for one that was seen.
    if (!extras.deaths.empty()) extras.id.reset();
    if (target.delays) extras.deliver_ms = of.clock.now_ms() + broker::delay_ms(headers);
  }
  std::vector<std::byte> encoded;
  broker::append_extras(encoded, extras);
  return encoded;
}

}  // namespace weir::node
