#include "broker/pattern.h"

#include <fmt/format.h>

#include "broker/pattern_parser.h"

namespace weir::broker {

namespace {

using Op = Pattern::Op;
using Instruction = Pattern::Instruction;
using Kind = PatternTree::Kind;

class Emitter {
 public:
  explicit Emitter(const PatternTree& tree) : tree_(tree) {}

  bool run() {
    emit(tree_.top);
    add({.op = Op::match});
    return !too_large_;
  }
  std::vector<Instruction> program;

 private:
  std::uint32_t here() const { return static_cast<std::uint32_t>(program.size()); }
  std::uint32_t add(Instruction instruction) {
    if (program.size() >= pattern_instructions_max) {
      too_large_ = true;
      return 0;
    }
    program.push_back(instruction);
    return here() - 1;
  }

  void emit(std::uint32_t id) {
    if (too_large_) return;
    const PatternTree::Node& node = tree_.nodes[id];
    switch (node.kind) {
      case Kind::empty: break;
      case Kind::set: add({.op = Op::set, .first = node.set}); break;
      case Kind::sequence:
        for (const std::uint32_t child : node.children) emit(child);
        break;
      case Kind::choice: emit_choice(node); break;
      case Kind::repeat: emit_repeat(node); break;
      case Kind::begin: add({.op = Op::begin}); break;
      case Kind::end: add({.op = Op::end}); break;
      case Kind::very_end: add({.op = Op::very_end}); break;
      case Kind::word_edge: add({.op = Op::word_edge}); break;
      case Kind::no_word_edge: add({.op = Op::no_word_edge}); break;
      case Kind::ahead: {
        const std::uint32_t at = add({.op = Op::ahead, .negative = node.negative});
        emit(node.children.front());
        add({.op = Op::match});
        if (!too_large_) program[at].first = here();
        break;
      }
    }
  }

  void emit_choice(const PatternTree::Node& node) {
    std::vector<std::uint32_t> jumps;
    for (std::size_t i = 0; i + 1 < node.children.size() && !too_large_; ++i) {
      const std::uint32_t split = add({.op = Op::split});
      emit(node.children[i]);
      jumps.push_back(add({.op = Op::jump}));
      if (too_large_) return;
      program[split].first = split + 1;
      program[split].second = here();
    }
    emit(node.children.back());
    for (const std::uint32_t jump : jumps) program[jump].first = here();
  }

  void emit_repeat(const PatternTree::Node& node) {
    const std::uint32_t child = node.children.front();
    for (std::uint32_t i = 0; i < node.least && !too_large_; ++i) {
      const std::uint32_t before = here();
      emit(child);
      if (here() == before) break;  // nothing, any number of times
    }
    if (node.most == PatternTree::unbounded) {
      const std::uint32_t split = add({.op = Op::split});
      emit(child);
      add({.op = Op::jump, .first = split});
      if (too_large_) return;
      program[split].first = split + 1;
      program[split].second = here();
      return;
    }
    std::vector<std::uint32_t> splits;
    for (std::uint32_t i = node.least; i < node.most && !too_large_; ++i) {
      splits.push_back(add({.op = Op::split}));
      emit(child);
    }
    if (too_large_) return;
    for (const std::uint32_t split : splits) {
      program[split].first = split + 1;
      program[split].second = here();
    }
  }

  const PatternTree& tree_;
  bool too_large_ = false;
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Follows all ways through the program at once, character by character.
class Matcher {
 public:
  Matcher(const std::vector<Instruction>& program, const std::vector<Pattern::Set>& sets,
          std::string_view subject, std::size_t steps_max)
      : program_(program), sets_(sets), subject_(subject), steps_max_(steps_max) {}

  bool gave_up() const { return steps_ > steps_max_; }
  std::size_t steps() const { return steps_; }

  // From an instruction at a position: anchored there, or at any later position too.
  bool run(std::uint32_t start, std::size_t at, bool anywhere) {
    Threads now(program_.size()), then(program_.size());
    if (reach(start, at, now)) return true;
    for (; at < subject_.size() && !gave_up(); ++at) {
      then.clear();
      steps_ += program_.size() / 64;  // for the clearing
      const auto character = static_cast<unsigned char>(subject_[at]);
      for (const std::uint32_t id : now.list) {
        ++steps_;
        if (sets_[program_[id].first][character] && reach(id + 1, at + 1, then)) return true;
      }
      if (anywhere && reach(start, at + 1, then)) return true;
      std::swap(now, then);
      if (now.list.empty() && !anywhere) return false;
    }
    return false;
  }

 private:
  // Instructions that wait for a character.
  struct Threads {
    explicit Threads(std::size_t size) : reached(size, false) {}
    void clear() {
      list.clear();
      reached.assign(reached.size(), false);
    }
    std::vector<std::uint32_t> list;
    std::vector<bool> reached;
  };

  // True if the end of the program is reached without another character.
  bool reach(std::uint32_t start, std::size_t at, Threads& threads) {
    std::vector<std::uint32_t> stack{start};
    while (!stack.empty() && !gave_up()) {
      const std::uint32_t id = stack.back();
      stack.pop_back();
      if (threads.reached[id]) continue;
      threads.reached[id] = true;
      ++steps_;
      const Instruction& instruction = program_[id];
      switch (instruction.op) {
        case Op::match: return true;
        case Op::set: threads.list.push_back(id); break;
        case Op::split:
          stack.push_back(instruction.second);
          stack.push_back(instruction.first);
          break;
        case Op::jump: stack.push_back(instruction.first); break;
        default:
          if (holds(id, at)) stack.push_back(instruction.op == Op::ahead ? instruction.first : id + 1);
      }
    }
    return false;
  }

  bool holds(std::uint32_t id, std::size_t at) {
    const Instruction& instruction = program_[id];
    const bool last_newline = at + 1 == subject_.size() && subject_[at] == '\n';
    const bool edge =
        (at > 0 && is_word(subject_[at - 1])) != (at < subject_.size() && is_word(subject_[at]));
    switch (instruction.op) {
      case Op::begin: return at == 0;
      case Op::end: return at == subject_.size() || last_newline;
      case Op::very_end: return at == subject_.size();
      case Op::word_edge: return edge;
      case Op::no_word_edge: return !edge;
      case Op::ahead: return run(id + 1, at, false) != instruction.negative && !gave_up();
      default: return false;
    }
  }

  const std::vector<Instruction>& program_;
  const std::vector<Pattern::Set>& sets_;
  std::string_view subject_;
  std::size_t steps_max_, steps_ = 0;
};

}  // namespace

Result<Pattern> Pattern::compile(std::string_view text) {
  if (text.size() > pattern_bytes_max) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("a regular expression may have {} bytes, this one has {}", pattern_bytes_max,
                            text.size()));
  }
  auto tree = parse_pattern(text);
  if (!tree) return std::unexpected<Error>(std::move(tree).error());
  Emitter emitter(*tree);
  if (!emitter.run()) {
    return fail(ErrorCode::invalid_argument, fmt::format("the regular expression '{}' is too large", text));
  }
  Pattern pattern;
  pattern.program_ = std::move(emitter.program);
  pattern.sets_ = std::move(tree->sets);
  return pattern;
}

bool Pattern::matches(std::string_view subject) const {
  std::size_t steps = pattern_steps_max;
  return matches(subject, steps);
}

bool Pattern::matches(std::string_view subject, std::size_t& steps_left) const {
  if (steps_left == 0) return false;
  Matcher matcher(program_, sets_, subject, std::min(steps_left, pattern_steps_max));
  const bool found = matcher.run(0, 0, true) && !matcher.gave_up();
  steps_left -= std::min(steps_left, std::max<std::size_t>(matcher.steps(), 1));
  return found;
}

}  // namespace weir::broker
