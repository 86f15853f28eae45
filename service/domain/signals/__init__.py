"""All rules, in one table, and the one question to ask: what do they say about this course now?

A signal is one file: its text is the clinical definition (meaning, thresholds by name, what it is not, evidence), its
`IDS`, the limits it `USES`, and one pure generator `check(course, limits, now)`. Adding one is one file, one line
here, and its cases. What can change by the passing of time alone is said in `turns`, listed in CLOCKS.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from service.domain.course import Course, start_of
from service.domain.hours import LocalTime
from service.domain.index import Index, index
from service.domain.limits import Limits
from service.domain.metrics import PERIOD_DAYS, Metrics, metrics
from service.domain.signals import (
    breaks,
    churn,
    ending,
    gap,
    interval,
    mark,
    missed,
    next_none,
    notice,
    setting,
    slot,
    therapist,
    time_frame,
)
from service.domain.signals.signal import Cause, Level, Signal

__all__ = ["SIGNALS", "Assessment", "Cause", "Level", "Limits", "Signal", "assess"]


class Rule(Protocol):
    """What a signal's module offers."""

    @property
    def IDS(self) -> tuple[str, ...]: ...  # noqa: N802
    @property
    def USES(self) -> frozenset[str]: ...  # noqa: N802
    def check(self, course: Course, limits: Limits, now: LocalTime, /) -> Iterator[Signal]: ...


class Clock(Protocol):
    """A rule whose word can change with no new fact."""

    def turns(self, course: Course, limits: Limits, now: LocalTime, /) -> Iterator[LocalTime]: ...


SIGNALS: tuple[Rule, ...] = (
    gap,
    next_none,
    churn,
    notice,
    slot,
    setting,
    therapist,
    time_frame,
    missed,
    breaks,
    ending,
    interval,
    mark,
)
CLOCKS: tuple[Clock, ...] = (gap, next_none, breaks, ending, mark)


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What the rules say, the index, the plain numbers, and when any of it could change with no new fact."""

    signals: tuple[Signal, ...]
    index: Index
    metrics: Metrics
    due: LocalTime | None
    """The first local time at which the outcome could change by itself; None where it never will."""


def assess(course: Course, *, limits: Limits, now: LocalTime) -> Assessment:
    """One course, as of now. To `limits` is added what the clinic, the therapist and the course set otherwise.

    :raises CannotSetLimits: an exception of the course makes no sense.
    """
    limits = limits.for_course(course, on=now.date())
    found = Assessment(
        signals=tuple(_signals(course, limits, now)),
        index=index(course, now=now, limits=limits),
        metrics=metrics(course, now=now, announce_days=limits.announce_days),
        due=due(course, limits=limits, now=now),
    )
    course.kept.clear()  # it points back to the course: a scan of many would wait for the collector
    return found


def _signals(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    for rule in SIGNALS:
        for signal in rule.check(course, limits, now):
            if signal.id in limits.off:
                continue
            agreed = limits.agreed_about(rule.USES | {signal.id}) if limits.agreed else ()
            yield replace(signal, agreed=dict(agreed)) if agreed else signal


def due(course: Course, *, limits: Limits, now: LocalTime) -> LocalTime | None:
    """The first time after now at which the outcome could change with no new fact: never too late, at times early."""
    return min((at for at in _turns(course, limits, now) if at > now), default=None)


def _turns(course: Course, limits: Limits, now: LocalTime) -> Iterator[LocalTime]:
    for clock in CLOCKS:
        yield from clock.turns(course, limits, now)
    passed = len(course.expected_until(now))
    yield from course.expected_times[passed : passed + 1]
    yield from _bookings(course, limits, now)
    yield from (start_of(day) for day in (*course.turning_days, *limits.expiries))
    yield from _leaving(course, now)


def _bookings(course: Course, limits: Limits, now: LocalTime) -> Iterator[LocalTime]:
    """The next start, and the next booking that comes into view; even a session that was marked before it began."""
    for session in reversed(course.held_by_start):
        if session.starts <= now:
            break
        yield session.starts
    horizon = timedelta(days=limits.horizon_days)
    has_next = False
    for one in course.scheduled_by_start:
        if one.starts > now and not has_next:
            has_next = True
            yield one.starts
        if one.starts > now + horizon:
            yield one.starts - horizon
            return


def _leaving(course: Course, now: LocalTime) -> Iterator[LocalTime]:
    """When the oldest appointment that the plain numbers count falls out of their period."""
    period = timedelta(days=PERIOD_DAYS)
    since = now - period
    for at in course.expected_times:
        if at >= since:
            yield at + period + timedelta(microseconds=1)
            return
