#include "app/command_reference.h"

#include <fmt/format.h>

#include <functional>
#include <vector>

#include "base/version.h"

namespace weir::app {
namespace {

// Each command with the words that lead to it, the root first.
void for_each_command(const CLI::App& app, const std::string& path,
                      const std::function<void(const CLI::App&, const std::string&)>& visit) {
  visit(app, path);
  for (const CLI::App* const sub : app.get_subcommands([](const CLI::App*) { return true; }))
    for_each_command(*sub, path + " " + sub->get_name(), visit);
}

std::string words_of(const CLI::App& app) {
  std::string words;
  for (const CLI::App* const sub : app.get_subcommands([](const CLI::App*) { return true; }))
    words += sub->get_name() + " ";
  for (const CLI::Option* const option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  }
  if (!words.empty()) words.pop_back();
  return words;
}

// Zsh reads it too. Files are completed where a command has nothing more to say.
std::string bash_script(const CLI::App& app) {
  std::string known, words;
  for_each_command(app, "", [&](const CLI::App& command, const std::string& path) {
    if (!path.empty()) known += fmt::format("{}\"{}\"", known.empty() ? "" : "|", path);
    words += fmt::format("    \"{}\") words=\"{}\" ;;\n", path, words_of(command));
  });
  return fmt::format(
      "_weir() {{\n"
      "  local path=\"\" words=\"\" current=\"${{COMP_WORDS[COMP_CWORD]}}\" i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$path ${{COMP_WORDS[i]}}\" in\n"
      "    {}) path=\"$path ${{COMP_WORDS[i]}}\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n"
      "{}"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "}}\n"
      "complete -o default -F _weir weir\n",
      known, words);
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_script(const CLI::App& app) {
  std::string out = "complete -c weir -f\n";
  for_each_command(app, "", [&](const CLI::App& command, const std::string& path) {
    std::string condition = path.empty() ? "__fish_use_subcommand" : "";
    for (std::size_t at = 1; !path.empty() && at < path.size();) {
      const std::size_t end = std::min(path.find(' ', at), path.size());
      condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ",
                               path.substr(at, end - at));
      at = end + 1;
    }
    for (const CLI::App* const sub : command.get_subcommands([](const CLI::App*) { return true; })) {
      out += fmt::format("complete -c weir -n {} -a {} -d {}\n", fish_quoted(condition), sub->get_name(),
                         fish_quoted(sub->get_description()));
    }
    for (const CLI::Option* const option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        out += fmt::format("complete -c weir -n {} -l {} -d {}\n", fish_quoted(condition), name,
                           fish_quoted(option->get_description()));
      }
    }
  });
  return out;
}

std::string roff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_begins = c == '\n';
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, std::string_view shell) {
  if (shell == "bash") return bash_script(app);
  if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script(app);
  if (shell == "fish") return fish_script(app);
  return {};
}

std::string manual_page(const CLI::App& app) {
  std::string out = fmt::format(".TH WEIR 1 \"\" \"weir {}\"\n.SH NAME\nweir \\- {}\n", version,
                                roff(app.get_description()));
  out += ".SH SYNOPSIS\n.B weir\nCOMMAND [OPTION]...\n.SH COMMANDS\n";
  for_each_command(app, "weir", [&](const CLI::App& command, const std::string& path) {
    if (path == "weir" || !command.get_subcommands([](const CLI::App*) { return true; }).empty()) return;
    out += fmt::format(".SS {}\n{}\n", roff(path), roff(command.get_description()));
    for (const CLI::Option* const option : command.get_options()) {
      if (option->get_name() == "--help") continue;
      out += fmt::format(".TP\n.B {}\n{}\n", roff(option->get_name(false, true)),
                         roff(option->get_description()));
    }
    if (!command.get_footer().empty()) out += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(command.get_footer()));
  });
  return out;
}

}  // namespace weir::app
