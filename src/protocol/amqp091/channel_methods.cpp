// The classes channel, access, confirm and tx.
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
  confirming_ = true;
  if (!method.no_wait) connection_.send(number_, ConfirmSelectOk{});
}

void Channel::handle(const TxSelect&) {
  refuse(ReplyCode::not_implemented, "transactions (tx) are not supported");
}
void Channel::handle(const TxCommit&) {
  refuse(ReplyCode::not_implemented, "transactions (tx) are not supported");
}
void Channel::handle(const TxRollback&) {
  refuse(ReplyCode::not_implemented, "transactions (tx) are not supported");
}

}  // namespace weir::amqp091
