#include "broker/permissions.h"

#include <array>
#include <optional>
#include <utility>

#include "broker/hash.h"
#include "broker/pattern.h"
#include "broker/pointer_table.h"

namespace weir::broker {

namespace {

struct Answer {
  std::string resource;
  bool allowed;
};

// One of the three patterns of a permission.
class Rule {
 public:
  explicit Rule(const std::string& text) : matches_only_empty_(text.empty()) {
    if (text.empty()) return;
    if (auto pattern = Pattern::compile(text)) pattern_ = std::move(*pattern);
  }

  const Answer* known(std::string_view resource) const {
    return answers_.find(hash_text(resource),
                         [&](const Answer& answer) { return answer.resource == resource; });
  }
  bool decide(std::string_view resource) const {
    const bool allowed = matches_only_empty_ ? resource.empty() : pattern_ && pattern_->matches(resource);
    answers_.insert(hash_text(resource), std::make_unique<Answer>(Answer{std::string(resource), allowed}));
    return allowed;
  }
  void forget() const { answers_ = {}; }

 private:
  bool matches_only_empty_;
  std::optional<Pattern> pattern_;
  mutable PointerTable<std::unique_ptr<Answer>> answers_;
};

}  // namespace

struct Permissions::Entry {
  explicit Entry(const PermissionDefinition& from)
      : definition(from), rules{Rule(from.configure), Rule(from.write), Rule(from.read)} {}

  PermissionDefinition definition;
  std::array<Rule, 3> rules;  // by Access
};

Permissions::Permissions() = default;
Permissions::~Permissions() = default;

void Permissions::forget_answers() const {
  answer_count_ = 0;
  for (const auto& [user, by_vhost] : by_user_) {
    for (const auto& [vhost, entry] : by_vhost) {
      for (const Rule& rule : entry->rules) rule.forget();
    }
  }
}

void Permissions::put(const PermissionDefinition& permission) {
  by_user_[permission.user][permission.vhost] = std::make_unique<Entry>(permission);
  forget_answers();
}

void Permissions::remove(std::string_view user, std::string_view vhost) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  if (const auto at = found->second.find(vhost); at != found->second.end()) found->second.erase(at);
  if (found->second.empty()) by_user_.erase(found);
  forget_answers();
}

void Permissions::remove_user(std::string_view user) {
  if (const auto found = by_user_.find(user); found != by_user_.end()) by_user_.erase(found);
  forget_answers();
}

void Permissions::remove_vhost(std::string_view vhost) {
  for (auto at = by_user_.begin(); at != by_user_.end();) {
    if (const auto found = at->second.find(vhost); found != at->second.end()) at->second.erase(found);
    at = at->second.empty() ? by_user_.erase(at) : std::next(at);
  }
  forget_answers();
}

const Permissions::Entry* Permissions::entry(std::string_view user, std::string_view vhost) const {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return nullptr;
  const auto at = found->second.find(vhost);
  return at == found->second.end() ? nullptr : at->second.get();
}

const PermissionDefinition* Permissions::find(std::string_view user, std::string_view vhost) const {
  const Entry* found = entry(user, vhost);
  return found == nullptr ? nullptr : &found->definition;
}

bool Permissions::allows(std::string_view user, std::string_view vhost, Access access,
                         std::string_view resource) const {
  const Entry* found = entry(user, vhost);
  if (found == nullptr) return false;
  const Rule& rule = found->rules[static_cast<std::size_t>(access)];
  if (const Answer* answer = rule.known(resource)) return answer->allowed;
  if (answer_count_ >= permission_answers_max) forget_answers();
  ++answer_count_;
  return rule.decide(resource);
}

std::vector<const PermissionDefinition*> Permissions::all() const {
  std::vector<const PermissionDefinition*> all;
  for (const auto& [user, by_vhost] : by_user_) {
    for (const auto& [vhost, entry] : by_vhost) all.push_back(&entry->definition);
  }
  return all;
}

}  // namespace weir::broker
