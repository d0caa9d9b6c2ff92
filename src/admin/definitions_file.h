// What it is: a definitions file (JSON, the format that RabbitMQ exports) as requests to the broker. A pure function of
// the text: nothing is applied here, and one bad entry refuses the whole file.
// Errors: config, with the entry's place and name: "line 12: queues[3] 'orders': …".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "broker/decide.h"

namespace weir::admin {

struct DefinitionsFile {
  // A user whose password is written in the file: requests[request] is a PutUserRequest that lacks its hash.
  struct PlainPassword {
    std::size_t request = 0;
    std::string password;
  };

  // In an order in which each finds what it needs: vhosts, users, permissions, limits, parameters, policies, exchanges,
  // queues, bindings.
  std::vector<broker::Request> requests;
  std::vector<std::uint32_t> lines;  // where the entry of each begins
  std::vector<PlainPassword> plain_passwords;
  // Of what the file holds and this build does not know: "2 shovels". For a warning.
  std::vector<std::string> skipped;
};

inline constexpr std::size_t definitions_file_bytes_max = 64U << 20;

// Entries without a vhost belong to `default_vhost`, as in the export of a single virtual host.
Result<DefinitionsFile> parse_definitions(std::string_view json, const std::string& default_vhost);

}  // namespace weir::admin
