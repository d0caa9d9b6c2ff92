// What it is: a stream of bytes carried by WebSocket, server side: whoever uses it reads and writes as over TCP, and does not
// know. The bytes of all messages, text and binary, follow each other; where a message ends means nothing. What is
// written leaves as binary messages; a client whose own last message was text gets text, where it is UTF-8.
//
//   upgrading (HTTP) -> open -> leaving (a close frame came, or a fault) -> closed
//
// Memory: input is unwrapped in the reader's own buffer, output is referred to; a frame's head and what control frames
//   need is all that is held, and a request's head before.
// Shard: that of the stream below. Lifetime: the timers, the clock and the options outlive it.
// Errors: on_closed, as of any stream, with what the client was told: the HTTP status or the code of the close frame.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "protocol/http/web_socket_upgrade.h"
#include "runtime/stream.h"
#include "runtime/timers.h"

namespace weir::http {

inline constexpr std::uint64_t upgrade_ms_max = 5'000;  // from opening the stream to the end of the request
inline constexpr std::size_t upgrade_head_bytes_max = 8U << 10;
// Of a frame to the client: it has to put each together before it can use it.
inline constexpr std::size_t frame_payload_bytes_max = 64U << 10;

std::unique_ptr<runtime::ByteStream> make_web_socket(std::unique_ptr<runtime::ByteStream> below,
                                                     runtime::TimerWheel& timers, const Clock& clock,
                                                     const WebSocketOptions& options);

}  // namespace weir::http
