#include "node/tenancy.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "broker/tenant_limits.h"

namespace weir::node {

using broker::LimitOf;

Result<Tenancy> Tenancy::enter(const broker::Topology& topology, Tenants& tenants, const std::string& user,
                               const std::string& vhost, bool counted) {
  const std::string_view name = broker::limit_names::max_connections;
  std::shared_ptr<Tenant> of_user = tenants.users.get(user), of_vhost = tenants.vhosts.get(vhost);
  if (!counted) return Tenancy(std::move(of_user), std::move(of_vhost), counted);
  const auto most_of_vhost = topology.limits().value(LimitOf::vhost, vhost, name);
  if (!count_up(of_vhost->connections, most_of_vhost)) {
    return fail(ErrorCode::limit_exceeded,
                fmt::format("access to vhost '{}' refused for user '{}': connection limit ({}) is reached",
                            vhost, user, *most_of_vhost));
  }
  const auto most_of_user = topology.limits().value(LimitOf::user, user, name);
  if (!count_up(of_user->connections, most_of_user)) {
    --of_vhost->connections;
    return fail(ErrorCode::limit_exceeded,
                fmt::format("connection refused for user '{}': user connection limit ({}) is reached", user,
                            *most_of_user));
  }
  return Tenancy(std::move(of_user), std::move(of_vhost), counted);
}

Tenancy::~Tenancy() {
  if (user_ == nullptr) return;
  user_->channels -= channels_;
  if (!counted_) return;
  --user_->connections;
  --vhost_->connections;
}

Status Tenancy::open_channel(const broker::Topology& topology, const std::string& user) {
  const auto most = topology.limits().value(LimitOf::user, user, broker::limit_names::max_channels);
  if (!count_up(user_->channels, most)) {
    return fail(ErrorCode::limit_exceeded,
                fmt::format("number of channels opened for user '{}' has reached the maximum allowed user "
                            "limit of ({})",
                            user, *most));
  }
  ++channels_;
  return {};
}

void Tenancy::close_channel() {
  WEIR_ASSERT(channels_ > 0);
  --channels_;
  --user_->channels;
}

}  // namespace weir::node
