"""What it is: the files of a checkout and their text, as the checks in this folder see them."""

import hashlib
import re
from pathlib import Path

SKIPPED_FOLDERS = {".git", "build", "node_modules", "__pycache__", ".pytest_cache", ".cache", "corpus", "results"}
CODE_SUFFIXES = {".h", ".cpp", ".c"}
TEXT_SUFFIXES = CODE_SUFFIXES | {".py", ".md", ".txt", ".cmake", ".json", ".js", ".toml", ".in", ".sh", ".proto"}
TEXT_FOLDERS_WITHOUT_SUFFIX = {"scripts", ".ci"}


def files(root, folder="", suffixes=None):
    """Files below root/folder, as paths relative to root, sorted."""
    found = []
    pending = [Path(root) / folder]
    while pending:
        for entry in pending.pop().iterdir():
            if entry.is_symlink():
                continue
            if entry.is_dir():
                if entry.name not in SKIPPED_FOLDERS:
                    pending.append(entry)
            elif suffixes is None or entry.suffix in suffixes:
                found.append(entry.relative_to(root))
    return sorted(found)


def code_files(root, folders=("src", "tests", "bench")):
    return [path for folder in folders if (Path(root) / folder).is_dir()
            for path in files(root, folder, CODE_SUFFIXES)]


def text_files(root):
    return [path for path in files(root)
            if path.suffix in TEXT_SUFFIXES or path.name in ("LICENSE", ".gitignore", ".clang-format", ".clang-tidy")
            or (path.parts[0] in TEXT_FOLDERS_WITHOUT_SUFFIX and path.suffix == "")]


def read(root, path):
    return (Path(root) / path).read_text(encoding="utf-8")


_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<tag>[^\s()\\]{0,16})\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.DOTALL)


def without_comments_and_strings(text, keep_includes=True):
    """C++ text with comments blanked and literals emptied; line numbers stay."""

    def blank(match):
        piece = match.group(0)
        line_start = text.rfind("\n", 0, match.start()) + 1
        if keep_includes and piece[0] == '"' and re.match(r"\s*#\s*include\b", text[line_start:match.start()]):
            return piece
        newlines = "\n" * piece.count("\n")
        return newlines + (" " if piece.startswith("/") else '""' if piece[0] in '"R' else "' '")

    return _TOKEN.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def digest(*parts):
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(part if isinstance(part, bytes) else part.encode())
        hasher.update(b"\0")
    return hasher.hexdigest()


class Stamps:
    """Remembers, in the build folder, which contents passed a check: what did not change is not checked again."""

    def __init__(self, build, name):
        self._folder = Path(build) / "tidy-stamps" / name if build else None
        if self._folder:
            self._folder.mkdir(parents=True, exist_ok=True)

    def passed(self, key):
        return self._folder is not None and (self._folder / key).exists()

    def remember(self, key):
        if self._folder:
            (self._folder / key).touch()


def report(problems):
    """Prints the problems; the exit status of a check."""
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problem(s)" if problems else "ok")
    return 1 if problems else 0
