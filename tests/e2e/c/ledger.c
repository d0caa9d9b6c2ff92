// What it is: the client that keeps the books while a broker is being killed. As a publisher it remembers of each message
// whether it was confirmed, as a consumer what it was given and what it acknowledged; when the connection ends, or on
// SIGTERM, it writes that down.
//
//   ledger publish PORT QUEUE PUBLISHER BODY_BYTES_MAX COUNT WINDOW OUT
//       OUT: one byte per message begun: '?' neither, 'c' confirmed, 'n' nacked
//   ledger consume PORT QUEUE PREFETCH ACK_PERCENT COUNT OUT
//       ends after COUNT deliveries (0: never); OUT: one struct delivery each
//
// A body is publisher, sequence number and its own size (u32 each, as the machine has them) and filling that follows from
// the first two, so that every body can be checked. Both print "ready" when they begin.
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

struct delivery {
  uint32_t publisher;
  uint32_t seq;
  uint8_t redelivered;
  uint8_t acked;
  uint8_t body_is_right;
  uint8_t spare;
};

static const char* const connected_as = "guest";
static amqp_connection_state_t connection;
static volatile sig_atomic_t stopping = 0;

static void on_signal(int number) {
  (void)number;
  stopping = 1;
}

static void fail(const char* what) {
  fprintf(stderr, "ledger: %s\n", what);
  exit(2);
}

static void expect(amqp_rpc_reply_t reply, const char* what) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const amqp_channel_close_t* close = reply.reply.decoded;
    fprintf(stderr, "ledger: %.*s\n", (int)close->reply_text.len, (const char*)close->reply_text.bytes);
  }
  fail(what);
}

static void open_connection(int port) {
  connection = amqp_new_connection();
  amqp_socket_t* socket = amqp_tcp_socket_new(connection);
  if (amqp_socket_open(socket, "127.0.0.1", port) != AMQP_STATUS_OK) fail("can't connect");
  expect(amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, connected_as, connected_as),
         "login");
  amqp_channel_open(connection, 1);
  expect(amqp_get_rpc_reply(connection), "channel.open");
}

static void write_file(const char* path, const void* data, size_t size) {
  FILE* file = fopen(path, "wb");
  if (file == NULL || (size > 0 && fwrite(data, size, 1, file) != 1) || fclose(file) != 0)
    fail(strerror(errno));
}

static void say_ready(void) {
  puts("ready");
  fflush(stdout);
}

// --- bodies ---

enum { body_header_bytes = 12 };

static size_t body_bytes(uint32_t publisher, uint32_t seq, size_t bytes_max) {
  const uint32_t mixed = (publisher * 2654435761U) ^ (seq * 40503U) ^ (seq << 16);
  // Most are small; one in 64 may be of any size.
  const size_t limit = mixed % 64 == 0 ? bytes_max : bytes_max / 16;
  return body_header_bytes + (limit > body_header_bytes ? (mixed >> 8) % (limit - body_header_bytes) : 0);
}

static uint8_t filling(uint32_t publisher, uint32_t seq, size_t at) {
  return (uint8_t)(publisher * 31U + seq * 7U + (uint32_t)at);
}

static void make_body(uint8_t* body, size_t size, uint32_t publisher, uint32_t seq) {
  memcpy(body, &publisher, 4);
  memcpy(body + 4, &seq, 4);
  const uint32_t size_in_body = (uint32_t)size;
  memcpy(body + 8, &size_in_body, 4);
  for (size_t at = body_header_bytes; at < size; ++at) body[at] = filling(publisher, seq, at);
}

static bool body_is_right(const uint8_t* body, size_t size, uint32_t publisher, uint32_t seq) {
  uint32_t size_in_body = 0;
  memcpy(&size_in_body, body + 8, 4);
  if (size_in_body != size) return false;
  for (size_t at = body_header_bytes; at < size; ++at) {
    if (body[at] != filling(publisher, seq, at)) return false;
  }
  return true;
}

// --- publishing ---

struct publisher {
  uint8_t* states;
  uint32_t begun;
  uint32_t settled;       // how many are confirmed or nacked
  uint32_t settled_upto;  // all below are
};

static void settle(struct publisher* publisher, uint64_t tag, bool multiple, uint8_t state) {
  const uint32_t last = (uint32_t)tag - 1;
  uint32_t seq = multiple ? publisher->settled_upto : last;
  for (; seq <= last && seq < publisher->begun; ++seq) {
    if (publisher->states[seq] != '?') continue;
    publisher->states[seq] = state;
    ++publisher->settled;
  }
  while (publisher->settled_upto < publisher->begun && publisher->states[publisher->settled_upto] != '?')
    ++publisher->settled_upto;
}

// False: the connection or the channel is gone.
static bool take_confirms(struct publisher* publisher, bool wait) {
  for (;;) {
    amqp_frame_t frame;
    struct timeval time = {0, wait ? 100000 : 0};
    const int status = amqp_simple_wait_frame_noblock(connection, &frame, &time);
    if (status == AMQP_STATUS_TIMEOUT) return true;
    if (status != AMQP_STATUS_OK) return false;
    wait = false;
    if (frame.frame_type != AMQP_FRAME_METHOD) continue;
    if (frame.payload.method.id == AMQP_BASIC_ACK_METHOD) {
      const amqp_basic_ack_t* ack = frame.payload.method.decoded;
      settle(publisher, ack->delivery_tag, ack->multiple, 'c');
    } else if (frame.payload.method.id == AMQP_BASIC_NACK_METHOD) {
      const amqp_basic_nack_t* nack = frame.payload.method.decoded;
      settle(publisher, nack->delivery_tag, nack->multiple, 'n');
    } else if (frame.payload.method.id == AMQP_CHANNEL_CLOSE_METHOD ||
               frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD) {
      return false;
    }
    amqp_maybe_release_buffers(connection);
  }
}

static void publish(char** arguments) {
  const amqp_bytes_t queue = amqp_cstring_bytes(arguments[1]);
  const uint32_t number = (uint32_t)atoi(arguments[2]);
  const size_t bytes_max = (size_t)atoll(arguments[3]);
  const uint32_t count = (uint32_t)atoi(arguments[4]);
  const uint32_t window = (uint32_t)atoi(arguments[5]);
  struct publisher publisher = {.states = malloc(count)};
  uint8_t* body = malloc(bytes_max + body_header_bytes);
  open_connection(atoi(arguments[0]));
  amqp_confirm_select(connection, 1);
  expect(amqp_get_rpc_reply(connection), "confirm.select");
  amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = 2};
  say_ready();
  bool up = true;
  while (up && !stopping && publisher.begun < count) {
    if (publisher.begun - publisher.settled < window) {
      const uint32_t seq = publisher.begun++;
      const size_t size = body_bytes(number, seq, bytes_max);
      make_body(body, size, number, seq);
      publisher.states[seq] = '?';
      up = amqp_basic_publish(connection, 1, amqp_empty_bytes, queue, 0, 0, &properties,
                              (amqp_bytes_t){size, body}) == AMQP_STATUS_OK;
      if (up && seq % 16 == 0) up = take_confirms(&publisher, false);
    } else {
      up = take_confirms(&publisher, true);
    }
  }
  while (up && publisher.settled < publisher.begun) up = take_confirms(&publisher, true);
  write_file(arguments[6], publisher.states, publisher.begun);
}

// --- consuming ---

static void consume(char** arguments) {
  const uint16_t prefetch = (uint16_t)atoi(arguments[2]);
  const uint32_t ack_percent = (uint32_t)atoi(arguments[3]);
  const size_t count = (size_t)atoll(arguments[4]);
  open_connection(atoi(arguments[0]));
  if (prefetch > 0) amqp_basic_qos(connection, 1, 0, prefetch, 0);
  amqp_basic_consume(connection, 1, amqp_cstring_bytes(arguments[1]), amqp_empty_bytes, 0, 0, 0,
                     amqp_empty_table);
  expect(amqp_get_rpc_reply(connection), "basic.consume");
  say_ready();
  size_t room = 1 << 16, taken = 0;
  struct delivery* deliveries = malloc(room * sizeof(*deliveries));
  while (!stopping && (count == 0 || taken < count)) {
    amqp_envelope_t envelope;
    struct timeval time = {0, 100000};
    amqp_maybe_release_buffers(connection);
    const amqp_rpc_reply_t reply = amqp_consume_message(connection, &envelope, &time, 0);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
      if (reply.library_error == AMQP_STATUS_TIMEOUT) continue;
      break;
    }
    if (taken == room) deliveries = realloc(deliveries, (room *= 2) * sizeof(*deliveries));
    struct delivery* delivery = &deliveries[taken++];
    const amqp_bytes_t body = envelope.message.body;
    if (body.len < body_header_bytes) fail("a body that nobody sent");
    memcpy(&delivery->publisher, body.bytes, 4);
    memcpy(&delivery->seq, (uint8_t*)body.bytes + 4, 4);
    delivery->redelivered = envelope.redelivered != 0;
    delivery->body_is_right = body_is_right(body.bytes, body.len, delivery->publisher, delivery->seq);
    delivery->acked = (delivery->seq * 2654435761U >> 16) % 100 < ack_percent;
    if (delivery->acked) amqp_basic_ack(connection, 1, envelope.delivery_tag, 0);
    amqp_destroy_envelope(&envelope);
  }
  // So that the acknowledgements arrive; what is not acknowledged goes back.
  if (count != 0 && taken == count) amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
  write_file(arguments[5], deliveries, taken * sizeof(*deliveries));
}

int main(int count, char** arguments) {
  const struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  if (count == 9 && strcmp(arguments[1], "publish") == 0) {
    publish(arguments + 2);
  } else if (count == 8 && strcmp(arguments[1], "consume") == 0) {
    consume(arguments + 2);
  } else {
    fail("wrong arguments");
  }
  return 0;
}
