#include "admin/message_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "admin/json_value.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "broker/death_history.h"
#include "broker/message_extras.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

constexpr std::size_t parsed_body_bytes_max_of_stack = 16U << 10;
constexpr std::array<std::string_view, 13> property_names = {
    "content_type", "content_encoding", "delivery_mode", "priority",  "correlation_id",
    "reply_to",     "expiration",       "message_id",    "timestamp", "type",
    "user_id",      "app_id",           "cluster_id"};

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::invalid_argument, "filter: " + std::move(message));
}

Result<std::string> text_of(std::string_view key, const json::value& value) {
  if (!value.is_string()) return invalid(fmt::format("{} must be a text", key));
  return std::string(value.get_string());
}

std::vector<std::string> words_of(std::string_view key) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t dot = key.find('.');
    words.emplace_back(key.substr(0, dot));
    if (dot == std::string_view::npos) return words;
    key.remove_prefix(dot + 1);
  }
}

// The pattern's words are `*`, one word, or `#`, none or more; where it does not fit, the last `#` takes one more.
bool fits_words(const std::vector<std::string>& pattern, std::string_view key) {
  const std::vector<std::string> words = words_of(key);
  std::size_t at = 0, word = 0, after_hash = SIZE_MAX, taken = 0;
  while (word < words.size()) {
    if (at < pattern.size() && pattern[at] == "#") {
      after_hash = ++at;
      taken = word;
    } else if (at < pattern.size() && (pattern[at] == "*" || pattern[at] == words[word])) {
      ++at;
      ++word;
    } else if (after_hash != SIZE_MAX) {
      at = after_hash;
      word = ++taken;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(at), pattern.end(),
                     [](const std::string& left) { return left == "#"; });
}

// A text also means a value of another type that is written that way.
bool is_value(const broker::Value& value, const json::value& wanted) {
  if (wanted.is_string() && value.as_string() == nullptr)
    return broker::to_text(value) == std::string_view(wanted.get_string());
  return to_json(value) == wanted;
}

}  // namespace

// --- reading ---

Result<std::shared_ptr<const MessageFilter>> MessageFilter::read(const json::object& from) {
  if (from.empty()) return nullptr;
  auto filter = std::make_shared<MessageFilter>();
  for (const auto& [key, value] : from) {
    if (const Status read = filter->read_one(key, value); !read) return std::unexpected(read.error());
  }
  if (filter->headers_.size() + filter->properties_.size() + filter->conditions_.size() >
      filter_conditions_max)
    return invalid(fmt::format("more than {} conditions", filter_conditions_max));
  return filter;
}

Status MessageFilter::read_one(std::string_view key, const json::value& value) {
  if (key == "headers") return read_headers(value);
  if (key == "properties") return read_properties(value);
  if (key == "json") return read_conditions(value);
  if (key == "dead_letter") return read_death(value);
  if (key == "redelivered") {
    if (!value.is_bool()) return invalid("redelivered must be true or false");
    redelivered_ = value.get_bool();
    return {};
  }
  if (key == "received_from" || key == "received_to") {
    const auto at_ms = read_time_ms(value);
    if (!at_ms) return std::unexpected(at_ms.error());
    (key == "received_from" ? received_from_ms_ : received_to_ms_) = *at_ms;
    return {};
  }
  if (key != "exchange" && key != "routing_key" && key != "body_contains")
    return invalid(fmt::format("there is no condition '{}'", key));
  auto text = text_of(key, value);
  if (!text) return std::unexpected(text.error());
  if (key == "exchange") {
    exchange_ = *text == "amq.default" ? std::string() : std::move(*text);
  } else if (key == "body_contains") {
    body_contains_ = std::move(*text);
  } else {
    if (text->size() > limits::name_bytes_max) return invalid("routing_key is too long");
    key_words_ = words_of(*text);
    has_key_ = true;
  }
  return {};
}

Status MessageFilter::read_headers(const json::value& value) {
  if (!value.is_object()) return invalid("headers must be an object");
  for (const auto& [name, wanted] : value.get_object()) {
    if (wanted.is_structured()) return invalid(fmt::format("header '{}': a scalar, or null for any", name));
    headers_.emplace_back(name, wanted.is_null() ? std::nullopt : std::optional(wanted));
  }
  return {};
}

Status MessageFilter::read_properties(const json::value& value) {
  if (!value.is_object()) return invalid("properties must be an object");
  for (const auto& [name, wanted] : value.get_object()) {
    if (std::ranges::find(property_names, std::string_view(name)) == property_names.end())
      return invalid(fmt::format("there is no property '{}'", std::string_view(name)));
    if (!wanted.is_string() && !wanted.is_number())
      return invalid(fmt::format("property '{}' must be a text or a number", std::string_view(name)));
    properties_.emplace_back(name,
                             wanted.is_string() ? std::string(wanted.get_string()) : json::serialize(wanted));
  }
  return {};
}

Status MessageFilter::read_conditions(const json::value& value) {
  const json::array one{value};
  const json::array& all = value.is_array() ? value.get_array() : one;
  for (const json::value& item : all) {
    const auto text = text_of("json", item);
    if (!text) return std::unexpected(text.error());
    auto condition = JsonCondition::parse(*text);
    if (!condition) return std::unexpected(condition.error());
    conditions_.push_back(std::move(*condition));
  }
  return {};
}

Status MessageFilter::read_death(const json::value& value) {
  if (!value.is_object()) return invalid("dead_letter must be an object");
  died_.emplace();
  for (const auto& [key, wanted] : value.get_object()) {
    auto text = text_of(key, wanted);
    if (!text) return std::unexpected(text.error());
    if (key == "queue") {
      died_->queue = std::move(*text);
    } else if (key == "reason") {
      died_->reason = std::move(*text);
    } else if (key == "exchange") {
      died_->exchange = std::move(*text);
    } else {
      return invalid(fmt::format("dead_letter: there is no condition '{}'", std::string_view(key)));
    }
  }
  return {};
}

// --- asking ---

node::MessageTest::Verdict MessageFilter::test(const broker::StoredMessage& message, bool body_is_here,
                                               bool redelivered, broker::HeaderSource& headers) const {
  if (!fits_head(message, redelivered, headers)) return Verdict::no;
  if (!body_contains_ && conditions_.empty()) return Verdict::yes;
  if (!body_is_here || message.body.size() > searched_body_bytes_max) return Verdict::unread;
  return fits_body(as_text(message.body)) ? Verdict::yes : Verdict::no;
}

bool MessageFilter::fits_head(const broker::StoredMessage& message, bool redelivered,
                              broker::HeaderSource& headers) const {
  if (message.received_ms < received_from_ms_ || message.received_ms > received_to_ms_) return false;
  if (redelivered_ && *redelivered_ != redelivered) return false;
  if (exchange_ && *exchange_ != message.exchange) return false;
  if (has_key_ && !fits_words(key_words_, message.routing_key)) return false;
  for (const auto& [name, wanted] : properties_) {
    if (headers.property(name) != wanted) return false;
  }
  for (const auto& [name, wanted] : headers_) {
    const broker::Value* const value = headers.headers().find(name);
    if (value == nullptr || (wanted && !is_value(*value, *wanted))) return false;
  }
  return !died_ || fits_death(message);
}

// Of one and the same death.
bool MessageFilter::fits_death(const broker::StoredMessage& message) const {
  const Bytes deaths = broker::view_extras(message.extras).deaths;
  if (deaths.empty()) return false;
  const auto history = broker::decode_deaths(deaths);
  if (!history) return false;
  return std::any_of(history->deaths.begin(), history->deaths.end(), [&](const broker::Death& death) {
    return (!died_->queue || *died_->queue == death.queue) &&
           (!died_->reason || *died_->reason == broker::to_string(death.reason)) &&
           (!died_->exchange || *died_->exchange == death.exchange);
  });
}

bool MessageFilter::fits_body(std::string_view body) const {
  if (body_contains_ && body.find(*body_contains_) == std::string_view::npos) return false;
  if (conditions_.empty()) return true;
  std::array<unsigned char, parsed_body_bytes_max_of_stack> scratch;
  json::monotonic_resource memory(scratch.data(), scratch.size());
  json::error_code error;
  const json::value document = json::parse(body, error, &memory);
  return !error && std::all_of(conditions_.begin(), conditions_.end(),
                               [&](const JsonCondition& condition) { return condition.holds(document); });
}

}  // namespace weir::admin
