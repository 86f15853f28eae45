"""S14 `break.unannounced` and S15 `break.long`: breaks ahead that the client should know of.

S14. For each known absence that takes at least one booked session still to come: D days until the first of them. Not
told: D <= `announce_watch_days` gives `watch`, D <= `announce_days` gives `act`, both inclusive. Told with less than
`announce_days` ahead gives `info`. A session that another, told, absence takes as well is told. Leave that is only
asked for, and pauses (the client agreed to them), do not speak.

S15. Sessions `long_break_days` or more apart, announced or not, where that is also more than `gap_watch` cadences:
`info`, to consider what contact, cover or written plan was agreed and whether the return date is booked.

What they are not: a claim that two weeks is right for everybody; the preset `breaks_sensitive` takes 28 and 14 days.

Evidence: S14 the code of professional bodies for the duty (BACP 38-41, ACA A.11.a, without numbers), convention for
the 14 days. S15 convention.
"""

from collections.abc import Iterator
from datetime import timedelta

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Status
from service.domain.course import Course, is_told_before
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.phrase import Phrase
from service.domain.signals import spacing, wording
from service.domain.signals.signal import CODE, CONVENTION, Level, Signal, days
from service.domain.signals.spacing import Gap

IDS = ("break.unannounced", "break.long")
USES = frozenset({"announce_days", "announce_watch_days", "long_break_days", "gap_watch", "preset"})
_CAN_BE_LOST = frozenset({Status.SCHEDULED, Status.CLINIC_CANCELLED, Status.BREAK})


def check(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    yield from told(course, limits, now)
    if course.is_active:
        yield from _long(course, limits, now)


def told(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    """The same without the timeline's long breaks, of which nobody is told: a look back asks this many times."""
    if course.is_ended:
        return
    for absence in _absences_to_come(course, now):
        yield from _unannounced(course, limits, absence, now)


def turns(course: Course, limits: Limits, now: LocalTime) -> Iterator[LocalTime]:
    """When the first lost sessions come within reach, and when an open gap becomes long."""
    if course.is_ended:
        return
    for absence in _absences_to_come(course, now):
        for one in _lost(course, absence, now):
            yield from (one.starts, one.starts - timedelta(days=limits.announce_days))
            yield one.starts - timedelta(days=limits.announce_watch_days)
    is_open = spacing.of(course, limits, now).open if course.is_active else None
    if is_open:
        yield is_open.since + timedelta(days=limits.long_break_days)
        yield is_open.since + is_open.cadence * limits.gap_watch + spacing.INSTANT_LATER


def _absences_to_come(course: Course, now: LocalTime) -> list[Absence]:
    return [one for one in course.firm_absences if one.until > now and one.kind is not AbsenceKind.PAUSE]


def _lost(course: Course, absence: Absence, now: LocalTime) -> list[Appointment]:
    """Booked sessions still to come that it takes, in order of start."""
    lost = [
        one
        for one in course.appointments
        if now < one.starts < absence.until  # most are not: what takes longer is asked of the others
        and one.status in _CAN_BE_LOST
        and absence.covers(one.starts, one.ends)
        and absence.concerns(therapist=one.therapist, room=one.room)
    ]
    return sorted(lost, key=lambda one: one.starts)


def _unannounced(course: Course, limits: Limits, absence: Absence, now: LocalTime) -> Iterator[Signal]:
    lost = _lost(course, absence, now)
    untold = [] if absence.told_at else [one for one in lost if not _is_told_otherwise(course, one)]
    if untold:
        yield from _untold(limits, absence, untold, now)
    elif lost:
        told_at = absence.told_at or lost[0].told_at
        if told_at is not None and not is_told_before(lost[0].starts, told_at, limits.announce_days):
            yield _told_late(limits, absence, lost, told_at)


def _is_told_otherwise(course: Course, one: Appointment) -> bool:
    return one.told_at is not None or any(
        other.told_at is not None or other.kind is AbsenceKind.PAUSE for other in course.absences_at(one)
    )


def _untold(limits: Limits, absence: Absence, lost: list[Appointment], now: LocalTime) -> Iterator[Signal]:
    first = min(one.starts for one in lost)
    away = first - now
    if away > timedelta(days=limits.announce_watch_days):
        return
    left = days(away.total_seconds())
    yield _signal(
        limits,
        absence,
        lost,
        Level.ACT if away <= timedelta(days=limits.announce_days) else Level.WATCH,
        {"D": left, "lost": len(lost), "told_at": None},
        wording.break_untold(spacing.away(first, absence), first, left),
    )


def _told_late(limits: Limits, absence: Absence, lost: list[Appointment], told_at: LocalTime) -> Signal:
    lead = days((lost[0].starts - told_at).total_seconds())
    return _signal(
        limits,
        absence,
        lost,
        Level.INFO,
        {"lead": lead, "lost": len(lost), "told_at": told_at.isoformat(timespec="minutes")},
        wording.break_told_late(spacing.away(lost[0].expected, absence), lead),
    )


def _signal(
    limits: Limits, absence: Absence, lost: list[Appointment], level: Level, value: dict[str, object], text: Phrase
) -> Signal:
    return Signal(
        id="break.unannounced",
        level=level,
        value=value,
        threshold={"watch": limits.announce_watch_days, "act": limits.announce_days},
        evidence=CODE,
        episode=f"break:{absence.id or absence.kind.value}:{absence.since.isoformat(timespec='minutes')}",
        text=text,
        actions=wording.BREAK_ACTIONS,
        clears=wording.BREAK_CLEARS,
        appointments=tuple(one.expected for one in lost),
        causes=tuple(spacing.away(one.expected, absence) for one in lost),
        is_clinic_caused=True,
    )


def _long(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    along = spacing.of(course, limits, now)
    is_open, gaps = along.open, along.ahead
    if is_open and not gaps:
        gaps = [is_open]
    longest = max((gap for gap in gaps if _is_long(gap, limits)), key=lambda gap: gap.length, default=None)
    if longest:
        yield _long_signal(longest, limits)


def _is_long(gap: Gap, limits: Limits) -> bool:
    return gap.length >= timedelta(days=limits.long_break_days) and gap.length > gap.cadence * limits.gap_watch


def _long_signal(gap: Gap, limits: Limits) -> Signal:
    g = days(gap.length.total_seconds())
    return Signal(
        id="break.long",
        level=Level.INFO,
        value={
            "g": g,
            "m_a": len(gap.announced),
            "from": gap.since.isoformat(timespec="minutes"),
            "to": gap.until.isoformat(timespec="minutes") if gap.next else None,
        },
        threshold={"days": limits.long_break_days},
        evidence=CONVENTION,
        episode=f"break.long:{gap.first.expected.isoformat(timespec='minutes')}",
        text=wording.break_long(g, gap.since, gap.next is not None),
        actions=wording.LONG_ACTIONS,
        clears=wording.LONG_CLEARS,
        appointments=tuple(cause.slot for cause in gap.causes),
        causes=gap.causes,
    )
