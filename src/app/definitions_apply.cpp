#include "app/definitions_apply.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

#include "admin/definitions_fit.h"
#include "base/log.h"

namespace weir::app {
Result<admin::DefinitionsFile> read_definitions_file(const std::string& path,
                                                     const std::string& default_vhost) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(ErrorCode::config, fmt::format("{}: can't read the file: {}", path, std::strerror(errno)));
  std::string text;
  constexpr std::size_t step_bytes = 1U << 20;
  while (file && text.size() <= admin::definitions_file_bytes_max) {
    const std::size_t before = text.size();
    text.resize(before + step_bytes);
    file.read(text.data() + before, step_bytes);
    text.resize(before + static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return fail(ErrorCode::config, fmt::format("{}: can't read the file", path));
  auto parsed = admin::parse_definitions(text, default_vhost);
  if (!parsed) return fail(ErrorCode::config, fmt::format("{}: {}", path, parsed.error().message));
  return parsed;
}

Status apply_definitions(node::Node& node, admin::DefinitionsFile file) {
  std::vector<broker::Change> state;
  node.run_on(ShardId{0}, [&] { node.client(ShardId{0}).topology().durable_state(state); });
  for (const std::string& skipped : file.skipped) {
    log_warning("definitions", "left out: {}: this build does not know them", skipped);
  }
  const std::size_t entries = file.requests.size();
  auto changing = admin::fit_definitions(std::move(file), state, node.shards());
  if (!changing) return std::unexpected(std::move(changing).error());
  log_info("definitions", "{} entries in the definitions file, {} of them new or changed", entries,
           changing->size());
  return node.administer(std::move(*changing));
}

}  // namespace weir::app
