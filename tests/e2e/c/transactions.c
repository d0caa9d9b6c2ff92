// What it is: transactions as librabbitmq makes them: what is published and acknowledged counts from the commit on, and a
// rollback forgets it. Ends with 0 if all was as it should be, and else says what was not.
//
//   transactions HOST PORT FROM TO       two durable queues that are there and empty
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static amqp_connection_state_t connection;
static const char *from, *to;
static const amqp_channel_t working = 1, looking = 2;

static void fail(const char* what) {
  fprintf(stderr, "transactions: %s\n", what);
  exit(2);
}

static void expect(bool holds, const char* what) {
  if (!holds) fail(what);
}

static void answered(const char* what) {
  if (amqp_get_rpc_reply(connection).reply_type != AMQP_RESPONSE_NORMAL) fail(what);
}

static void open_connection(const char* host, int port) {
  connection = amqp_new_connection();
  amqp_socket_t* socket = amqp_tcp_socket_new(connection);
  expect(amqp_socket_open(socket, host, port) == AMQP_STATUS_OK, "can't connect");
  const amqp_rpc_reply_t login =
      amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
  expect(login.reply_type == AMQP_RESPONSE_NORMAL, "login");
  for (amqp_channel_t channel = working; channel <= looking; ++channel) {
    amqp_channel_open(connection, channel);
    answered("channel.open");
  }
}

static void publish(const char* queue, const char* body) {
  amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = 2};
  expect(amqp_basic_publish(connection, working, amqp_empty_bytes, amqp_cstring_bytes(queue), 0, 0,
                            &properties, amqp_cstring_bytes(body)) == AMQP_STATUS_OK,
         "basic.publish");
}

// How many messages are ready, as another channel sees it.
static uint32_t ready(const char* queue) {
  const amqp_queue_declare_ok_t* found =
      amqp_queue_declare(connection, looking, amqp_cstring_bytes(queue), 1, 1, 0, 0, amqp_empty_table);
  answered("queue.declare");
  return found->message_count;
}

static uint64_t get(const char* queue) {
  const amqp_rpc_reply_t reply = amqp_basic_get(connection, working, amqp_cstring_bytes(queue), 0);
  expect(reply.reply_type == AMQP_RESPONSE_NORMAL && reply.reply.id == AMQP_BASIC_GET_OK_METHOD, "basic.get");
  const uint64_t tag = ((const amqp_basic_get_ok_t*)reply.reply.decoded)->delivery_tag;
  amqp_message_t message;
  expect(amqp_read_message(connection, working, &message, 0).reply_type == AMQP_RESPONSE_NORMAL,
         "the message");
  amqp_destroy_message(&message);
  return tag;
}

static void commit(void) {
  expect(amqp_tx_commit(connection, working) != NULL, "tx.commit");
  answered("tx.commit");
}

static void roll_back(void) {
  expect(amqp_tx_rollback(connection, working) != NULL, "tx.rollback");
  answered("tx.rollback");
}

int main(int count, char** arguments) {
  if (count != 5) fail("HOST PORT FROM TO");
  from = arguments[3];
  to = arguments[4];
  open_connection(arguments[1], atoi(arguments[2]));
  expect(amqp_tx_select(connection, working) != NULL, "tx.select");
  answered("tx.select");

  publish(from, "forgotten");
  roll_back();
  expect(ready(from) == 0, "what was rolled back is there");

  publish(from, "one");
  publish(from, "two");
  expect(ready(from) == 0, "what was not committed is there");
  commit();
  expect(ready(from) == 2, "what was committed is not there");

  // A rollback leaves a delivery unacknowledged: it can be acknowledged once more.
  const uint64_t tag = get(from);
  publish(to, "moved");
  amqp_basic_ack(connection, working, tag, 0);
  roll_back();
  expect(ready(from) == 1 && ready(to) == 0, "a rollback leaves all as it was");
  publish(to, "moved");
  amqp_basic_ack(connection, working, tag, 0);
  commit();
  expect(ready(from) == 1 && ready(to) == 1, "a commit moves the message");

  amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(connection);
  return 0;
}
