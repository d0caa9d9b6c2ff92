// Connections and their channels, as they are now; a connection can be closed.
#include <functional>
#include <memory>
#include <utility>

#include "admin/call.h"
#include "admin/listing.h"
#include "admin/resources.h"
#include "admin/stats_views.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using node::Observed;
using node::SessionRow;

// Users see their own connections, monitors all.
bool may_see(const Call& call, const SessionRow& session) {
  return call.is_monitor() || session.info.user == call.user();
}

node::ObserveScope scope_of(const Call& call, bool channels) {
  node::ObserveScope scope;
  scope.sessions = true;
  scope.channels = channels;
  if (call.captures("vhost")) scope.vhost = call.capture("vhost");
  return scope;
}

// Asks, and keeps what the call may see.
void with_sessions(Call& call, bool channels, std::function<void(Call&, std::vector<SessionRow>)> then) {
  call.observe(scope_of(call, channels), [then = std::move(then)](Call& asking, Observed&& seen) {
    std::erase_if(seen.sessions, [&](const SessionRow& one) { return !may_see(asking, one); });
    then(asking, std::move(seen.sessions));
  });
}

void reply_connections(Call& call, std::vector<SessionRow> sessions) {
  const std::size_t count = sessions.size();
  const auto rows = std::make_shared<std::vector<SessionRow>>(std::move(sessions));
  reply_list(call, count, [rows, node_name = call.api().at().client.node_name()] {
    std::vector<json::object> items;
    for (const SessionRow& session : *rows) items.push_back(connection_view(session, node_name));
    return items;
  });
}

void reply_channels(Call& call, std::vector<SessionRow> sessions) {
  std::size_t count = 0;
  for (const SessionRow& session : sessions) count += session.channels.size();
  const auto rows = std::make_shared<std::vector<SessionRow>>(std::move(sessions));
  reply_list(call, count, [rows, node_name = call.api().at().client.node_name()] {
    std::vector<json::object> items;
    for (const SessionRow& session : *rows) {
      for (const node::ChannelRow& channel : session.channels)
        items.push_back(channel_view(session, channel, node_name));
    }
    return items;
  });
}

void list_connections(Call& call) { with_sessions(call, false, reply_connections); }
void list_channels(Call& call) { with_sessions(call, true, reply_channels); }

void list_of_user(Call& call) {
  if (call.topology().find_user(call.capture("name")) == nullptr) return call.not_found();
  with_sessions(call, false, [](Call& asking, std::vector<SessionRow> sessions) {
    std::erase_if(sessions, [&](const SessionRow& one) { return one.info.user != asking.capture("name"); });
    reply_connections(asking, std::move(sessions));
  });
}

// The one that the path names; `then` does not come, and the call is refused, if it is not there or another's.
void with_connection(Call& call, bool channels, std::function<void(Call&, std::vector<SessionRow>)> then) {
  call.observe(scope_of(call, channels), [then = std::move(then)](Call& asking, Observed&& seen) {
    std::erase_if(seen.sessions, [&](const SessionRow& one) { return one.name != asking.capture("name"); });
    if (seen.sessions.empty()) return asking.not_found();
    if (!may_see(asking, seen.sessions.front()))
      return asking.not_authorised("User not authorised to access object");
    then(asking, std::move(seen.sessions));
  });
}

void show_connection(Call& call) {
  with_connection(call, false, [](Call& asking, const std::vector<SessionRow>& sessions) {
    reply_item(asking, connection_view(sessions.front(), asking.api().at().client.node_name()));
  });
}

void list_channels_of(Call& call) { with_connection(call, true, reply_channels); }

// Monitors only look.
void close_connections(Call& call, const std::vector<SessionRow>& sessions) {
  const bool own = sessions.empty() || sessions.front().info.user == call.user();
  if (!own && !call.is_administrator()) return call.not_authorised("User not authorised to access object");
  const std::string* const given = call.header("X-Reason");
  const std::string reason = given == nullptr ? "Closed via management plugin" : *given;
  for (const SessionRow& session : sessions)
    call.api().at().client.close_session(session.id, Error{ErrorCode::cancelled, reason});
  call.no_content();
}

void delete_connection(Call& call) { with_connection(call, false, close_connections); }

void delete_of_user(Call& call) {
  if (call.topology().find_user(call.capture("name")) == nullptr) return call.not_found();
  with_sessions(call, false, [](Call& asking, std::vector<SessionRow> sessions) {
    std::erase_if(sessions, [&](const SessionRow& one) { return one.info.user != asking.capture("name"); });
    close_connections(asking, sessions);
  });
}

void show_channel(Call& call) {
  with_sessions(call, true, [](Call& asking, const std::vector<SessionRow>& sessions) {
    for (const SessionRow& session : sessions) {
      for (const node::ChannelRow& channel : session.channels) {
        json::object view = channel_view(session, channel, asking.api().at().client.node_name());
        if (view["name"] == json::value(asking.capture("name"))) return reply_item(asking, view);
      }
    }
    asking.not_found();
  });
}

constexpr Route routes[] = {
    {"GET", "/api/connections", Needs::a_user, list_connections, "All connections", Gives::list},
    {"GET", "/api/connections/username/:name", Needs::a_user, list_of_user, "Connections of a user",
     Gives::list},
    {"DELETE",
     "/api/connections/username/:name",
     Needs::a_user,
     delete_of_user,
     "Closes the connections of a user",
     {Gives::done, "", "X-Reason:string"}},
    {"GET", "/api/connections/:name", Needs::a_user, show_connection, "One connection", Gives::item},
    {"DELETE",
     "/api/connections/:name",
     Needs::a_user,
     delete_connection,
     "Closes a connection",
     {Gives::done, "", "X-Reason:string"}},
    {"GET", "/api/connections/:name/channels", Needs::a_user, list_channels_of, "Channels of a connection",
     Gives::list},
    {"GET", "/api/vhosts/:vhost/connections", Needs::a_user, list_connections,
     "Connections to a virtual host", Gives::list},
    {"GET", "/api/channels", Needs::a_user, list_channels, "All channels", Gives::list},
    {"GET", "/api/channels/:name", Needs::a_user, show_channel, "One channel", Gives::item},
    {"GET", "/api/vhosts/:vhost/channels", Needs::a_user, list_channels, "Channels to a virtual host",
     Gives::list},
};

}  // namespace

std::span<const Route> connection_routes() { return routes; }

}  // namespace weir::admin
