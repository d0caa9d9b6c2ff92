#include "base/audit_log.h"

#include <array>

#include "base/log.h"

namespace weir {

bool audit_wanted() { return log_enabled(LogLevel::info); }

void audit(const AuditEntry& entry) {
  const bool done = entry.reason.empty();
  std::array<LogField, 9> fields{{{"action", entry.action},
                                  {"object", entry.object},
                                  {"user", entry.user},
                                  {"peer", entry.peer},
                                  {"protocol", entry.protocol},
                                  {"outcome", std::string_view(done ? "done" : "refused")}}};
  std::size_t count = 6;
  if (!entry.vhost.empty()) fields[count++] = {"vhost", entry.vhost};
  if (entry.status != 0) fields[count++] = {"status", entry.status};
  if (!done) fields[count++] = {"reason", entry.reason};
  log_record({.level = LogLevel::info,
              .component = "audit",
              .message = done ? "done" : "refused",
              .fields = std::span(fields).first(count),
              .flow = LogFlow::audit});
}

}  // namespace weir
