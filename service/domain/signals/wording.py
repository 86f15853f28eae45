"""Every sentence that a signal says, in one place, so that one test can read them all.

The subject is the session or the clinic. Plain, short, kind: a question where the reason is unknown.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from service.domain.course import Override
from service.domain.hours import LocalTime
from service.domain.signals.signal import Cause

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_COUNTS = ("No", "One", "Two", "Three", "Four", "Five", "Six")
_WHY = {
    "leave": "leave",
    "closure": "closure",
    "holiday": "public holiday",
    "pause": "agreed pause",
    "client_cancelled": "cancelled at the client's request",
    "no_show": "did not take place, no message",
    "late_not_seen": "arrived, could not be seen",
    "clinic_cancelled": "cancelled by the clinic",
    "break": "break",
    "moved": "moved",
    "unmarked": "not yet marked",
}
_ABSENCES = frozenset({"leave", "closure", "holiday", "pause"})


# Numbers and dates


def number(value: float, places: int = 1) -> str:
    """`28`, `10.6`: half up, without a needless zero."""
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{rounded:f}".rstrip("0").rstrip(".") if places else f"{rounded:f}"


def day(of: date) -> str:
    return f"{of.day} {_MONTHS[of.month - 1]}"


def weekday(of: date) -> str:
    return f"{_DAYS[of.weekday()]} {day(of)}"


def moment(at: LocalTime) -> str:
    return f"{weekday(at)} {at:%H:%M}"


def hour_of_week(minute: int) -> str:
    at = datetime(2001, 1, 1) + timedelta(minutes=minute)
    return f"{_DAYS[at.weekday()]} {at:%H:%M}"


def span(since: LocalTime, until: LocalTime) -> str:
    """`17–28 Aug`: whole days, the last one included."""
    last = until - timedelta(microseconds=1)
    if since.date() == last.date():
        return day(since)
    if (since.year, since.month) == (last.year, last.month):
        return f"{since.day}–{day(last)}"
    return f"{day(since)} – {day(last)}"


def count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _days(value: float) -> str:
    return "1 day" if number(value) == "1" else f"{number(value)} days"


# Causes


def cause(one: Cause) -> str:
    told = f"told {day(one.told_at)}" if one.told_at else "not yet told"
    if one.why in _ABSENCES and one.since and one.until:
        agreed = "" if one.why == "pause" else f" ({told})"
        return f"{_WHY[one.why]} {span(one.since, one.until)}{agreed}"
    if one.why == "break":
        return f"break {day(one.slot)} ({told})"
    return f"{weekday(one.slot)} {_WHY.get(one.why, one.why.replace('_', ' '))}"


def causes(all_of_them: Iterable[Cause]) -> str:
    """Each absence named once, however many slots it takes."""
    return ", ".join(dict.fromkeys(cause(one) for one in all_of_them))


def _because(all_of_them: Sequence[Cause]) -> str:
    return f": {causes(all_of_them)}." if all_of_them else "."


# Exceptions


def exception(one: Override) -> str:
    """`2 until 2026-08-31 (Ada): agreed for the summer`; without author or reason where there is none."""
    value = f"{one.value:g}" if isinstance(one.value, int | float) else one.value.replace("_", " ")
    author = f" ({one.author})" if one.author else ""
    reason = f": {one.reason}" if one.reason else ""
    return f"{value} until {one.until - timedelta(days=1):%Y-%m-%d}{author}{reason}"


# S1-S3 gaps

GAP_OPEN_ACTIONS = ("Confirm the next session", "Offer the earliest hours", "Consider a short agreed contact")
GAP_AHEAD_ACTIONS = ("Offer other hours before the break", "Tell the client", "Mark it as an agreed break")
GAP_CLEARS = (
    "A session is held, the break is on record as told in time, the agreement changes, or the course ends as planned."
)


def gap_open(g: float, usual: float, why: Sequence[Cause], following: LocalTime | None) -> str:
    then = f" The next one is booked for {moment(following)}." if following else " No next one is booked."
    return f"The last session was {_days(g)} ago (usual: {number(usual)}){_because(why)}{then}"


def gap_ahead(g: float, usual: float, why: Sequence[Cause]) -> str:
    return f"The next session would be {_days(g)} after the last one (usual: {number(usual)}){_because(why)}"


def gap_later(g: float, usual: float, why: Sequence[Cause], since: LocalTime, until: LocalTime) -> str:
    dates = f"From {weekday(since)} to {weekday(until)}"
    return f"{dates} there would be {_days(g)} between sessions (usual: {number(usual)}){_because(why)}"


def gap_tentative(sentence: str) -> str:
    return f"If the leave that is asked for comes about: {sentence[0].lower()}{sentence[1:]}"


def gap_closed(g: float, usual: float, why: Sequence[Cause], since: LocalTime, until: LocalTime) -> str:
    dates = f"between the sessions on {weekday(since)} and {weekday(until)}"
    return f"{_days(g)} passed {dates} (usual: {number(usual)}){_because(why)}"


# S4 next appointment

NEXT_ACTIONS = ("Book the next session", "Ask whether a next one is wished for", "Record the ending")
NEXT_CLEARS = "A next session is booked, or the course is closed with an ending."


def next_none(last: LocalTime) -> str:
    return f"No next session is booked; the last one was on {weekday(last)}. Has a next one been agreed?"


def next_return(last: LocalTime, why: Sequence[Cause]) -> str:
    return f"Return date not booked: the last session was on {weekday(last)}, what is booked falls into {causes(why)}."


# S5 churn

CHURN_ACTIONS_CLIENT = ("Offer another standing hour", "Record it as agreed flexibility")
CHURN_ACTIONS_CLINIC = ("Protect the agreed hour", "Agree another standing hour")
CHURN_CLEARS = "The moves fall out of the last sessions, or a new standing hour is agreed."


def churn(moved: int, by_clinic: int, most: int, n: int) -> str:
    if moved == 1 and most > 1:
        return f"One of the last {n} sessions moved {most} times. Would another standing time suit better?"
    if by_clinic == moved:
        return f"The clinic moved {moved} of the last {n} sessions."
    if by_clinic:
        return f"{moved} of the last {n} sessions moved, {by_clinic} of them by the clinic."
    return (
        f"{moved} of the last {n} sessions moved at the client's request. "
        "Perhaps another standing time would suit better?"
    )


# S6 notice

NOTICE_ACTIONS_CLINIC = ("Offer a choice of times", "Give a reason that can be shared")
NOTICE_ACTIONS_CLIENT = ("Nothing is needed: it is on the timeline",)
NOTICE_CLEARS = "It is acknowledged, or the next session is held."


def notice_clinic(slot: LocalTime, hours: float | None, is_cancelled: bool, is_illness: bool) -> str:
    verb = "cancelled" if is_cancelled else "moved"
    with_notice = "; no notice is on record" if hours is None else f" with {number(hours)} hours' notice"
    reason = " (illness, unavoidable)" if is_illness else ""
    return f"The clinic {verb} the session of {moment(slot)}{with_notice}{reason}."


def notice_client(slot: LocalTime, hours: float, is_cancelled: bool) -> str:
    verb = "cancelled" if is_cancelled else "moved"
    return f"The session of {moment(slot)} was {verb} at the client's request with {number(hours)} hours' notice."


# S7 time of the week

DRIFT_ACTIONS = ("Agree it as the standing hour", "Keep the present one")
IRREGULAR_ACTIONS = ("Look for an hour that suits", "Record it as agreed flexibility")
SLOT_CLEARS = "A new standing hour is agreed, or sessions are back at the agreed one."
SUGGEST_ACTIONS = ("Agree a standing hour",)
SUGGEST_CLEARS = "A standing hour is agreed."


def slot_drift(near: int, n: int, around: int) -> str:
    return f"{near} of {n} sessions took place around {hour_of_week(around)}; agree it as the standing time?"


def slot_irregular(hits: int, n: int) -> str:
    return f"No stable time at present: {hits} of the last {n} sessions took place at the agreed hour."


def slot_suggest(near: int, n: int, around: int, interval: float) -> str:
    return (
        f"{near} of the last {n} sessions took place around {hour_of_week(around)}, about every {number(interval, 0)} "
        "days. Would a standing hour suit?"
    )


# S8, S9 setting

ROOM_ACTIONS = ("Keep the agreed room free", "Agree another room")
MODALITY_ACTIONS = ("Ask which form suits", "Agree the pattern")
SETTING_CLEARS = "Two sessions in a row take place as agreed, or a new version is agreed."


def setting_room(other: int, n: int) -> str:
    return f"{other} of the last {n} sessions took place in another room than agreed."


def setting_modality(other: int, n: int, agreed: str) -> str:
    form = "by video" if agreed == "in_person" else "in person"
    return f"{other} of the last {n} sessions took place {form}, other than agreed. Is that the pattern from now on?"


# S10 therapist

THERAPIST_ACTIONS = ("Plan a joint handover session", "Keep hour, room and form through the change")
COVER_ACTIONS = ("Nothing is needed: it is on the timeline",)
THERAPIST_CLEARS = "Four sessions are held with the same therapist."


def therapist_cover(n: int) -> str:
    return f"{count(n, 'session')} of the last few took place with another therapist (cover)."


def therapist_change(since: date, ahead: float | None, sessions: int) -> str:
    if ahead is None:
        return f"The usual therapist changes on {day(since)}; that the client was told is not on record."
    return (
        f"The usual therapist changes on {day(since)}: told {number(ahead, 0)} days and {count(sessions, 'session')} "
        "before."
    )


def therapist_pattern(secon: float, n: int) -> str:
    return f"The therapist changed often from one session to the next (continuity {secon:.2f} over {n} sessions)."


# S11 punctuality and length

TIME_ACTIONS = ("Check the recorded times", "Agree on the length again")
TIME_CLEARS = "Two sessions in a row start on time and have their planned length."


def time_frame(bad: int, n: int, late: int) -> str:
    if late == bad:
        return f"{bad} of the last {n} sessions began later than planned."
    if not late:
        return f"{bad} of the last {n} sessions had clearly another length than planned."
    return f"{bad} of the last {n} sessions began later than planned or had clearly another length."


# S12, S13 not held

MISSED_CLIENT_ACTIONS = ("Get in touch, briefly and kindly", "Offer a choice of times", "Record an ending")
MISSED_CLIENT_CLEARS = "A session is held, or an ending is recorded."
MISSED_CLINIC_ACTIONS = ("Offer a session in its place", "Tell the client early about what is planned")
MISSED_CLINIC_CLEARS = "The cancelled sessions fall out of the last six."


def missed_client(run: int, silent: int) -> str:
    messages = {0: ""}.get(silent, f" ({_COUNTS[silent].lower() if silent < 7 else silent} without a message)")
    if run == 1:
        what = "The last session did not take place" + (" (without a message)." if silent else ".")
    else:
        what = f"{_COUNTS[run] if run < 7 else run} sessions in a row did not take place{messages}."
    return f"{what} You may want to get in touch; offering a choice of times tends to help attendance."


def missed_clinic(cancelled: int, n: int) -> str:
    return f"The clinic cancelled {cancelled} of the last {n} sessions."


# S14, S15 breaks

BREAK_ACTIONS = ("Tell the client", "Offer other hours", "Agree on contact meanwhile")
BREAK_CLEARS = "The client is told, the sessions are moved, or the absence is withdrawn."
LONG_ACTIONS = ("Book the return date", "Agree on contact or cover meanwhile")
LONG_CLEARS = "The gap becomes shorter, or it is over."


def break_untold(why: Cause, first: LocalTime, away: float) -> str:
    return f"Not yet told: {_absence(why)}. The first session concerned is in {_days(away)} ({moment(first)})."


def break_told_late(why: Cause, lead: float) -> str:
    what = _absence(why)
    return f"{what[0].upper()}{what[1:]}: told {number(lead)} d ahead."


def _absence(why: Cause) -> str:
    dates = span(why.since, why.until) if why.since and why.until else day(why.slot)
    return f"{_WHY.get(why.why, why.why)} {dates}"


def break_long(g: float, since: LocalTime, is_return_booked: bool) -> str:
    returning = "" if is_return_booked else " Is the return date booked?"
    return (
        f"{_days(g)} between sessions from {weekday(since)}: "
        f"consider what contact, cover or written plan was agreed.{returning}"
    )


# S16 endings

ENDING_ACTIONS = ("Speak about the ending", "Record that the ending was told", "Agree on more sessions")
ENDING_CLEARS = "The ending is on record as told, or more sessions are agreed."
UNPLANNED_CLEARS = "The ending is recorded as planned or transferred."


def ending_unprepared(left: int) -> str:
    if left < 1:
        return "The agreed number of sessions is reached, and the ending is not yet on record as told."
    verb = "remains" if left == 1 else "remain"
    return f"{count(left, 'session')} {verb}, and the ending is not yet on record as told."


def ending_unplanned() -> str:
    return "The course is closed without an ending session on record (unplanned ending)."


# S17 intervals

INTERVAL_ACTIONS = ("Agree on the interval", "Record a new version of the agreement")
INTERVAL_CLEARS = "Intervals become regular, or a new cadence is agreed."


def interval_sd(sd: float, n: int, usual: float) -> str:
    return f"The time between sessions varies: SD {number(sd)} days over {n} intervals (usual: {number(usual)})."


def interval_cadence(mean: float, usual: float) -> str:
    name = "fortnightly" if usual == 7 else f"every {number(2 * usual, 0)} days"
    return f"The last 3 intervals were about {number(mean, 0)} days: is this now {name}?"


# Marks

MARK_ACTIONS = ("Mark what took place",)
MARK_CLEARS = "The sessions are marked."


def mark_missing(slots: Sequence[LocalTime]) -> str:
    listed = ", ".join(moment(slot) for slot in slots[:3]) + (", …" if len(slots) > 3 else "")
    verb = "is" if len(slots) == 1 else "are"
    return f"{count(len(slots), 'past session')} {verb} not marked yet ({listed}). Please mark what took place."
