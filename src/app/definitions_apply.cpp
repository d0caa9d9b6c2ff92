#include "app/definitions_apply.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "app/describe_request.h"
#include "base/log.h"
#include "node/password.h"

namespace weir::app {
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

Result<DefinitionsFile> read_definitions_file(const std::string& path, const std::string& default_vhost) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(ErrorCode::config, fmt::format("{}: can't read the file: {}", path, std::strerror(errno)));
  std::string text;
  constexpr std::size_t step_bytes = 1U << 20;
  while (file && text.size() <= definitions_file_bytes_max) {
    const std::size_t before = text.size();
    text.resize(before + step_bytes);
    file.read(text.data() + before, step_bytes);
    text.resize(before + static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return fail(ErrorCode::config, fmt::format("{}: can't read the file", path));
  auto parsed = parse_definitions(text, default_vhost);
  if (!parsed) return fail(ErrorCode::config, fmt::format("{}: {}", path, parsed.error().message));
  return parsed;
}

Result<std::vector<broker::Request>> fit_definitions(DefinitionsFile file,
                                                     const std::vector<broker::Change>& state,
                                                     std::uint16_t shards) {
  broker::Topology topology;
  for (const broker::Change& change : state) topology.apply(change);
  WEIR_TRY(hash_plain_passwords(file, topology));
  std::vector<broker::Request> changing;
  for (broker::Request& request : file.requests) {
    const auto decision = broker::decide(topology, broker::Actor{}, request, {shards, 0});
    if (!decision) {
      return fail(ErrorCode::config, fmt::format("{}: {}", describe(request), decision.error().message));
    }
    for (const broker::Change& change : decision->changes) topology.apply(change);
    if (!decision->changes.empty()) changing.push_back(std::move(request));
  }
  return changing;
}

Status apply_definitions(node::Node& node, DefinitionsFile file) {
  std::vector<broker::Change> state;
  node.run_on(ShardId{0}, [&] { node.client(ShardId{0}).topology().durable_state(state); });
  for (const std::string& skipped : file.skipped) {
    log_warning("definitions", "left out: {}: this build does not know them", skipped);
  }
  const std::size_t entries = file.requests.size();
  auto changing = fit_definitions(std::move(file), state, node.shards());
  if (!changing) return std::unexpected(std::move(changing).error());
  log_info("definitions", "{} entries in the definitions file, {} of them new or changed", entries,
           changing->size());
  return node.administer(std::move(*changing));
}

}  // namespace weir::app
