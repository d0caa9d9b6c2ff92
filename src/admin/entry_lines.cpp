#include "admin/entry_lines.h"

namespace weir::admin {

EntryLines entry_lines(std::string_view json) {
  constexpr int in_object = 1, in_section = 2;  // how deep it is
  EntryLines lines;
  std::vector<std::uint32_t>* section = nullptr;
  std::string_view key;
  std::uint32_t line = 1;
  int depth = 0;
  bool entry_is_next = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '\n') ++line;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    if (entry_is_next && c != ']') section->push_back(line);
    entry_is_next = false;
    switch (c) {
      case '"': {
        const std::size_t begin = ++i;
        while (i < json.size() && json[i] != '"') i += json[i] == '\\' ? 2 : 1;
        if (depth == in_object) key = json.substr(begin, i - begin);
        break;
      }
      case '[':
        if (depth++ == in_object) {
          section = &lines[std::string(key)];
          entry_is_next = true;
        }
        break;
      case '{': ++depth; break;
      case '}':
      case ']':
        if (--depth == in_object) section = nullptr;
        break;
      case ',': entry_is_next = depth == in_section && section != nullptr; break;
      default: break;
    }
  }
  return lines;
}

}  // namespace weir::admin
