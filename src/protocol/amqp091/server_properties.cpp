#include "protocol/amqp091/server_properties.h"

#include "base/version.h"
#include "protocol/amqp091/codec/field_table.h"
#include "protocol/amqp091/errors.h"

namespace weir::amqp091 {

namespace {

// What people are shown of a client; the rest is cut.
constexpr std::size_t client_text_bytes_max = 256;

std::string client_text(Bytes content, std::string_view name) {
  const auto value = find_in_table(content, name);
  const auto text = value ? value->as_text() : std::nullopt;
  return std::string(cut_text(text.value_or(""), client_text_bytes_max));
}

bool capable(Bytes capabilities, std::string_view name) {
  const auto value = find_in_table(capabilities, name);
  return value && value->as_bool().value_or(false);
}

}  // namespace

std::vector<std::byte> encode_server_properties(std::string_view node_name) {
  auto capabilities = FieldTable()
                          .add("publisher_confirms", true)
                          .add("exchange_exchange_bindings", true)
                          .add("basic.nack", true)
                          .add("consumer_cancel_notify", true)
                          .add("connection.blocked", true)
                          .add("consumer_priorities", true)
                          .add("authentication_failure_close", true)
                          .add("per_consumer_qos", true)
                          .add("direct_reply_to", true);
  return encode_table(FieldTable()
                          .add("capabilities", std::move(capabilities))
                          .add("cluster_name", node_name)
                          .add("information", "A message broker for many protocols")
                          .add("platform", "C++")
                          .add("product", "Weir")
                          .add("version", version));
}

ClientProperties read_client_properties(TableBytes properties) {
  const Bytes content = properties.content;
  ClientProperties client{
      .product = client_text(content, "product"),
      .version = client_text(content, "version"),
      .platform = client_text(content, "platform"),
      .connection_name = client_text(content, "connection_name"),
  };
  const auto table = find_in_table(content, "capabilities");
  const auto capabilities = table ? table->as_table() : std::nullopt;
  if (capabilities) {
    client.authentication_failure_close = capable(*capabilities, "authentication_failure_close");
    client.consumer_cancel_notify = capable(*capabilities, "consumer_cancel_notify");
    client.connection_blocked = capable(*capabilities, "connection.blocked");
  }
  return client;
}

}  // namespace weir::amqp091
