#include "protocol/mqtt/codec/topic.h"

namespace weir::mqtt {

namespace {

constexpr std::string_view wildcards = "+#";

char swapped(char c) {
  if (c == '/') return '.';
  return c == '.' ? '/' : c;
}

void write_swapped(std::string_view from, char* to) {
  for (const char c : from) *to++ = swapped(c);
}

}  // namespace

bool is_topic_name(std::string_view name) {
  return !name.empty() && name.size() <= topic_bytes_max && !has_wildcards(name);
}

bool has_wildcards(std::string_view filter) {
  return filter.find('+') != std::string_view::npos || filter.find('#') != std::string_view::npos;
}

bool is_topic_filter(std::string_view filter) {
  if (filter.empty() || filter.size() > topic_bytes_max) return false;
  for (std::size_t at = filter.find_first_of(wildcards); at != std::string_view::npos;
       at = filter.find_first_of(wildcards, at + 1)) {
    const bool level_begins = at == 0 || filter[at - 1] == '/';
    const bool filter_ends = at + 1 == filter.size();
    const bool level_ends = filter_ends || (filter[at] == '+' && filter[at + 1] == '/');
    if (!level_begins || !level_ends) return false;
  }
  return true;
}

std::optional<SharedFilter> shared_filter(std::string_view filter) {
  filter.remove_prefix(shared_prefix.size());
  const Level group = take_level(filter);
  if (!group.more || group.text.empty() || has_wildcards(group.text) || !is_topic_filter(filter)) return {};
  return SharedFilter{group.text, filter};
}

bool is_subscribable(std::string_view filter) {
  return is_shared(filter) ? shared_filter(filter).has_value() : is_topic_filter(filter);
}

bool matches(std::string_view filter, std::string_view topic) {
  if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) return false;
  return matches_below(filter, topic);
}

bool matches_below(std::string_view filter, std::string_view topic) {
  for (;;) {
    const Level wanted = take_level(filter);
    if (wanted.text == "#") return true;
    const Level level = take_level(topic);
    if (wanted.text != "+" && wanted.text != level.text) return false;
    if (!level.more) return !wanted.more || filter == "#";  // "sport/#" matches "sport" as well
    if (!wanted.more) return false;
  }
}

void write_routing_key(std::string_view topic, char* to) { write_swapped(topic, to); }
void write_topic(std::string_view routing_key, char* to) { write_swapped(routing_key, to); }

void write_binding_key(std::string_view filter, char* to) {
  for (const char c : filter) *to++ = c == '+' ? '*' : swapped(c);
}

std::string routing_key_of(std::string_view topic) {
  std::string key(topic.size(), '\0');
  write_routing_key(topic, key.data());
  return key;
}

std::string topic_of(std::string_view routing_key) {
  std::string topic(routing_key.size(), '\0');
  write_topic(routing_key, topic.data());
  return topic;
}

std::string binding_key_of(std::string_view filter) {
  std::string key(filter.size(), '\0');
  write_binding_key(filter, key.data());
  return key;
}

}  // namespace weir::mqtt
