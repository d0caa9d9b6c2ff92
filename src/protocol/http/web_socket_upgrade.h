// What it is: whether a request may become a WebSocket (RFC 6455 4.2), and the answer that it gets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/http/codec/message.h"

namespace weir::http {

struct WebSocketOptions {
  std::string path = "/ws";
  std::vector<std::string> sub_protocols;  // the best first; the first that the client has too is agreed on
  bool sub_protocol_needed = false;        // who names none of them is refused
  bool takes_text = true;                  // false: messages have to be binary
  // Sites whose pages may come, as browsers name them in Origin; "*": all. Who sends no Origin is no page.
  std::vector<std::string> allow_origins = {"*"};
};

// 101, or why not.
Response answer_upgrade(const Request& request, const WebSocketOptions& options);

}  // namespace weir::http
