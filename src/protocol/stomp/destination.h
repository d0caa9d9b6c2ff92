// What it is: STOMP's destinations, as RabbitMQ has them: what a text means for sending and for subscribing. Parts are
// separated by '/', and their bytes may be written as %XX.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::stomp {

inline constexpr std::string_view topic_exchange = "amq.topic";

struct Destination {
  enum class Kind : std::uint8_t {
    exchange,     // /exchange/<name>[/<routing key or pattern>]
    queue,        // /queue/<name>: it is made if it is not there
    amq_queue,    // /amq/queue/<name>: it is there
    topic,        // /topic/<routing key or pattern>: of amq.topic
    temp_queue,   // /temp-queue/<name>: in reply-to, a queue of the connection's own
    reply_queue,  // /reply-queue/<name>: what a reply-to has become
  };
  Kind kind{};
  std::string name;  // of the exchange or queue; of a topic, "amq.topic"
  std::string key;   // of an exchange or topic

  bool is_queue() const { return kind != Kind::exchange && kind != Kind::topic; }
};

// invalid_argument, with the words for the client.
Result<Destination> parse_destination(std::string_view text);

// Where a message was sent to, as receivers are told.
void append_destination(std::string& out, std::string_view exchange, std::string_view routing_key);

}  // namespace weir::stomp
