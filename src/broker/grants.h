// What it is: what an access token grants, where the definitions do not say it: permissions by patterns of vhosts, names
// and routing keys.
// Shard: any; it does not change once it is made.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/topology.h"

namespace weir::broker {

// A text in which * stands for any text, also none; %2A for a star, as for any other character; and + for a space.
class Wildcard {
 public:
  // nullopt: after a % there are no two hexadecimal digits.
  static std::optional<Wildcard> parse(std::string_view pattern);
  bool matches(std::string_view text) const;

 private:
  std::vector<std::string> parts_;  // between the stars; at least one
};

struct Grant {
  Access access{};
  Wildcard vhost, name;
  std::optional<Wildcard> routing_key;  // without one, it says nothing of topics
};

class Grants {
 public:
  explicit Grants(std::vector<Grant> grants) : grants_(std::move(grants)) {}

  bool allows_vhost(std::string_view vhost) const;
  bool allows(std::string_view vhost, Access access, std::string_view resource) const;
  bool allows_topic(std::string_view vhost, Access access, std::string_view exchange,
                    std::string_view routing_key) const;

 private:
  std::vector<Grant> grants_;
};

}  // namespace weir::broker
