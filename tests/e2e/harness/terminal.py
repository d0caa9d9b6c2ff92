"""What it is: a command in a pseudo-terminal, and the screen that a person would see there."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pyte

from harness.waiting import wait_until


class Terminal:
    """Runs a command in a terminal of its own; use it with `with`."""

    def __init__(self, command, columns=100, rows=30, environment=None):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.seen = b""  # all that it wrote
        self.master, self.slave = pty.openpty()
        self._set_size(columns, rows)
        self.settings_before = termios.tcgetattr(self.slave)
        environment = {**os.environ, "TERM": "xterm-256color", **(environment or {})}
        self.process = subprocess.Popen(command, stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                        env=environment, start_new_session=True, close_fds=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def _set_size(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    def keys(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds=0.02):
        """Takes what it has written."""
        deadline = time.monotonic() + seconds
        while select.select([self.master], [], [], max(0, deadline - time.monotonic()))[0]:
            data = os.read(self.master, 65536)
            self.seen += data
            self.stream.feed(data)

    def text(self):
        self.read()
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, what, seconds=20):
        try:
            wait_until(lambda: what in self.text(), f"{what!r} on the screen", seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}; it shows:\n{self.text()}") from late
        return self.text()

    def wait_end(self, seconds=20):
        """Its exit code."""
        wait_until(lambda: (self.read(), self.process.poll() is not None)[1], "its end", seconds)
        self.read()
        return self.process.returncode

    def is_as_before(self):
        """The cursor is visible, the alternate screen is left, keys are echoed again."""
        begun, left = self.seen.rfind(b"\x1b[?1049h"), self.seen.rfind(b"\x1b[?1049l")
        hidden, shown = self.seen.rfind(b"\x1b[?25l"), self.seen.rfind(b"\x1b[?25h")
        return left > begun >= 0 and shown > hidden and termios.tcgetattr(self.slave) == self.settings_before
