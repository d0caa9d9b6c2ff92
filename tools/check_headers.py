#!/usr/bin/python3
"""What it is: every header compiles alone: it includes what it needs. What passed is remembered by the content of the
header and of all project headers below it, so a second run compiles only what changed."""

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import source_tree

COMPILER = "clang++-19"
FLAGS = ["-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-pragma-once-outside-header",
         "-Wno-unused-const-variable", "-DBOOST_ASIO_NO_DEPRECATED", "-DBOOST_ERROR_CODE_HEADER_ONLY"]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
JOBS = 2


def include_folders(root, build):
    folders = [Path(root) / "src", Path(root) / "tests"]
    return folders + ([Path(build) / "generated"] if build else [])


def closure(folders, path, seen):
    """The project files that `path` reaches by #include "…", itself included."""
    if path in seen or not path.is_file():
        return seen
    seen.add(path)
    for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        for folder in [path.parent, *folders]:
            if (folder / name).is_file():
                closure(folders, folder / name, seen)
                break
    return seen


def key_of(root, folders, path):
    reached = sorted(closure(folders, Path(root) / path, set()))
    return source_tree.digest(*FLAGS, str(path), *(file.read_bytes() for file in reached))


def compile_alone(root, folders, path):
    command = [COMPILER, *FLAGS, *(f"-I{folder}" for folder in folders), "-x", "c++-header", str(path)]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if run.returncode == 0:
        return None
    errors = [line for line in run.stderr.splitlines() if "error:" in line]
    return f"{path}: does not compile alone: {errors[0] if errors else run.stderr.strip()}"


def check(root, build=None):
    stamps = source_tree.Stamps(build, "headers")
    folders = include_folders(root, build)
    pending = []
    for path in source_tree.files(root, "src", {".h"}):
        key = key_of(root, folders, path)
        if not stamps.passed(key):
            pending.append((path, key))
    with ThreadPoolExecutor(JOBS) as pool:
        results = list(pool.map(lambda item: compile_alone(root, folders, item[0]), pending))
    for (_, key), problem in zip(pending, results):
        if problem is None:
            stamps.remember(key)
    return [problem for problem in results if problem]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--build", help="the build folder: generated headers, and where to remember what passed")
    args = parser.parse_args()
    return source_tree.report(check(args.root, args.build))


if __name__ == "__main__":
    sys.exit(main())
