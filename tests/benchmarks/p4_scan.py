"""P4: one course loaded, assessed and stored; and all courses looked at, against one SQL query for the gaps.

A hundred appointments a course (`many_courses`), 2,000 courses unless P4_COURSES says otherwise. Every course has been
assessed a day before; the scan reads and judges all of them anew, with as many processes as there are processors, and
compares with what stands on record. The query is the least that anybody could do with the same rows: the longest time
between two sessions held, by a window function. Starting the processes is left out of the time, as it does not grow.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from sqlalchemy import text

from service.commands.scan import looking
from service.domain.access import OPERATOR
from service.store.base import db
from service.usecases import consistency
from tests.benchmarks.full_time import environment
from tests.benchmarks.many_courses import COURSES, NOW, clinic
from tests.benchmarks.measure import Figure, seconds_of, show
from tests.benchmarks.p4_assess import disturbed, plain

PROCESSES = min(4, os.cpu_count() or 1)
LATER = NOW + timedelta(days=1)
ONES = 100
DAYS = {
    "sqlite": "julianday(starts) - julianday(lag(starts) over (partition by course_id order by starts))",
    "postgresql": "extract(epoch from starts - lag(starts) over (partition by course_id order by starts)) / 86400",
}
GAPS = """
    select course_id, max(days) from
        (select course_id, {days} as days from appointments where status = 'held' and void_at is null) as gaps
    group by course_id
"""


def run() -> list[Figure]:
    with TemporaryDirectory() as place:
        os.environ.update(environment(Path(place), os.environ.get("P4_DATABASE_URL")))
        app = clinic(Path(place), database_url=os.environ.get("P4_DATABASE_URL"))
        with app.app_context():
            courses = consistency.every_course(by=OPERATOR)
            for course in courses:
                consistency.assess(course=course, by=OPERATOR, now=NOW)
            one, plain = _one_and_plain(courses[-ONES:])
            ours, query = _scan_and_query(courses)
            db.engine.dispose()
        return [*_of_one(one * 1000, plain * 1000), *_of_all(ours, query, _mebibytes())]


def _of_one(one: float, plain: float) -> Iterator[Figure]:
    what = "one course of 100 appointments: loaded, assessed, stored, in its own transaction"
    yield Figure(id="P4c", what=what, ours=one, unit="ms", at_most=3)
    # 3 ms over the 0.028 ms that the loop of p4_assess took on an idle processor
    yield Figure(id="P4f", what=what, ours=one, unit="ms", peer=plain, peer_name="plain loop", at_most=107)


def _of_all(scan: float, query: float, memory: float) -> Iterator[Figure]:
    what = f"{COURSES:,} courses of 100 appointments looked at, by {PROCESSES} processes"
    yield Figure(id="P4d", what=what, ours=scan, unit="s", peer=query, peer_name="SQL gap query", at_most=12)
    yield Figure(id="P4e", what=f"{what}: memory at most", ours=memory, unit="MiB", at_most=500)


def _one_and_plain(courses: list[str]) -> tuple[float, float]:
    """Assessing one, an hour later each time, and the loop of `p4_assess` over as many appointments; in seconds."""
    hours, appointments = iter(range(1, 100)), disturbed().appointments

    def assess_each() -> None:
        now = NOW + timedelta(hours=next(hours))
        for course in courses:
            consistency.assess(course=course, by=OPERATOR, now=now)

    whole, floor = seconds_of(assess_each, lambda: [plain(appointments) for _ in courses])
    return whole / len(courses), floor / len(courses)


def _scan_and_query(courses: list[str]) -> tuple[float, float]:
    query = text(GAPS.format(days=DAYS[db.engine.dialect.name]))
    with looking(PROCESSES) as look, db.engine.connect() as connection:
        scan, gaps = seconds_of(
            lambda: sum(len(found) for found in look(courses, LATER)),
            lambda: connection.execute(query).all(),
            runs=5,
        )
    return scan, gaps


def _mebibytes() -> float:
    """The most that `samehour scan --all` and its processes hold at one time, by the kernel's word; shared pages count
    for each that shares them."""
    command = [sys.executable, "-m", "service.commands", "scan", "--all", "--processes", str(PROCESSES)]
    most = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as scan:
        while scan.poll() is None:
            most = max(most, sum(map(_resident, _family(scan.pid))))
            sleep(0.05)
    if scan.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {scan.returncode}")
    return most / 1024


def _family(process: int) -> Iterator[int]:
    """The process and all that it started."""
    yield process
    for thread in Path(f"/proc/{process}/task").glob("*"):
        for child in _read(thread / "children").split():
            yield from _family(int(child))


def _resident(process: int) -> int:
    """In KiB; none where it has just ended."""
    found = [line.split()[1] for line in _read(Path(f"/proc/{process}/status")).splitlines() if "VmRSS" in line]
    return int(found[0]) if found else 0


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


if __name__ == "__main__":
    show(run())
