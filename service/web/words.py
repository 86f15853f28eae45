"""The words and signs that pages show for what the domain names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from service.domain.absences import AbsenceKind
from service.domain.access import Role
from service.domain.appointment import FREEING, Initiator, Status
from service.domain.hours import Hour, Weekday

DAYS: Mapping[Weekday, str] = {
    Weekday.MO: "Monday",
    Weekday.TU: "Tuesday",
    Weekday.WE: "Wednesday",
    Weekday.TH: "Thursday",
    Weekday.FR: "Friday",
    Weekday.SA: "Saturday",
    Weekday.SU: "Sunday",
}
STATUS: Mapping[str, str] = {
    Status.SCHEDULED.value: "booked",
    Status.HELD.value: "held",
    Status.CLIENT_CANCELLED.value: "cancelled by the client",
    Status.NO_SHOW.value: "did not take place",
    Status.LATE_NOT_SEEN.value: "arrived too late to be seen",
    Status.CLINIC_CANCELLED.value: "cancelled by the clinic",
    Status.BREAK.value: "break",
    "arrived": "arrived",
    "unmarked": "not marked yet",
}
SIGN: Mapping[str, str] = {
    Status.SCHEDULED.value: "○",
    Status.HELD.value: "●",
    Status.CLIENT_CANCELLED.value: "◌",
    Status.NO_SHOW.value: "⊙",
    Status.LATE_NOT_SEEN.value: "⊙",
    Status.CLINIC_CANCELLED.value: "⊠",
    Status.BREAK.value: "▭",
    "arrived": "◐",
    "unmarked": "?",
}
CANCELLED = frozenset(status.value for status in FREEING)
ASKED_BY: Mapping[str, str] = {
    Initiator.CLIENT.value: "the client",
    Initiator.CLINIC.value: "the clinic",
    Initiator.MUTUAL.value: "both together",
    Initiator.UNKNOWN.value: "not known",
}
REASON: Mapping[str, str] = {
    "illness": "illness",
    "holiday": "holiday",
    "work": "work",
    "family": "family",
    "travel": "travel",
    "room": "room",
    "training": "training",
    "agreed": "agreed together",
    "other": "another reason",
}
KIND: Mapping[str, str] = {
    AbsenceKind.LEAVE.value: "Leave",
    AbsenceKind.CLOSURE.value: "Closure",
    AbsenceKind.HOLIDAY.value: "Public holiday",
    AbsenceKind.PAUSE.value: "Pause",
}
ROLE: Mapping[str, str] = {
    Role.FRONT_DESK.value: "front desk",
    Role.THERAPIST.value: "therapist",
    Role.MANAGER.value: "manager",
    Role.ADMIN.value: "admin",
}


FIELD: Mapping[str, str] = {
    "day": "Date",
    "at": "Time",
    "minutes": "Minutes",
    "since": "From",
    "until": "Until",
    "began": "Began",
    "asked_by": "Who asked",
    "reason": "Why",
    "every_weeks": "Every … weeks",
    "therapist": "Therapist",
    "room": "Room",
    "name": "Name",
    "kind": "Kind",
    "hours": "Hours",
    "value": "Number",
    "what": "What",
}
PART: Mapping[str, str] = {
    "slot": "other time",
    "therapist": "other therapist",
    "notice": "short notice",
    "setting": "other room or video",
    "gap": "longer gap",
    "close": "close together",
    "preference": "preferred hour",
}


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a page says once after something was done; `undo` is the address that takes it back."""

    text: str
    undo: str | None = None


DONE: Mapping[str, Done] = {
    "marked": Done(text="Marked.", undo="/appointments/{}/unmark"),
    "unmarked": Done(text="The mark was taken back."),
    "moved": Done(text="Moved to {fact}."),
    "cancelled": Done(text="The hour of {fact} was cancelled, and is free.", undo="/appointments/{}/uncancel"),
    "uncancelled": Done(text="The hour of {fact} stands again."),
    "told": Done(text="Noted: the client has been told."),
    "agreed": Done(text="Agreed: {fact} hours are booked."),
    "changed": Done(text="Changed: {fact} hours are booked anew."),
    "ended": Done(text="Ended. The later hours are free."),
    "booked": Done(text="Booked for {fact}."),
    "client added": Done(text="The client was added. Agree their first hour next."),
    "client changed": Done(text="The client's details were changed."),
    "away": Done(text="Entered. These are the clients to tell.", undo="/away/{}/withdraw"),
    "withdrawn": Done(text="Withdrawn. Hours that were let go can be taken up again one by one."),
    "released": Done(text="{fact} hours were let go."),
    "holidays": Done(text="{fact} public holidays were entered."),
    "site chosen": Done(text=""),
    "paused": Done(text="The course is paused."),
    "resumed": Done(text="The course goes on; {fact} hours are booked again."),
    "course ended": Done(text="The course has ended. Its later hours are free."),
    "acknowledged": Done(text="Noted that you take care of it.", undo="/alerts/{}/reopen"),
    "snoozed": Done(text="Quiet until that day, unless it gets worse.", undo="/alerts/{}/reopen"),
    "agreed break": Done(text="Noted as agreed.", undo="/alerts/{}/reopen"),
    "reopened": Done(text="The alert is open again."),
    "judged": Done(text="Thank you. It helps to tune the rules."),
    "exception agreed": Done(text="Agreed. What it concerns is looked at again."),
    "exception lifted": Done(text="Lifted. The rule holds again as it does for everybody."),
    "site added": Done(text="The site is there."),
    "room added": Done(text="The room is there."),
    "therapist added": Done(text="The therapist is there."),
    "hours set": Done(text="The working hours are set. What is booked outside them stays booked."),
    "user added": Done(text="The user is there. Make a sign-in link to let them in."),
    "user disabled": Done(text="This user is let in no more."),
    "feed revoked": Done(text="Revoked. Nobody is told anything at that address any more."),
    "token revoked": Done(text="The token is worth nothing any more."),
}


def state(hour: Any, now: datetime) -> str:
    """A key of STATUS and SIGN: the hour's status, told apart once it has begun or is over."""
    if hour.status is not Status.SCHEDULED:
        return str(hour.status.value)
    if hour.starts_at + timedelta(minutes=hour.minutes) <= now:
        return "unmarked"
    return "arrived" if hour.began else Status.SCHEDULED.value


def days(value: float) -> str:
    """7 days, 1 day, 9.5 days"""
    return f"{value:g} day" if value == 1 else f"{value:g} days"


def day(value: date) -> str:
    """Tue 24 Nov"""
    return f"{value:%a} {value.day} {value:%b}"


def full_day(value: date) -> str:
    """Tuesday 24 November 2026"""
    return f"{value:%A} {value.day} {value:%B %Y}"


def clock(value: datetime | time) -> str:
    """09:30"""
    return f"{value:%H:%M}"


def when(value: datetime) -> str:
    """Tue 24 Nov, 09:30"""
    return f"{day(value)}, {clock(value)}"


def hour(value: Hour) -> str:
    """Tuesday 09:30"""
    return f"{DAYS[value.day]} {clock(value.at)}"


def every(weeks: int) -> str:
    """every week, every 2 weeks"""
    return "every week" if weeks == 1 else f"every {weeks} weeks"


def ago(value: datetime, now: datetime) -> str:
    """just now, 20 minutes ago, 5 hours ago, 3 days ago; both are instants."""
    minutes = int((now - value).total_seconds() // 60)
    for size, word in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "just now"


def minute(value: datetime) -> str:
    """2026-11-24T09:30, as form fields of local time want it."""
    return value.isoformat(timespec="minutes")


def first_day(value: datetime) -> str:
    """Tue 24 Nov, with the time where it begins within the day"""
    return day(value) if value.time() == time() else when(value)


def last_day(value: datetime) -> str:
    """The last day of a half-open span, with the time where it ends within the day."""
    return day(value - timedelta(days=1)) if value.time() == time() else when(value)


FILTERS: Mapping[str, Callable[..., str]] = {
    "ago": ago,
    "state": state,
    "days": days,
    "day": day,
    "full_day": full_day,
    "clock": clock,
    "when": when,
    "hour": hour,
    "every": every,
    "first_day": first_day,
    "last_day": last_day,
    "minute": minute,
}
