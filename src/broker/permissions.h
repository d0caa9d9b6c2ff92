// What it is: who may do what: the permissions of users in vhosts, compiled, with the answers remembered.
// Shard: part of a shard's Topology.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/definitions.h"
#include "broker/topology.h"

namespace weir::broker {

inline constexpr std::size_t permission_answers_max = 65'536;

class Permissions {
 public:
  Permissions();
  ~Permissions();

  // A pattern that does not compile matches nothing: decide() refuses it, but an older log may hold one.
  void put(const PermissionDefinition& permission);
  void remove(std::string_view user, std::string_view vhost);
  void remove_user(std::string_view user);
  void remove_vhost(std::string_view vhost);

  // Null if the user has none in the vhost.
  const PermissionDefinition* find(std::string_view user, std::string_view vhost) const;
  bool allows(std::string_view user, std::string_view vhost, Access access, std::string_view resource) const;
  // In order of user and vhost.
  std::vector<const PermissionDefinition*> all() const;

 private:
  struct Entry;
  using ByVhost = std::map<std::string, std::unique_ptr<Entry>, std::less<>>;

  const Entry* entry(std::string_view user, std::string_view vhost) const;
  void forget_answers() const;

  std::map<std::string, ByVhost, std::less<>> by_user_;
  mutable std::size_t answer_count_ = 0;
};

}  // namespace weir::broker
