// What it is: between STOMP's headers and what the broker and other protocols know of a message. RabbitMQ's names: a header that
// is a property of AMQP ("content-type", "amqp-message-id", "persistent") is that property, every other one a header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "broker/definitions.h"
#include "node/session.h"
#include "protocol/stomp/codec/headers.h"

namespace weir::stomp {

// What the broker acts on.
struct SendProperties {
  bool persistent = false;
  std::uint8_t priority = 0;
  std::optional<std::uint32_t> ttl_ms;
};
// invalid_argument, precondition_failed: with the words for the client.
Result<SendProperties> read_send_properties(const Headers& headers, std::string_view user);

// Of stored headers, by the names that AMQP 0-9-1 gives to properties.
broker::Table properties_table(Bytes stored);
// Its headers alone; one property as text ("message_id").
broker::Table headers_of(Bytes stored);
std::optional<std::string> property_of(Bytes stored, std::string_view name);
// A header where it lies, if it has no escapes.
std::optional<std::string_view> header_text(Bytes stored, std::string_view name);

// The name in such a table of the property that a header is ("content-type": "content_type"). nullopt: it is none.
std::optional<std::string_view> property_named(std::string_view header);

// A table's properties as stored headers: of a message that came by another protocol.
std::string stored_from(const broker::Table& properties);

// What a delivery tells beside its own headers: that it was dead-lettered, how often it came back, where it is in its
// queue.
void append_state(std::string& stored, const node::Delivery& delivery);

// Arguments of a queue or a subscription: headers that begin with "x-".
broker::Table arguments_of(const Headers& headers);

// The headers of a message on its way in, looked into only when an exchange asks for them.
class SentHeaders final : public broker::HeaderSource {
 public:
  explicit SentHeaders(std::string_view stored) : stored_(stored) {}
  const broker::Table& headers() override;
  std::optional<std::string> property(std::string_view name) override {
    return property_of(as_bytes(stored_), name);
  }

 private:
  std::string_view stored_;
  std::optional<broker::Table> table_;
};

}  // namespace weir::stomp
