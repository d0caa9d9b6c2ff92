"""What the benchmarks have in common: their arguments and the directory that they work in."""

import contextlib
import os
import resource
import shutil
import signal
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def add_arguments(parser, rows, quick, brokers):
    parser.add_argument("rows", nargs="*", help=f"of: {', '.join(row.name for row in rows)}; none: all")
    parser.add_argument("--quick", action="store_true", help=f"{quick}, no results written")
    parser.add_argument("--only", choices=brokers, help="leave the other brokers out")
    parser.add_argument("--weir", default=ROOT / "build/weir", type=lambda path: Path(path).resolve(),
                        help="the binary to measure")
    parser.add_argument("--results", default=ROOT / "bench/results", help="where the results go")
    parser.add_argument("--work-dir", default=ROOT / "build", help="the file system for the brokers' data")


def check_programs(programs, peers):
    """`peers`: classes of brokers."""
    for program in programs:
        if not os.access(program, os.X_OK):
            sys.exit(f"{program} is missing: scripts/build release {' '.join(p.name for p in programs)}")
    for peer in peers:
        if not peer.installed():
            sys.exit(f"{peer.package} is not installed")


@contextlib.contextmanager
def work_directory(parent):
    # Brokers and generator inherit it: ten thousand connections are as many descriptors.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # So that a terminated benchmark ends its brokers as an interrupted one does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    Path(parent).mkdir(parents=True, exist_ok=True)
    directory = tempfile.mkdtemp(prefix="bench-", dir=parent)
    try:
        yield Path(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
