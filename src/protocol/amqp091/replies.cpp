// Direct replies: the pseudo-queue "amq.rabbitmq.reply-to". What is consumed from it comes straight from the publishers of
// replies, who know the channel by the key that took the queue's place in reply-to.
#include <fmt/format.h>

#include "node/reply_address.h"
#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"

namespace weir::amqp091 {

void Channel::consume_replies(const BasicConsume& method) {
  if (!method.no_ack) return refuse(ReplyCode::precondition_failed, "reply consumer cannot acknowledge");
  if (reply_consumer_ != node::no_consumer)
    return refuse(ReplyCode::precondition_failed, "reply consumer already set");
  const Consumer* const consumer = add_consumer(method);
  if (consumer == nullptr) return;
  reply_consumer_ = consumer->number;
  reply_key_ = session().make_reply_key(consumer->number);
  if (!method.no_wait) connection_.send(number_, BasicConsumeOk{consumer->tag});
}

bool Channel::consumes_replies_as(std::string_view tag) {
  const Consumer* const consumer = connection_.consumers().find(reply_consumer_);
  return consumer != nullptr && consumer->tag == tag;
}

void Channel::drop_reply_consumer() {
  if (reply_consumer_ == node::no_consumer) return;
  session().drop_reply_key(reply_consumer_);
  if (const Consumer* consumer = connection_.consumers().find(reply_consumer_))
    connection_.consumers().remove(*consumer);
  reply_consumer_ = node::no_consumer;
  reply_key_.clear();
}

// A declaration of it, or of a key, asks whether somebody is there.
void Channel::declare_replies(const QueueDeclare& method) {
  if (method.queue != node::reply_queue) {
    begin_request(
        {.kind = Request::Kind::probe_replies, .no_wait = method.no_wait, .name = std::string(method.queue)});
    return session().probe_reply_key(std::string(method.queue));
  }
  last_queue_ = method.queue;
  if (!method.no_wait) connection_.send(number_, QueueDeclareOk{last_queue_, 0, 1});
}

// Puts the key into `properties`. False: the channel has failed.
bool Channel::address_reply(Properties& properties) {
  if (reply_consumer_ == node::no_consumer) {
    refuse(ReplyCode::precondition_failed, "fast reply consumer does not exist");
    return false;
  }
  properties.reply_to = reply_key_;
  return true;
}

}  // namespace weir::amqp091
