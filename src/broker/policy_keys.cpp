#include "broker/policy_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>

#include "broker/declare_arguments.h"

namespace weir::broker {

namespace {

bool is_text(const Value& value) { return value.as_string() != nullptr; }

bool is_at_least(const Value& value, std::int64_t least) {
  std::int64_t number = 0;
  return value.as_integer(number) && number >= least;
}

bool is_one_of(const Value& value, std::initializer_list<std::string_view> words) {
  const std::string* const text = value.as_string();
  return text != nullptr && std::find(words.begin(), words.end(), *text) != words.end();
}

bool is_not_negative(const Value& value) { return is_at_least(value, 0); }
bool is_positive(const Value& value) { return is_at_least(value, 1); }

// Times are 32 bits of milliseconds, as in arguments.
constexpr std::int64_t time_ms_max = 4'294'967'295;
bool is_ttl(const Value& value) { return is_at_least(value, 0) && !is_at_least(value, time_ms_max + 1); }
bool is_expiry(const Value& value) { return is_at_least(value, 1) && !is_at_least(value, time_ms_max + 1); }

bool is_overflow(const Value& value) {
  return is_one_of(value, {"drop-head", "reject-publish", "reject-publish-dlx"});
}
bool is_strategy(const Value& value) { return is_one_of(value, {"at-most-once", "at-least-once"}); }
bool is_retry_type(const Value& value) { return is_one_of(value, {"disabled", "all", "failed", "returned"}); }
bool is_mode(const Value& value) { return is_one_of(value, {"default", "lazy"}); }
bool is_version(const Value& value) { return is_at_least(value, 1) && !is_at_least(value, 3); }
bool is_locator(const Value& value) {
  return is_one_of(value, {"client-local", "balanced", "least-leaders", "random", "min-masters"});
}
bool is_anything(const Value&) { return true; }

enum class Effect : std::uint8_t {
  least,     // a limit: the least of all that is said counts
  override,  // an argument counts over a policy, an operator policy over a policy
  exchange,  // of an exchange; the same
  none,      // where messages lie and who serves them, which is one server's own matter here
};

struct Key {
  std::string_view name;
  std::string_view words;  // "… is not a valid <words>"
  bool (*is_valid)(const Value&);
  Effect effect;
  bool for_operators = false;
};

constexpr std::array keys = std::to_array<Key>({
    {"message-ttl", "message TTL", is_ttl, Effect::least, true},
    {"expires", "queue expiry", is_expiry, Effect::least, true},
    {"max-length", "maximum length", is_not_negative, Effect::least, true},
    {"max-length-bytes", "maximum length in bytes", is_not_negative, Effect::least, true},
    {"delivery-limit", "delivery limit", is_not_negative, Effect::least, true},
    {"consumer-timeout", "consumer timeout", is_positive, Effect::least, false},
    {"overflow", "overflow value", is_overflow, Effect::override, true},
    {"dead-letter-exchange", "dead letter exchange name", is_text, Effect::override},
    {"dead-letter-routing-key", "dead letter routing key", is_text, Effect::override},
    {"dead-letter-strategy", "dead letter strategy", is_strategy, Effect::override},
    {"delayed-retry-type", "delayed retry type", is_retry_type, Effect::override, true},
    {"delayed-retry-min", "delayed retry minimum", is_expiry, Effect::override, true},
    {"delayed-retry-max", "delayed retry maximum", is_expiry, Effect::override, true},
    {alternate_exchange_key, "alternate exchange name", is_text, Effect::exchange},

    {"queue-mode", "queue-mode value", is_mode, Effect::none},
    {"queue-version", "queue-version value", is_version, Effect::none, true},
    {"queue-leader-locator", "queue leader locator value", is_locator, Effect::none},
    {"queue-master-locator", "queue master locator", is_text, Effect::none},
    {"max-in-memory-length", "maximum memory in length", is_not_negative, Effect::none, true},
    {"max-in-memory-bytes", "maximum memory in bytes", is_not_negative, Effect::none, true},
    {"initial-cluster-size", "cluster size", is_positive, Effect::none},
    {"target-group-size", "target group size", is_positive, Effect::none, true},
    {"max-age", "max age", is_text, Effect::none},
    {"stream-max-segment-size-bytes", "segment size", is_not_negative, Effect::none},
    {"stream-filter-size-bytes", "filter size", is_not_negative, Effect::none},
    {"ha-mode", "ha-mode", is_text, Effect::none, true},
    {"ha-params", "ha-params", is_anything, Effect::none, true},
    {"ha-sync-mode", "ha-sync-mode", is_text, Effect::none, true},
    {"ha-sync-batch-size", "ha-sync-batch-size", is_positive, Effect::none},
    {"ha-promote-on-shutdown", "ha-promote-on-shutdown", is_text, Effect::none},
    {"ha-promote-on-failure", "ha-promote-on-failure", is_text, Effect::none},
});

const Key* find_key(std::string_view name) {
  const auto* const found =
      std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.name == name; });
  return found == keys.end() ? nullptr : found;
}

std::string argument_of(std::string_view key) { return fmt::format("x-{}", key); }

const ArgumentRule* find_rule(std::string_view argument) {
  const auto rules = argument_rules();
  const auto found = std::find_if(rules.begin(), rules.end(),
                                  [&](const ArgumentRule& rule) { return rule.name == argument; });
  return found == rules.end() ? nullptr : &*found;
}

// As people who know RabbitMQ expect it: a term of Erlang.
std::string term(const Value& value);

std::string term(const Table& table) {
  std::string out = "#{";
  for (const Field& field : table.fields()) {
    if (out.size() > 2) out += ',';
    out += fmt::format("<<\"{}\">> => {}", field.key, term(field.value));
  }
  return out + "}";
}

std::string term(const Value& value) {
  if (const std::string* const text = value.as_string()) return fmt::format("<<\"{}\">>", *text);
  if (const auto* const table = std::get_if<Table>(&value.v)) return term(*table);
  if (const auto* const array = std::get_if<Array>(&value.v)) {
    std::string out = "[";
    for (const Value& item : *array) out += (out.size() > 1 ? "," : "") + term(item);
    return out + "]";
  }
  if (std::holds_alternative<std::monostate>(value.v)) return "null";
  return to_text(value);
}

std::unexpected<Error> invalid(const std::string& why) {
  return fail(ErrorCode::invalid_argument, "Validation failed\n\n" + why + "\n");
}

Value least_of(const Value& a, const Value& b) {
  std::int64_t one = 0, other = 0;
  return a.as_integer(one) && b.as_integer(other) && other < one ? b : a;
}

}  // namespace

Status check_policy_definition(const Table& definition, bool of_operator) {
  if (definition.empty()) return invalid("no policy provided");
  std::string unknown;
  for (const Field& field : definition.fields()) {
    const Key* const key = find_key(field.key);
    if (key != nullptr && (key->for_operators || !of_operator)) continue;
    if (!unknown.empty()) unknown += ',';
    unknown += fmt::format("{{<<\"{}\">>,{}}}", field.key, term(field.value));
  }
  if (!unknown.empty()) return invalid(fmt::format("[{}] are not recognised policy settings", unknown));
  for (const Field& field : definition.fields()) {
    const Key& key = *find_key(field.key);
    if (!key.is_valid(field.value))
      return invalid(fmt::format("{} is not a valid {}", term(field.value), key.words));
  }
  return {};
}

Table merge_policies(const PolicyDefinition* policy, const PolicyDefinition* of_operator) {
  Table merged;
  if (policy != nullptr) merged = policy->definition;
  if (of_operator == nullptr) return merged;
  for (const Field& field : of_operator->definition.fields()) {
    const Key* const key = find_key(field.key);
    const Value* const known = merged.find(field.key);
    const bool least = key != nullptr && key->effect == Effect::least && known != nullptr;
    merged.set(field.key, least ? least_of(*known, field.value) : field.value);
  }
  return merged;
}

Table merge_arguments(const Table& arguments, const Table& merged_policies) {
  Table merged = arguments;
  const auto type = static_cast<unsigned>(queue_type(arguments));
  for (const Field& field : merged_policies.fields()) {
    const Key* const key = find_key(field.key);
    if (key == nullptr || (key->effect != Effect::least && key->effect != Effect::override)) continue;
    std::string argument = argument_of(field.key);
    const ArgumentRule* const rule = find_rule(argument);
    if (rule == nullptr || (rule->types & type) == 0) continue;
    const Value* const known = merged.find(argument);
    if (known == nullptr) {
      merged.append(std::move(argument), field.value);
    } else if (key->effect == Effect::least) {
      merged.set(std::move(argument), least_of(*known, field.value));
    }
  }
  return merged;
}

namespace {
struct TargetsWord {
  PolicyTargets targets;
  std::string_view word;
};
constexpr TargetsWord targets_words[] = {
    {PolicyTargets::queues, "queues"},
    {PolicyTargets::classic_queues, "classic_queues"},
    {PolicyTargets::quorum_queues, "quorum_queues"},
    {PolicyTargets::streams, "streams"},
    {PolicyTargets::exchanges, "exchanges"},
    {PolicyTargets::all, "all"},
};
}  // namespace

std::string_view to_string(PolicyTargets targets) {
  for (const TargetsWord& known : targets_words) {
    if (known.targets == targets) return known.word;
  }
  return {};
}

Result<PolicyTargets> parse_policy_targets(std::string_view word) {
  for (const TargetsWord& known : targets_words) {
    if (known.word == word) return known.targets;
  }
  return invalid(
      fmt::format("apply-to '{}' unrecognised; should be one of: 'queues', 'classic_queues', "
                  "'quorum_queues', 'streams', 'exchanges', or 'all'",
                  word));
}

}  // namespace weir::broker
