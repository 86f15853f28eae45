"""The service, struck down after a commit and before the bell, whenever the file that `STORM_STRIKE` names is there.

The change is safe on disk then, nobody was woken for it, and whoever asked for it gets no answer.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from service import app
from service.store import transaction


def from_env() -> Flask:
    plug = transaction.after_commit

    def plug_struck(ring: Callable[[list[int]], None]) -> None:
        def ring_or_fall(messages: list[int]) -> None:
            _fall()
            ring(messages)

        plug(ring_or_fall)

    transaction.after_commit = plug_struck
    return app.from_env()


def _fall() -> None:
    try:
        Path(os.environ["STORM_STRIKE"]).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
