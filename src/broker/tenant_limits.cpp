#include "broker/tenant_limits.h"

#include <algorithm>

namespace weir::broker {

namespace {

constexpr LimitName known_names[] = {
    {limit_names::max_connections, true, true, true},
    {limit_names::max_queues, true, false, true},
    {limit_names::max_channels, false, true, true},
    {limit_names::max_messages, true, false, false},
    {limit_names::max_bytes, true, false, false},
    {limit_names::max_publish_rate, true, true, false},
    {limit_names::max_publish_bytes_rate, true, true, false},
};

}  // namespace

std::span<const LimitName> limit_names_table() { return known_names; }

const LimitName* find_limit_name(LimitOf of, std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(known_names), std::end(known_names), [&](const LimitName& known) {
        return known.name == name && (of == LimitOf::vhost ? known.of_vhost : known.of_user);
      });
  return found == std::end(known_names) ? nullptr : found;
}

void TenantLimits::put(const LimitDefinition& limit) {
  subjects(limit.of)[limit.subject][limit.name] = limit;
}

void TenantLimits::remove(LimitOf of, std::string_view subject, std::string_view name) {
  Subjects& all = subjects(of);
  const auto found = all.find(subject);
  if (found == all.end()) return;
  if (const auto at = found->second.find(name); at != found->second.end()) found->second.erase(at);
  if (found->second.empty()) all.erase(found);
}

void TenantLimits::remove_subject(LimitOf of, std::string_view subject) {
  Subjects& all = subjects(of);
  if (const auto found = all.find(subject); found != all.end()) all.erase(found);
}

const LimitDefinition* TenantLimits::find(LimitOf of, std::string_view subject, std::string_view name) const {
  const Subjects& all = subjects(of);
  const auto found = all.find(subject);
  if (found == all.end()) return nullptr;
  const auto at = found->second.find(name);
  return at == found->second.end() ? nullptr : &at->second;
}

std::optional<std::uint64_t> TenantLimits::value(LimitOf of, std::string_view subject,
                                                 std::string_view name) const {
  const LimitDefinition* const limit = find(of, subject, name);
  if (limit == nullptr || limit->value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(limit->value);
}

std::vector<const LimitDefinition*> TenantLimits::all() const {
  std::vector<const LimitDefinition*> all;
  for (const Subjects* subjects : {&vhosts_, &users_}) {
    for (const auto& [subject, names] : *subjects) {
      for (const auto& [name, limit] : names) all.push_back(&limit);
    }
  }
  return all;
}

}  // namespace weir::broker
