#include "broker/topic_permissions.h"

#include <optional>
#include <utility>

#include "broker/pattern.h"

namespace weir::broker {

namespace {

constexpr std::string_view client_id_variable = "{client_id}";

// What stands for a name matches that name and nothing else, whatever characters are in it.
std::string quoted(std::string_view name) {
  constexpr std::string_view special = R"(\^$.|?*+()[]{}-)";
  std::string out;
  for (const char c : name) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

void expand(std::string& text, std::string_view variable, std::string_view name) {
  const std::string by = quoted(name);
  for (std::size_t at = 0; (at = text.find(variable, at)) != std::string::npos; at += by.size()) {
    text.replace(at, variable.size(), by);
  }
}

std::optional<Pattern> compile(const std::string& text) {
  auto pattern = Pattern::compile(text);
  if (!pattern) return std::nullopt;
  return std::move(*pattern);
}

class Rule {
 public:
  Rule(const std::string& text, const TopicPermissionDefinition& of) : text_(text) {
    if (text_.empty()) text_ = "^$";
    expand(text_, "{username}", of.user);
    expand(text_, "{vhost}", of.vhost);
    of_client_ = text_.find(client_id_variable) != std::string::npos;
    if (!of_client_) pattern_ = compile(text_);
  }
  bool matches(std::string_view client_id, std::string_view routing_key) const {
    if (!of_client_) return pattern_ && pattern_->matches(routing_key);
    std::string text = text_;
    expand(text, client_id_variable, client_id);
    const std::optional<Pattern> pattern = compile(text);
    return pattern && pattern->matches(routing_key);
  }

 private:
  std::string text_;
  bool of_client_ = false;
  std::optional<Pattern> pattern_;
};

}  // namespace

struct TopicPermissions::Entry {
  explicit Entry(const TopicPermissionDefinition& from)
      : definition(from), write(from.write, from), read(from.read, from) {}
  TopicPermissionDefinition definition;
  Rule write, read;
};

TopicPermissions::TopicPermissions() = default;
TopicPermissions::~TopicPermissions() = default;

void TopicPermissions::put(const TopicPermissionDefinition& permission) {
  entries_[Key(permission.user, permission.vhost, permission.exchange)] = std::make_unique<Entry>(permission);
}

void TopicPermissions::remove(std::string_view user, std::string_view vhost, std::string_view exchange) {
  const auto found = entries_.find(std::tie(user, vhost, exchange));
  if (found != entries_.end()) entries_.erase(found);
}

void TopicPermissions::remove_user(std::string_view user) {
  std::erase_if(entries_, [&](const auto& entry) { return std::get<0>(entry.first) == user; });
}

void TopicPermissions::remove_vhost(std::string_view vhost) {
  std::erase_if(entries_, [&](const auto& entry) { return std::get<1>(entry.first) == vhost; });
}

const TopicPermissionDefinition* TopicPermissions::find(std::string_view user, std::string_view vhost,
                                                        std::string_view exchange) const {
  const auto found = entries_.find(std::tie(user, vhost, exchange));
  return found == entries_.end() ? nullptr : &found->second->definition;
}

bool TopicPermissions::allows(const TopicUser& user, std::string_view vhost, Access access,
                              std::string_view exchange, std::string_view routing_key) const {
  const auto found = entries_.find(std::tie(user.who.name, vhost, exchange));
  if (found == entries_.end()) return true;
  const Entry& entry = *found->second;
  return (access == Access::write ? entry.write : entry.read).matches(user.client_id, routing_key);
}

std::vector<const TopicPermissionDefinition*> TopicPermissions::all() const {
  std::vector<const TopicPermissionDefinition*> all;
  for (const auto& [key, entry] : entries_) all.push_back(&entry->definition);
  return all;
}

}  // namespace weir::broker
