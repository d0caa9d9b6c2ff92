// What it is: topic names and topic filters (MQTT 5.0, 4.7 and 4.8): what is valid, what matches, shared
// subscriptions; and how they stand in AMQP's terms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::mqtt {

inline constexpr std::size_t topic_bytes_max = 65'535;

// Of UTF-8 that was checked already: not empty, no wildcard [MQTT-4.7.1-1], [MQTT-4.7.3-1].
bool is_topic_name(std::string_view name);
// `+` stands for a whole level, `#` too and only at the end [MQTT-4.7.1-1], -2. "$share/..." is a filter like any other
// here; shared_filter() says more of it.
bool is_topic_filter(std::string_view filter);
bool has_wildcards(std::string_view filter);

// "$share/{group}/{filter}".
inline constexpr std::string_view shared_prefix = "$share/";
struct SharedFilter {
  std::string_view group, filter;
  bool operator==(const SharedFilter&) const = default;
};
constexpr bool is_shared(std::string_view filter) { return filter.starts_with(shared_prefix); }
// Of one that is_shared(). nullopt: the group is empty or has a wildcard in it, or no valid filter follows
// [MQTT-4.8.2-1], -2.
std::optional<SharedFilter> shared_filter(std::string_view filter);

// What a SUBSCRIBE may ask for: a filter, or a shared one.
bool is_subscribable(std::string_view filter);

// Whether a valid filter (not a shared one) matches a valid name. A wildcard in front does not match names that begin
// with `$` [MQTT-4.7.2-1].
bool matches(std::string_view filter, std::string_view topic);
// The same of what is left of both behind some whole levels, for which the rule of `$` does not hold.
bool matches_below(std::string_view filter, std::string_view topic);

// The first level of `text`, which is cut off it together with its '/'. `more` tells whether a '/' was there: "a/" has
// two levels, the second empty.
struct Level {
  std::string_view text;
  bool more;
};
constexpr Level take_level(std::string_view& text) {
  const std::size_t end = text.find('/');
  const Level level{text.substr(0, end), end != std::string_view::npos};
  text.remove_prefix(level.more ? end + 1 : text.size());
  return level;
}

// A topic as a routing key of a topic exchange, and back: '/' and '.' change places ("a.b/c" <-> "a/b.c"), so nothing is
// lost. The lengths are equal; the first forms write that many bytes at `to`, which may be where they come from.
void write_routing_key(std::string_view topic, char* to);
void write_topic(std::string_view routing_key, char* to);
std::string routing_key_of(std::string_view topic);
std::string topic_of(std::string_view routing_key);

// A filter as a binding key: besides, '+' becomes '*' and '#' stays. A level of the filter that is literally "*" stands
// for any level there, and so may a topic's level that is "#" or "*" be taken: where it has to be exact, ask matches()
// too. The rule of `$` is not in a binding key either.
void write_binding_key(std::string_view filter, char* to);
std::string binding_key_of(std::string_view filter);

}  // namespace weir::mqtt
