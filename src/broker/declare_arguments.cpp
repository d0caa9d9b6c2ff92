#include "broker/declare_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/cursor.h"
#include "broker/value_codec.h"

namespace weir::broker {

namespace {

using Problem = std::optional<std::string>;

constexpr unsigned classic = static_cast<unsigned>(QueueType::classic);
constexpr unsigned quorum = static_cast<unsigned>(QueueType::quorum);
constexpr unsigned stream = static_cast<unsigned>(QueueType::stream);
constexpr std::int64_t expiry_ms_max = 4'294'967'295;
constexpr std::int64_t priority_max = 255;
constexpr std::int64_t dedup_ids_max = 16'000'000;  // some 500 MB

// The problems are worded as clients of RabbitMQ know them: terms of Erlang, texts in double quotes.
Problem unacceptable_type(const Value& value) {
  return fmt::format("{{unacceptable_type,{}}}", type_name(value));
}

Problem check_integer(const Value& value, const Table&) {
  std::int64_t number = 0;
  if (value.as_integer(number) || std::holds_alternative<std::uint64_t>(value.v)) return std::nullopt;
  return fmt::format("\"expected integer, got {}\"", type_name(value));
}

Problem check_not_negative(const Value& value, const Table& arguments) {
  if (Problem problem = check_integer(value, arguments)) return problem;
  std::int64_t number = 0;
  if (value.as_integer(number) && number < 0) return fmt::format("{{value_negative,{}}}", number);
  return std::nullopt;
}

Problem check_at_most(const Value& value, std::int64_t most, std::string_view problem) {
  std::int64_t number = 0;
  if (value.as_integer(number) && number <= most) return std::nullopt;
  return fmt::format("{{{},{}}}", problem, to_text(value));
}

Problem check_ttl(const Value& value, const Table& arguments) {
  if (Problem problem = check_not_negative(value, arguments)) return problem;
  return check_at_most(value, expiry_ms_max, "value_too_big");
}

Problem check_positive(const Value& value, const Table& arguments) {
  if (Problem problem = check_not_negative(value, arguments)) return problem;
  std::int64_t number = 0;
  if (value.as_integer(number) && number == 0) return "{value_zero,0}";
  return std::nullopt;
}

Problem check_expires(const Value& value, const Table& arguments) {
  if (Problem problem = check_positive(value, arguments)) return problem;
  return check_at_most(value, expiry_ms_max, "value_too_big");
}

Problem needs_deduplication(const Table& arguments) {
  const Value* const wanted = arguments.find(dedup_argument);
  const bool* const on = wanted == nullptr ? nullptr : std::get_if<bool>(&wanted->v);
  return on != nullptr && *on ? std::nullopt : Problem("cache_but_no_deduplication");
}

Problem check_cache_time(const Value& value, const Table& arguments) {
  if (Problem problem = check_expires(value, arguments)) return problem;
  return needs_deduplication(arguments);
}

Problem check_cache_size(const Value& value, const Table& arguments) {
  if (Problem problem = check_positive(value, arguments)) return problem;
  if (Problem problem = check_at_most(value, dedup_ids_max, "value_too_big")) return problem;
  return needs_deduplication(arguments);
}

Problem check_priority(const Value& value, const Table& arguments) {
  if (Problem problem = check_not_negative(value, arguments)) return problem;
  return check_at_most(value, priority_max, "max_value_exceeded");
}

Problem check_bool(const Value& value, const Table&) {
  return std::holds_alternative<bool>(value.v) ? std::nullopt : unacceptable_type(value);
}

Problem check_text(const Value& value, const Table&) {
  return value.as_string() != nullptr ? std::nullopt : unacceptable_type(value);
}

Problem check_one_of(const Value& value, std::initializer_list<std::string_view> known,
                     std::string_view problem) {
  const std::string* const text = value.as_string();
  if (text == nullptr) return unacceptable_type(value);
  if (std::find(known.begin(), known.end(), *text) != known.end()) return std::nullopt;
  return std::string(problem);
}

Problem check_dead_letter_key(const Value& value, const Table& arguments) {
  if (value.as_string() == nullptr) return unacceptable_type(value);
  if (arguments.find("x-dead-letter-exchange") == nullptr) return "routing_key_but_no_dlx_defined";
  return std::nullopt;
}

Problem check_overflow(const Value& value, const Table&) {
  return check_one_of(value, {"drop-head", "reject-publish", "reject-publish-dlx"}, "invalid_overflow");
}

Problem check_header(const Value& value, const Table&) {
  const std::string* const header = value.as_string();
  if (header == nullptr) return unacceptable_type(value);
  if (header->empty() || header->size() > table_key_bytes_max) return "invalid_header_name";
  return std::nullopt;
}

Problem check_key(const Value& value, const Table& arguments) {
  if (Problem problem = check_header(value, arguments)) return problem;
  const std::array keys{groups_argument, last_value_argument, fair_argument};
  const auto there = [&](std::string_view name) { return arguments.find(name) != nullptr; };
  if (std::count_if(keys.begin(), keys.end(), there) > 1) return "more_than_one_key";
  return std::nullopt;
}

Problem check_groups(const Value& value, const Table& arguments) {
  if (Problem problem = check_key(value, arguments)) return problem;
  if (arguments.find("x-max-priority") != nullptr) return "groups_and_priorities";
  return std::nullopt;
}

Problem check_fair(const Value& value, const Table& arguments) {
  if (Problem problem = check_key(value, arguments)) return problem;
  if (arguments.find("x-max-priority") != nullptr) return "fairness_and_priorities";
  return std::nullopt;
}

Problem check_strategy(const Value& value, const Table&) {
  return check_one_of(value, {"at-most-once", "at-least-once"}, "invalid_dlx_strategy");
}

Problem check_retry_type(const Value& value, const Table&) {
  return check_one_of(value, {"disabled", "all", "failed", "returned"}, "invalid_delayed_retry_type");
}

Problem check_locator(const Value& value, const Table&) {
  return check_one_of(value, {"client-local", "balanced", "least-leaders", "random"},
                      "invalid_queue_locator_arg");
}

Problem check_mode(const Value& value, const Table&) {
  const std::string* const text = value.as_string();
  return check_one_of(value, {"default", "lazy"},
                      fmt::format("\"unsupported queue mode '{}'\"", text == nullptr ? "" : *text));
}

Problem check_version(const Value& value, const Table& arguments) {
  if (Problem problem = check_not_negative(value, arguments)) return problem;
  std::int64_t number = 0;
  if (value.as_integer(number) && (number == 1 || number == 2)) return std::nullopt;
  return fmt::format("\"unsupported queue version '{}'\"", to_text(value));
}

Problem check_type(const Value& value, const Table&) {
  const std::string* const text = value.as_string();
  return check_one_of(value, {"classic", "quorum", "stream"},
                      fmt::format("\"unsupported queue type '{}'\"", text == nullptr ? "" : *text));
}

// A number and a unit: 7D.
Problem check_age(const Value& value, const Table&) {
  const std::string* const text = value.as_string();
  if (text == nullptr) return unacceptable_type(value);
  const std::size_t unit = text->find_first_not_of("0123456789");
  const bool good = unit != std::string::npos && unit > 0 && unit + 1 == text->size() &&
                    std::string_view("YMDhms").find((*text)[unit]) != std::string_view::npos &&
                    text->find_first_not_of('0') < unit;
  return good ? std::nullopt : Problem("invalid_max_age");
}

constexpr std::array rules = std::to_array<ArgumentRule>({
    {"x-expires", classic | quorum, check_expires},
    {"x-message-ttl", classic | quorum, check_ttl},
    {"x-dead-letter-exchange", classic | quorum, check_text},
    {"x-dead-letter-routing-key", classic | quorum, check_dead_letter_key},
    {"x-dead-letter-strategy", quorum, check_strategy},
    {"x-max-length", classic | quorum, check_not_negative},
    {"x-max-length-bytes", classic | quorum | stream, check_not_negative},
    {"x-max-in-memory-length", quorum, check_not_negative},
    {"x-max-in-memory-bytes", quorum, check_not_negative},
    {"x-max-priority", classic, check_priority, Revision::never},
    {"x-overflow", classic | quorum, check_overflow},
    {"x-delivery-limit", quorum, check_integer},
    {"x-single-active-consumer", classic | quorum, check_bool},
    {"x-consumer-timeout", classic | quorum, check_positive},
    {"x-consumer-disconnected-timeout", quorum, check_positive},
    {"x-delayed-retry-type", quorum, check_retry_type},
    {"x-delayed-retry-min", quorum, check_expires},
    {"x-delayed-retry-max", quorum, check_expires},
    {groups_argument, classic | quorum, check_groups, Revision::never},
    {last_value_argument, classic | quorum, check_key, Revision::never},
    {fair_argument, classic | quorum, check_fair, Revision::never},
    {dedup_argument, classic | quorum, check_bool, Revision::never},
    {dedup_header_argument, classic | quorum, check_header, Revision::never},
    {"x-cache-ttl", classic | quorum, check_cache_time},
    {"x-cache-size", classic | quorum, check_cache_size},
    {"x-max-age", stream, check_age},
    {"x-stream-max-segment-size-bytes", stream, check_not_negative},
    {"x-stream-filter-size-bytes", stream, check_not_negative},
    {"x-initial-cluster-size", stream, check_positive},
    // Where messages lie is the server's matter, and one node holds all: these change nothing.
    {"x-queue-mode", classic, check_mode},
    {"x-queue-version", classic, check_version},
    {"x-queue-type", classic | quorum | stream, check_type, Revision::never},
    {"x-queue-master-locator", classic, check_text},
    {"x-queue-leader-locator", classic | quorum | stream, check_locator},
    {"x-quorum-initial-group-size", quorum, check_positive},
    {"x-member-placement-tag", quorum, check_text},
    {"x-quorum-target-group-size", quorum, check_positive},
});

std::string_view module_name(QueueType type) {
  switch (type) {
    case QueueType::classic: return "rabbit_classic_queue";
    case QueueType::quorum: return "rabbit_quorum_queue";
    case QueueType::stream: return "rabbit_stream_queue";
  }
  return "";
}

Status check_value(const ArgumentRule& rule, const Table& arguments, std::string_view resource) {
  const Value* const value = arguments.find(rule.name);
  if (value == nullptr) return {};
  const Problem problem = rule.check(*value, arguments);
  if (!problem) return {};
  return fail(ErrorCode::precondition_failed,
              fmt::format("invalid arg '{}' for {}: {}", rule.name, resource, *problem));
}

bool keys_fit(const Table& table);

bool keys_fit(const Value& value) {
  if (const auto* table = std::get_if<Table>(&value.v)) return keys_fit(*table);
  const auto* const array = std::get_if<Array>(&value.v);
  return array == nullptr ||
         std::all_of(array->begin(), array->end(), [](const Value& item) { return keys_fit(item); });
}

bool keys_fit(const Table& table) {
  return std::all_of(table.fields().begin(), table.fields().end(), [](const Field& field) {
    return field.key.size() <= table_key_bytes_max && keys_fit(field.value);
  });
}

std::size_t depth_of(const Table& table);

std::size_t depth_of(const Value& value) {
  if (const auto* table = std::get_if<Table>(&value.v)) return depth_of(*table);
  const auto* const array = std::get_if<Array>(&value.v);
  if (array == nullptr) return 0;
  std::size_t deepest = 0;
  for (const Value& item : *array) deepest = std::max(deepest, depth_of(item));
  return deepest + 1;
}

std::size_t depth_of(const Table& table) {
  std::size_t deepest = 0;
  for (const Field& field : table.fields()) deepest = std::max(deepest, depth_of(field.value));
  return deepest + 1;
}

}  // namespace

std::span<const ArgumentRule> argument_rules() { return rules; }

QueueType queue_type(const Table& arguments) {
  const Value* const value = arguments.find("x-queue-type");
  const std::string* const text = value == nullptr ? nullptr : value->as_string();
  if (text != nullptr && *text == "quorum") return QueueType::quorum;
  if (text != nullptr && *text == "stream") return QueueType::stream;
  return QueueType::classic;
}

Result<bool> take_update(Table& arguments, std::string_view resource) {
  const Value* const asked = arguments.find(update_argument);
  if (asked == nullptr) return false;
  const bool* const update = std::get_if<bool>(&asked->v);
  if (update == nullptr) {
    return fail(ErrorCode::precondition_failed, fmt::format("invalid arg '{}' for {}: {}", update_argument,
                                                            resource, *unacceptable_type(*asked)));
  }
  const bool wanted = *update;
  arguments.remove(update_argument);
  return wanted;
}

Status check_queue_arguments(const Table& arguments, std::string_view resource) {
  const auto type_rule =
      std::find_if(rules.begin(), rules.end(), [](const auto& rule) { return rule.check == check_type; });
  WEIR_TRY(check_value(*type_rule, arguments, resource));
  const QueueType type = queue_type(arguments);
  const unsigned type_bit = static_cast<unsigned>(type);
  if (type == QueueType::stream) {
    return fail(ErrorCode::not_implemented,
                fmt::format("queue type 'stream' is not implemented: {}", resource));
  }
  for (const ArgumentRule& rule : rules) {
    if ((rule.types & type_bit) != 0) WEIR_TRY(check_value(rule, arguments, resource));
  }
  for (const ArgumentRule& rule : rules) {
    if (arguments.find(rule.name) == nullptr) continue;
    if ((rule.types & type_bit) == 0) {
      return fail(ErrorCode::precondition_failed, fmt::format("invalid arg '{}' for {} of queue type {}",
                                                              rule.name, resource, module_name(type)));
    }
  }
  return {};
}

namespace {

// Of consumers that only look; for others it says nothing.
Problem check_browse_start(const Value& value, const Table& arguments) {
  if (!is_browser(arguments) || std::holds_alternative<Timestamp>(value.v)) return std::nullopt;
  if (const std::string* const text = value.as_string()) {
    if (*text == "first" || *text == "last" || *text == "next") return std::nullopt;
    return fmt::format("\"expected first, last, next, a number or a timestamp, got {}\"", *text);
  }
  return check_not_negative(value, arguments);
}

}  // namespace

Status check_consumer_arguments(const Table& arguments, std::string_view resource) {
  constexpr auto none = static_cast<unsigned>(0);
  constexpr std::array of_consumers = std::to_array<ArgumentRule>({
      {"x-priority", none, check_integer},
      {"x-cancel-on-ha-failover", none, check_bool},
      {"x-browse", none, check_bool},
      {"x-stream-offset", none, check_browse_start},
  });
  for (const ArgumentRule& rule : of_consumers) WEIR_TRY(check_value(rule, arguments, resource));
  return {};
}

bool is_browser(const Table& arguments) {
  const Value* const value = arguments.find("x-browse");
  const bool* const flag = value == nullptr ? nullptr : std::get_if<bool>(&value->v);
  return flag != nullptr && *flag;
}

BrowseStart browse_start(const Table& arguments) {
  using At = BrowseStart::At;
  const Value* const value = arguments.find("x-stream-offset");
  if (value == nullptr) return {};
  if (const Timestamp* const time = std::get_if<Timestamp>(&value->v)) return {At::time, time->seconds};
  if (const std::string* const text = value->as_string())
    return {*text == "next" ? At::next : *text == "last" ? At::last : At::first, 0};
  if (const auto* const large = std::get_if<std::uint64_t>(&value->v)) return {At::offset, *large};
  std::int64_t number = 0;
  value->as_integer(number);
  return {At::offset, static_cast<std::uint64_t>(number)};
}

std::int32_t consumer_priority(const Table& arguments) {
  const Value* const value = arguments.find("x-priority");
  std::int64_t priority = 0;
  if (value == nullptr || !value->as_integer(priority)) return 0;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(priority, INT32_MIN, INT32_MAX));
}

Status check_storable(const Table& arguments) {
  if (arguments.empty()) return {};
  if (depth_of(arguments) > value_depth_max) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("arguments are nested more than {} deep", value_depth_max));
  }
  if (!keys_fit(arguments)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("an argument's name is longer than {} bytes", table_key_bytes_max));
  }
  std::vector<std::byte> bytes;
  Writer writer(bytes);
  encode_table(arguments, writer);
  if (bytes.size() > arguments_bytes_max) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("arguments take more than {} bytes", arguments_bytes_max));
  }
  // What can't be read back is not to be written: a key that repeats.
  Table again;
  Reader reader(bytes);
  if (!decode_table(reader, again)) return fail(ErrorCode::invalid_argument, "an argument is given twice");
  return {};
}

}  // namespace weir::broker
