#include "cli/rush_worker.h"

#include <algorithm>

#include "cli/connect_stream.h"
#include "protocol/amqp091/codec/basic_methods.h"
#include "protocol/amqp091/codec/content.h"
#include "protocol/amqp091/codec/queue_methods.h"

namespace weir::cli {
namespace {

constexpr std::uint64_t order_bytes_max = 4'096;  // more is kept of no message: it is no order then

}  // namespace

void RushWorker::tick(std::uint64_t now_ns) {
  if (killed_ || closing_ || !finished() || now_ns < retry_at_ns_) return;
  retry_at_ns_ = now_ns + rush_retry_ns;
  auto stream = connect_stream(place_.loop, place_.server.host, place_.server.port, place_.tls);
  if (!stream) return;
  client_ = std::make_unique<AmqpClient>(ClientOptions{.user = place_.server.user,
                                                       .password = place_.server.password,
                                                       .vhost = place_.server.vhost,
                                                       .name = "weir demo rush: worker"},
                                         place_.loop, static_cast<ClientEvents&>(*this));
  client_->start(std::move(*stream));
}

void RushWorker::on_ready() {
  client_->append(amqp091::QueueDeclare{.queue = place_.queue, .durable = true});
  client_->append(amqp091::BasicQos{.prefetch_count = prefetch_});
  client_->append(amqp091::BasicConsume{.queue = place_.queue});
}

void RushWorker::on_frame(const amqp091::Frame& frame) {
  using amqp091::FrameType;
  if (frame.type == FrameType::method) return on_method(frame.payload);
  if (frame.type == FrameType::header) {
    const auto header = amqp091::decode_content_header(frame.payload);
    coming_.body_bytes = header ? header->body_bytes : 0;
    if (coming_.body_bytes == 0) delivered();
    return;
  }
  const std::string_view part(reinterpret_cast<const char*>(frame.payload.data()), frame.payload.size());
  if (coming_.body_bytes <= order_bytes_max) coming_.body += part;
  coming_.body_bytes -= std::min<std::uint64_t>(coming_.body_bytes, part.size());
  if (coming_.body_bytes == 0) delivered();
}

void RushWorker::on_method(Bytes payload) {
  using namespace amqp091;
  const MethodId id = method_id_of(payload);
  if (id == BasicConsumeOk::info.id) connected_.store(true);
  if (id != BasicDeliver::info.id) return;
  const auto deliver = decode_as<BasicDeliver>(payload);
  coming_ = {};
  if (deliver) {
    coming_.tag = deliver->delivery_tag;
    coming_.redelivered = deliver->redelivered;
  }
}

void RushWorker::delivered() {
  held_.push_back(std::move(coming_));
  coming_ = {};
}

bool RushWorker::commit_one() {
  if (held_.empty() || finished()) return false;
  place_.book.commit(held_.front().body, held_.front().redelivered);
  written_tag_ = held_.front().tag;
  held_.pop_front();
  return true;
}

void RushWorker::acknowledge() {
  if (written_tag_ == 0) return;
  client_->append(amqp091::BasicAck{.delivery_tag = written_tag_, .multiple = true});
  client_->flush();
  written_tag_ = 0;
  holds_.store(static_cast<std::uint32_t>(held_.size()));
}

void RushWorker::forget() {
  held_.clear();
  coming_ = {};
  written_tag_ = 0;
  holds_.store(0);
  connected_.store(false);
}

void RushWorker::kill(std::uint32_t unacknowledged) {
  while (unacknowledged > 0 && commit_one()) --unacknowledged;
  killed_ = true;
  client_.reset();
  forget();
}

void RushWorker::on_failed(const Error& /*error*/) { forget(); }

void RushWorker::close() {
  closing_ = true;
  if (client_ == nullptr || client_->finished()) return;
  acknowledge();
  client_->close();
}

}  // namespace weir::cli
