// What it is: the headers and properties of a message as it is stored, for whoever routes it again or looks at it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/rng.h"
#include "broker/message.h"
#include "broker/message_extras.h"
#include "broker/topology.h"

namespace weir::node {

// A header where it lies; nothing: there is none of that name that is text.
using HeaderText = std::optional<std::string_view> (*)(broker::NativeForm native, Bytes properties,
                                                       std::string_view name);

// What those who know the native forms of messages tell the others. Null: nothing.
struct HeadersOf {
  broker::Table (*headers)(broker::NativeForm, Bytes properties) = nullptr;
  std::optional<std::string> (*property)(broker::NativeForm, Bytes properties,
                                         std::string_view name) = nullptr;
  // All of them, by the names that the management API gives them.
  broker::Table (*properties)(broker::NativeForm, Bytes properties) = nullptr;
  // Of a message for receivers by another protocol: also its time to live, where its own form keeps it beside.
  broker::Table properties_of(const broker::StoredMessage& message) const;
  // AMQP 0-9-1's form of a message of the broker's own; no timestamp: 0.
  std::vector<std::byte> (*make)(const broker::Table& headers, bool persistent,
                                 std::uint64_t timestamp_s) = nullptr;
  HeaderText text = nullptr;
};

// Lifetime: the message's.
class StoredHeaders final : public broker::HeaderSource {
 public:
  StoredHeaders(HeadersOf headers_of, const broker::StoredMessage& message, Rng& rng)
      : headers_of_(headers_of),
        message_(message),
        rng_(rng),
        waited_(broker::view_extras(message.extras).deliver_ms != 0) {}
  const broker::Table& headers() override {
    if (!decoded_ && headers_of_.headers != nullptr)
      table_ = headers_of_.headers(message_.native, message_.properties);
    decoded_ = true;
    return table_;
  }
  std::optional<std::string> property(std::string_view name) override {
    if (headers_of_.property == nullptr) return std::nullopt;
    return headers_of_.property(message_.native, message_.properties, name);
  }
  std::uint64_t random() override { return rng_.next(); }
  bool waited() override { return waited_; }

 private:
  HeadersOf headers_of_;
  const broker::StoredMessage& message_;
  Rng& rng_;
  bool waited_;
  broker::Table table_;
  bool decoded_ = false;
};

}  // namespace weir::node
