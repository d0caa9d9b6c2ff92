// What it is: the headers CC and BCC: further routing keys of a message. BCC is not for those who get it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

struct RoutingHeaders {
  std::vector<std::string_view> keys;        // into the table
  std::vector<std::string_view> blind_keys;  // those of them that are of BCC
  bool blind = false;                        // BCC is there
};

// Of a table that was validated. Cleared first. Returns why it is refused, in RabbitMQ's words; empty: it is fine.
std::string read_routing_headers(TableBytes headers, RoutingHeaders& into);

// The table without BCC.
std::vector<std::byte> without_blind_keys(TableBytes headers);

}  // namespace weir::amqp091
