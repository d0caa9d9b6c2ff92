// What it is: the messaging protocols that a server speaks: each one made as the settings want it, and what they need to
// know of each other's messages.
#pragma once

#include <memory>

#include "app/protocol_service.h"
#include "app/settings.h"
#include "node/node.h"
#include "node/stored_headers.h"
#include "protocol/http/web_socket_upgrade.h"

namespace weir::app {

std::unique_ptr<ProtocolService> make_amqp(node::Node& node, const Settings& settings,
                                           ConnectionTally& tally);
std::unique_ptr<ProtocolService> make_stomp(node::Node& node, const Settings& settings,
                                            ConnectionTally& tally);
std::unique_ptr<ProtocolService> make_mqtt(node::Node& node, const Settings& settings,
                                           ConnectionTally& tally);

// How they are carried by WebSocket.
http::WebSocketOptions stomp_web_socket(const Settings& settings);
http::WebSocketOptions mqtt_web_socket(const Settings& settings);

// What is read of messages in every form that one of the protocols gives them.
node::HeadersOf native_headers();

}  // namespace weir::app
