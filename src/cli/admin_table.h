// What it is: the commands that are one call of the management API, as one table: what they are called, what they ask for,
// where their arguments go, and which columns of the answer are shown.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace weir::cli {

// Where an argument goes.
enum class Goes : std::uint8_t {
  path,       // {key} of the path
  query,      // ?key=true
  body,       // a member of the body
  arguments,  // a member of "arguments" in the body
  header,     // a header of the request
};
enum class Kind : std::uint8_t {
  text,
  number,
  flag,
  off_flag,    // the member is false then
  json,        // taken as JSON
  key_values,  // KEY=VALUE, any number of times: an object
};

struct AdminArgument {
  std::string_view name;  // "NAME", or "--option"
  std::string_view help;
  Goes goes = Goes::body;
  std::string_view key;
  Kind kind = Kind::text;
  std::string_view otherwise{};  // its value when it is not given, as JSON; empty: it is left out
  bool optional = false;         // of one that is no option
};

// How the answer is shown.
enum class Shows : std::uint8_t {
  nothing,  // that it was done says the exit code
  list,     // a table, a line for each
  item,     // a line for each column
  messages,
  as_it_came,
  routed,  // fails if it is {"routed": false}
};

struct AdminCommand {
  std::string_view noun, verb;  // an empty verb: the noun alone is the command
  std::string_view help;
  std::string_view method;
  // {vhost} is --vhost, or "/"; {vhost?} is left out without --vhost.
  std::string_view path;
  std::vector<AdminArgument> arguments;
  Shows shows = Shows::nothing;
  std::vector<std::string_view> columns{};  // "a.b" is b of a
  std::string_view example{};
};

struct AdminNoun {
  std::string_view name, help;
};

std::span<const AdminNoun> admin_nouns();
std::span<const AdminCommand> admin_commands();

}  // namespace weir::cli
