// What it is: which messages of a queue are meant, as it is said in JSON; docs/protocols/message-search.md is its reference.
// All conditions must hold.
// Shard: made on shard 0, asked on the queue's.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/json_path.h"
#include "base/error.h"
#include "node/walk.h"

namespace weir::admin {

// Bodies that are larger are not looked into.
inline constexpr std::size_t searched_body_bytes_max = 1U << 20;
inline constexpr std::size_t filter_conditions_max = 64;

class MessageFilter final : public node::MessageTest {
 public:
  // Null: it has no conditions. invalid_argument.
  static Result<std::shared_ptr<const MessageFilter>> read(const boost::json::object& from);

  Verdict test(const broker::StoredMessage& message, bool body_is_here, bool redelivered,
               broker::HeaderSource& headers) const override;
  // Unix ms: where a walk may begin and end.
  std::uint64_t received_from_ms() const { return received_from_ms_; }
  std::uint64_t received_to_ms() const { return received_to_ms_; }

 private:
  Status read_one(std::string_view key, const boost::json::value& value);
  Status read_properties(const boost::json::value& value);
  Status read_headers(const boost::json::value& value);
  Status read_conditions(const boost::json::value& value);
  Status read_death(const boost::json::value& value);
  bool fits_head(const broker::StoredMessage& message, bool redelivered, broker::HeaderSource& headers) const;
  bool fits_death(const broker::StoredMessage& message) const;
  bool fits_body(std::string_view body) const;

  std::optional<std::string> exchange_;
  std::vector<std::string> key_words_;  // of a pattern as topic exchanges have it
  bool has_key_ = false;
  std::vector<std::pair<std::string, std::optional<boost::json::value>>> headers_;  // none: it is there
  std::vector<std::pair<std::string, std::string>> properties_;
  std::optional<std::string> body_contains_;
  std::vector<JsonCondition> conditions_;
  std::uint64_t received_from_ms_ = 0, received_to_ms_ = UINT64_MAX;
  std::optional<bool> redelivered_;
  struct Died {
    std::optional<std::string> queue, reason, exchange;
  };
  std::optional<Died> died_;
};

// Unix milliseconds: a number, or a time such as "2026-01-31T12:00:00Z" (with fractions, and with an offset).
Result<std::uint64_t> read_time_ms(const boost::json::value& value);
Result<std::uint64_t> read_time_ms(std::string_view text);

}  // namespace weir::admin
