#include "cli/rush_shop.h"

#include <fmt/format.h>

#include "cli/connect_stream.h"
#include "protocol/amqp091/codec/basic_methods.h"
#include "protocol/amqp091/codec/channel_methods.h"
#include "protocol/amqp091/codec/content_frames.h"
#include "protocol/amqp091/codec/queue_methods.h"

namespace weir::cli {
namespace {

constexpr std::size_t window = 5'000;  // unconfirmed
constexpr std::size_t batch = 500;     // that leave at once
constexpr std::uint32_t settled = UINT32_MAX;

}  // namespace

RushShop::RushShop(const RushPlace& place, std::uint32_t first, std::uint32_t step, std::uint32_t orders)
    : place_(place), step_(step), orders_(orders), next_(first) {}

void RushShop::tick(std::uint64_t now_ns) {
  if (closing_) return;
  if (!finished()) return publish();
  if (now_ns < retry_at_ns_) return;
  retry_at_ns_ = now_ns + rush_retry_ns;
  auto stream = connect_stream(place_.loop, place_.server.host, place_.server.port, place_.tls);
  if (!stream) return;
  client_ = std::make_unique<AmqpClient>(ClientOptions{.user = place_.server.user,
                                                       .password = place_.server.password,
                                                       .vhost = place_.server.vhost,
                                                       .name = "weir demo rush: shop"},
                                         place_.loop, static_cast<ClientEvents&>(*this));
  client_->start(std::move(*stream));
}

void RushShop::on_ready() {
  client_->append(amqp091::QueueDeclare{.queue = place_.queue, .durable = true});
  client_->append(amqp091::ConfirmSelect{});
}

void RushShop::on_frame(const amqp091::Frame& frame) {
  using namespace amqp091;
  if (frame.type != FrameType::method) return;
  const MethodId id = method_id_of(frame.payload);
  if (id == BasicAck::info.id) {
    if (const auto ack = decode_as<BasicAck>(frame.payload)) settle(ack->delivery_tag, ack->multiple, false);
  } else if (id == BasicNack::info.id) {
    if (const auto nack = decode_as<BasicNack>(frame.payload))
      settle(nack->delivery_tag, nack->multiple, true);
  } else if (id == ConfirmSelectOk::info.id) {
    ready_ = true;
  }
}

void RushShop::settle(std::uint64_t tag, bool multiple, bool refused) {
  if (tag < first_tag_ || tag >= first_tag_ + unconfirmed_.size()) return;
  for (std::uint64_t at = multiple ? first_tag_ : tag; at <= tag; ++at) {
    std::uint32_t& order = unconfirmed_[at - first_tag_];
    if (order == settled) continue;
    if (refused) {
      again_.push_back(order);
    } else {
      place_.book.confirmed(order);
    }
    order = settled;
  }
  while (!unconfirmed_.empty() && unconfirmed_.front() == settled) {
    unconfirmed_.pop_front();
    ++first_tag_;
  }
}

bool RushShop::next(std::uint32_t& order) {
  if (!again_.empty()) {
    order = again_.front();
    again_.pop_front();
    return true;
  }
  if (next_ >= orders_ || next_ >= place_.book.counts.arrived.load(std::memory_order_relaxed)) return false;
  order = next_;
  next_ += step_;
  return true;
}

void RushShop::append_order(std::uint32_t order) {
  using namespace amqp091;
  std::vector<std::byte> properties;
  append_properties(properties, {.content_type = "application/json", .delivery_mode = 2});
  append_method_frame(out_, client_channel, BasicPublish{.routing_key = place_.queue});
  append_content_frames(out_, client_channel, properties, as_bytes(place_.book.order_text(order)),
                        client_->frame_max());
  place_.book.published(order);
  unconfirmed_.push_back(order);
}

void RushShop::publish() {
  while (ready_ && !closing_ && client_->output_idle() && !client_->blocked_by_broker()) {
    out_.clear();
    std::uint32_t order = 0;
    for (std::size_t i = 0; i < batch && unconfirmed_.size() < window && next(order); ++i)
      append_order(order);
    if (out_.empty()) return;
    client_->queue_bytes(out_);
    client_->flush();
  }
}

void RushShop::on_failed(const Error& /*error*/) {
  ready_ = false;
  for (const std::uint32_t order : unconfirmed_) {
    if (order != settled) again_.push_back(order);
  }
  unconfirmed_.clear();
  first_tag_ = 1;
}

void RushShop::close() {
  closing_ = true;
  if (client_ != nullptr) client_->close();
}

}  // namespace weir::cli
