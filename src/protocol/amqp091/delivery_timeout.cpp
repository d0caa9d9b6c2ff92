// A client that does not acknowledge what it got: after a while its channel is closed, and the messages come back.
#include <fmt/format.h>

#include <algorithm>

#include "node/consumer_timeout.h"
#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"

namespace weir::amqp091 {

namespace {

// A delivery counts as made up to this part of the timeout later than it was.
constexpr std::uint64_t grains_per_timeout = 64;
// What must wait for the answer to a request is looked at again so soon.
constexpr std::uint64_t retry_ms = 50;
// Where nothing times out now, the queues' timeouts may be others by then.
constexpr std::uint64_t look_again_ms = 86'400'000;

std::uint64_t grain_of(std::uint64_t timeout_ms) {
  return std::max<std::uint64_t>(1, timeout_ms / grains_per_timeout);
}

}  // namespace

// 0: none.
std::uint64_t Channel::delivery_timeout_ms(const broker::QueueDefinition* queue) {
  const std::uint64_t own =
      queue == nullptr ? 0 : node::consumer_timeout_ms(connection_.client().topology(), *queue);
  return own != 0 ? own : connection_.settings().consumer_timeout_ms;
}

// Deliveries of this queue are about to come.
void Channel::expect_deliveries_of(std::string_view queue) {
  const std::uint64_t timeout_ms =
      delivery_timeout_ms(connection_.client().topology().find_queue(connection_.vhost(), queue));
  if (timeout_ms == 0 || (least_timeout_ms_ != 0 && least_timeout_ms_ <= timeout_ms)) return;
  least_timeout_ms_ = timeout_ms;
  if (timeout_.armed()) connection_.client().timers().arm(timeout_, grain_of(timeout_ms));
}

void Channel::note_unacked(const Unacked& delivery) {
  unacked_.push(delivery);
  if (least_timeout_ms_ == 0) return;
  runtime::TimerWheel& timers = connection_.client().timers();
  // What a transaction has settled may come back.
  const std::uint64_t oldest = transaction_ == nullptr
                                   ? unacked_.oldest_tag()
                                   : std::min(unacked_.oldest_tag(), transaction_->oldest_settled);
  ages_.note(delivery.tag, oldest, timers.now_ms(), grain_of(least_timeout_ms_));
  watch_deliveries();
}

void Channel::watch_deliveries() {
  if (least_timeout_ms_ == 0 || unacked_.empty() || timeout_.armed()) return;
  connection_.client().timers().arm(timeout_, least_timeout_ms_ + grain_of(least_timeout_ms_));
}

void Channel::on_timeout_due() {
  if (closing_ || unacked_.empty()) return;
  runtime::TimerWheel& timers = connection_.client().timers();
  if (request_) return timers.arm(timeout_, retry_ms);  // its answer must find the channel open
  const std::uint64_t now_ms = timers.now_ms();
  std::uint64_t next_ms = UINT64_MAX, timed_out_ms = 0, timeout_ms = 0;
  QueueId of{};
  unacked_.visit([&](const Unacked& delivery) {
    const std::uint64_t delivered_ms = ages_.delivered_ms(delivery.tag);
    if (delivered_ms + least_timeout_ms_ > now_ms) {  // and so are all that follow
      next_ms = std::min(next_ms, delivered_ms + least_timeout_ms_);
      return false;
    }
    if (timeout_ms == 0 || delivery.queue != of) {
      of = delivery.queue;
      timeout_ms = delivery_timeout_ms(connection_.client().topology().find_queue(of));
      if (timeout_ms == 0) timeout_ms = UINT64_MAX / 2;  // never
    }
    if (delivered_ms + timeout_ms <= now_ms) timed_out_ms = timeout_ms;
    next_ms = std::min(next_ms, delivered_ms + timeout_ms);
    return timed_out_ms == 0;
  });
  if (timed_out_ms == 0) return timers.arm(timeout_, std::min(next_ms - now_ms, look_again_ms));
  culprit_ = {};
  refuse(
      ReplyCode::precondition_failed,
      fmt::format("delivery acknowledgement on channel {} timed out. Timeout value used: {} ms. This timeout "
                  "value can be configured, see consumers doc guide to learn more",
                  number_, timed_out_ms));
}

}  // namespace weir::amqp091
