// What it is: a command of the table with what was typed, as the call that it stands for. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/admin_table.h"
#include "cli/http_client.h"

namespace weir::cli {

// What was typed for each argument of the command, in their order; nullopt: nothing.
using Typed = std::vector<std::optional<std::vector<std::string>>>;

// Errors: invalid_argument, for a number or JSON that is none, or KEY=VALUE without "=".
Result<HttpCall> admin_call(const AdminCommand& command, const Typed& typed,
                            const std::optional<std::string>& vhost);

}  // namespace weir::cli
