#include "cli/wire_client.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/assert.h"

namespace weir::cli {

namespace {

constexpr std::size_t room_bytes_at_first = 256U << 10;

// Where the connections of this thread read.
std::vector<std::byte>& room_of_thread() {
  thread_local std::vector<std::byte> room(room_bytes_at_first);
  return room;
}

}  // namespace

void WireClient::start(std::unique_ptr<runtime::ByteStream> stream) {
  stream_ = std::move(stream);
  stream_->open(*this);
  flush();
}

void WireClient::on_readable() {
  while (stream_) {
    std::vector<std::byte>& room = room_of_thread();
    // A message that is as large as all there is needs more.
    if (kept_.size() * 2 > room.size()) room.resize(kept_.size() * 4);
    std::ranges::copy(kept_, room.begin());
    Result<std::size_t> got = stream_->read(std::span(room).subspan(kept_.size()));
    if (!got || *got == 0) return;  // after an error, on_closed follows
    const Bytes input(room.data(), kept_.size() + *got);
    const std::size_t taken = events_.on_input(input);
    WEIR_ASSERT(taken <= input.size());
    kept_.assign(input.begin() + static_cast<std::ptrdiff_t>(taken), input.end());
    flush();
  }
}

void WireClient::on_writable() {
  output_.there_is_room();
  flush();
  if (stream_ && output_.idle()) events_.on_output_room();
}

void WireClient::on_closed(const Error& reason) {
  stream_.reset();
  events_.on_lost(reason);
}

void WireClient::end() {
  if (!stream_) return;
  stream_->close();
  stream_.reset();
}

}  // namespace weir::cli
