#include "protocol/common/connection_log.h"

#include <fmt/format.h>

#include <array>
#include <string>

namespace weir {
namespace {

// Fields one after the other; what is empty is left out.
class Fields {
 public:
  void add(std::string_view name, std::string_view text) {
    if (!text.empty()) put(name, text);
  }
  void put(std::string_view name, decltype(LogField::value) value) { fields_[count_++] = {name, value}; }
  std::span<const LogField> all() const { return std::span(fields_).first(count_); }

 private:
  std::array<LogField, 16> fields_{};
  std::size_t count_ = 0;
};

void log_connection(const LoggedConnection& of, LogLevel level, std::string_view event,
                    std::string_view message, std::string_view reason, const LoggedTraffic* traffic) {
  if (!log_enabled(level)) return;
  const std::string peer = fmt::format("{}:{}", of.peer.address, of.peer.port);
  Fields fields;
  fields.put("event", event);
  fields.put("peer", std::string_view(peer));
  fields.put("protocol", of.protocol);
  if (of.peer.tls) fields.add("tls", of.peer.tls_version);
  fields.add("user", of.user);
  fields.add("vhost", of.vhost);
  fields.add("mechanism", of.mechanism);
  fields.add("client", of.client);
  fields.add("name", of.name);
  fields.add("reason", reason);
  if (traffic != nullptr) {
    fields.put("duration_s", traffic->duration_s);
    fields.put("messages_in", traffic->messages_in);
    fields.put("messages_out", traffic->messages_out);
    fields.put("bytes_in", traffic->bytes_in);
    fields.put("bytes_out", traffic->bytes_out);
  }
  log_record({level, "connection", message, fields.all(), LogFlow::connections});
}

}  // namespace

void log_connection_opened(const LoggedConnection& connection) {
  log_connection(connection, LogLevel::info, "connection_opened", "opened", "", nullptr);
}

void log_connection_authenticated(const LoggedConnection& connection) {
  log_connection(connection, LogLevel::info, "connection_authenticated", "authenticated", "", nullptr);
}

void log_login_refused(const LoggedConnection& connection, std::string_view reason) {
  log_connection(connection, LogLevel::warning, "login_refused", "login refused", reason, nullptr);
}

void log_connection_closed(const LoggedConnection& connection, LogLevel level, std::string_view reason,
                           const LoggedTraffic& traffic) {
  log_connection(connection, level, "connection_closed", "closed", reason, &traffic);
}

}  // namespace weir
