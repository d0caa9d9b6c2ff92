#include "cli/stomp_client.h"

#include <fmt/format.h>

#include "protocol/stomp/codec/stored_headers.h"

namespace weir::cli {

namespace {

constexpr std::string_view goodbye = "goodbye";

std::string connect_frame(const BenchServer& server) {
  // CONNECT knows no escapes.
  return fmt::format("CONNECT\naccept-version:1.2\nhost:{}\nlogin:{}\npasscode:{}\nheart-beat:0,0\n\n{}",
                     server.vhost, server.user, server.password, '\0');
}

}  // namespace

std::string stomp_frame(std::string_view command, StompHeaders headers) {
  std::string frame(command);
  frame += '\n';
  for (const auto& [name, value] : headers) stomp::append_header(frame, name, value, stomp::Version::v1_2);
  frame += '\n';
  frame += '\0';
  return frame;
}

StompClient::StompClient(const BenchServer& server, std::size_t body_bytes_max, StompEvents& events)
    : connect_(connect_frame(server)), events_(events), wire_(*this) {
  limits_.body_bytes = std::max<std::size_t>(body_bytes_max, limits_.head_bytes);  // an ERROR has a body, too
}

void StompClient::start(std::unique_ptr<runtime::ByteStream> stream) {
  append(connect_);
  wire_.start(std::move(stream));
}

void StompClient::append(std::string_view frame) {
  const Bytes bytes = as_bytes(frame);
  wire_.output().own().insert(wire_.output().own().end(), bytes.begin(), bytes.end());
}

std::size_t StompClient::on_input(Bytes input) {
  using Kind = stomp::FrameReader::Kind;
  const std::size_t all = input.size();
  events_.on_input_begin();
  while (state_ != State::closed) {
    const Kind kind = reader_.next(input, nullptr, limits_);
    if (kind == Kind::none) break;
    if (kind == Kind::frame) on_frame();
    if (kind == Kind::error) fail_with(fmt::format("bad frame from the broker: {}", reader_.error()));
  }
  if (state_ != State::closed) events_.on_input_end();
  return all;
}

void StompClient::on_frame() {
  const std::string_view command = reader_.command();
  const stomp::Headers& headers = reader_.headers();
  if (command == "MESSAGE" && state_ != State::connecting) [[likely]] {
    events_.on_message(headers, reader_.body());
  } else if (command == "RECEIPT" && state_ != State::connecting) {
    const std::string_view id = headers.value_or("receipt-id", "");
    if (state_ != State::closing || id != goodbye) return events_.on_receipt(id);
    state_ = State::closed;
    wire_.end();
    events_.on_closed();
  } else if (command == "CONNECTED" && state_ == State::connecting) {
    state_ = State::open;
    events_.on_ready();
  } else if (command == "ERROR") {
    fail_with(
        fmt::format("the broker says {}: {}", headers.value_or("message", "ERROR"), as_text(reader_.body())));
  } else {
    fail_with(fmt::format("unexpected frame {}", command));
  }
}

void StompClient::close() {
  if (state_ == State::closing || state_ == State::closed || !wire_.open()) return;
  state_ = State::closing;
  append(stomp_frame("DISCONNECT", {{"receipt", goodbye}}));
  flush();
}

void StompClient::fail_with(std::string what) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  wire_.end();
  events_.on_failed({ErrorCode::closed, std::move(what)});
}

void StompClient::on_lost(const Error& error) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  events_.on_failed({error.code, fmt::format("connection lost: {}", error.message)});
}

}  // namespace weir::cli
