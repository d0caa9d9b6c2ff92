// What it is: librabbitmq, told what to do in lines of text (harness/clients/line_client.py says which).
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { channels_max = 256, fields_max = 64, frame_bytes_max = 131072 };

struct field {
  char* name;  // as it came; header names in it are percent-encoded
  amqp_bytes_t value;
};

static struct field fields[fields_max];
static int field_count;

struct channel_state {
  bool open;
  uint64_t published;  // in confirm mode, from 1
  bool confirming;
  uint64_t confirmed_up_to;
  bool refused;
  bool returned;
  int code;  // of a failure or a return
  char text[256];
};

static struct channel_state channels[channels_max];
static amqp_connection_state_t connection;

// --- text out ---

static void put_encoded(amqp_bytes_t bytes) {
  const unsigned char* data = bytes.bytes;
  for (size_t i = 0; i < bytes.len; ++i) {
    const unsigned char c = data[i];
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      putchar(c);
    } else {
      printf("%%%02x", c);
    }
  }
}

static void put_bytes(const char* name, amqp_bytes_t bytes) {
  printf(" %s=", name);
  put_encoded(bytes);
}

static void put_number(const char* name, unsigned long long number) { printf(" %s=%llu", name, number); }

static void end_line(void) {
  putchar('\n');
  fflush(stdout);
}

static void fail_program(const char* what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

// --- fields in ---

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return (c | 32) - 'a' + 10;
}

// In place; returns the length.
static size_t percent_decode(char* text) {
  char* to = text;
  for (const char* from = text; *from != '\0'; ++from) {
    if (*from == '%') {
      *to++ = (char)(hex_digit(from[1]) * 16 + hex_digit(from[2]));
      from += 2;
    } else {
      *to++ = *from;
    }
  }
  *to = '\0';
  return (size_t)(to - text);
}

static amqp_bytes_t value_of(const char* name) {
  for (int i = 0; i < field_count; ++i) {
    if (strcmp(fields[i].name, name) == 0) return fields[i].value;
  }
  return amqp_empty_bytes;
}

static long long number_of(const char* name) {
  const amqp_bytes_t value = value_of(name);
  return value.len == 0 ? 0 : strtoll(value.bytes, NULL, 10);
}

static bool flag_of(const char* name) { return number_of(name) != 0; }

// The headers or arguments among the fields: h.<name>:<letter>. `names` gets decoded copies, freed by the caller.
static amqp_table_t read_table(amqp_table_entry_t* entries, char** names) {
  amqp_table_t table = {0, entries};
  for (int i = 0; i < field_count; ++i) {
    if (strncmp(fields[i].name, "h.", 2) != 0) continue;
    char* name = strdup(fields[i].name + 2);
    char* colon = strrchr(name, ':');
    const char letter = colon[1];
    *colon = '\0';
    names[table.num_entries] = name;
    amqp_table_entry_t* entry = &entries[table.num_entries++];
    entry->key.len = percent_decode(name);
    entry->key.bytes = name;
    if (letter == 'i') {
      entry->value.kind = AMQP_FIELD_KIND_I64;
      entry->value.value.i64 = strtoll(fields[i].value.bytes, NULL, 10);
    } else if (letter == 'b') {
      entry->value.kind = AMQP_FIELD_KIND_BOOLEAN;
      entry->value.value.boolean = *(const char*)fields[i].value.bytes == '1';
    } else {
      entry->value.kind = AMQP_FIELD_KIND_UTF8;
      entry->value.value.bytes = fields[i].value;
    }
  }
  return table;
}

static void free_names(amqp_table_t table, char** names) {
  for (int i = 0; i < table.num_entries; ++i) free(names[i]);
}

// --- properties ---

struct text_property {
  const char* name;
  amqp_flags_t flag;
  size_t offset;
};

#define TEXT_PROPERTY(name, flag) {#name, flag, offsetof(amqp_basic_properties_t, name)}
static const struct text_property text_properties[] = {
    TEXT_PROPERTY(content_type, AMQP_BASIC_CONTENT_TYPE_FLAG),
    TEXT_PROPERTY(content_encoding, AMQP_BASIC_CONTENT_ENCODING_FLAG),
    TEXT_PROPERTY(correlation_id, AMQP_BASIC_CORRELATION_ID_FLAG),
    TEXT_PROPERTY(reply_to, AMQP_BASIC_REPLY_TO_FLAG),
    TEXT_PROPERTY(expiration, AMQP_BASIC_EXPIRATION_FLAG),
    TEXT_PROPERTY(message_id, AMQP_BASIC_MESSAGE_ID_FLAG),
    TEXT_PROPERTY(type, AMQP_BASIC_TYPE_FLAG),
    TEXT_PROPERTY(user_id, AMQP_BASIC_USER_ID_FLAG),
    TEXT_PROPERTY(app_id, AMQP_BASIC_APP_ID_FLAG),
    TEXT_PROPERTY(cluster_id, AMQP_BASIC_CLUSTER_ID_FLAG),
};
enum { text_property_count = sizeof(text_properties) / sizeof(text_properties[0]) };

static void read_properties(amqp_basic_properties_t* properties) {
  for (int i = 0; i < text_property_count; ++i) {
    char name[64];
    snprintf(name, sizeof(name), "p.%s:s", text_properties[i].name);
    for (int f = 0; f < field_count; ++f) {
      if (strcmp(fields[f].name, name) != 0) continue;
      *(amqp_bytes_t*)((char*)properties + text_properties[i].offset) = fields[f].value;
      properties->_flags |= text_properties[i].flag;
    }
  }
  if (value_of("p.delivery_mode:i").len > 0) {
    properties->delivery_mode = (uint8_t)number_of("p.delivery_mode:i");
    properties->_flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
  }
  if (value_of("p.priority:i").len > 0) {
    properties->priority = (uint8_t)number_of("p.priority:i");
    properties->_flags |= AMQP_BASIC_PRIORITY_FLAG;
  }
  if (value_of("p.timestamp:i").len > 0) {
    properties->timestamp = (uint64_t)number_of("p.timestamp:i");
    properties->_flags |= AMQP_BASIC_TIMESTAMP_FLAG;
  }
}

static void put_header(const amqp_table_entry_t* entry) {
  const amqp_field_value_t* value = &entry->value;
  const char* letter = NULL;
  char number[32] = "";
  amqp_bytes_t text = amqp_empty_bytes;
  if (value->kind == AMQP_FIELD_KIND_UTF8) {
    letter = "s";
    text = value->value.bytes;
  } else if (value->kind == AMQP_FIELD_KIND_BOOLEAN) {
    letter = "b";
    snprintf(number, sizeof(number), "%d", value->value.boolean ? 1 : 0);
  } else if (value->kind == AMQP_FIELD_KIND_I64) {
    letter = "i";
    snprintf(number, sizeof(number), "%lld", (long long)value->value.i64);
  } else if (value->kind == AMQP_FIELD_KIND_I32) {
    letter = "i";
    snprintf(number, sizeof(number), "%d", value->value.i32);
  }
  if (letter == NULL) return;
  printf(" h.");
  put_encoded(entry->key);
  printf(":%s=%s", letter, number);
  put_encoded(text);
}

static void put_properties(const amqp_basic_properties_t* properties) {
  for (int i = 0; i < text_property_count; ++i) {
    if ((properties->_flags & text_properties[i].flag) == 0) continue;
    printf(" p.%s:s=", text_properties[i].name);
    put_encoded(*(const amqp_bytes_t*)((const char*)properties + text_properties[i].offset));
  }
  if (properties->_flags & AMQP_BASIC_DELIVERY_MODE_FLAG)
    put_number("p.delivery_mode:i", properties->delivery_mode);
  if (properties->_flags & AMQP_BASIC_PRIORITY_FLAG) put_number("p.priority:i", properties->priority);
  if (properties->_flags & AMQP_BASIC_TIMESTAMP_FLAG) put_number("p.timestamp:i", properties->timestamp);
  if (properties->_flags & AMQP_BASIC_HEADERS_FLAG) {
    for (int i = 0; i < properties->headers.num_entries; ++i) put_header(&properties->headers.entries[i]);
  }
}

// --- what the broker says ---

static void close_channel_state(amqp_channel_t number, int code, amqp_bytes_t text) {
  struct channel_state* state = &channels[number];
  state->open = false;
  state->code = code;
  snprintf(state->text, sizeof(state->text), "%.*s", (int)text.len, (const char*)text.bytes);
}

static void answer_failure(unsigned long id, const char* kind, int code, amqp_bytes_t text) {
  printf("%lu %s code=%d", id, kind, code);
  put_bytes("text", text);
  end_line();
}

// Of a call that the library made; true if it worked, else the answer was given.
static bool check(unsigned long id, amqp_channel_t number, amqp_rpc_reply_t reply) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return true;
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
      const amqp_channel_close_t* close = reply.reply.decoded;
      amqp_channel_close_ok_t ok = {0};
      close_channel_state(number, close->reply_code, close->reply_text);
      answer_failure(id, "channel", close->reply_code, close->reply_text);
      amqp_send_method(connection, number, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
      return false;
    }
    const amqp_connection_close_t* close = reply.reply.decoded;
    answer_failure(id, "connection", close->reply_code, close->reply_text);
    return false;
  }
  answer_failure(id, "connection", 0, amqp_cstring_bytes(amqp_error_string2(reply.library_error)));
  return false;
}

static void put_message(uint64_t delivery_tag, bool redelivered, amqp_bytes_t exchange, amqp_bytes_t key,
                        amqp_bytes_t tag, const amqp_message_t* message) {
  put_number("delivery", delivery_tag);
  put_number("redelivered", redelivered);
  put_bytes("exchange", exchange);
  put_bytes("key", key);
  put_bytes("tag", tag);
  put_bytes("body", message->body);
  put_properties(&message->properties);
}

static void on_confirm(amqp_channel_t number, uint64_t up_to, bool refused) {
  struct channel_state* state = &channels[number];
  if (up_to > state->confirmed_up_to) state->confirmed_up_to = up_to;
  state->refused = refused;
}

static void on_return(amqp_channel_t number, const amqp_basic_return_t* method) {
  struct channel_state* state = &channels[number];
  state->returned = true;
  state->code = method->reply_code;
  snprintf(state->text, sizeof(state->text), "%.*s", (int)method->reply_text.len,
           (const char*)method->reply_text.bytes);
  amqp_message_t message;
  if (amqp_read_message(connection, number, &message, 0).reply_type != AMQP_RESPONSE_NORMAL)
    fail_program("a return without a message");
  amqp_destroy_message(&message);
}

static void on_method(const amqp_frame_t* frame) {
  const amqp_method_t* method = &frame->payload.method;
  switch (method->id) {
    case AMQP_BASIC_ACK_METHOD:
      on_confirm(frame->channel, ((amqp_basic_ack_t*)method->decoded)->delivery_tag, false);
      break;
    case AMQP_BASIC_NACK_METHOD:
      on_confirm(frame->channel, ((amqp_basic_nack_t*)method->decoded)->delivery_tag, true);
      break;
    case AMQP_BASIC_RETURN_METHOD: on_return(frame->channel, method->decoded); break;
    case AMQP_BASIC_CANCEL_METHOD:
      printf("* cancelled %u", frame->channel);
      put_bytes("tag", ((amqp_basic_cancel_t*)method->decoded)->consumer_tag);
      end_line();
      break;
    case AMQP_CHANNEL_CLOSE_METHOD: {
      const amqp_channel_close_t* close = method->decoded;
      amqp_channel_close_ok_t ok = {0};
      close_channel_state(frame->channel, close->reply_code, close->reply_text);
      amqp_send_method(connection, frame->channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
      break;
    }
    default: break;
  }
}

// Takes one thing that the broker says, if there is one within the time. False: nothing, or the connection is gone.
static bool pump(int milliseconds, bool* gone) {
  struct timeval wait = {milliseconds / 1000, milliseconds % 1000 * 1000};
  amqp_envelope_t envelope;
  const amqp_rpc_reply_t reply = amqp_consume_message(connection, &envelope, &wait, 0);
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) {
    printf("* delivery %u", envelope.channel);
    put_message(envelope.delivery_tag, envelope.redelivered, envelope.exchange, envelope.routing_key,
                envelope.consumer_tag, &envelope.message);
    end_line();
    amqp_destroy_envelope(&envelope);
    return true;
  }
  if (reply.library_error == AMQP_STATUS_TIMEOUT) return false;
  if (reply.library_error != AMQP_STATUS_UNEXPECTED_STATE) {
    *gone = true;
    return false;
  }
  amqp_frame_t frame;
  struct timeval now = {0, 0};
  if (amqp_simple_wait_frame_noblock(connection, &frame, &now) != AMQP_STATUS_OK) {
    *gone = true;
    return false;
  }
  if (frame.frame_type == AMQP_FRAME_METHOD) on_method(&frame);
  return true;
}

// --- commands ---

static void connect_to(unsigned long id) {
  connection = amqp_new_connection();
  amqp_socket_t* socket = amqp_tcp_socket_new(connection);
  if (socket == NULL ||
      amqp_socket_open(socket, value_of("host").bytes, (int)number_of("port")) != AMQP_STATUS_OK) {
    answer_failure(id, "connection", 0, amqp_cstring_bytes("can't connect"));
    return;
  }
  amqp_table_entry_t told = {.key = amqp_cstring_bytes("consumer_cancel_notify")};
  told.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  told.value.value.boolean = 1;
  amqp_table_entry_t capabilities = {.key = amqp_cstring_bytes("capabilities")};
  capabilities.value.kind = AMQP_FIELD_KIND_TABLE;
  capabilities.value.value.table = (amqp_table_t){1, &told};
  const amqp_table_t properties = {1, &capabilities};
  const amqp_rpc_reply_t reply = amqp_login_with_properties(
      connection, value_of("vhost").bytes, 0, frame_bytes_max, 0, &properties, AMQP_SASL_METHOD_PLAIN,
      (char*)value_of("user").bytes, (char*)value_of("password").bytes);
  if (check(id, 0, reply)) {
    printf("%lu ok", id);
    end_line();
  }
}

static void open_channel(unsigned long id, amqp_channel_t number) {
  amqp_channel_open(connection, number);
  if (!check(id, number, amqp_get_rpc_reply(connection))) return;
  channels[number] = (struct channel_state){.open = true, .confirming = flag_of("confirms")};
  if (channels[number].confirming) {
    amqp_confirm_select(connection, number);
    if (!check(id, number, amqp_get_rpc_reply(connection))) return;
  }
  printf("%lu ok", id);
  end_line();
}

static void publish(unsigned long id, amqp_channel_t number) {
  struct channel_state* state = &channels[number];
  amqp_table_entry_t entries[fields_max];
  char* names[fields_max];
  amqp_basic_properties_t properties = {0};
  properties.headers = read_table(entries, names);
  if (properties.headers.num_entries > 0) properties._flags |= AMQP_BASIC_HEADERS_FLAG;
  read_properties(&properties);
  state->returned = false;
  state->refused = false;
  const int status = amqp_basic_publish(connection, number, value_of("exchange"), value_of("key"),
                                        flag_of("mandatory"), 0, &properties, value_of("body"));
  free_names(properties.headers, names);
  if (status != AMQP_STATUS_OK) {
    answer_failure(id, "connection", 0, amqp_cstring_bytes(amqp_error_string2(status)));
    return;
  }
  bool gone = false;
  if (state->confirming) {
    const uint64_t number_published = ++state->published;
    while (state->open && !gone && state->confirmed_up_to < number_published) pump(10000, &gone);
  }
  if (gone) {
    answer_failure(id, "connection", 0, amqp_cstring_bytes("the connection is gone"));
  } else if (!state->open) {
    answer_failure(id, "channel", state->code, amqp_cstring_bytes(state->text));
  } else if (state->returned) {
    answer_failure(id, "returned", state->code, amqp_cstring_bytes(state->text));
  } else {
    printf("%lu %s", id, state->refused ? "refused" : "ok");
    end_line();
  }
}

static void get(unsigned long id, amqp_channel_t number) {
  const amqp_rpc_reply_t reply = amqp_basic_get(connection, number, value_of("queue"), flag_of("no_ack"));
  if (!check(id, number, reply)) return;
  if (reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) {
    printf("%lu ok", id);
    end_line();
    return;
  }
  const amqp_basic_get_ok_t* ok = reply.reply.decoded;
  const amqp_bytes_t exchange = amqp_bytes_malloc_dup(ok->exchange);
  const amqp_bytes_t key = amqp_bytes_malloc_dup(ok->routing_key);
  const uint64_t delivery_tag = ok->delivery_tag;
  const bool redelivered = ok->redelivered;
  amqp_message_t message;
  if (check(id, number, amqp_read_message(connection, number, &message, 0))) {
    printf("%lu ok", id);
    put_message(delivery_tag, redelivered, exchange, key, amqp_empty_bytes, &message);
    end_line();
    amqp_destroy_message(&message);
  }
  amqp_bytes_free(exchange);
  amqp_bytes_free(key);
}

// Queues and exchanges. True if the command is one of these and worked; what is to be said is said but for "ok".
static bool run_definition(unsigned long id, const char* command, amqp_channel_t number, bool* known) {
  const amqp_bytes_t queue = value_of("queue"), exchange = value_of("exchange"), key = value_of("key");
  amqp_table_entry_t entries[fields_max];
  char* names[fields_max];
  const amqp_table_t arguments = read_table(entries, names);
  amqp_bytes_t declared = amqp_empty_bytes;
  long long messages = -1, consumers = -1;
  *known = true;
  if (strcmp(command, "declare-queue") == 0) {
    const amqp_queue_declare_ok_t* ok =
        amqp_queue_declare(connection, number, queue, flag_of("passive"), flag_of("durable"),
                           flag_of("exclusive"), flag_of("auto_delete"), arguments);
    if (ok != NULL) declared = ok->queue, messages = ok->message_count, consumers = ok->consumer_count;
  } else if (strcmp(command, "declare-exchange") == 0) {
    amqp_exchange_declare(connection, number, exchange, value_of("kind"), flag_of("passive"),
                          flag_of("durable"), flag_of("auto_delete"), 0, arguments);
  } else if (strcmp(command, "delete-exchange") == 0) {
    amqp_exchange_delete(connection, number, exchange, flag_of("if_unused"));
  } else if (strcmp(command, "bind") == 0) {
    amqp_queue_bind(connection, number, queue, exchange, key, arguments);
  } else if (strcmp(command, "unbind") == 0) {
    amqp_queue_unbind(connection, number, queue, exchange, key, arguments);
  } else if (strcmp(command, "purge") == 0) {
    const amqp_queue_purge_ok_t* ok = amqp_queue_purge(connection, number, queue);
    if (ok != NULL) messages = ok->message_count;
  } else if (strcmp(command, "delete-queue") == 0) {
    const amqp_queue_delete_ok_t* ok =
        amqp_queue_delete(connection, number, queue, flag_of("if_unused"), flag_of("if_empty"));
    if (ok != NULL) messages = ok->message_count;
  } else {
    *known = false;
  }
  free_names(arguments, names);
  if (!*known || !check(id, number, amqp_get_rpc_reply(connection))) return false;
  printf("%lu ok", id);
  if (declared.bytes != NULL) put_bytes("queue", declared);
  if (messages >= 0) put_number("messages", (unsigned long long)messages);
  if (consumers >= 0) put_number("consumers", (unsigned long long)consumers);
  end_line();
  return true;
}

static void run_settling(unsigned long id, const char* command, amqp_channel_t number) {
  const uint64_t delivery = (uint64_t)number_of("delivery");
  int status = AMQP_STATUS_OK;
  if (strcmp(command, "ack") == 0) {
    status = amqp_basic_ack(connection, number, delivery, flag_of("multiple"));
  } else if (strcmp(command, "nack") == 0) {
    status = amqp_basic_nack(connection, number, delivery, flag_of("multiple"), flag_of("requeue"));
  } else if (strcmp(command, "reject") == 0) {
    status = amqp_basic_reject(connection, number, delivery, flag_of("requeue"));
  } else {
    fail_program("a command that nobody knows");
  }
  printf("%lu %s", id, status == AMQP_STATUS_OK ? "ok" : "connection code=0 text=write");
  end_line();
}

static void run(unsigned long id, const char* command, amqp_channel_t number) {
  bool known = false;
  if (strcmp(command, "connect") == 0) return connect_to(id);
  if (strcmp(command, "channel") == 0) return open_channel(id, number);
  if (strcmp(command, "publish") == 0) return publish(id, number);
  if (strcmp(command, "get") == 0) return get(id, number);
  run_definition(id, command, number, &known);
  if (known) return;
  if (strcmp(command, "consume") == 0) {
    const amqp_basic_consume_ok_t* ok =
        amqp_basic_consume(connection, number, value_of("queue"), amqp_empty_bytes, 0, flag_of("no_ack"),
                           flag_of("exclusive"), amqp_empty_table);
    if (!check(id, number, amqp_get_rpc_reply(connection))) return;
    printf("%lu ok", id);
    put_bytes("tag", ok->consumer_tag);
  } else if (strcmp(command, "cancel") == 0) {
    amqp_basic_cancel(connection, number, value_of("tag"));
    if (!check(id, number, amqp_get_rpc_reply(connection))) return;
    printf("%lu ok", id);
  } else if (strcmp(command, "qos") == 0) {
    amqp_basic_qos(connection, number, 0, (uint16_t)number_of("count"), 0);
    if (!check(id, number, amqp_get_rpc_reply(connection))) return;
    printf("%lu ok", id);
  } else if (strcmp(command, "close-channel") == 0) {
    if (channels[number].open &&
        !check(id, number, amqp_channel_close(connection, number, AMQP_REPLY_SUCCESS)))
      return;
    channels[number].open = false;
    printf("%lu ok", id);
  } else if (strcmp(command, "close") == 0) {
    amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
    printf("%lu ok", id);
  } else {
    return run_settling(id, command, number);
  }
  end_line();
}

// "<number> <command> <channel> name=value ..."
static void run_line(char* line) {
  char* rest = NULL;
  const unsigned long id = strtoul(strtok_r(line, " ", &rest), NULL, 10);
  const char* command = strtok_r(NULL, " ", &rest);
  const unsigned long number = strtoul(strtok_r(NULL, " ", &rest), NULL, 10);
  field_count = 0;
  for (char* word = strtok_r(NULL, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
    if (field_count == fields_max || number >= channels_max) fail_program("too many fields or channels");
    char* equals = strchr(word, '=');
    *equals = '\0';
    fields[field_count].name = word;
    fields[field_count].value.bytes = equals + 1;
    fields[field_count++].value.len = percent_decode(equals + 1);
  }
  run(id, command, (amqp_channel_t)number);
}

static bool more_from_broker(void) {
  return connection != NULL && (amqp_frames_enqueued(connection) || amqp_data_in_buffer(connection));
}

int main(void) {
  size_t room = 1 << 16, used = 0;
  char* buffer = malloc(room);
  bool gone = false;
  for (;;) {
    char* end = NULL;
    while ((end = memchr(buffer, '\n', used)) != NULL) {
      *end = '\0';
      run_line(buffer);
      used -= (size_t)(end + 1 - buffer);
      memmove(buffer, end + 1, used);
    }
    while (!gone && more_from_broker() && pump(0, &gone)) {
    }
    struct pollfd polled[2] = {{STDIN_FILENO, POLLIN, 0}, {-1, POLLIN, 0}};
    if (connection != NULL && !gone) polled[1].fd = amqp_get_sockfd(connection);
    poll(polled, 2, -1);
    if (polled[1].revents != 0) pump(0, &gone);
    if (polled[0].revents == 0) continue;
    if (used == room) buffer = realloc(buffer, room *= 2);
    const ssize_t got = read(STDIN_FILENO, buffer + used, room - used);
    if (got <= 0) return 0;
    used += (size_t)got;
  }
}
