"""Keeps a handful of processes running for as long as this one does.

RQ's worker exits when Redis goes away, and any process can be killed: each is started again, after a wait that doubles
while it keeps failing. All of them end when this process ends, also when it is killed (see tether).
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

TETHER = Path(__file__).with_name("tether.py")
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
HEALTHY_AFTER_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.2
STOP_WITHIN_SECONDS = 20.0


def tethered(command: list[str]) -> list[str]:
    """`command`, ended when the calling process ends. Start it from the main thread."""
    return [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command]


@dataclass(kw_only=True)
class Child:
    """One process to keep running."""

    name: str
    command: list[str]
    env: Mapping[str, str]
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    due: float | None = None
    wait: float = FIRST_WAIT_SECONDS
    reader: threading.Thread | None = None


class Supervisor:
    """Starts children in the order given, restarts those that end, stops them in the opposite order."""

    def __init__(self, say: Callable[[str, str], None], keep_open: tuple[int, ...] = ()) -> None:
        """`say(name, line)` gets every line that a child prints, and what happens to it.

        `keep_open` are file descriptors, a lock's say, that each child holds too, until the last one has ended.
        """
        self.children: list[Child] = []
        self.ending = threading.Event()
        self.say = say
        self.keep_open = keep_open

    def start(self, name: str, command: list[str], env: Mapping[str, str]) -> None:
        child = Child(name=name, command=command, env=env)
        self.children.append(child)
        self._launch(child)

    def end(self) -> None:
        """Ask `run` to return; safe in a signal handler."""
        self.ending.set()

    def run(self) -> None:
        """Look after the children until `end` is called."""
        while not self.ending.wait(LOOK_EVERY_SECONDS):
            self.look()

    def look(self) -> None:
        """Start again what has ended and has waited long enough."""
        for child in self.children:
            if child.due is not None and monotonic() >= child.due:
                self._launch(child)
            elif child.due is None and child.process is not None and child.process.poll() is not None:
                self._plan_restart(child, child.process.returncode)

    def stop(self) -> None:
        """Ask each child to finish, the last started first, and end those that don't within 20 s."""
        for child in reversed(self.children):
            child.due = None
            if child.process is not None:
                _finish(child.process)
            if child.reader is not None:
                child.reader.join(timeout=1)
        self.children.clear()

    def _launch(self, child: Child) -> None:
        child.due = None
        child.started = monotonic()
        # Its own session: Ctrl-C reaches this process alone, which then stops the children in order, Redis last.
        child.process = subprocess.Popen(
            tethered(child.command),
            env=dict(child.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=self.keep_open,
        )
        child.reader = threading.Thread(target=self._pass_on, args=(child.name, child.process), daemon=True)
        child.reader.start()

    def _pass_on(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.say(name, line.rstrip("\n"))

    def _plan_restart(self, child: Child, code: int) -> None:
        if monotonic() - child.started >= HEALTHY_AFTER_SECONDS:
            child.wait = FIRST_WAIT_SECONDS
        self.say(child.name, f"ended ({code}); starting it again in {child.wait:g} s")
        child.due = monotonic() + child.wait
        child.wait = min(child.wait * 2, LONGEST_WAIT_SECONDS)


def _finish(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout=STOP_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
