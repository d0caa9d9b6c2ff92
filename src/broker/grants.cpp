#include "broker/grants.h"

#include <algorithm>
#include <charconv>

namespace weir::broker {

namespace {

bool unescape(std::string_view text, std::string& plain) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      plain += text[at] == '+' ? ' ' : text[at];
      continue;
    }
    if (at + 2 >= text.size()) return false;
    unsigned byte = 0;
    const char* const digits = text.data() + at + 1;
    if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) return false;
    plain += static_cast<char>(byte);
    at += 2;
  }
  return true;
}

}  // namespace

std::optional<Wildcard> Wildcard::parse(std::string_view pattern) {
  Wildcard made;
  while (true) {
    const std::size_t star = pattern.find('*');
    if (!unescape(pattern.substr(0, star), made.parts_.emplace_back())) return std::nullopt;
    if (star == std::string_view::npos) return made;
    pattern.remove_prefix(star + 1);
  }
}

// Each part where it comes first: if there is any place for the rest, there is one behind that.
bool Wildcard::matches(std::string_view text) const {
  const std::string &first = parts_.front(), &last = parts_.back();
  if (parts_.size() == 1) return text == first;
  if (text.size() < first.size() + last.size() || !text.starts_with(first) || !text.ends_with(last))
    return false;
  text = text.substr(first.size(), text.size() - first.size() - last.size());
  for (std::size_t i = 1; i + 1 < parts_.size(); ++i) {
    const std::size_t at = text.find(parts_[i]);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + parts_[i].size());
  }
  return true;
}

bool Grants::allows_vhost(std::string_view vhost) const {
  return std::any_of(grants_.begin(), grants_.end(),
                     [&](const Grant& grant) { return grant.vhost.matches(vhost); });
}

bool Grants::allows(std::string_view vhost, Access access, std::string_view resource) const {
  return std::any_of(grants_.begin(), grants_.end(), [&](const Grant& grant) {
    return grant.access == access && grant.vhost.matches(vhost) && grant.name.matches(resource);
  });
}

bool Grants::allows_topic(std::string_view vhost, Access access, std::string_view exchange,
                          std::string_view routing_key) const {
  return std::any_of(grants_.begin(), grants_.end(), [&](const Grant& grant) {
    return grant.access == access && grant.routing_key && grant.vhost.matches(vhost) &&
           grant.name.matches(exchange) && grant.routing_key->matches(routing_key);
  });
}

}  // namespace weir::broker
