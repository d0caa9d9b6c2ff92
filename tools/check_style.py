#!/usr/bin/python3
"""What it is: the rules of the house that can be read off the text: sizes of files and functions, names, left-over
marks, how a header opens, white space."""

import argparse
import re
import statistics
import sys
from pathlib import Path

import source_tree

FILE_LINES_MAX = 1000
FILE_LINES_P90 = 500
FILE_LINES_MEDIAN = 200
FUNCTION_LINES_MAX = 80
LINE_COLUMNS_MAX = 130  # clang-format holds code to 110; this is for comments, which it leaves alone

BAD_SUFFIX = re.compile(r"\b(?:class|struct|union|enum(?:\s+class)?|using|concept)\s+(?:\[\[\w+\]\]\s*)?"
                        r"(\w*(?:Manager|Helper|Util|Impl)s?)\b")
BAD_FILE_NAME = re.compile(r"(?:^|_)(?:manager|helper|util|impl)s?$")
# Spelled in pieces, so that this file passes its own check.
MARKS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b")
BEFORE_BODY = re.compile(r"\)\s*(?:\b(?:const|noexcept|override|final|mutable|try|requires)\b|&&?|\s)*(?:->[^;{}]*)?$")
TYPE_OR_NAMESPACE = re.compile(r"\b(?:namespace|class|struct|union|enum)\b[^()=]*$|\bextern\s*\"\"\s*$")


def sized_files(root):
    folders = ("src", "tests", "bench", "tools", "scripts", "cmake", "web")
    return [path for path in source_tree.text_files(root)
            if path.parts[0] in folders and path.suffix not in (".json", ".md", ".txt")]


def check_file_sizes(root):
    lines = {path: source_tree.read(root, path).count("\n") for path in sized_files(root)}
    for path, count in lines.items():
        if count > FILE_LINES_MAX:
            yield f"{path}: {count} lines, more than {FILE_LINES_MAX}"
    code = sorted(count for path, count in lines.items() if path.parts[0] == "src")
    if code and statistics.median(code) > FILE_LINES_MEDIAN:
        yield f"src: the median file has {statistics.median(code):.0f} lines, more than {FILE_LINES_MEDIAN}"
    if code and code[int(0.9 * (len(code) - 1))] > FILE_LINES_P90:
        yield f"src: 90% of the files have up to {code[int(0.9 * (len(code) - 1))]} lines, more than {FILE_LINES_P90}"


def functions(code):
    """(first line, last line, the text before the body) of every outermost function in code without comments."""
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: "\n" * m.group(0).count("\n"), code, flags=re.MULTILINE)
    open_bodies, started, since = 0, None, 0
    depth = 0
    for match in re.finditer(r"[{};]", code):
        before = code[since:match.start()].strip()
        if match.group(0) == "{":
            depth += 1
            if started is None and BEFORE_BODY.search(before) and not TYPE_OR_NAMESPACE.search(before):
                first = source_tree.line_of(code, since + len(code[since:]) - len(code[since:].lstrip()))
                started, open_bodies = (first, before), depth
        elif match.group(0) == "}":
            if started is not None and depth == open_bodies:
                yield started[0], source_tree.line_of(code, match.start()), started[1]
                started = None
            depth -= 1
        since = match.end()


def check_functions(path, code):
    for first, last, signature in functions(code):
        if last - first + 1 > FUNCTION_LINES_MAX:
            name = re.sub(r"\s+", " ", signature.split("(")[0]).split(" ")[-1]
            yield f"{path}:{first}: {name} has {last - first + 1} lines, more than {FUNCTION_LINES_MAX}"


def check_names(path, code):
    for match in BAD_SUFFIX.finditer(code):
        yield f"{path}:{source_tree.line_of(code, match.start())}: {match.group(1)} says nothing: name what it does"
    if BAD_FILE_NAME.search(path.stem):
        yield f"{path}: the file's name says nothing: name what it does"


def check_header(path, text):
    if not text.startswith("// What it is: "):
        yield f'{path}:1: a header opens with "// What it is: "'
    if not re.search(r"^#pragma once$", text, re.MULTILINE):
        yield f"{path}: #pragma once is missing"


def check_code(path, text):
    code = source_tree.without_comments_and_strings(text)
    yield from check_functions(path, code)
    yield from check_names(path, code)
    if path.suffix == ".h":
        yield from check_header(path, text)
    if path.parts[0] == "tests":
        for match in SLEEP.finditer(code):
            yield f"{path}:{source_tree.line_of(code, match.start())}: a test waits for a condition, it never sleeps"
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LINE_COLUMNS_MAX:
            yield f"{path}:{number}: {len(line)} columns, more than {LINE_COLUMNS_MAX}"


def check_text(path, text):
    if text and not text.endswith("\n"):
        yield f"{path}: does not end with a newline"
    if text.endswith("\n\n"):
        yield f"{path}: ends with an empty line"
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            yield f"{path}:{number}: a tab"
        if line != line.rstrip() and path.suffix != ".md":
            yield f"{path}:{number}: white space at the end of the line"
        if MARKS.search(line):
            yield f"{path}:{number}: {MARKS.search(line).group(1)}: finish it, or write down where it is kept track of"


def check(root):
    problems = list(check_file_sizes(root))
    for path in source_tree.text_files(root):
        if path.name in ("LICENSE", "package-lock.json"):
            continue
        text = source_tree.read(root, path)
        problems += check_text(path, text)
        if path.suffix in source_tree.CODE_SUFFIXES:
            problems += check_code(path, text)
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--build", help="unused: this check is fast")
    return source_tree.report(check(parser.parse_args().root))


if __name__ == "__main__":
    sys.exit(main())
