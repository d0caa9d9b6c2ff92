"""What it is: waiting for conditions with a deadline, and bounding whole tests."""

import signal
import time
from contextlib import contextmanager

POLL_SECONDS = 0.01


class Late(AssertionError):
    pass


def wait_until(condition, what, seconds=10, poll_seconds=POLL_SECONDS):
    """Polls until condition() is true and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Late(f"after {seconds} s still not: {what}")
        time.sleep(poll_seconds)


def holds_for(condition, what, seconds):
    """Watches that condition() stays true for so long: for things that must not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"no longer: {what}"
        time.sleep(POLL_SECONDS)


@contextmanager
def time_limit(seconds, what):
    """Raises in the main thread when the block takes longer."""

    def ring(_signal, _frame):
        raise Late(f"{what} took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
