#!/usr/bin/python3
"""What it is: holds src/ to src/layers.txt: which folder may include which, and the words that are banned where.

The rules, one a line; # starts a comment:
  FOLDER : FOLDER…              what the folder may include beside itself; * on the right is everything
  FOLDER : + FOLDER…            the same, added to what the more general line for that folder says
  NAME = file…                  a list of files that a line can name on its right side
  ban WORD… : everywhere [but FOLDER…]
  ban WORD… : FOLDER…
In FOLDER, * stands for one path component; on the right side SELF is the component that the left side's * stood for.
The line that fits a file is the most exact one: the deepest, then the one with the fewest stars.
A banned WORD is an identifier, the beginning of one (WORD_…), or part of a component of an included path.
"""

import argparse
import re
import sys
from pathlib import Path

import source_tree

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
GENERATED = {"base/version.h"}


class Layer:
    def __init__(self, pattern):
        self.pattern = pattern.split("/")
        self.allowed = []
        self.adds = False

    def match(self, parts):
        """The folder that the pattern stands for in this path, or None."""
        if len(parts) <= len(self.pattern):
            return None
        if all(want in ("*", have) for want, have in zip(self.pattern, parts)):
            return parts[:len(self.pattern)]
        return None

    def exactness(self):
        return (len(self.pattern), -self.pattern.count("*"))


class Ban:
    def __init__(self, words, everywhere, folders):
        self.words = words
        self.everywhere = everywhere
        self.folders = [folder.split("/") for folder in folders]
        joined = "|".join(re.escape(word) for word in words)
        self.identifier = re.compile(rf"\b({joined})(?:_\w*)?\b")
        self.include = re.compile(rf"({joined})")

    def holds_in(self, parts):
        inside = any(len(parts) >= len(folder) and all(want in ("*", have) or re.fullmatch(re.escape(want) + r"\.\w+",
                     have) for want, have in zip(folder, parts)) for folder in self.folders)
        return inside != self.everywhere


class Rules:
    def __init__(self, text):
        self.layers, self.bans, self.lists = [], [], {}
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            if line.startswith("ban "):
                self._add_ban(line[4:], number)
            elif re.fullmatch(r"[A-Z]+\s*=.*", line):
                name, values = line.split("=", 1)
                self.lists[name.strip()] = values.split()
            elif ":" in line:
                self._add_layer(line)
            else:
                raise ValueError(f"layers.txt:{number}: not a rule: {line}")

    def _add_layer(self, line):
        left, right = line.split(":", 1)
        layer = Layer(left.strip())
        layer.allowed = right.split()
        layer.adds = layer.allowed[:1] == ["+"]
        self.layers.append(layer)

    def _add_ban(self, line, number):
        match = re.fullmatch(r"([\w ]+?)\s*:\s*(?:(everywhere)(?:\s+but\s+(.+))?|(.+))", line)
        if not match:
            raise ValueError(f"layers.txt:{number}: not a ban: {line}")
        words, everywhere, exceptions, folders = match.groups()
        self.bans.append(Ban(words.split(), bool(everywhere), ((exceptions if everywhere else folders) or "").split()))

    def layer_of(self, parts):
        """(the folder, what it may include) of a file below src, or (None, None)."""
        fitting = sorted((layer for layer in self.layers if layer.match(parts)), key=Layer.exactness)
        if not fitting:
            return None, None
        allowed = []
        for layer in reversed(fitting):
            star = dict(zip(layer.pattern, parts)).get("*", "")
            allowed += [item.replace("SELF", star) for item in layer.allowed if item != "+"]
            if not layer.adds:
                break
        return fitting[-1].match(parts), allowed

    def may_include(self, parts, target):
        """Whether the file `parts` may include `target`; both are path components below src."""
        own, allowed = self.layer_of(parts)
        other, _ = self.layer_of(target)
        if other is not None and own == other:
            return True
        for item in allowed:
            if item == "*" or "/".join(target) in self.lists.get(item, []):
                return True
            pattern = item.split("/")
            if other is not None and len(pattern) == len(other) and all(
                    want in ("*", have) for want, have in zip(pattern, other)):
                return True
        return False


def check_includes(rules, src, path, code):
    parts = path.parts[1:]
    for match in INCLUDE.finditer(code):
        if match.group(1) is None:
            continue
        target = match.group(1)
        where = f"{path}:{source_tree.line_of(code, match.start())}"
        if not (src / target).is_file() and target not in GENERATED:
            yield f"{where}: \"{target}\" is not a file below src (include paths start there)"
        elif not rules.may_include(parts, tuple(target.split("/"))):
            yield f"{where}: {'/'.join(rules.layer_of(parts)[0])} may not include \"{target}\""


def check_bans(rules, path, code):
    parts = path.parts[1:]
    for ban in rules.bans:
        if not ban.holds_in(parts):
            continue
        for match in INCLUDE.finditer(code):
            found = ban.include.search(match.group(1) or match.group(2)) if match.group(2) else None
            if found:
                yield f"{path}:{source_tree.line_of(code, match.start())}: {found.group(1)} is banned here"
        without_includes = INCLUDE.sub("", code)
        for match in ban.identifier.finditer(without_includes):
            yield f"{path}:{source_tree.line_of(without_includes, match.start())}: {match.group(1)} is banned here"


def check(root):
    src = Path(root) / "src"
    rules = Rules((src / "layers.txt").read_text(encoding="utf-8"))
    problems = []
    for path in source_tree.code_files(root, ["src"]):
        code = source_tree.without_comments_and_strings(source_tree.read(root, path))
        if rules.layer_of(path.parts[1:])[0] is None:
            problems.append(f"{path}: in no folder that layers.txt names")
            continue
        problems += check_includes(rules, src, path, code)
        problems += check_bans(rules, path, code)
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--build", help="unused: this check is fast")
    return source_tree.report(check(parser.parse_args().root))


if __name__ == "__main__":
    sys.exit(main())
