// What it is: what users may publish to topic exchanges with, and bind to them with.
// Shard: part of a shard's Topology.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "broker/definitions.h"
#include "broker/topology.h"

namespace weir::broker {

class TopicPermissions {
 public:
  TopicPermissions();
  ~TopicPermissions();

  void put(const TopicPermissionDefinition& permission);
  void remove(std::string_view user, std::string_view vhost, std::string_view exchange);
  void remove_user(std::string_view user);
  void remove_vhost(std::string_view vhost);

  const TopicPermissionDefinition* find(std::string_view user, std::string_view vhost,
                                        std::string_view exchange) const;
  // True where there is none: then the permission for the exchange says all. write or read.
  bool allows(const TopicUser& user, std::string_view vhost, Access access, std::string_view exchange,
              std::string_view routing_key) const;
  // In order of user, vhost and exchange.
  std::vector<const TopicPermissionDefinition*> all() const;

 private:
  struct Entry;
  using Key = std::tuple<std::string, std::string, std::string>;
  using Found = std::map<Key, std::unique_ptr<Entry>, std::less<>>;

  Found entries_;
};

}  // namespace weir::broker
