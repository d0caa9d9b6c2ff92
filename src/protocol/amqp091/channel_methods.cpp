// The classes channel, access and confirm.
#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"

namespace weir::amqp091 {

void Channel::handle(const ChannelOpen&) { refuse(ReplyCode::channel_error, "second 'channel.open' seen"); }

void Channel::handle(const ChannelFlow& method) {
  if (!method.active) return refuse(ReplyCode::not_implemented, "active=false");
  connection_.send(number_, ChannelFlowOk{true});
}

void Channel::handle(const ChannelClose&) {
  close_down();
  connection_.send(number_, ChannelCloseOk{});
  connection_.forget(*this);
}

// A relic: what it grants is nothing, and old clients ask for it.
void Channel::handle(const AccessRequest&) { connection_.send(number_, AccessRequestOk{1}); }

void Channel::handle(const ConfirmSelect& method) {
  if (transaction_ != nullptr)
    return refuse(ReplyCode::precondition_failed, "cannot switch from tx to confirm mode");
  confirming_ = true;
  if (!method.no_wait) connection_.send(number_, ConfirmSelectOk{});
}

}  // namespace weir::amqp091
