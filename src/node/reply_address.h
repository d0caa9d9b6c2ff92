// What it is: where a direct reply goes: a session, and a secret that only those know who were told the routing key. The
// key names the session's shard, so that no shard has to ask another; nobody can guess the secret.
//
//   "amq.rabbitmq.reply-to." and 32 characters: base64url of u64 session (little endian), 16 random bytes
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace weir::node {

inline constexpr std::string_view reply_queue = "amq.rabbitmq.reply-to";

struct ReplyAddress {
  SessionId session;
  std::array<std::byte, 16> secret{};
};

// Of a routing key of the default exchange.
inline bool is_reply_key(std::string_view key) {
  return key.size() > reply_queue.size() && key.starts_with(reply_queue) && key[reply_queue.size()] == '.';
}

ReplyAddress make_reply_address(SessionId session);
std::string reply_key_of(const ReplyAddress& address);
// nullopt: nobody has such an address.
std::optional<ReplyAddress> parse_reply_key(std::string_view key);
// Takes equally long wherever they differ.
bool same_secret(const ReplyAddress& a, const ReplyAddress& b);

}  // namespace weir::node
