"""Runs a command that ends when its parent ends, however the parent ends: `tether.py PARENT COMMAND…`.

Without it, a parent that is killed leaves its Redis and its workers running, and the next start finds the files in use.
Run by path, with no import of ours, so that a child costs milliseconds. The parent must start it from its main thread:
on Linux the signal is tied to the thread that started the child.
"""

import ctypes
import os
import signal
import subprocess
import sys
from types import FrameType

PR_SET_PDEATHSIG = 1
LOOK_EVERY_SECONDS = 0.5


def tie(parent: int, command: list[str]) -> int:
    """Become `command` (Linux), or run it and watch the parent (elsewhere); returns its exit code."""
    if sys.platform != "linux":
        return _watch(parent, command)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:  # it ended before the line above, so no signal will ever come
        return 0
    os.execvp(command[0], command)


def _watch(parent: int, command: list[str]) -> int:
    child = subprocess.Popen(command)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, pass_on)
    while True:
        try:
            return child.wait(timeout=LOOK_EVERY_SECONDS)
        except subprocess.TimeoutExpired:
            if os.getppid() != parent:
                child.terminate()


if __name__ == "__main__":
    sys.exit(tie(int(sys.argv[1]), sys.argv[2:]))
