#!/usr/bin/python3
"""What it is: every path of this repository that the documents name exists.

Looked at: links to files in Markdown, and what stands in `backticks` and looks like a path: it begins with one of
our folders, or with a folder of src/ and ends in / or a suffix. <name> and … stand for anything; * is expanded."""

import argparse
import re
import sys
from pathlib import Path

import source_tree

LINK = re.compile(r"\]\(([^)\s]+)\)")
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"\.?[\w*-][\w.*<>…-]*(?:/[\w.*<>…-]*)+(?::\d+)?")
NOT_CHECKED_IN = ("build",)


def documents(root):
    return [path for path in source_tree.files(root, "", {".md"})
            if path.parts[0] in ("docs", "src", "tests", "bench", "web") or len(path.parts) == 1]


def exists(root, bases, name):
    pattern = re.sub(r"<[^>]*>|…", "*", name).rstrip("/")
    for base in bases:
        if "*" in pattern:
            if any(True for _ in (Path(root) / base).glob(pattern)):
                return True
        elif (Path(root) / base / pattern).exists():
            return True
    return False


def named_paths(root, text):
    """(offset, path) of what in the document looks like a path of ours."""
    top = {entry.name for entry in Path(root).iterdir() if entry.is_dir()}
    top |= {"src", "tests", "tools", "scripts", "docs", "bench", "cmake"}
    src = Path(root) / "src"
    layers = {entry.name for entry in src.iterdir() if entry.is_dir()} if src.is_dir() else set()
    for quoted in QUOTED.finditer(text):
        for word in re.finditer(r"[^\s,;()\"'=]+", quoted.group(1)):
            name = word.group(0).rstrip(".:")
            name = name[2:] if name.startswith("./") else name
            if not PATH.fullmatch(name):
                continue
            name = re.sub(r":\d+$", "", name)
            first, last = name.split("/")[0], name.rstrip("/").split("/")[-1]
            if first in NOT_CHECKED_IN:
                continue
            if first in top or (first in layers and (name.endswith("/") or "." in last)):
                yield quoted.start(), name


def check_document(root, path):
    text = source_tree.read(root, path)
    prose = re.sub(r"^```.*?^```", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    for match in LINK.finditer(prose):
        target = match.group(1).split("#")[0]
        if target and "://" not in target and not target.startswith("mailto:"):
            if not exists(root, [path.parent], target):
                yield f"{path}:{source_tree.line_of(prose, match.start())}: no such file: {target}"
    for offset, name in named_paths(root, prose):
        if not exists(root, [".", "src", path.parent], name):
            yield f"{path}:{source_tree.line_of(prose, offset)}: no such path: {name}"


def check(root):
    return [problem for path in documents(root) for problem in check_document(root, path)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--build", help="unused: this check is fast")
    return source_tree.report(check(parser.parse_args().root))


if __name__ == "__main__":
    sys.exit(main())
