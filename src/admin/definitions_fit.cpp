#include "admin/definitions_fit.h"

#include <fmt/format.h>

#include <utility>

#include "admin/describe_request.h"
#include "broker/topology.h"
#include "node/password.h"

namespace weir::admin {
namespace {

// A hash has a salt: hashing the same password again would look like a change.
Status hash_plain_passwords(DefinitionsFile& file, const broker::Topology& topology) {
  for (const auto& [index, password] : file.plain_passwords) {
    broker::UserDefinition& user = std::get<broker::PutUserRequest>(file.requests[index]).user;
    const broker::UserDefinition* known = topology.find_user(user.name);
    if (known != nullptr && node::verify_password(password, known->password_hash)) {
      user.password_hash = known->password_hash;
      continue;
    }
    Result<std::string> hash = node::hash_password(password);
    if (!hash) return std::unexpected(std::move(hash).error());
    user.password_hash = std::move(*hash);
  }
  return {};
}

}  // namespace

Result<std::vector<broker::Request>> fit_definitions(DefinitionsFile file,
                                                     const std::vector<broker::Change>& state,
                                                     std::uint16_t shards) {
  broker::Topology topology;
  for (const broker::Change& change : state) topology.apply(change);
  WEIR_TRY(hash_plain_passwords(file, topology));
  std::vector<broker::Request> changing;
  for (std::size_t i = 0; i < file.requests.size(); ++i) {
    broker::Request& request = file.requests[i];
    const auto decision = broker::decide(topology, broker::Actor{}, request, {shards, 0});
    if (!decision) {
      return fail(ErrorCode::config,
                  fmt::format("line {}: {}: {}", file.lines[i], describe(request), decision.error().message));
    }
    for (const broker::Change& change : decision->changes) topology.apply(change);
    if (!decision->changes.empty()) changing.push_back(std::move(request));
  }
  return changing;
}

}  // namespace weir::admin
