"""Plain numbers beside the index, without weights: of the last 365 days.

`upc`: usual provider of care, the largest share of one therapist. `coc`: Bice-Boxerman continuity of care, how few
therapists share the sessions. `secon`: sequential continuity, the share of sessions with the same therapist as the
one before. `mmci`: modified modified continuity index. Below four sessions they say nothing and are None.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from service.domain.appointment import Appointment
from service.domain.course import Course
from service.domain.hours import LocalTime

PERIOD_DAYS = 365
FEWEST = 4
INTERVALS = 5


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Unrounded; None where there is too little to say."""

    held: int
    due: int
    """Held, or not held and the slot has come; what is booked or not yet marked is not due."""
    announced: int
    """Of those not held, the ones that the client knew of in time."""
    longest_gap_days: float | None
    """Between two sessions, closed."""
    interval_sd_days: float | None
    """Sample standard deviation of the last five intervals."""
    upc: float | None
    coc: float | None
    secon: float | None


def metrics(course: Course, *, now: LocalTime, announce_days: float) -> Metrics:
    since = now - timedelta(days=PERIOD_DAYS)
    due = [one for _, one in course.resolved(now) if one.expected >= since]
    held = [one for one in due if one.is_held]
    intervals = intervals_of(sorted(held, key=lambda one: one.starts))
    therapists = [who_counts(course, one) for one in held]
    return Metrics(
        held=len(held),
        due=len(due),
        announced=sum(course.is_announced(one, announce_days) for one in due if not one.is_held),
        longest_gap_days=max(intervals, default=None),
        interval_sd_days=interval_sd(intervals),
        upc=upc(therapists),
        coc=coc(therapists),
        secon=secon(therapists),
    )


def who_counts(course: Course, one: Appointment) -> str:
    """The therapist; in co-therapy all who are agreed count as one."""
    standing = course.standing_of(one)
    if standing and standing.usual_therapists and one.therapist in standing.usual_therapists:
        return standing.usual_therapists[0]
    return one.therapist


def intervals_of(sessions: Sequence[Appointment]) -> list[float]:
    """Days between sessions, which are in order of start."""
    day = timedelta(days=1)
    return [(other.starts - one.starts) / day for one, other in pairwise(sessions)]


def interval_sd(intervals: Sequence[float]) -> float | None:
    if len(intervals) < INTERVALS:
        return None
    recent = intervals[-INTERVALS:]
    mean = math.fsum(recent) / INTERVALS
    return math.sqrt(math.fsum((one - mean) ** 2 for one in recent) / (INTERVALS - 1))


def upc(therapists: Sequence[str]) -> float | None:
    if len(therapists) < FEWEST:
        return None
    return max(Counter(therapists).values()) / len(therapists)


def coc(therapists: Sequence[str]) -> float | None:
    n = len(therapists)
    if n < FEWEST:
        return None
    return (sum(count * count for count in Counter(therapists).values()) - n) / (n * (n - 1))


def secon(therapists: Sequence[str]) -> float | None:
    if len(therapists) < FEWEST:
        return None
    return sum(one == other for one, other in pairwise(therapists)) / (len(therapists) - 1)


def mmci(therapists: Sequence[str]) -> float | None:
    n = len(therapists)
    if n < FEWEST:
        return None
    return (1 - len(set(therapists)) / (n + 0.1)) / (1 - 1 / (n + 0.1))
