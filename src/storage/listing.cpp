#include "storage/listing.h"

#include <fmt/format.h>

#include <utility>

#include "base/assert.h"
#include "base/crc32c.h"

namespace weir::storage {
namespace {

constexpr std::uint32_t listing_magic = 0x314c4a57;  // "WJL1" as little-endian bytes
constexpr std::uint16_t listing_version = 1;
constexpr std::size_t header_bytes = 32;
constexpr std::size_t crc_bytes = 4;

constexpr unsigned other_queue = 1;
constexpr unsigned other_seq = 2;
constexpr unsigned other_place = 4;
constexpr unsigned other_length = 8;
constexpr unsigned has_attributes = 16;

std::uint64_t zigzag(std::uint64_t difference) {
  const auto value = static_cast<std::int64_t>(difference);
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
std::uint64_t unzigzag(std::uint64_t value) { return value >> 1 ^ (~(value & 1) + 1); }

// What comes next if the next message is like this one.
void advance(ListedMessage& expected) {
  ++expected.seq.value;
  expected.offset += expected.bytes;
}

}  // namespace

void ListingBuilder::begin() {
  out_.resize(header_bytes);
  expected_ = ListedMessage{};
}

void ListingBuilder::add(const ListedMessage& message) {
  if (messages_ == 0) begin();
  WEIR_ASSERT(message.attributes.size() <= UINT8_MAX);
  Writer out(out_);
  unsigned flags = 0;
  if (messages_ == 0 || message.queue != expected_.queue) {
    flags |= other_queue;
    expected_ = {message.queue, Seq{0}, 0, 0, {}};
  }
  if (message.seq != expected_.seq) flags |= other_seq;
  if (message.offset != expected_.offset) flags |= other_place;
  if (message.bytes != expected_.bytes) flags |= other_length;
  if (!message.attributes.empty()) flags |= has_attributes;
  out.u8(static_cast<std::uint8_t>(flags));
  if ((flags & other_queue) != 0) out.le(message.queue.value);
  if ((flags & other_seq) != 0) out.varint(message.seq.value - expected_.seq.value);
  if ((flags & other_place) != 0)
    out.varint(zigzag(message.offset / record_alignment - expected_.offset / record_alignment));
  if ((flags & other_length) != 0) out.varint(message.bytes / record_alignment);
  if ((flags & has_attributes) != 0) {
    out.u8(static_cast<std::uint8_t>(message.attributes.size()));
    out.bytes(message.attributes);
  }
  expected_ = message;
  advance(expected_);
  ++messages_;
}

std::vector<std::byte> ListingBuilder::finish(Lsn file_start) {
  if (messages_ == 0) begin();
  store_le(out_.data(), listing_magic);
  store_le(out_.data() + 4, listing_version);
  store_le(out_.data() + 6, std::uint16_t{0});
  store_le(out_.data() + 8, file_start.value);
  store_le(out_.data() + 16, messages_);
  store_le(out_.data() + 24, std::uint64_t{out_.size() - header_bytes});
  const std::uint32_t crc = crc32c(out_);
  Writer(out_).le(crc);
  messages_ = 0;
  return std::exchange(out_, {});
}

Result<ListingReader> ListingReader::open(Bytes file, Lsn file_start) {
  Reader in(file);
  const auto magic = in.le<std::uint32_t>();
  const auto version = in.le<std::uint16_t>();
  in.le<std::uint16_t>();
  const auto start = in.le<std::uint64_t>();
  const auto messages = in.le<std::uint64_t>();
  const auto bytes = in.le<std::uint64_t>();
  if (!in.ok() || magic != listing_magic) return fail(ErrorCode::corrupt, "not a listing");
  if (in.left() < crc_bytes || bytes != in.left() - crc_bytes)
    return fail(ErrorCode::corrupt, "the listing has another size");
  const Bytes body = in.bytes(bytes);
  if (in.le<std::uint32_t>() != crc32c(file.first(file.size() - crc_bytes)))
    return fail(ErrorCode::corrupt, "listing CRC");
  if (version != listing_version) return fail(ErrorCode::corrupt, "listing version");
  if (start != file_start.value) return fail(ErrorCode::corrupt, "another file's listing");
  return ListingReader(body, messages);
}

bool ListingReader::next(ListedMessage& message) {
  if (left_ == 0) return false;
  --left_;
  const unsigned flags = in_.u8();
  if ((flags & other_queue) != 0) expected_ = {QueueId{in_.le<std::uint32_t>()}, Seq{0}, 0, 0, {}};
  if ((flags & other_seq) != 0) expected_.seq.value += in_.varint();
  if ((flags & other_place) != 0) expected_.offset += unzigzag(in_.varint()) * record_alignment;
  if ((flags & other_length) != 0) expected_.bytes = in_.varint() * record_alignment;
  expected_.attributes = (flags & has_attributes) != 0 ? in_.bytes(in_.u8()) : Bytes{};
  if (!in_.ok()) return false;
  message = expected_;
  advance(expected_);
  return true;
}

std::string listing_path(const std::string& directory, Lsn file_start) {
  return fmt::format("{}/i-{:016x}.idx", directory, file_start.value);
}

}  // namespace weir::storage
