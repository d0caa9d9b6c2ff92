// What it is: the headers of a frame, as views of its bytes: lines of "name:value", still escaped. Of a name that comes more
// than once the first line counts ("Repeated Header Entries").
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/stomp/codec/version.h"

namespace weir::stomp {

struct Header {
  std::string_view name, value;  // escaped
};

class Headers {
 public:
  // `text`: the lines after the command's, each with its end. False: a line has no colon, or no name, or an escape that
  // there is not, or there are more than `most`. The text has to live as long as the views are used.
  bool parse(std::string_view text, Version version, bool escaped, std::size_t most);

  const std::vector<Header>& all() const { return headers_; }
  // By its name as it is, unescaped. nullopt: there is none. Valid until the next parse().
  std::optional<std::string_view> find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }
  std::string_view value_or(std::string_view name, std::string_view otherwise) const {
    return find(name).value_or(otherwise);
  }
  // "true" or "false"; nullopt: another word. Absent: `otherwise`.
  std::optional<bool> flag(std::string_view name, bool otherwise) const;

  bool escaped() const { return escaped_; }
  Version version() const { return version_; }
  // Of a name or a value of these headers.
  std::string plain(std::string_view text) const;

 private:
  std::vector<Header> headers_;
  Version version_ = Version::v1_2;
  bool escaped_ = true;
  mutable std::vector<std::string> unescaped_;  // what find() has given views of
};

}  // namespace weir::stomp
