#include "protocol/http/web_socket.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "protocol/http/codec/request_parser.h"
#include "protocol/http/codec/web_socket_frame.h"

namespace weir::http {
namespace {

constexpr std::size_t upgrade_read_bytes = 4U << 10;

class WebSocket final : public runtime::ByteStream, private runtime::StreamHandler {
 public:
  WebSocket(std::unique_ptr<runtime::ByteStream> below, runtime::TimerWheel& timers, const Clock& clock,
            const WebSocketOptions& options)
      : below_(std::move(below)),
        timers_(timers),
        clock_(clock),
        options_(options),
        reader_(options.takes_text) {}
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;
  ~WebSocket() override {
    if (gone_ != nullptr) *gone_ = true;
  }

  void open(runtime::StreamHandler& handler) override;
  Result<std::size_t> read(MutableBytes into) override;
  Result<std::size_t> write(std::span<const Bytes> pieces) override;
  void pause_reading() override;
  void resume_reading() override;
  void close() override;
  const runtime::PeerInfo& peer() const override { return below_->peer(); }

 private:
  enum class Stage : std::uint8_t { upgrading, open, leaving, closed };

  // --- of the stream below ---
  void on_readable() override;
  void on_writable() override;
  void on_closed(const Error& reason) override;

  void upgrade();
  void refuse(unsigned status, const std::string& reason);
  void refuse(const Response& response);
  std::size_t unwrap(MutableBytes bytes);
  void leave(bool faulty);
  WebSocketOpcode kind_of(std::span<const Bytes> pieces, std::size_t bytes) const;
  bool between_frames() const { return frame_left_ == 0; }
  void take_pong();
  bool send_ahead();
  void ask_due() { timers_.arm(due_, 0); }
  void on_due();
  void on_late();
  void say_goodbye();
  void tell_closed(const Error& reason);

  // The request on its way.
  struct Upgrade {
    RequestParser parser{upgrade_head_bytes_max};
    std::vector<std::byte> input;
  };

  const std::unique_ptr<runtime::ByteStream> below_;
  runtime::TimerWheel& timers_;
  const Clock& clock_;
  const WebSocketOptions& options_;
  runtime::StreamHandler* handler_ = nullptr;
  std::unique_ptr<Upgrade> upgrade_ = std::make_unique<Upgrade>();
  WebSocketReader reader_;
  std::vector<std::byte> early_;  // came behind the request, not unwrapped yet
  // Goes before everything else: the answer to the request, a frame's head, control frames.
  std::string ahead_;
  std::size_t ahead_sent_ = 0;
  std::size_t frame_left_ = 0;       // payload of the frame begun that is to follow
  std::optional<std::string> pong_;  // for the last ping, when there is room between frames
  std::optional<Error> reason_;      // why it is leaving
  Stage stage_ = Stage::upgrading;
  bool paused_ = false, wants_room_ = false, faulty_ = false;
  bool* gone_ = nullptr;  // set by the destructor, for the callback that caused it
  runtime::MethodTimer<WebSocket, &WebSocket::on_due> due_{*this};
  runtime::MethodTimer<WebSocket, &WebSocket::on_late> late_{*this};
};

void WebSocket::open(runtime::StreamHandler& handler) {
  handler_ = &handler;
  timers_.arm(late_, upgrade_ms_max);
  below_->open(*this);
}

// --- the request ---

void WebSocket::upgrade() {
  while (stage_ == Stage::upgrading) {
    std::vector<std::byte>& input = upgrade_->input;
    const std::size_t held = input.size();
    input.resize(held + upgrade_read_bytes);
    const auto count = below_->read(MutableBytes(input).subspan(held));
    input.resize(held + (count ? *count : 0));
    if (!count || *count == 0) return;  // after an error, on_closed follows
    RequestParser& parser = upgrade_->parser;
    const std::size_t used = parser.put(input);
    input.erase(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(used));
    if (parser.fault()) return refuse(parser.fault()->status, parser.fault()->reason);
    if (!parser.has_head()) continue;
    if (parser.announces_body()) return refuse(400, "a WebSocket begins with a request without a body");
    const Response answer = answer_upgrade(parser.request(), options_);
    if (answer.status != 101) return refuse(answer);
    timers_.cancel(late_);
    append_head(ahead_, answer, true, clock_.wall_ms());
    early_ = std::move(input);
    upgrade_.reset();
    stage_ = Stage::open;
    if (paused_) below_->pause_reading();
    send_ahead();
    if (wants_room_ || !early_.empty()) ask_due();
  }
}

void WebSocket::refuse(unsigned status, const std::string& reason) {
  Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
  response.body = reason + "\n";
  refuse(response);
}

// The last thing that a callback does.
void WebSocket::refuse(const Response& response) {
  append_head(ahead_, response, false, clock_.wall_ms());
  ahead_ += response.body;
  send_ahead();
  std::string_view reason = response.body;
  reason.remove_suffix(1);
  tell_closed({ErrorCode::closed, fmt::format("no WebSocket: {} {}", response.status, reason)});
}

void WebSocket::on_late() { refuse(408, "the request took too long"); }

// --- input ---

void WebSocket::on_readable() {
  if (stage_ == Stage::upgrading) return upgrade();
  handler_->on_readable();
}

Result<std::size_t> WebSocket::read(MutableBytes into) {
  while (stage_ == Stage::open && !paused_ && !into.empty()) {
    std::size_t count = std::min(early_.size(), into.size());
    if (count > 0) {
      std::memcpy(into.data(), early_.data(), count);
      early_.erase(early_.begin(), early_.begin() + static_cast<std::ptrdiff_t>(count));
    } else {
      const auto received = below_->read(into);
      if (!received || *received == 0) return received;
      count = *received;
    }
    const std::size_t payload = unwrap(into.first(count));
    if (payload > 0) return payload;
  }
  return 0;
}

// Bytes of messages, moved to the beginning of `bytes`.
std::size_t WebSocket::unwrap(MutableBytes bytes) {
  std::size_t payload = 0;
  MutableBytes rest = bytes;
  while (!rest.empty() && stage_ == Stage::open) {
    const WebSocketReader::Step step = reader_.take(rest);
    if (step.payload > 0 && payload < static_cast<std::size_t>(rest.data() - bytes.data()))
      std::memmove(bytes.data() + payload, rest.data(), step.payload);
    payload += step.payload;
    rest = rest.subspan(step.used);
    switch (step.event) {
      case WebSocketReader::Event::ping: pong_ = as_text(reader_.control_payload()); break;
      case WebSocketReader::Event::close: leave(false); break;
      case WebSocketReader::Event::fault: leave(true); break;
      case WebSocketReader::Event::none:
      case WebSocketReader::Event::pong: break;
    }
  }
  if (pong_ && stage_ == Stage::open) send_ahead();
  return payload;
}

// What was read before is handled first, and answered; then the other side is told, and ours.
void WebSocket::leave(bool faulty) {
  stage_ = Stage::leaving;
  faulty_ = faulty;
  reason_ = Error{ErrorCode::closed,
                  fmt::format("{} the WebSocket: {}{}{}", faulty ? "a fault ended" : "the peer closed",
                              reader_.code(), reader_.reason().empty() ? "" : " ", reader_.reason())};
  ask_due();
}

void WebSocket::pause_reading() {
  paused_ = true;
  if (stage_ != Stage::upgrading) below_->pause_reading();
}

void WebSocket::resume_reading() {
  if (!std::exchange(paused_, false)) return;
  if (stage_ != Stage::upgrading) below_->resume_reading();
  if (stage_ == Stage::leaving || !early_.empty()) ask_due();
}

// --- output ---

Result<std::size_t> WebSocket::write(std::span<const Bytes> pieces) {
  if (stage_ == Stage::closed) return fail(ErrorCode::closed, "the stream is closed");
  std::array<Bytes, runtime::write_pieces_max> gathered;
  std::size_t taken = 0, skipped = 0;  // skipped: of the first piece
  while (!pieces.empty()) {
    if (stage_ == Stage::upgrading || (between_frames() && !send_ahead())) {
      wants_room_ = true;
      break;
    }
    std::size_t count = 1, offered = 0;
    const std::size_t most = between_frames() ? frame_payload_bytes_max : frame_left_;
    for (std::size_t i = 0; i < pieces.size() && count < gathered.size() && offered < most; ++i) {
      const Bytes piece = pieces[i].subspan(i == 0 ? skipped : 0);
      gathered[count] = piece.first(std::min(piece.size(), most - offered));
      offered += gathered[count++].size();
    }
    if (offered == 0) break;
    if (between_frames()) {
      append_frame_head(ahead_, kind_of({gathered.data() + 1, count - 1}, offered), offered);
      frame_left_ = offered;
    }
    const std::size_t head = ahead_.size() - ahead_sent_;
    gathered[0] = as_bytes(ahead_).subspan(ahead_sent_);
    const auto sent = below_->write({gathered.data(), count});
    if (!sent) return sent;
    ahead_sent_ += std::min(*sent, head);
    if (ahead_sent_ == ahead_.size()) {
      ahead_.clear();
      ahead_sent_ = 0;
    }
    const std::size_t payload = *sent - std::min(*sent, head);
    taken += payload;
    frame_left_ -= payload;
    if (*sent < head + offered) {
      wants_room_ = true;
      break;
    }
    skipped += payload;
    while (!pieces.empty() && skipped >= pieces.front().size()) {
      skipped -= pieces.front().size();
      pieces = pieces.subspan(1);
    }
  }
  return taken;
}

// A client that speaks text may not expect anything else; but all of a text message has to be UTF-8.
WebSocketOpcode WebSocket::kind_of(std::span<const Bytes> pieces, std::size_t bytes) const {
  if (!reader_.text()) return WebSocketOpcode::binary;
  Utf8Check check;
  for (const Bytes piece : pieces) {
    const Bytes part = piece.first(std::min(piece.size(), bytes));
    if (!check.take(part)) return WebSocketOpcode::binary;
    bytes -= part.size();
  }
  return check.whole() ? WebSocketOpcode::text : WebSocketOpcode::binary;
}

void WebSocket::take_pong() {
  if (!pong_) return;
  append_frame_head(ahead_, WebSocketOpcode::pong, pong_->size());
  ahead_ += *pong_;
  pong_.reset();
}

// Between frames: what has to go before the next one. False: there is no room, on_writable follows, or on_closed.
bool WebSocket::send_ahead() {
  if (!between_frames()) return false;
  if (ahead_.empty()) take_pong();
  while (!ahead_.empty()) {
    const Bytes rest = as_bytes(ahead_).subspan(ahead_sent_);
    const auto sent = below_->write({&rest, 1});
    if (!sent) return false;
    ahead_sent_ += *sent;
    if (ahead_sent_ < ahead_.size()) return false;
    ahead_.clear();
    ahead_sent_ = 0;
    take_pong();
  }
  return true;
}

void WebSocket::on_writable() {
  if (stage_ == Stage::upgrading) return;
  if (between_frames() && !send_ahead()) return;
  if (std::exchange(wants_room_, false)) handler_->on_writable();
}

// --- the end ---

void WebSocket::on_due() {
  bool gone = false;
  gone_ = &gone;
  if (stage_ == Stage::open) {
    if (std::exchange(wants_room_, false)) handler_->on_writable();
    if (!gone && handler_ != nullptr && !paused_ && !early_.empty()) handler_->on_readable();
    if (gone) return;
    if (stage_ == Stage::open && !paused_ && !early_.empty()) ask_due();
  }
  gone_ = nullptr;
  if (stage_ != Stage::leaving || paused_) return;
  say_goodbye();
  tell_closed(*reason_);
}

// The client's own code comes back to it; what is wrong is said in words.
void WebSocket::say_goodbye() {
  if (!between_frames()) return;
  if (stage_ == Stage::open) {
    append_close_frame(ahead_, close_code::normal, {});
  } else {
    append_close_frame(ahead_, reader_.code(), faulty_ ? reader_.reason() : std::string_view());
  }
  send_ahead();
}

// The last thing that a callback does.
void WebSocket::tell_closed(const Error& reason) {
  stage_ = Stage::closed;
  timers_.cancel(late_);
  timers_.cancel(due_);
  below_->close();
  const Error why = reason;
  std::exchange(handler_, nullptr)->on_closed(why);
}

void WebSocket::on_closed(const Error& reason) {
  const Error why = stage_ == Stage::leaving ? *reason_ : reason;
  stage_ = Stage::closed;
  timers_.cancel(late_);
  timers_.cancel(due_);
  std::exchange(handler_, nullptr)->on_closed(why);
}

void WebSocket::close() {
  if (stage_ == Stage::open || stage_ == Stage::leaving) say_goodbye();
  handler_ = nullptr;
  stage_ = Stage::closed;
  timers_.cancel(late_);
  timers_.cancel(due_);
  below_->close();
}

}  // namespace

std::unique_ptr<runtime::ByteStream> make_web_socket(std::unique_ptr<runtime::ByteStream> below,
                                                     runtime::TimerWheel& timers, const Clock& clock,
                                                     const WebSocketOptions& options) {
  return std::make_unique<WebSocket>(std::move(below), timers, clock, options);
}

}  // namespace weir::http
