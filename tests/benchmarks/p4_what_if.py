"""What other numbers would have told over ninety days: a clinic of five thousand courses, asked while somebody waits.

The clinic is the one that `samehour demo` invents, 235 therapists for 60 weeks (P4_THERAPISTS for fewer); to make it
takes some minutes. It is asked as the web asks, with a process for each processor. They start with the first question,
which is not timed. The figure without a peer is the goal; the plain loop of `p4_assess` over as many courses of a
hundred appointments tells how fast the machine was just then.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from service.app import from_env, migrate
from service.commands.demo_clinic import invent
from service.domain.access import OPERATOR
from service.store.base import db
from service.usecases import demo, what_if
from tests.benchmarks.full_time import environment
from tests.benchmarks.many_courses import NOW
from tests.benchmarks.measure import Figure, seconds_of, show
from tests.benchmarks.p4_assess import disturbed, plain

THERAPISTS = int(os.environ.get("P4_THERAPISTS", "235"))
WEEKS, SEED = 60, 1
GAPS: Mapping[str, float | str] = {"gap_watch": 1.8}
"""The number that most is told by."""
MANY: Mapping[str, float | str] = {
    "gap_watch": 1.8,
    "churn_n": 8,
    "late_notice_clinic_h": 24,
    "slot_hit_min": 30,
    "setting_n": 8,
    "secon_min": 0.5,
    "late_min": 15,
    "announce_days": 21,
}
"""So that nearly every rule is asked."""


def run() -> list[Figure]:
    with TemporaryDirectory() as place:
        os.environ.update({**environment(Path(place)), "SAMEHOUR_LOG_LEVEL": "warning"})
        app = from_env()
        migrate(app)
        with app.app_context():
            clinic = invent(therapists=THERAPISTS, weeks=WEEKS, seed=SEED, horizon=timedelta(weeks=26), now=NOW)
            courses = len(demo.fill(clinic=clinic, by=OPERATOR, now=NOW))
            gaps, many, floor = seconds_of(
                lambda: what_if.ask(values=GAPS, by=OPERATOR, now=NOW),
                lambda: what_if.ask(values=MANY, by=OPERATOR, now=NOW),
                lambda: [plain(_APPOINTMENTS) for _ in range(courses)],
                runs=5,
            )
            db.engine.dispose()
    what = f"what if, {courses:,} courses over 90 days"
    return [
        Figure(id="P4g", what=f"{what}: another step for gaps", ours=gaps, unit="s", at_most=5),
        Figure(id="P4h", what=f"{what}: eight other numbers", ours=many, unit="s", at_most=5),
        Figure(id="P4i", what=f"{what}: gaps", ours=gaps, unit="s", peer=floor, peer_name="plain loop", at_most=35),
    ]


_APPOINTMENTS = disturbed().appointments


if __name__ == "__main__":
    show(run())
