// The tx class. Publishes are routed and checked as they come and held by the broker; what the client settles is held, too.
// A commit is answered when all of it is durable, like a publish that is confirmed: the client may go on meanwhile.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"

namespace weir::amqp091 {

void Channel::handle(const TxSelect&) {
  if (confirming_) return refuse(ReplyCode::precondition_failed, "cannot switch from confirm to tx mode");
  if (transaction_ == nullptr) begin_transaction();
  connection_.send(number_, TxSelectOk{});
}

void Channel::begin_transaction() {
  if (transaction_ == nullptr) transaction_ = std::make_unique<ChannelTransaction>();
  transaction_->work = session().begin_transaction();
}

bool Channel::require_transaction() {
  if (transaction_ != nullptr) return true;
  refuse(ReplyCode::precondition_failed, "channel is not transactional");
  return false;
}

void Channel::handle(const TxCommit&) {
  if (!require_transaction()) return;
  for (const ReturnedContent& one : std::exchange(transaction_->returned, {})) send_returned(one);
  transaction_->returned_bytes = 0;
  std::int64_t counted = 0;
  for (const Unacked& one : transaction_->settled) counted += one.consumer != node::no_consumer ? 1 : 0;
  transaction_->published = 0;
  transaction_->settled.clear();
  transaction_->oldest_settled = UINT64_MAX;
  auto work = std::move(transaction_->work);
  begin_transaction();
  session().commit(std::move(work), publisher_, ++transaction_->commits);
  if (pooled_ && counted > 0) session().add_pool_out(publisher_, -counted);
}

void Channel::handle(const TxRollback&) {
  if (!require_transaction()) return;
  roll_back();
  begin_transaction();
  connection_.send(number_, TxRollbackOk{});
}

// What was settled can be settled again.
void Channel::roll_back() {
  transaction_->work.reset();
  transaction_->published = 0;
  transaction_->returned.clear();
  transaction_->returned_bytes = 0;
  unacked_.put_back(transaction_->settled);
  transaction_->oldest_settled = UINT64_MAX;
  watch_deliveries();
}

void Channel::write_commits() {
  for (; transaction_->told < confirmed_up_to_; ++transaction_->told) connection_.send(number_, TxCommitOk{});
}

void Channel::fail_commit() {
  culprit_ = TxCommit::info.id;
  refuse(ReplyCode::precondition_failed, "partial tx completion");
}

// False: the channel has failed.
bool Channel::hold_settlement(const Unacked& delivery, node::Outcome outcome) {
  transaction_->settled.push_back(delivery);
  transaction_->oldest_settled = std::min(transaction_->oldest_settled, delivery.tag);
  const Status held = transaction_->work->settle(delivery.consumer, delivery.queue, delivery.seq, outcome);
  if (held) {
    if (traces_ != nullptr) [[unlikely]]
      traces_->settled(delivery.tag, outcome);
    return true;
  }
  refuse(held.error());
  return false;
}

bool Channel::hold_return(ReturnedContent content) {
  ChannelTransaction& held = *transaction_;
  held.returned_bytes += content.bytes();
  if (held.returned_bytes > limits::transaction_bytes_max) {
    refuse(ReplyCode::precondition_failed,
           fmt::format("the transaction is larger than {} bytes", limits::transaction_bytes_max));
    return false;
  }
  held.returned.push_back(std::move(content));
  return true;
}

}  // namespace weir::amqp091
