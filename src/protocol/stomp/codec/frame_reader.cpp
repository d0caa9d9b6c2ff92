#include "protocol/stomp/codec/frame_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace weir::stomp {

namespace {

constexpr std::size_t none = SIZE_MAX;
constexpr std::size_t first_body_bytes = 16U << 10;
// What is kept for the next frame that comes in parts.
constexpr std::size_t head_kept_bytes = 4U << 10;

std::size_t find_byte(Bytes in, char byte) {
  const void* const at = in.empty() ? nullptr : std::memchr(in.data(), byte, in.size());
  return at == nullptr ? none : static_cast<std::size_t>(static_cast<const std::byte*>(at) - in.data());
}

bool is_empty_line(std::string_view line) { return line == "\n" || line == "\r\n"; }

// Behind the blank line that ends a head which begins at the front; none: it is not there.
std::size_t head_end(Bytes in) {
  std::size_t line = 0;
  for (;;) {
    const std::size_t end = find_byte(in.subspan(line), '\n');
    if (end == none) return none;
    if (is_empty_line(as_text(in.subspan(line, end + 1)))) return line + end + 1;
    line += end + 1;
  }
}

}  // namespace

FrameReader::Kind FrameReader::fail(std::string_view why) {
  error_ = why;
  state_ = State::broken;
  return Kind::error;
}

FrameReader::Kind FrameReader::finish(Kind kind) {
  state_ = State::between;
  done_ = true;
  return kind;
}

FrameReader::Kind FrameReader::next(Bytes& input, Chunk* chunk, const FrameLimits& limits) {
  if (done_) {  // what the last frame was kept in
    done_ = false;
    passing_on_ = ended_ = false;
    own_body_.reset();
    if (head_.capacity() > head_kept_bytes) std::string().swap(head_);
    head_.clear();
  }
  switch (state_) {
    case State::broken: input = {}; return Kind::none;
    case State::body: return take_body(input, limits);
    case State::head: return take_head(input, chunk, limits);
    case State::between: break;
  }
  if (input.empty()) return Kind::none;
  const char first = static_cast<char>(input.front());
  if (first == '\n' || first == '\r') {
    input = input.subspan(1);
    return first == '\n' ? Kind::beat : next(input, chunk, limits);
  }
  if (first < 'A' || first > 'Z') return fail("A frame begins with its command");
  state_ = State::head;
  return take_head(input, chunk, limits);
}

FrameReader::Kind FrameReader::take_head(Bytes& input, Chunk* chunk, const FrameLimits& limits) {
  if (head_.empty()) {
    const std::size_t end = head_end(input);
    if (end != none) {
      if (end > limits.head_bytes) return fail("The headers are too large");
      const Bytes head = input.first(end);
      input = input.subspan(end);
      if (!parse_head(as_text(head), limits)) return Kind::error;
      return begin_body(input, chunk, limits);
    }
  }
  // In parts: line by line, since one may begin in one read and end in the next.
  while (!input.empty()) {
    const std::size_t at = find_byte(input, '\n');
    const std::size_t count = at == none ? input.size() : at + 1;
    if (head_.size() + count > limits.head_bytes) return fail("The headers are too large");
    head_ += as_text(input.first(count));
    input = input.subspan(count);
    if (at == none) return Kind::none;
    const std::size_t before = head_.size() < 2 ? std::string::npos : head_.rfind('\n', head_.size() - 2);
    const std::size_t line = before == std::string::npos ? 0 : before + 1;
    if (!is_empty_line(std::string_view(head_).substr(line))) continue;
    if (!parse_head(head_, limits)) return Kind::error;
    return begin_body(input, chunk, limits);
  }
  return Kind::none;
}

// False: `error_` says why.
bool FrameReader::parse_head(std::string_view text, const FrameLimits& limits) {
  const std::size_t line = text.find('\n');
  command_ = text.substr(0, line);
  if (command_.ends_with('\r')) command_.remove_suffix(1);
  text.remove_prefix(line + 1);
  text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);  // the empty line
  const bool escaped = command_ != "CONNECT" && command_ != "CONNECTED";
  if (!headers_.parse(text, version_, escaped, limits.headers)) {
    fail("A header is not valid, or there are too many");
    return false;
  }
  const auto length = headers_.find("content-length");
  length_known_ = length.has_value();
  length_ = had_ = 0;
  if (!length_known_) return true;
  const char* const end = length->data() + length->size();
  const auto [at, wrong] = std::from_chars(length->data(), end, length_);
  if (wrong != std::errc() || at != end) {
    fail("content-length is not a number");
    return false;
  }
  if (length_ > limits.body_bytes) {
    fail("The message is too large");
    return false;
  }
  return true;
}

// The whole body may be here already.
FrameReader::Kind FrameReader::begin_body(Bytes& input, Chunk* chunk, const FrameLimits& limits) {
  state_ = State::body;
  const std::size_t end = length_known_ ? length_ : find_byte(input, '\0');
  if (end < input.size()) {
    if (end > limits.body_bytes) return fail("The message is too large");
    if (static_cast<char>(input[end]) != '\0') return fail("The frame does not end where its body does");
    body_ = input.first(end);
    body_chunk_ = chunk;
    input = input.subspan(end + 1);
    return finish(Kind::frame);
  }
  if (head_.empty()) {
    // The views are of this read: the head is read once more where it stays.
    const char* const begin = command_.data();
    head_.assign(begin, reinterpret_cast<const char*>(input.data()));
    if (!parse_head(head_, limits)) return Kind::error;
  }
  return Kind::head;
}

FrameReader::Kind FrameReader::take_body(Bytes& input, const FrameLimits& limits) {
  if (ended_) return finish(Kind::end);
  if (input.empty()) return Kind::none;
  const std::size_t end = length_known_ ? length_ - had_ : find_byte(input, '\0');
  const Bytes part = input.first(std::min(end, input.size()));
  if (part.size() > limits.body_bytes - had_) return fail("The message is too large");
  had_ += part.size();
  if (!passing_on_) keep(part);
  input = input.subspan(part.size());
  if (!input.empty()) {
    if (static_cast<char>(input.front()) != '\0') return fail("The frame does not end where its body does");
    input = input.subspan(1);
    if (!passing_on_) {
      body_ = own_body_ ? Bytes(own_body_->data(), had_) : Bytes();
      body_chunk_ = own_body_.get();
      return finish(Kind::frame);
    }
    ended_ = true;
    if (part.empty()) return finish(Kind::end);
  }
  if (!passing_on_) return Kind::none;
  body_ = part;
  return part.empty() ? Kind::none : Kind::part;
}

void FrameReader::keep(Bytes part) {
  if (part.empty()) return;
  const std::size_t before = had_ - part.size();
  if (!own_body_ || had_ > own_body_->capacity()) {
    std::size_t bytes = std::max(first_body_bytes, own_body_ ? std::size_t{own_body_->capacity()} : 0);
    while (bytes < had_) bytes *= 4;
    if (length_known_) bytes = std::min(bytes, std::max(length_, had_));
    const ChunkRef larger = ChunkRef::adopt(Chunk::make(bytes));
    if (before > 0) std::memcpy(larger->data(), own_body_->data(), before);
    own_body_ = larger;
  }
  std::memcpy(own_body_->data() + before, part.data(), part.size());
}

}  // namespace weir::stomp
