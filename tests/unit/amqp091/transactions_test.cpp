#include <string>

#include "base/limits.h"
#include "scripted.h"

namespace weir::amqp091 {
namespace {

class Transactions : public Scripted {
 protected:
  // Channel 1 is transactional, and there is a queue "q".
  void select(AmqpPeer& peer) {
    connect(peer);
    peer.declare(1, "q");
    peer.send(1, TxSelect{});
    peer.expect(1, TxSelectOk{});
  }
  void get(AmqpPeer& peer, std::string_view body) {
    peer.send(1, BasicGet{.queue = "q"});
    peer.expect_any<BasicGetOk>(1);
    EXPECT_EQ(peer.expect_content(1).body, body);
  }
};
WEIR_SCRIPTED(Transactions);

TEST_P(Transactions, what_is_published_waits_for_the_commit) {
  AmqpPeer peer(world);
  select(peer);
  peer.publish(1, "", "q", "a");
  peer.publish(1, "", "q", "b");
  peer.send(1, BasicGet{.queue = "q"});
  peer.expect(1, BasicGetEmpty{});
  peer.send(1, TxCommit{});
  peer.expect(1, TxCommitOk{});
  EXPECT_EQ(world.broker.ready("q"), 2U);
  EXPECT_EQ(world.broker.body("q", 0), "a");
}

TEST_P(Transactions, a_rollback_forgets_what_was_published_and_what_was_settled) {
  AmqpPeer peer(world);
  select(peer);
  peer.publish(1, "", "q", "a");
  peer.send(1, TxCommit{});
  peer.expect(1, TxCommitOk{});
  get(peer, "a");
  peer.publish(1, "", "q", "b");
  peer.send(1, BasicAck{1, false});
  peer.send(1, TxRollback{});
  peer.expect(1, TxRollbackOk{});
  EXPECT_EQ(world.broker.unacked("q"), 1U);
  EXPECT_EQ(world.broker.ready("q"), 0U);
  peer.send(1, BasicAck{1, false});
  peer.send(1, TxCommit{});
  peer.expect(1, TxCommitOk{});
  EXPECT_EQ(world.broker.unacked("q"), 0U);
}

TEST_P(Transactions, what_was_settled_before_a_rollback_comes_back_in_order) {
  AmqpPeer peer(world);
  select(peer);
  for (const char* body : {"a", "b", "c", "d"}) peer.publish(1, "", "q", body);
  peer.send(1, TxCommit{});
  peer.expect(1, TxCommitOk{});
  for (const char* body : {"a", "b", "c", "d"}) get(peer, body);
  peer.send(1, BasicAck{3, false});
  peer.send(1, BasicNack{1, false, true});
  peer.send(1, TxRollback{});
  peer.expect(1, TxRollbackOk{});
  peer.send(1, BasicAck{3, true});
  peer.send(1, TxCommit{});
  peer.expect(1, TxCommitOk{});
  EXPECT_EQ(world.broker.unacked("q"), 1U);
  peer.send(1, BasicAck{4, false});
  peer.send(1, TxCommit{});
  peer.expect(1, TxCommitOk{});
  EXPECT_EQ(world.broker.unacked("q"), 0U);
}

TEST_P(Transactions, settlements_wait_for_the_commit_and_count_once) {
  AmqpPeer peer(world);
  select(peer);
  peer.publish(1, "", "q", "a");
  peer.send(1, TxCommit{});
  peer.expect(1, TxCommitOk{});
  get(peer, "a");
  peer.send(1, BasicAck{1, false});
  peer.send(1, BasicAck{1, false});
  peer.expect_channel_error(1, 406, "PRECONDITION_FAILED - unknown delivery tag 1", BasicAck::info.id);
  // Not committed: it is back.
  EXPECT_EQ(world.broker.ready("q"), 1U);
}

TEST_P(Transactions, the_end_of_the_channel_rolls_back) {
  AmqpPeer peer(world);
  select(peer);
  peer.publish(1, "", "q", "a");
  peer.send(1, TxCommit{});
  peer.expect(1, TxCommitOk{});
  get(peer, "a");
  peer.publish(1, "", "q", "b");
  peer.send(1, BasicAck{1, false});
  peer.send(1, ChannelClose{200, "bye", 0, 0});
  peer.expect(1, ChannelCloseOk{});
  EXPECT_EQ(world.broker.ready("q"), 1U);
  EXPECT_EQ(world.broker.body("q", 0), "a");
  EXPECT_EQ(world.broker.unacked("q"), 0U);
}

TEST_P(Transactions, mandatory_messages_come_back_at_the_commit) {
  AmqpPeer peer(world);
  select(peer);
  peer.send(1, BasicPublish{.routing_key = "nowhere", .mandatory = true});
  peer.send_content(1, "back", {.message_id = "7"});
  peer.send(1, BasicPublish{.routing_key = "nowhere", .mandatory = true});
  peer.send_content(1, "too");
  peer.expect_nothing();
  peer.send(1, TxCommit{});
  peer.expect(1, BasicReturn{312, "NO_ROUTE", "", "nowhere"});
  const auto content = peer.expect_content(1);
  EXPECT_EQ(content.body, "back");
  EXPECT_EQ(content.properties.message_id, "7");
  peer.expect(1, BasicReturn{312, "NO_ROUTE", "", "nowhere"});
  EXPECT_EQ(peer.expect_content(1).body, "too");
  peer.expect(1, TxCommitOk{});
}

TEST_P(Transactions, a_client_need_not_wait_for_commit_ok) {
  AmqpPeer peer(world);
  select(peer);
  world.broker.hold_confirms(true);
  peer.publish(1, "", "q", "a");
  peer.send(1, TxCommit{});
  peer.publish(1, "", "q", "b");
  peer.send(1, TxCommit{});
  peer.publish(1, "", "q", "c");
  peer.expect_nothing();
  EXPECT_EQ(world.broker.ready("q"), 2U);
  world.broker.hold_confirms(false);
  peer.expect(1, TxCommitOk{});
  peer.expect(1, TxCommitOk{});
  peer.expect_nothing();
}

TEST_P(Transactions, a_queue_without_room_fails_the_commit) {
  AmqpPeer peer(world);
  select(peer);
  world.broker.set_full("q", true);
  peer.publish(1, "", "q", "a");
  peer.send(1, TxCommit{});
  peer.expect_channel_error(1, 406, "PRECONDITION_FAILED - partial tx completion", TxCommit::info.id);
}

TEST_P(Transactions, a_message_that_may_not_be_published_fails_at_once) {
  AmqpPeer peer(world);
  select(peer);
  peer.publish(1, "nope", "q", "a");
  peer.expect_channel_error(1, 404, "NOT_FOUND - no exchange 'nope' in vhost '/'", BasicPublish::info.id);
}

TEST_P(Transactions, and_confirms_exclude_each_other) {
  AmqpPeer peer(world);
  select(peer);
  peer.send(1, ConfirmSelect{});
  peer.expect_channel_error(1, 406, "PRECONDITION_FAILED - cannot switch from tx to confirm mode",
                            ConfirmSelect::info.id);
  peer.open_channel(2);
  peer.send(2, ConfirmSelect{});
  peer.expect(2, ConfirmSelectOk{});
  peer.send(2, TxSelect{});
  peer.expect_channel_error(2, 406, "PRECONDITION_FAILED - cannot switch from confirm to tx mode",
                            TxSelect::info.id);
}

TEST_P(Transactions, need_to_be_selected_and_may_be_selected_again) {
  AmqpPeer peer(world);
  connect(peer);
  peer.send(1, TxCommit{});
  peer.expect_channel_error(1, 406, "PRECONDITION_FAILED - channel is not transactional", TxCommit::info.id);
  peer.open_channel(2);
  peer.send(2, TxRollback{});
  peer.expect_channel_error(2, 406, "PRECONDITION_FAILED - channel is not transactional",
                            TxRollback::info.id);
  peer.open_channel(3);
  for (int i = 0; i < 2; ++i) {
    peer.send(3, TxSelect{});
    peer.expect(3, TxSelectOk{});
  }
  peer.send(3, TxCommit{});
  peer.expect(3, TxCommitOk{});
  peer.send(3, TxRollback{});
  peer.expect(3, TxRollbackOk{});
}

}  // namespace
}  // namespace weir::amqp091
