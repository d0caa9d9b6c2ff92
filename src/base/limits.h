// What it is: the named maxima of everything that could grow. A limit that operators set is in app/settings instead.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::limits {

inline constexpr std::size_t shards_max = 64;
inline constexpr std::size_t name_bytes_max = 255;  // vhost, exchange, queue, routing key (AMQP shortstr)
inline constexpr std::size_t message_bytes_max = 512U << 20;  // a body
inline constexpr std::size_t message_bytes_default = 16U << 20;
// A persistent body from here on is kept as a run of pieces, and is never in memory as a whole.
inline constexpr std::size_t large_body_bytes = 256U << 10;
inline constexpr std::size_t body_piece_bytes = 256U << 10;
inline constexpr std::size_t native_properties_bytes_max = 1U << 20;
inline constexpr std::size_t fan_out_max = 65'536;  // queues that one publish may reach
inline constexpr std::size_t exchange_hops_max = 64;
// What a consumer's connection may hold that its socket has not taken yet; beyond it the queue stops delivering to it.
inline constexpr std::size_t delivery_window_bytes = 1U << 20;
inline constexpr std::size_t delivery_window_messages = 4'096;
// What one session may have published that its queues have not taken yet; beyond it its socket is not read.
inline constexpr std::size_t publish_window_bytes = 8U << 20;
// The same while a large body is on its way.
inline constexpr std::size_t body_window_bytes = 1U << 20;

// What a transaction may hold until it is committed: its messages, for each shard that they go to, and its settlements.
inline constexpr std::size_t transaction_bytes_max = 64U << 20;
// What clients say of themselves when they connect, kept for those who look at connections.
inline constexpr std::size_t client_properties_bytes_max = 16U << 10;
// Direct replies to a connection that reads too slowly; beyond it they are dropped.
inline constexpr std::size_t unread_replies_bytes_max = 8U << 20;

}  // namespace weir::limits
