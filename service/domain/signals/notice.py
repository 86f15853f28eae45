"""S6 `notice.short`: a session was moved or cancelled at short notice.

Meaning: notice is the time from when the client was told until the earlier of the old and the new start (of a
cancellation: until the old start). The clinic's side: less than `late_notice_clinic_h` gives `watch`, and `act` where
two or more of the last six occurrences had it; that nobody is on record as told counts as short. The client's side:
less than `late_notice_client_h` gives `info`. It is live until a session that starts after the telling is held, or
until it is acknowledged.

What it is not: a breach. For illness the level stays, and the words say "unavoidable".

Evidence: convention (24 and 48 hours are both common policies).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from service.domain.appointment import Appointment, Attribute, Change, Initiator, Status
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.signals import wording
from service.domain.signals.signal import CONVENTION, Level, Signal

IDS = ("notice.short",)
USES = frozenset({"late_notice_clinic_h", "late_notice_client_h", "preset"})
WINDOW = 6
MANY = 2
ILLNESS = "illness"
_SIDES = {
    Status.CLIENT_CANCELLED: Initiator.CLIENT,
    Status.CLINIC_CANCELLED: Initiator.CLINIC,
    Status.BREAK: Initiator.UNKNOWN,
}


@dataclass(frozen=True, kw_only=True)
class Short:
    """One change at short notice."""

    slot: LocalTime
    before: LocalTime
    """The earlier of the old and the new start."""
    told_at: LocalTime | None
    by: Initiator
    is_cancelled: bool
    is_illness: bool

    @property
    def hours(self) -> float | None:
        return None if self.told_at is None else (self.before - self.told_at) / timedelta(hours=1)


def check(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    if course.is_ended or course.is_ad_hoc:
        return
    last_held = course.held_by_start[-1].starts if course.held else None
    recent = _recent(course, now)
    eventful = [one for one in recent if one.changes or one.status in _SIDES]
    short = [event for one in eventful for event in _events(one) if _is_short(event, limits)]
    live = [event for event in short if last_held is None or last_held <= (event.told_at or event.before)]
    ours = [event for event in live if event.by is Initiator.CLINIC]
    if ours:
        yield _clinic_side(ours[-1], _clinic_count(recent, short), limits)
    theirs = [event for event in live if event.by is Initiator.CLIENT]
    if theirs:
        yield _client_side(theirs[-1], limits)


def _recent(course: Course, now: LocalTime) -> tuple[Appointment, ...]:
    """The last six occurrences, and what is still to come; ad-hoc appointments move with nobody's promise."""
    passed = len(course.expected_until(now))
    return tuple(one for one in course.appointments[max(0, passed - WINDOW) :] if one.slot is not None)


def _events(appointment: Appointment) -> Iterator[Short]:
    for change in appointment.changes:
        if change.what is Attribute.TIME:
            yield _moved(appointment, change)
    if appointment.status in _SIDES:
        yield Short(
            slot=appointment.expected,
            before=appointment.starts,
            told_at=appointment.told_at,
            by=appointment.by or _SIDES[appointment.status],
            is_cancelled=True,
            is_illness=False,
        )


def _moved(appointment: Appointment, change: Change) -> Short:
    times = [LocalTime.fromisoformat(text) for text in (change.was, change.now) if text]
    return Short(
        slot=appointment.expected,
        before=min(times, default=appointment.starts),
        told_at=change.told_at,
        by=change.by,
        is_cancelled=False,
        is_illness=change.reason == ILLNESS,
    )


def _is_short(event: Short, limits: Limits) -> bool:
    if event.by is Initiator.CLINIC:
        return event.hours is None or event.hours < limits.late_notice_clinic_h
    return event.by is Initiator.CLIENT and event.hours is not None and event.hours < limits.late_notice_client_h


def _clinic_count(recent: tuple[Appointment, ...], short: list[Short]) -> int:
    """Occurrences with a short notice by the clinic, among the six that end with the last of them."""
    concerned = {event.slot for event in short if event.by is Initiator.CLINIC}
    slots = [one.expected for one in recent]
    last = max(place for place, slot in enumerate(slots) if slot in concerned)
    end = max(last + 1, min(WINDOW, len(slots)))
    return sum(slot in concerned for slot in slots[max(0, end - WINDOW) : end])


def _clinic_side(event: Short, many: int, limits: Limits) -> Signal:
    return Signal(
        id="notice.short",
        level=Level.ACT if many >= MANY else Level.WATCH,
        value={"notice_h": _rounded(event.hours), "by": "clinic", "n": many, "illness": event.is_illness},
        threshold={"hours": limits.late_notice_clinic_h, "act": MANY},
        evidence=CONVENTION,
        episode=f"notice:clinic:{event.slot.isoformat(timespec='minutes')}",
        text=wording.notice_clinic(event.slot, event.hours, event.is_cancelled, event.is_illness),
        actions=wording.NOTICE_ACTIONS_CLINIC,
        clears=wording.NOTICE_CLEARS,
        appointments=(event.slot,),
        is_clinic_caused=True,
    )


def _client_side(event: Short, limits: Limits) -> Signal:
    return Signal(
        id="notice.short",
        level=Level.INFO,
        value={"notice_h": _rounded(event.hours), "by": "client"},
        threshold={"hours": limits.late_notice_client_h},
        evidence=CONVENTION,
        episode=f"notice:client:{event.slot.isoformat(timespec='minutes')}",
        text=wording.notice_client(event.slot, event.hours or 0.0, event.is_cancelled),
        actions=wording.NOTICE_ACTIONS_CLIENT,
        clears=wording.NOTICE_CLEARS,
        appointments=(event.slot,),
    )


def _rounded(hours: float | None) -> float | None:
    return None if hours is None else round(hours, 2)
