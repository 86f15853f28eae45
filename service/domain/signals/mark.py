"""`mark.missing`: a past session that nobody has marked.

Meaning: booked, its start is `mark_grace_h` or more ago, and nobody has recorded what took place. Until then it
counts as held for the gaps and the next appointment; from then on this asks for the mark.

What it is not: a missed session.

Evidence: convention (records that lag make every other rule speak falsely).
"""

from collections.abc import Iterator
from datetime import timedelta

from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.signals import wording
from service.domain.signals.signal import CONVENTION, Level, Signal

IDS = ("mark.missing",)
USES = frozenset({"mark_grace_h"})


def check(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    before = now - timedelta(hours=limits.mark_grace_h)
    scheduled = course.scheduled_by_start
    if not scheduled or scheduled[0].starts > before:
        return
    slots = tuple(one.expected for one in scheduled if one.starts <= before)
    yield Signal(
        id="mark.missing",
        level=Level.INFO,
        value={"n": len(slots)},
        threshold={"hours": limits.mark_grace_h},
        evidence=CONVENTION,
        episode=f"mark:{slots[0].isoformat(timespec='minutes')}",
        text=wording.mark_missing(slots),
        actions=wording.MARK_ACTIONS,
        clears=wording.MARK_CLEARS,
        appointments=slots,
    )


def turns(course: Course, limits: Limits, now: LocalTime) -> Iterator[LocalTime]:
    """When the grace of what is booked or unmarked ends, the first that is still to end."""
    grace = timedelta(hours=limits.mark_grace_h)
    for one in course.scheduled_by_start:
        if one.starts + grace > now:
            yield one.starts + grace
            return
