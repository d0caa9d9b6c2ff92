#include "broker/pattern_parser.h"

#include <fmt/format.h>

#include <cctype>
#include <optional>

namespace weir::broker {

namespace {

using Set = Pattern::Set;
using Kind = PatternTree::Kind;

constexpr std::uint32_t count_max = 1'000;

Set range(unsigned first, unsigned last) {
  Set set;
  for (unsigned c = first; c <= last; ++c) set.set(c);
  return set;
}
Set digits() { return range('0', '9'); }
Set letters() { return range('a', 'z') | range('A', 'Z'); }
Set word_characters() { return digits() | letters() | range('_', '_'); }
Set spaces() { return range('\t', '\r') | range(' ', ' '); }

std::optional<Set> class_escape(char letter) {
  switch (letter) {
    case 'd': return digits();
    case 'D': return ~digits();
    case 'w': return word_characters();
    case 'W': return ~word_characters();
    case 's': return spaces();
    case 'S': return ~spaces();
    default: return std::nullopt;
  }
}

std::optional<Set> posix_class(std::string_view name) {
  if (name == "alpha") return letters();
  if (name == "digit") return digits();
  if (name == "alnum") return letters() | digits();
  if (name == "upper") return range('A', 'Z');
  if (name == "lower") return range('a', 'z');
  if (name == "space") return spaces();
  if (name == "word") return word_characters();
  if (name == "xdigit") return digits() | range('a', 'f') | range('A', 'F');
  if (name == "punct") return range(33, 126) & ~(letters() | digits());
  if (name == "print") return range(32, 126);
  if (name == "graph") return range(33, 126);
  if (name == "cntrl") return range(0, 31) | range(127, 127);
  if (name == "blank") return range(' ', ' ') | range('\t', '\t');
  if (name == "ascii") return range(0, 127);
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<PatternTree> run() {
    if (text_.substr(0, 4) == "(?i)") {
      fold_case_ = true;
      at_ = 4;
    }
    tree_.top = choice(0);
    if (error_.empty() && !done()) error("unmatched closing parenthesis");
    if (!error_.empty()) return fail(ErrorCode::invalid_argument, std::move(error_));
    return std::move(tree_);
  }

 private:
  bool done() const { return at_ >= text_.size() || !error_.empty(); }
  char peek() const { return text_[at_]; }
  bool take(std::string_view what) {
    if (text_.substr(at_, what.size()) != what) return false;
    at_ += what.size();
    return true;
  }
  void error(std::string_view what) {
    if (error_.empty())
      error_ = fmt::format("invalid regular expression '{}': {} at offset {}", text_, what, at_);
  }

  std::uint32_t node(Kind kind) {
    tree_.nodes.emplace_back().kind = kind;
    return static_cast<std::uint32_t>(tree_.nodes.size() - 1);
  }
  Set folded(Set set) const {
    for (unsigned c = 'a'; fold_case_ && c <= 'z'; ++c) {
      const bool either = set[c] || set[c - 32];
      set[c] = set[c - 32] = either;
    }
    return set;
  }
  std::uint32_t set_node(Set set) {
    const std::uint32_t made = node(Kind::set);
    tree_.nodes[made].set = static_cast<std::uint32_t>(tree_.sets.size());
    tree_.sets.push_back(set);
    return made;
  }
  std::uint32_t character(char c) {
    const auto code = static_cast<unsigned char>(c);
    return set_node(folded(range(code, code)));
  }

  std::uint32_t choice(std::size_t depth) {
    if (depth > pattern_nesting_max) {
      error("groups are nested too deeply");
      return node(Kind::empty);
    }
    std::vector<std::uint32_t> branches{sequence(depth)};
    while (!done() && take("|")) branches.push_back(sequence(depth));
    if (branches.size() == 1) return branches.front();
    const std::uint32_t made = node(Kind::choice);
    tree_.nodes[made].children = std::move(branches);
    return made;
  }

  std::uint32_t sequence(std::size_t depth) {
    std::vector<std::uint32_t> items;
    while (!done() && peek() != '|' && peek() != ')') {
      if (take("\\Q")) {
        quoted(items);
        continue;
      }
      items.push_back(quantified(atom(depth)));
    }
    const std::uint32_t made = node(items.empty() ? Kind::empty : Kind::sequence);
    tree_.nodes[made].children = std::move(items);
    return made;
  }

  // After \\Q, up to \\E; what follows that may repeat the last character.
  void quoted(std::vector<std::uint32_t>& items) {
    bool ended = take("\\E");
    while (!ended && !done()) {
      const std::uint32_t last = character(text_[at_++]);
      ended = take("\\E");
      items.push_back(ended ? quantified(last) : last);
    }
  }

  std::uint32_t atom(std::size_t depth) {
    const char c = text_[at_++];
    switch (c) {
      case '^': return node(Kind::begin);
      case '$': return node(Kind::end);
      case '.': return set_node(~range('\n', '\n'));
      case '[': return bracket();
      case '(': return group(depth);
      case '\\': return escape();
      case '*':
      case '+':
      case '?':
        --at_;
        error("nothing to repeat");
        return node(Kind::empty);
      default: return character(c);
    }
  }

  std::uint32_t group(std::size_t depth) {
    if (take("?=")) return ahead(depth, false);
    if (take("?!")) return ahead(depth, true);
    if (take("?P<") || (text_.substr(at_, 2) == "?<" && text_.substr(at_, 3) != "?<=" &&
                        text_.substr(at_, 3) != "?<!" && take("?<"))) {
      while (!done() && peek() != '>') ++at_;
      if (!take(">")) error("a group's name does not end");
    } else if (!take("?:") && !done() && peek() == '?') {
      error("this kind of group is not supported");
    }
    const std::uint32_t inside = choice(depth + 1);
    if (error_.empty() && !take(")")) error("missing closing parenthesis");
    return inside;
  }

  std::uint32_t ahead(std::size_t depth, bool negative) {
    const std::uint32_t inside = choice(depth + 1);
    if (error_.empty() && !take(")")) error("missing closing parenthesis");
    const std::uint32_t made = node(Kind::ahead);
    tree_.nodes[made].negative = negative;
    tree_.nodes[made].children = {inside};
    return made;
  }

  std::uint32_t escape() {
    if (done()) {
      error("\\ at the end");
      return node(Kind::empty);
    }
    const char c = text_[at_];
    switch (c) {
      case 'A': ++at_; return node(Kind::begin);
      case 'z': ++at_; return node(Kind::very_end);
      case 'Z': ++at_; return node(Kind::end);
      case 'b': ++at_; return node(Kind::word_edge);
      case 'B': ++at_; return node(Kind::no_word_edge);
      default: break;
    }
    if (const auto set = class_escape(c)) {
      ++at_;
      return set_node(*set);
    }
    return character(escaped_character());
  }

  // After the backslash.
  char escaped_character() {
    if (done()) return error("\\ at the end"), '\0';
    const char c = text_[at_++];
    switch (c) {
      case 't': return '\t';
      case 'n': return '\n';
      case 'r': return '\r';
      case 'f': return '\f';
      case 'v': return '\v';
      case 'e': return '\x1b';
      case 'a': return '\a';
      case 'x': return hexadecimal();
      default: break;
    }
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      --at_;
      error("this escape is not supported");
    }
    return c;
  }

  char hexadecimal() {
    const bool braces = take("{");
    unsigned value = 0;
    std::size_t digit_count = 0;
    while (!done() && std::isxdigit(static_cast<unsigned char>(peek())) != 0 && digit_count < 2) {
      const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(text_[at_++])));
      value = value * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
      ++digit_count;
    }
    if (braces && !take("}")) error("a character beyond \\x{FF}");
    return static_cast<char>(value);
  }

  // After the opening bracket.
  std::uint32_t bracket() {
    Set set;
    const bool inverted = take("^");
    for (bool first = true; first || (!done() && peek() != ']'); first = false) {
      if (done()) break;
      if (take("[:")) {
        const std::size_t end = text_.find(":]", at_);
        const auto named = posix_class(text_.substr(at_, end == std::string_view::npos ? 0 : end - at_));
        if (!named) {
          error("unknown character class");
          break;
        }
        set |= *named;
        at_ = end + 2;
        continue;
      }
      add_range(set);
    }
    if (!take("]")) error("a bracket does not end");
    return set_node(inverted ? ~folded(set) : folded(set));
  }

  // One character, a class, or a range of characters.
  void add_range(Set& set) {
    const auto first = bracket_character(set);
    if (!first) return;
    if (at_ + 1 < text_.size() && peek() == '-' && text_[at_ + 1] != ']') {
      ++at_;
      const auto last = bracket_character(set);
      if (last && *last < *first) error("a range is out of order");
      // [a-\\d] is an a, a dash or a digit.
      set |= last ? range(*first, *last) : range(*first, *first) | range('-', '-');
      return;
    }
    set.set(*first);
  }

  // Nothing if it was a class, which is in the set then.
  std::optional<unsigned char> bracket_character(Set& set) {
    const char c = text_[at_++];
    if (c != '\\') return static_cast<unsigned char>(c);
    if (!done()) {
      if (const auto named = class_escape(peek())) {
        ++at_;
        set |= *named;
        return std::nullopt;
      }
      if (take("b")) return static_cast<unsigned char>('\b');
    }
    return static_cast<unsigned char>(escaped_character());
  }

  std::uint32_t quantified(std::uint32_t inside) {
    if (done()) return inside;
    std::uint32_t least = 0, most = PatternTree::unbounded;
    if (take("+")) {
      least = 1;
    } else if (take("?")) {
      most = 1;
    } else if (!take("*") && !counts(least, most)) {
      return inside;
    }
    take("?");  // lazy: the same answer to "does it match"
    if (!done() && (peek() == '+' || peek() == '*')) error("a quantifier follows a quantifier");
    const std::uint32_t made = node(Kind::repeat);
    tree_.nodes[made].least = least;
    tree_.nodes[made].most = most;
    tree_.nodes[made].children = {inside};
    return made;
  }

  // {n}, {n,} or {n,m}; anything else in braces is text.
  bool counts(std::uint32_t& least, std::uint32_t& most) {
    std::size_t at = at_;
    const auto number = [&](std::uint32_t& value) {
      const std::size_t start = at;
      value = 0;
      for (; at < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at])) != 0; ++at) {
        value = std::min(value * 10 + static_cast<std::uint32_t>(text_[at] - '0'), count_max + 1);
      }
      return at > start;
    };
    if (text_[at++] != '{' || !number(least)) return false;
    most = least;
    if (at < text_.size() && text_[at] == ',') {
      ++at;
      if (!number(most)) most = PatternTree::unbounded;
    }
    if (at >= text_.size() || text_[at] != '}') return false;
    at_ = at + 1;
    if (least > count_max || (most > count_max && most != PatternTree::unbounded))
      error("a count is too large");
    if (most < least) error("counts are out of order");
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool fold_case_ = false;
  std::string error_;
  PatternTree tree_;
};

}  // namespace

Result<PatternTree> parse_pattern(std::string_view text) { return Parser(text).run(); }

}  // namespace weir::broker
