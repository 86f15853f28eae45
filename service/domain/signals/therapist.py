"""S10 `therapist.change`: another therapist than the usual one.

Meaning, one entry with the worst of three reasons. *cover* (info): a session held by somebody else, for the next four
sessions held. *change*: the usual therapist changes, until four sessions are held with the new one: told at least
`transfer_notice_days` and `transfer_notice_sessions` held sessions before gives `info`, told later `watch`, not told
`act`. *pattern* (watch): over the last six sessions, n >= 4, sequential continuity (SECON) under `secon_min`.

What it is not: AAABBB, a planned transfer, has the same shares as ABABAB but not the same sequence; hence SECON. In
co-therapy, or trainee with supervisor, all who are agreed count as one, and so do parallel standings.

Evidence: moderate, mixed, for a change (therapist turnover study 2018; Psychiatric Services 2020: not uniform). The
numbers are a convention.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from service.domain.appointment import Appointment
from service.domain.course import Course, Transfer, start_of
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.metrics import coc, secon, upc
from service.domain.phrase import Phrase
from service.domain.signals import wording
from service.domain.signals.signal import MODERATE, Level, Signal

IDS = ("therapist.change",)
USES = frozenset({"secon_min", "transfer_notice_days", "transfer_notice_sessions", "preset"})
WINDOW = 6
LASTS = 4
"""Sessions held after a cover, or with a new therapist, until it is no longer told."""
USUAL = ""


def check(course: Course, limits: Limits, _now: LocalTime) -> Iterator[Signal]:
    if course.is_ended or course.is_ad_hoc:
        return
    found = [*_covers(course), *_change(course, limits), *_pattern(course, limits)]
    if found:
        yield max(found, key=lambda signal: signal.level.rank)


def _covers(course: Course) -> Iterator[Signal]:
    recent = course.held[-LASTS:]
    slots = tuple(one.expected for one in recent if _is_cover(course, one))
    if slots:
        yield _signal(
            Level.INFO,
            {"reason": "cover", "covers": len(slots)},
            {"sessions": LASTS},
            f"therapist:cover:{slots[0].isoformat(timespec='minutes')}",
            wording.therapist_cover(len(slots)),
            slots,
        )


def _is_cover(course: Course, one: Appointment) -> bool:
    standing = course.standing_of(one)
    return standing is not None and one.therapist not in standing.therapists


def _change(course: Course, limits: Limits) -> Iterator[Signal]:
    if not course.transfers:
        return
    era = len(course.transfers)
    transfer = course.transfers[-1]
    with_new = [one for one in course.held if course.era_of(one) == era and course.is_with_usual_therapist(one)]
    if len(with_new) >= LASTS:
        return
    ahead = _days_ahead(transfer)
    sessions = _sessions_before(course, transfer)
    yield _signal(
        _level(limits, ahead, sessions),
        {
            "reason": "change",
            "from": transfer.since.isoformat(),
            "told_days_before": None if ahead is None else round(ahead, 2),
            "sessions_before": sessions,
            "held_since": len(with_new),
        },
        {"days": limits.transfer_notice_days, "sessions": limits.transfer_notice_sessions},
        f"therapist:change:{transfer.since.isoformat()}",
        wording.therapist_change(transfer.since, ahead, sessions),
        tuple(one.expected for one in with_new),
    )


def _level(limits: Limits, ahead: float | None, sessions: int) -> Level:
    if ahead is None:
        return Level.ACT
    is_early = ahead >= limits.transfer_notice_days and sessions >= limits.transfer_notice_sessions
    return Level.INFO if is_early else Level.WATCH


def _days_ahead(transfer: Transfer) -> float | None:
    if transfer.told_at is None:
        return None
    return (start_of(transfer.since) - transfer.told_at) / timedelta(days=1)


def _sessions_before(course: Course, transfer: Transfer) -> int:
    """Held between the telling and the change, and still booked before it."""
    if transfer.told_at is None:
        return 0
    until = start_of(transfer.since)
    return sum(transfer.told_at <= one.starts < until for one in (*course.held, *course.scheduled_by_start))


def _pattern(course: Course, limits: Limits) -> Iterator[Signal]:
    recent = course.held[-WINDOW:]
    continuity = secon([_who(course, one) for one in recent])
    if continuity is None or continuity >= limits.secon_min:
        return
    therapists = [one.therapist for one in recent]
    yield _signal(
        Level.WATCH,
        {
            "reason": "pattern",
            "secon": round(continuity, 3),
            "upc": _rounded(upc(therapists)),
            "coc": _rounded(coc(therapists)),
            "n": len(recent),
        },
        {"secon": limits.secon_min},
        "therapist:pattern",
        wording.therapist_pattern(continuity, len(recent)),
        tuple(one.expected for one in recent),
    )


def _who(course: Course, one: Appointment) -> str:
    """The therapist, all usual ones of a time as one: in an agreed pair, or in parallel standings, nobody changes."""
    standing = course.standing_of(one)
    if standing is None or one.therapist not in standing.therapists:
        return one.therapist
    together = _standing_together(course, standing.since)
    return USUAL if together else one.therapist


def _standing_together(course: Course, since: date) -> bool:
    frame = course.frame_at(start_of(since))
    return len({therapist for standing in frame.standings for therapist in standing.therapists}) > 1


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _signal(
    level: Level,
    value: dict[str, object],
    threshold: dict[str, object],
    episode: str,
    text: Phrase,
    slots: tuple[LocalTime, ...],
) -> Signal:
    return Signal(
        id="therapist.change",
        level=level,
        value=value,
        threshold=threshold,
        evidence=MODERATE,
        episode=episode,
        text=text,
        actions=wording.COVER_ACTIONS if value["reason"] == "cover" else wording.THERAPIST_ACTIONS,
        clears=wording.THERAPIST_CLEARS,
        appointments=slots,
    )
