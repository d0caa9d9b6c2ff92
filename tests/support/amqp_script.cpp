#include "support/amqp_script.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/amqp091/codec/content_frames.h"

namespace weir::test {

using namespace weir::amqp091;  // NOLINT: a test's vocabulary

namespace {

class ArgumentPrinter {
 public:
  explicit ArgumentPrinter(std::string& out) : out_(out) {}
  void operator()(const auto&... arguments) { (print(arguments), ...); }

 private:
  void print(std::string_view value) { add(fmt::format("'{}'", value)); }
  void print(bool value) { add(value ? "true" : "false"); }
  void print(const LongString& value) { add(fmt::format("'{}'", value.value)); }
  void print(const TableBytes& value) { add(fmt::format("table of {} bytes", value.content.size())); }
  template <std::unsigned_integral T>
  void print(T value) {
    add(std::to_string(value));
  }
  void add(std::string_view text) {
    if (out_.back() != '{') out_ += ", ";
    out_ += text;
  }
  std::string& out_;
};

constexpr std::string_view capability_names[] = {"authentication_failure_close", "consumer_cancel_notify",
                                                 "connection.blocked", "publisher_confirms", "basic.nack"};

}  // namespace

std::string describe(const Method& method) {
  return std::visit(
      [](const auto& any) {
        std::string text(any.info.name);
        text += '{';
        ArgumentPrinter printer(text);
        std::remove_cvref_t<decltype(any)>::fields(any, printer);
        return text + '}';
      },
      method);
}

AmqpPeer::AmqpPeer(AmqpWorld& world, Login login)
    : world_(world), login_(login), stream_(world.connect(login.loopback)) {
  stream_->open(*this);
}

AmqpPeer::~AmqpPeer() { stream_->close(); }

// --- out ---

void AmqpPeer::send_bytes(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

void AmqpPeer::send_protocol_header() { send_bytes(protocol_header); }

void AmqpPeer::send_frame(FrameType type, std::uint16_t channel, Bytes payload) {
  std::vector<std::byte> frame(frame_overhead_bytes + payload.size());
  std::byte* to = write_frame_header(frame.data(), type, channel, static_cast<std::uint32_t>(payload.size()));
  std::ranges::copy(payload, to);
  write_frame_end(to + payload.size());
  send_bytes(frame);
}

void AmqpPeer::send_heartbeat() { send_frame(FrameType::heartbeat, 0, {}); }

void AmqpPeer::send_content(std::uint16_t channel, std::string_view body, const Properties& properties,
                            std::size_t frame_payload_max) {
  std::vector<std::byte> raw;
  append_properties(raw, properties);
  std::vector<std::byte> frames;
  const std::size_t most =
      frame_payload_max != 0 ? frame_payload_max : login_.frame_max - frame_overhead_bytes;
  append_content_frames(frames, channel, raw, as_bytes(body),
                        static_cast<std::uint32_t>(most + frame_overhead_bytes));
  send_bytes(frames);
}

void AmqpPeer::publish(std::uint16_t channel, std::string_view exchange, std::string_view key,
                       std::string_view body, const Properties& properties) {
  send(channel, BasicPublish{.exchange = exchange, .routing_key = key});
  send_content(channel, body, properties);
}

void AmqpPeer::flush() { run(); }

void AmqpPeer::flush_some() {
  while (sent_ < out_.size() && !closed_) {
    const Bytes piece = Bytes(out_).subspan(sent_);
    const auto taken = stream_->write({&piece, 1});
    if (!taken) break;
    sent_ += *taken;
    if (*taken < piece.size()) return;
  }
  out_.clear();
  sent_ = 0;
}

void AmqpPeer::run() {
  flush_some();
  world_.run();
}

// --- in ---

void AmqpPeer::on_readable() {
  std::byte buffer[4'096];
  for (;;) {
    const auto count = stream_->read(buffer);
    if (!count || *count == 0) return;
    in_.insert(in_.end(), buffer, buffer + *count);
  }
}

void AmqpPeer::on_closed(const Error&) { closed_ = true; }

void AmqpPeer::cut_frames() {
  Bytes rest(in_);
  for (;;) {
    // The server's frames are not measured here: tests that care about sizes look at them.
    const DecodedFrame decoded = decode_frame(rest, UINT32_MAX);
    if (decoded.answer != DecodedFrame::Answer::frame) break;
    frames_.push_back({decoded.frame.type,
                       decoded.frame.channel,
                       {decoded.frame.payload.begin(), decoded.frame.payload.end()}});
    rest = rest.subspan(decoded.bytes);
  }
  in_.erase(in_.begin(), in_.end() - static_cast<std::ptrdiff_t>(rest.size()));
}

const AmqpPeer::ReceivedFrame* AmqpPeer::next_frame(std::string_view wanted) {
  if (next_ == frames_.size()) {
    run();
    cut_frames();
  }
  if (next_ < frames_.size()) return &frames_[next_++];
  ADD_FAILURE() << "expected " << wanted << ", nothing came" << (closed_ ? " and the server closed" : "");
  return nullptr;
}

void AmqpPeer::mismatch(std::string_view wanted, std::string_view came) {
  ADD_FAILURE() << "expected " << wanted << ", came " << came;
}

std::optional<Method> AmqpPeer::next_method(std::uint16_t channel) {
  const ReceivedFrame* const frame = next_frame("a method");
  if (frame == nullptr) return std::nullopt;
  EXPECT_EQ(frame->type, FrameType::method);
  if (frame->type != FrameType::method) return std::nullopt;
  const auto decoded = decode_method(frame->payload);
  EXPECT_TRUE(decoded.has_value());
  if (!decoded) return std::nullopt;
  EXPECT_EQ(frame->channel, channel) << describe(*decoded);
  return *decoded;
}

ReceivedContent AmqpPeer::expect_content(std::uint16_t channel) {
  ReceivedContent content;
  const ReceivedFrame* const header_frame = next_frame("a content header");
  if (header_frame == nullptr) return content;
  EXPECT_EQ(header_frame->type, FrameType::header);
  EXPECT_EQ(header_frame->channel, channel);
  const auto header = decode_content_header(header_frame->payload);
  EXPECT_TRUE(header.has_value());
  if (!header) return content;
  content.properties = properties_of(PropertiesView(header->raw_properties));
  content.raw_properties.assign(header->raw_properties.begin(), header->raw_properties.end());
  while (content.body.size() < header->body_bytes) {
    const ReceivedFrame* const frame = next_frame("a body frame");
    if (frame == nullptr) return content;
    EXPECT_EQ(frame->type, FrameType::body);
    EXPECT_EQ(frame->channel, channel);
    EXPECT_LE(frame->payload.size() + frame_overhead_bytes, login_.frame_max);
    content.body += as_text(frame->payload);
    ++content.body_frames;
  }
  EXPECT_EQ(content.body.size(), header->body_bytes);
  return content;
}

void AmqpPeer::expect_heartbeat() {
  const ReceivedFrame* const frame = next_frame("a heartbeat");
  if (frame == nullptr) return;
  EXPECT_EQ(frame->type, FrameType::heartbeat);
}

std::size_t AmqpPeer::unread_frames() {
  run();
  cut_frames();
  return frames_.size() - next_;
}

void AmqpPeer::expect_nothing() {
  if (unread_frames() == 0 && in_.empty()) return;
  if (next_ == frames_.size()) {
    ADD_FAILURE() << "expected nothing, came part of a frame";
  } else if (frames_[next_].type != FrameType::method) {
    ADD_FAILURE() << "expected nothing, came a content or heartbeat frame";
  } else {
    const auto decoded = decode_method(frames_[next_].payload);
    mismatch("nothing", decoded ? describe(*decoded) : "a method that does not decode");
  }
}

void AmqpPeer::expect_closed() {
  run();
  EXPECT_TRUE(closed_) << "the server should have closed the stream";
}

void AmqpPeer::expect_open() {
  run();
  EXPECT_FALSE(closed_) << "the server should not have closed the stream";
}

void AmqpPeer::expect_channel_error(std::uint16_t channel, std::uint16_t code, std::string_view text,
                                    MethodId culprit) {
  expect(channel, ChannelClose{code, text, culprit.class_id, culprit.method_id});
  send(channel, ChannelCloseOk{});
}

void AmqpPeer::expect_connection_error(std::uint16_t code, std::string_view text, MethodId culprit) {
  expect(0, ConnectionClose{code, text, culprit.class_id, culprit.method_id});
  send(0, ConnectionCloseOk{});
  expect_closed();
}

std::vector<std::byte> AmqpPeer::take_received() {
  run();
  return std::exchange(in_, {});
}

// --- together ---

void AmqpPeer::expect_start() {
  const auto start = expect_any<ConnectionStart>(0);
  EXPECT_EQ(start.version_major, 0);
  EXPECT_EQ(start.version_minor, 9);
  EXPECT_EQ(start.mechanisms.value, "PLAIN AMQPLAIN");
  EXPECT_EQ(start.locales.value, "en_US");
}

void AmqpPeer::send_start_ok() {
  FieldTable capabilities;
  for (const std::string_view name : capability_names) capabilities.add(name, login_.capable);
  const auto properties =
      encode_table(FieldTable().add("product", "script").add("capabilities", std::move(capabilities)));
  std::string response;
  response += '\0';
  response += login_.user;
  response += '\0';
  response += login_.password;
  send(0, ConnectionStartOk{{properties}, "PLAIN", {response}, "en_US"});
}

void AmqpPeer::handshake() {
  send_protocol_header();
  expect_start();
  send_start_ok();
  expect_any<ConnectionTune>(0);
  send(0, ConnectionTuneOk{login_.channel_max, login_.frame_max, login_.heartbeat_s});
  send(0, ConnectionOpen{.virtual_host = login_.vhost});
  expect(0, ConnectionOpenOk{});
}

void AmqpPeer::open_channel(std::uint16_t channel) {
  send(channel, ChannelOpen{});
  expect(channel, ChannelOpenOk{});
}

std::string AmqpPeer::declare(std::uint16_t channel, std::string_view queue) {
  send(channel, QueueDeclare{.queue = queue});
  return std::string(expect_any<QueueDeclareOk>(channel).queue);
}

BasicDeliver AmqpPeer::expect_delivery(std::uint16_t channel, std::string_view body) {
  const auto deliver = expect_any<BasicDeliver>(channel);
  EXPECT_EQ(expect_content(channel).body, body);
  return deliver;
}

void AmqpPeer::stop_reading() { stream_->pause_reading(); }
void AmqpPeer::go_on_reading() { stream_->resume_reading(); }

void AmqpPeer::close() {
  flush_some();
  stream_->close();
  closed_ = true;
}

}  // namespace weir::test
