"""S12 `missed.client_run` and S13 `missed.clinic`: sessions that did not take place.

S12. The run is what trails: client-side misses not announced in time (cancelled by the client, no message, arrived but
could not be seen), ignoring the clinic's cancellations and announced absences, until a session is held. `act`: one
without a message while fewer than three sessions had been held, or a run of two with one without a message, or a run
of three. `watch`: a run of two cancellations. `info`: a single later one without a message. A single cancellation is
nothing. It asks for a kind, brief contact and a choice of times; never for a discharge, a fee or a score.

S13. The clinic's cancellations not announced in time, over the last six occurrences: one gives `info`, two `watch`,
three, or the last two in a row, `act`. A make-up session is the same occurrence, so it does not count.

What they are not: a sign of a bad will; illness and missing marks explain them as well. Both clear when the course
ends.

Evidence: S12 moderate (sessions missed without a message, not cancellations, go with outcome: n=5,253, 2017; early
effect); for offering a choice of times it is the best there is (Oldham et al. 2012, 31 trials, d=.38), for reminders
alone it is not (Clough & Casey 2014: more dropout). S13 a code, a professional duty (BACP 41, ACA A.11.a); its numbers
are a convention.
"""

from collections.abc import Iterator, Sequence

from service.domain.appointment import Appointment, Status
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.signals import wording
from service.domain.signals.signal import CODE, MODERATE, Level, Signal

IDS = ("missed.client_run", "missed.clinic")
USES = frozenset({"announce_days", "preset"})
SILENT = frozenset({Status.NO_SHOW, Status.LATE_NOT_SEEN})
CLIENT_SIDE = SILENT | {Status.CLIENT_CANCELLED}
FIRST_SESSIONS = 3
WINDOW = 6


def check(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    if course.is_ended or course.is_ad_hoc:
        return
    resolved = [one for _, one in course.resolved(now)]
    yield from _client_run(course, limits, resolved)
    yield from _by_clinic(course, limits, resolved[-WINDOW:])


def _client_run(course: Course, limits: Limits, resolved: Sequence[Appointment]) -> Iterator[Signal]:
    run = _run(course, limits, resolved)
    level = _level_of_run(course, run)
    if level is None:
        return
    silent = sum(one.status in SILENT for one in run)
    yield Signal(
        id="missed.client_run",
        level=level,
        value={"run": len(run), "no_message": silent, "held": _held_before(course, run[-1])},
        threshold={"watch": 2, "act": 3, "act_with_no_message": 2, "first_sessions": FIRST_SESSIONS},
        evidence=MODERATE,
        episode=f"missed:{run[0].expected.isoformat(timespec='minutes')}",
        text=wording.missed_client(len(run), silent),
        actions=wording.MISSED_CLIENT_ACTIONS,
        clears=wording.MISSED_CLIENT_CLEARS,
        appointments=tuple(one.expected for one in run),
    )


def _run(course: Course, limits: Limits, resolved: Sequence[Appointment]) -> list[Appointment]:
    """The trailing client-side misses, oldest first."""
    run: list[Appointment] = []
    for one in reversed(resolved):
        if one.is_held:
            break
        if one.status in CLIENT_SIDE and not course.is_announced(one, limits.announce_days):
            run.append(one)
    return run[::-1]


def _level_of_run(course: Course, run: Sequence[Appointment]) -> Level | None:
    silent = [one for one in run if one.status in SILENT]
    if any(_held_before(course, one) < FIRST_SESSIONS for one in silent):
        return Level.ACT
    if len(run) >= 3 or (len(run) == 2 and silent):
        return Level.ACT
    if len(run) == 2:
        return Level.WATCH
    return Level.INFO if silent else None


def _held_before(course: Course, one: Appointment) -> int:
    return sum(session.expected < one.expected for session in course.held)


def _by_clinic(course: Course, limits: Limits, recent: Sequence[Appointment]) -> Iterator[Signal]:
    cancelled = [
        one.status is Status.CLINIC_CANCELLED and not course.is_announced(one, limits.announce_days) for one in recent
    ]
    n = sum(cancelled)
    if n == 0:
        return
    is_run = all(cancelled[-2:]) and n >= 2
    level = Level.ACT if n >= 3 or is_run else Level.WATCH if n == 2 else Level.INFO
    slots = tuple(one.expected for one, is_ours in zip(recent, cancelled, strict=True) if is_ours)
    yield Signal(
        id="missed.clinic",
        level=level,
        value={"cancelled": n, "n": len(recent), "run": _trailing(cancelled)},
        threshold={"watch": 2, "act": 3, "act_run": 2, "window": WINDOW},
        evidence=CODE,
        episode="missed.clinic",
        text=wording.missed_clinic(n, len(recent)),
        actions=wording.MISSED_CLINIC_ACTIONS,
        clears=wording.MISSED_CLINIC_CLEARS,
        appointments=slots,
        is_clinic_caused=True,
    )


def _trailing(flags: Sequence[bool]) -> int:
    run = 0
    for flag in reversed(flags):
        if not flag:
            break
        run += 1
    return run
