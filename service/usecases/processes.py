"""Other processes for work that would keep one busy for long, and everybody else who waits for this one.

They are forked from a process that has only imported the service, so that each is there in an instant; it starts with
the first such work. Neither outlives the process that asked.
"""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any

AT_MOST = 4

_opener: list[Callable[[], Any]] = []
_one_after_the_other = threading.Lock()


def opened_by(opener: Callable[[], Any]) -> None:
    """Have such processes open the service by that function, which a module holds under its name.

    Until it is called there are none: a service whose settings are not the environment's can't be opened again.
    """
    _opener[:] = [opener]


def how_many() -> int:
    """0 where the service can't be opened again, or where there is one processor: then do it yourself."""
    processors = min(AT_MOST, os.cpu_count() or 1)
    return processors if _opener and processors > 1 else 0


@contextmanager
def pool() -> Iterator[Executor]:
    """Processes in an app's context, for one piece of work at a time: who comes second waits.

    Ask `how_many` first. What is handed to them are functions and values by name and by content.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([_opener[0].__module__])
    with (
        _one_after_the_other,
        ProcessPoolExecutor(
            how_many(), mp_context=context, initializer=_open, initargs=(_opener[0], dict(os.environ))
        ) as found,
    ):
        yield found


def _open(opener: Callable[[], Any], environment: dict[str, str]) -> None:
    os.environ.update(environment)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    opener().app_context().push()
    gc.freeze()  # what is loaded stays: nobody need look through it each time values are let go


def _end_with_parent() -> None:
    """Else one that waits for work would wait for ever after its parent was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
