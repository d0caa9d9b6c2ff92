#include "cli/amqp_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "protocol/amqp091/codec/channel_methods.h"
#include "protocol/amqp091/codec/connection_methods.h"
#include "protocol/amqp091/codec/field_table.h"

namespace weir::cli {

using amqp091::Frame;
using amqp091::FrameType;

namespace {

constexpr std::size_t input_bytes = 256U << 10;  // read at once
constexpr unsigned silent_max = 4;               // half heartbeats, that is, two of them

Error closed_by_broker(std::string_view what, std::uint16_t code, std::string_view text) {
  return {ErrorCode::closed, fmt::format("the broker closed the {}: {} {}", what, code, text)};
}

}  // namespace

AmqpClient::AmqpClient(ClientOptions options, runtime::Loop& loop, ClientEvents& events)
    : options_(std::move(options)),
      loop_(loop),
      events_(events),
      input_(input_bytes + amqp091::frame_max_default) {}

void AmqpClient::start(std::unique_ptr<runtime::ByteStream> stream) {
  stream_ = std::move(stream);
  output_.own().assign(std::begin(amqp091::protocol_header), std::end(amqp091::protocol_header));
  stream_->open(*this);
  flush();
}

void AmqpClient::flush() {
  if (state_ != State::closed) output_.flush(*stream_);
}

void AmqpClient::on_readable() {
  while (state_ != State::closed) {
    if (input_begin_ > 0) {
      std::memmove(input_.data(), input_.data() + input_begin_, input_end_ - input_begin_);
      input_end_ -= input_begin_;
      input_begin_ = 0;
    }
    Result<std::size_t> got = stream_->read(std::span(input_).subspan(input_end_));
    if (!got || *got == 0) return;  // after an error, on_closed follows
    input_end_ += *got;
    heard_ = true;
    events_.on_input_begin();
    take_frames();
    if (state_ == State::closed) return;
    events_.on_input_end();
    flush();
  }
}

void AmqpClient::take_frames() {
  using Answer = amqp091::DecodedFrame::Answer;
  while (state_ != State::closed) {
    const Bytes input(input_.data() + input_begin_, input_end_ - input_begin_);
    const amqp091::DecodedFrame decoded = amqp091::decode_frame(input, frame_max_);
    if (decoded.answer == Answer::need_more) return;
    if (decoded.answer == Answer::error) {
      fail_with({ErrorCode::corrupt, fmt::format("bad frame from the broker: {}", decoded.error.text)});
      return;
    }
    input_begin_ += decoded.bytes;
    if (decoded.frame.channel == client_channel && state_ != State::connecting &&
        decoded.frame.type != FrameType::method) [[likely]] {
      events_.on_frame(decoded.frame);
    } else {
      on_frame(decoded.frame);
    }
  }
}

void AmqpClient::on_frame(const Frame& frame) {
  if (frame.type == FrameType::heartbeat) return;
  if (frame.type == FrameType::method && frame.channel == 0) return on_connection_method(frame.payload);
  if (frame.type == FrameType::method && frame.channel == client_channel) return on_channel_method(frame);
  fail_with({ErrorCode::corrupt, "a frame from the broker on a channel that is not open"});
}

template <amqp091::AnyMethod M, typename Take>
void AmqpClient::with(Bytes payload, Take&& take) {
  const amqp091::Decoded<M> method = amqp091::decode_as<M>(payload);
  if (method) return take(*method);
  fail_with(
      {ErrorCode::corrupt, fmt::format("bad {} from the broker: {}", M::info.name, method.error().text)});
}

void AmqpClient::on_connection_method(Bytes payload) {
  using namespace amqp091;
  const MethodId id = method_id_of(payload);
  if (id == ConnectionStart::info.id) {
    start_ok();
  } else if (id == ConnectionTune::info.id) {
    tune_ok(payload);
  } else if (id == ConnectionOpenOk::info.id) {
    append(ChannelOpen{});
    flush();
  } else if (id == ConnectionClose::info.id) {
    with<ConnectionClose>(payload, [this](const ConnectionClose& close) {
      append_on_connection(ConnectionCloseOk{});
      flush();
      fail_with(closed_by_broker("connection", close.reply_code, close.reply_text));
    });
  } else if (id == ConnectionCloseOk::info.id && state_ == State::closing) {
    state_ = State::closed;
    loop_.timers().cancel(heartbeat_timer_);
    stream_->close();
    events_.on_closed();
  } else if (id == ConnectionBlocked::info.id) {
    blocked_by_broker_ = true;
    with<ConnectionBlocked>(payload, [](const ConnectionBlocked& blocked) {
      log_warning("bench", "the broker blocks publishers: {}", blocked.reason);
    });
  } else if (id == ConnectionUnblocked::info.id) {
    blocked_by_broker_ = false;
    events_.on_output_room();
  } else {
    fail_with({ErrorCode::unsupported, fmt::format("unexpected method {}.{}", id.class_id, id.method_id)});
  }
}

void AmqpClient::on_channel_method(const Frame& frame) {
  using namespace amqp091;
  const MethodId id = method_id_of(frame.payload);
  if (id == ChannelClose::info.id) {
    with<ChannelClose>(frame.payload, [this](const ChannelClose& close) {
      fail_with(closed_by_broker("channel", close.reply_code, close.reply_text));
    });
  } else if (id == ChannelOpenOk::info.id) {
    state_ = State::open;
    events_.on_ready();
    flush();
  } else if (id == ChannelFlow::info.id) {
    with<ChannelFlow>(frame.payload, [this](const ChannelFlow& flow) {
      blocked_by_broker_ = !flow.active;
      append(ChannelFlowOk{flow.active});
      if (flow.active) events_.on_output_room();
    });
  } else if (state_ != State::connecting) {
    events_.on_frame(frame);
  }
}

void AmqpClient::start_ok() {
  using namespace amqp091;
  FieldTable capabilities;
  capabilities.add("connection.blocked", true)
      .add("authentication_failure_close", true)
      .add("basic.nack", true);
  capabilities.add("publisher_confirms", true).add("consumer_cancel_notify", true);
  const std::vector<std::byte> properties =
      encode_table(FieldTable()
                       .add("product", "weir bench")
                       .add("connection_name", std::string_view(options_.name))
                       .add("capabilities", std::move(capabilities)));
  std::string response;
  response.append(1, '\0').append(options_.user).append(1, '\0').append(options_.password);
  append_on_connection(ConnectionStartOk{
      .client_properties = {properties}, .mechanism = "PLAIN", .response = {response}, .locale = "en_US"});
  flush();
}

void AmqpClient::tune_ok(Bytes payload) {
  using namespace amqp091;
  with<ConnectionTune>(payload, [this](const ConnectionTune& tune) {
    frame_max_ = tune.frame_max == 0 ? frame_max_default : std::min(tune.frame_max, frame_max_default);
    heartbeat_s_ = options_.heartbeat_s;
    append_on_connection(ConnectionTuneOk{tune.channel_max, frame_max_, heartbeat_s_});
    append_on_connection(ConnectionOpen{.virtual_host = options_.vhost});
    flush();
    if (heartbeat_s_ > 0) loop_.timers().arm(heartbeat_timer_, heartbeat_s_ * 500U);
  });
}

void AmqpClient::on_heartbeat_timer() {
  silent_ = heard_ ? 0 : silent_ + 1;
  heard_ = false;
  if (silent_ > silent_max) return fail_with({ErrorCode::timed_out, "no heartbeat from the broker"});
  std::vector<std::byte>& own = output_.own();
  const std::size_t at = own.size();
  own.resize(at + amqp091::frame_overhead_bytes);
  amqp091::write_heartbeat_frame(own.data() + at);
  flush();
  loop_.timers().arm(heartbeat_timer_, heartbeat_s_ * 500U);
}

void AmqpClient::close() {
  if (stream_ == nullptr || state_ == State::closing || state_ == State::closed) return;
  state_ = State::closing;
  append_on_connection(amqp091::ConnectionClose{.reply_code = 200, .reply_text = "done"});
  flush();
}

void AmqpClient::fail_with(Error error) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  loop_.timers().cancel(heartbeat_timer_);
  stream_->close();
  events_.on_failed(error);
}

void AmqpClient::on_writable() {
  output_.there_is_room();
  flush();
  if (state_ != State::closed && output_idle()) events_.on_output_room();
}

void AmqpClient::on_closed(const Error& reason) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  loop_.timers().cancel(heartbeat_timer_);
  events_.on_failed({reason.code, fmt::format("connection lost: {}", reason.message)});
}

}  // namespace weir::cli
