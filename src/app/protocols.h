// What it is: the messaging protocols that a server speaks: each one made as the settings want it, and what they need to
// know of each other's messages.
#pragma once

#include <memory>

#include "app/protocol_service.h"
#include "app/settings.h"
#include "node/node.h"
#include "protocol/common/native_forms.h"

namespace weir::app {

std::unique_ptr<ProtocolService> make_amqp(node::Node& node, const Settings& settings,
                                           ConnectionTally& tally);
std::unique_ptr<ProtocolService> make_stomp(node::Node& node, const Settings& settings,
                                            ConnectionTally& tally);

// Of messages in every form that one of the protocols gives them.
NativeForms native_forms();
// The same for those who route: their headers alone.
node::HeadersOf native_headers();

}  // namespace weir::app
