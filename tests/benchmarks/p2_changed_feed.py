"""P2: an hour of a full-time therapist is cancelled, and the next fetch of their feed is answered anew.

The whole use-case on SQLite: look, read what differs, render and read back the one piece that changed, join, store,
hand out. The cancelling itself is not counted.
"""

import gc
import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from service.domain.access import OPERATOR
from service.domain.appointment import Initiator
from service.feeds.publishing import write
from service.store.base import db
from service.usecases import appointments, feeds
from tests.benchmarks import full_time
from tests.benchmarks.measure import Figure, show

CHANGES = 25


def run() -> Figure:
    with tempfile.TemporaryDirectory() as directory:
        app, therapist = full_time.clinic(Path(directory))
        with app.app_context():
            seconds = [_change_and_fetch(therapist, number) for number in range(CHANGES + 1)][1:]
            db.engine.dispose()
    return Figure(
        id="P2d",
        what=f"changed feed of {full_time.STANDINGS} standings and {full_time.EXCEPTIONS} exceptions, whole use-case",
        ours=median(seconds) * 1000,
        unit="ms",
        at_most=10,
    )


def _change_and_fetch(therapist: full_time.FullTime, number: int) -> float:
    now = full_time.NOW + timedelta(minutes=number)
    appointments.cancel(
        appointment_id=therapist.hours[number], asked_by=Initiator.CLIENT, reason="illness", by=OPERATOR, now=now
    )
    gc.collect()
    begun = perf_counter()
    answer = feeds.fetch(secret=therapist.secret, seen=feeds.Seen(), write=write, now=now)
    took = perf_counter() - begun
    assert isinstance(answer, feeds.Body)
    return took


if __name__ == "__main__":
    show([run()])
