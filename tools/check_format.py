#!/usr/bin/python3
"""What it is: every C++ file is formatted as .clang-format says. `scripts/format` repairs what this finds."""

import argparse
import subprocess
import sys
from pathlib import Path

import source_tree

CLANG_FORMAT = "clang-format-19"
FILES_AT_ONCE = 40


def check(root, build=None):
    stamps = source_tree.Stamps(build, "format")
    style = source_tree.read(root, ".clang-format")
    pending = []
    for path in source_tree.code_files(root):
        key = source_tree.digest(style, str(path), source_tree.read(root, path))
        if not stamps.passed(key):
            pending.append((path, key))
    problems = []
    for start in range(0, len(pending), FILES_AT_ONCE):
        batch = pending[start:start + FILES_AT_ONCE]
        run = subprocess.run([CLANG_FORMAT, "--dry-run", "-Werror", *(str(path) for path, _ in batch)], cwd=root,
                             capture_output=True, text=True, check=False)
        lines = [line for line in run.stderr.splitlines() if "error:" in line]
        wrong = {line.split(":")[0]: line for line in reversed(lines)}
        if run.returncode != 0 and not wrong:
            problems.append(f"{CLANG_FORMAT} failed: {run.stderr.strip()}")
        for path, key in batch:
            if str(path) in wrong:
                problems.append(f"{':'.join(wrong[str(path)].split(':')[:2])}: not formatted: run scripts/format")
            elif run.returncode == 0 or wrong:
                stamps.remember(key)
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--build", help="where to remember which files passed")
    args = parser.parse_args()
    return source_tree.report(check(args.root, args.build))


if __name__ == "__main__":
    sys.exit(main())
