// What it is: patterns of LIKE: "_" is any one character, "%" any number of them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::broker {

// A pattern with "_" between two "%" has to be tried at every place: of longer texts it is not said.
inline constexpr std::size_t like_tried_bytes_max = 4'096;

class LikePattern {
 public:
  // UTF-8. `escape`: empty, or the one character before which "_" and "%" are themselves. nullopt: it stands before
  // something else, or at the end.
  static std::optional<LikePattern> compile(std::string_view pattern, std::string_view escape);

  // nullopt: the text is too long to be tried.
  std::optional<bool> matches(std::string_view text) const;

 private:
  // Between two "%". Any one character is any_one, a byte that UTF-8 has not.
  struct Part {
    std::string bytes;
    bool literal = true;
  };
  static constexpr char any_one = '\xFF';

  static std::size_t match(const Part& part, std::string_view text, std::size_t at);
  static std::size_t match_end(const Part& part, std::string_view text);
  static std::size_t find(const Part& part, std::string_view text, std::size_t from);

  std::vector<Part> parts_;  // at least one; one more than there are "%"
};

}  // namespace weir::broker
