"""Fixtures of the crash suite. WEIR_BINARY is the broker's binary, WEIR_CRASH_CYCLES the number of kill -9 cycles (5)."""

import os
import random
import sys
from pathlib import Path

import pytest

for folder in (Path(__file__).resolve().parent, Path(__file__).resolve().parents[1] / "e2e"):
    sys.path.insert(0, str(folder))

from harness import fixtures  # noqa: E402
from harness.fixtures import *  # noqa: E402,F401,F403


@pytest.fixture
def start_weir(tmp_path):
    yield from fixtures.server_factory(tmp_path)


@pytest.fixture
def cycles():
    return int(os.environ.get("WEIR_CRASH_CYCLES", "5"))


@pytest.fixture
def dice():
    """What is random here; the seed is printed when the test fails."""
    seed = int(os.environ.get("WEIR_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    print(f"WEIR_CRASH_SEED={seed}")
    return random.Random(seed)
