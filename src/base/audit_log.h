// What it is: the audit: a line of the log, by the logger "audit", for each thing that a user did to what the broker is made of,
// or was refused. Who, from where, by which protocol, what, and with what outcome.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

struct AuditEntry {
  std::string_view user, peer, protocol;
  std::string_view vhost;    // empty: it is about none, or the object says which
  std::string_view action;   // "queue.declare", "PUT"
  std::string_view object;   // the queue's name, the path
  std::string_view reason;   // empty: it was done
  std::uint64_t status = 0;  // of HTTP; 0: not by HTTP
};

// Whether anybody would read it.
bool audit_wanted();
void audit(const AuditEntry& entry);

}  // namespace weir
