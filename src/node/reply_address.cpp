#include "node/reply_address.h"

#include <sodium.h>

#include <cstring>

#include "base/bytes.h"

namespace weir::node {

namespace {

constexpr std::size_t address_bytes = 8 + sizeof(ReplyAddress::secret);
constexpr std::size_t text_bytes = address_bytes / 3 * 4;
constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
static_assert(address_bytes % 3 == 0);

}  // namespace

ReplyAddress make_reply_address(SessionId session) {
  ReplyAddress made{.session = session};
  randombytes_buf(made.secret.data(), made.secret.size());
  return made;
}

std::string reply_key_of(const ReplyAddress& address) {
  std::array<std::byte, address_bytes> bytes;
  store_le(bytes.data(), address.session.value);
  std::memcpy(bytes.data() + 8, address.secret.data(), address.secret.size());
  char text[text_bytes + 1];
  sodium_bin2base64(text, sizeof text, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    variant);
  return std::string(reply_queue) + '.' + text;
}

std::optional<ReplyAddress> parse_reply_key(std::string_view key) {
  if (!is_reply_key(key) || key.size() != reply_queue.size() + 1 + text_bytes) return std::nullopt;
  key.remove_prefix(reply_queue.size() + 1);
  std::array<std::byte, address_bytes> bytes;
  std::size_t count = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), key.data(), key.size(),
                        nullptr, &count, nullptr, variant) != 0 ||
      count != bytes.size()) {
    return std::nullopt;
  }
  ReplyAddress address{.session = SessionId{load_le<std::uint64_t>(bytes.data())}};
  std::memcpy(address.secret.data(), bytes.data() + 8, address.secret.size());
  return address;
}

bool same_secret(const ReplyAddress& a, const ReplyAddress& b) {
  return sodium_memcmp(a.secret.data(), b.secret.data(), a.secret.size()) == 0;
}

}  // namespace weir::node
