// What it is: what vhosts and users may use: the names of the limits, and the values that are set.
// Shard: part of a shard's Topology.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/definitions.h"

namespace weir::broker {

namespace limit_names {
// As RabbitMQ has them.
inline constexpr std::string_view max_connections = "max-connections";  // of a vhost, of a user
inline constexpr std::string_view max_queues = "max-queues";            // of a vhost
inline constexpr std::string_view max_channels = "max-channels";        // of a user
// Weir's own: so that one tenant's load leaves the others running.
inline constexpr std::string_view max_messages = "max-messages";          // kept, of a vhost
inline constexpr std::string_view max_bytes = "max-bytes";                // the same
inline constexpr std::string_view max_publish_rate = "max-publish-rate";  // messages/s, of a vhost, of a user
inline constexpr std::string_view max_publish_bytes_rate = "max-publish-bytes-rate";  // of bodies
}  // namespace limit_names

struct LimitName {
  std::string_view name;
  bool of_vhost = false, of_user = false;
  bool of_rabbitmq = false;
};
std::span<const LimitName> limit_names_table();
const LimitName* find_limit_name(LimitOf of, std::string_view name);

class TenantLimits {
 public:
  void put(const LimitDefinition& limit);
  void remove(LimitOf of, std::string_view subject, std::string_view name);
  void remove_subject(LimitOf of, std::string_view subject);

  const LimitDefinition* find(LimitOf of, std::string_view subject, std::string_view name) const;
  // None: there is no limit.
  std::optional<std::uint64_t> value(LimitOf of, std::string_view subject, std::string_view name) const;
  // In order of kind, subject and name.
  std::vector<const LimitDefinition*> all() const;

 private:
  using Names = std::map<std::string, LimitDefinition, std::less<>>;
  using Subjects = std::map<std::string, Names, std::less<>>;
  const Subjects& subjects(LimitOf of) const { return of == LimitOf::vhost ? vhosts_ : users_; }
  Subjects& subjects(LimitOf of) { return of == LimitOf::vhost ? vhosts_ : users_; }

  Subjects vhosts_, users_;
};

}  // namespace weir::broker
