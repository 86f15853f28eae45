"""Every sentence that a signal says, in one place, so that one test can read them all.

The subject is the session or the clinic. Plain, short, kind: a question where the reason is unknown.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from service.domain.course import Override
from service.domain.hours import LocalTime
from service.domain.phrase import (
    Day,
    DayOfWeek,
    HourOfWeek,
    Listing,
    Moment,
    Number,
    Phrase,
    Span,
    Value,
    YearDay,
    listing,
    say,
    says,
)
from service.domain.signals.signal import Cause

_COUNTED = (say("No"), say("One"), say("Two"), say("Three"), say("Four"), say("Five"), say("Six"))
_COUNTED_WITHIN = (say("none"), say("one"), say("two"), say("three"), say("four"), say("five"), say("six"))
"""The same within a sentence."""
_WHY = {
    "leave": say("leave"),
    "closure": say("closure"),
    "holiday": say("public holiday"),
    "pause": say("agreed pause"),
    "client_cancelled": say("cancelled at the client's request"),
    "no_show": say("did not take place, no message"),
    "late_not_seen": say("arrived, could not be seen"),
    "clinic_cancelled": say("cancelled by the clinic"),
    "break": say("break"),
    "moved": say("moved"),
    "unmarked": say("not yet marked"),
}
_ABSENCES = frozenset({"leave", "closure", "holiday", "pause"})


def days(value: float) -> Phrase:
    """`1 day`, `10.6 days`"""
    return says("{n} day", "{n} days", Number(value))


# Causes


def cause(one: Cause) -> Phrase:
    if one.why in _ABSENCES and one.since and one.until:
        what, when = _WHY[one.why], Span(one.since, one.until)
        if one.why == "pause":
            return say("{what} {when}", what=what, when=when)
        return say("{what} {when} ({told})", what=what, when=when, told=_told(one))
    if one.why == "break":
        return say("break {when} ({told})", when=Day(one.slot.date()), told=_told(one))
    return say("{when} {what}", when=DayOfWeek(one.slot.date()), what=_why(one))


def causes(all_of_them: Iterable[Cause]) -> Listing:
    """Each absence named once, however many slots it takes."""
    return listing(cause(one) for one in all_of_them)


def _told(one: Cause) -> Phrase:
    return say("told {day}", day=Day(one.told_at.date())) if one.told_at else say("not yet told")


def _why(one: Cause) -> Value:
    return _WHY.get(one.why, one.why.replace("_", " "))


def _with_causes(sentence: Phrase, all_of_them: Sequence[Cause]) -> Phrase:
    if not all_of_them:
        return say("{sentence}.", sentence=sentence)
    return say("{sentence}: {causes}.", sentence=sentence, causes=causes(all_of_them))


# Exceptions


def exception(one: Override) -> Phrase:
    """`2 until 30 Aug 2026 (Ada): agreed for the summer`; without author or reason where there is none."""
    value: Value = Number(one.value, 4) if isinstance(one.value, int | float) else one.value.replace("_", " ")
    said = say("{value} until {day}", value=value, day=YearDay(one.until - timedelta(days=1)))
    if one.author:
        said = say("{exception} ({author})", exception=said, author=one.author)
    return say("{exception}: {reason}", exception=said, reason=one.reason) if one.reason else said


# S1-S3 gaps

GAP_OPEN_ACTIONS = (
    say("Confirm the next session"),
    say("Offer the earliest hours"),
    say("Consider a short agreed contact"),
)
GAP_AHEAD_ACTIONS = (
    say("Offer other hours before the break"),
    say("Tell the client"),
    say("Mark it as an agreed break"),
)
GAP_CLEARS = say(
    "A session is held, the break is on record as told in time, the agreement changes, or the course ends as planned."
)


def gap_open(g: float, usual: float, why: Sequence[Cause], following: LocalTime | None) -> Phrase:
    ago = _with_causes(say("The last session was {gap} ago (usual: {usual})", gap=days(g), usual=Number(usual)), why)
    if following is None:
        return say("{gap} No next one is booked.", gap=ago)
    return say("{gap} The next one is booked for {moment}.", gap=ago, moment=Moment(following))


def gap_ahead(g: float, usual: float, why: Sequence[Cause]) -> Phrase:
    ahead = say("The next session would be {gap} after the last one (usual: {usual})", gap=days(g), usual=Number(usual))
    return _with_causes(ahead, why)


def gap_later(g: float, usual: float, why: Sequence[Cause], since: LocalTime, until: LocalTime) -> Phrase:
    later = say(
        "From {since} to {until} there would be {gap} between sessions (usual: {usual})",
        since=DayOfWeek(since.date()),
        until=DayOfWeek(until.date()),
        gap=days(g),
        usual=Number(usual),
    )
    return _with_causes(later, why)


def gap_tentative(sentence: Phrase) -> Phrase:
    return say("If the leave that is asked for comes about: {sentence}", sentence=sentence)


def gap_closed(g: float, usual: float, why: Sequence[Cause], since: LocalTime, until: LocalTime) -> Phrase:
    passed = say(
        "{gap} passed between the sessions on {since} and {until} (usual: {usual})",
        gap=days(g),
        since=DayOfWeek(since.date()),
        until=DayOfWeek(until.date()),
        usual=Number(usual),
    )
    return _with_causes(passed, why)


# S4 next appointment

NEXT_ACTIONS = (
    say("Book the next session"),
    say("Ask whether a next one is wished for"),
    say("Record the ending"),
)
NEXT_CLEARS = say("A next session is booked, or the course is closed with an ending.")


def next_none(last: LocalTime) -> Phrase:
    return say(
        "No next session is booked; the last one was on {day}. Has a next one been agreed?", day=DayOfWeek(last.date())
    )


def next_return(last: LocalTime, why: Sequence[Cause]) -> Phrase:
    return say(
        "Return date not booked: the last session was on {day}, what is booked falls into {causes}.",
        day=DayOfWeek(last.date()),
        causes=causes(why),
    )


# S5 churn

CHURN_ACTIONS_CLIENT = (say("Offer another standing hour"), say("Record it as agreed flexibility"))
CHURN_ACTIONS_CLINIC = (say("Protect the agreed hour"), say("Agree another standing hour"))
CHURN_CLEARS = say("The moves fall out of the last sessions, or a new standing hour is agreed.")


def churn(moved: int, by_clinic: int, most: int, n: int) -> Phrase:
    if moved == 1 and most > 1:
        return say(
            "One of the last {n} sessions moved {times} times. Would another standing time suit better?",
            n=n,
            times=most,
        )
    if by_clinic == moved:
        return say("The clinic moved {moved} of the last {n} sessions.", moved=moved, n=n)
    if by_clinic:
        return say(
            "{moved} of the last {n} sessions moved, {clinic} of them by the clinic.",
            moved=moved,
            n=n,
            clinic=by_clinic,
        )
    return say(
        "{moved} of the last {n} sessions moved at the client's request. "
        "Perhaps another standing time would suit better?",
        moved=moved,
        n=n,
    )


# S6 notice

NOTICE_ACTIONS_CLINIC = (say("Offer a choice of times"), say("Give a reason that can be shared"))
NOTICE_ACTIONS_CLIENT = (say("Nothing is needed: it is on the timeline"),)
NOTICE_CLEARS = say("It is acknowledged, or the next session is held.")


def notice_clinic(slot: LocalTime, hours: float | None, is_cancelled: bool, is_illness: bool) -> Phrase:
    done = (
        say("The clinic cancelled the session of {moment}", moment=Moment(slot))
        if is_cancelled
        else say("The clinic moved the session of {moment}", moment=Moment(slot))
    )
    with_notice = (
        say("{change}; no notice is on record", change=done)
        if hours is None
        else say("{change} with {hours} hours' notice", change=done, hours=Number(hours))
    )
    if is_illness:
        return say("{change} (illness, unavoidable).", change=with_notice)
    return say("{sentence}.", sentence=with_notice)


def notice_client(slot: LocalTime, hours: float, is_cancelled: bool) -> Phrase:
    if is_cancelled:
        return say(
            "The session of {moment} was cancelled at the client's request with {hours} hours' notice.",
            moment=Moment(slot),
            hours=Number(hours),
        )
    return say(
        "The session of {moment} was moved at the client's request with {hours} hours' notice.",
        moment=Moment(slot),
        hours=Number(hours),
    )


# S7 time of the week

DRIFT_ACTIONS = (say("Agree it as the standing hour"), say("Keep the present one"))
IRREGULAR_ACTIONS = (say("Look for an hour that suits"), say("Record it as agreed flexibility"))
SLOT_CLEARS = say("A new standing hour is agreed, or sessions are back at the agreed one.")
SUGGEST_ACTIONS = (say("Agree a standing hour"),)
SUGGEST_CLEARS = say("A standing hour is agreed.")


def slot_drift(near: int, n: int, around: int) -> Phrase:
    return say(
        "{near} of {n} sessions took place around {hour}; agree it as the standing time?",
        near=near,
        n=n,
        hour=HourOfWeek(around),
    )


def slot_irregular(hits: int, n: int) -> Phrase:
    return say(
        "No stable time at present: {hits} of the last {n} sessions took place at the agreed hour.", hits=hits, n=n
    )


def slot_suggest(near: int, n: int, around: int, interval: float) -> Phrase:
    return say(
        "{near} of the last {n} sessions took place around {hour}, about every {interval} days. "
        "Would a standing hour suit?",
        near=near,
        n=n,
        hour=HourOfWeek(around),
        interval=Number(interval, 0),
    )


# S8, S9 setting

ROOM_ACTIONS = (say("Keep the agreed room free"), say("Agree another room"))
MODALITY_ACTIONS = (say("Ask which form suits"), say("Agree the pattern"))
SETTING_CLEARS = say("Two sessions in a row take place as agreed, or a new version is agreed.")


def setting_room(other: int, n: int) -> Phrase:
    return say("{other} of the last {n} sessions took place in another room than agreed.", other=other, n=n)


def setting_modality(other: int, n: int, agreed: str) -> Phrase:
    if agreed == "in_person":
        return say(
            "{other} of the last {n} sessions took place by video, other than agreed. Is that the pattern from now on?",
            other=other,
            n=n,
        )
    return say(
        "{other} of the last {n} sessions took place in person, other than agreed. Is that the pattern from now on?",
        other=other,
        n=n,
    )


# S10 therapist

THERAPIST_ACTIONS = (say("Plan a joint handover session"), say("Keep hour, room and form through the change"))
COVER_ACTIONS = (say("Nothing is needed: it is on the timeline"),)
THERAPIST_CLEARS = say("Four sessions are held with the same therapist.")


def therapist_cover(n: int) -> Phrase:
    return says(
        "{n} session of the last few took place with another therapist (cover).",
        "{n} sessions of the last few took place with another therapist (cover).",
        n,
    )


def therapist_change(since: date, ahead: float | None, sessions: int) -> Phrase:
    if ahead is None:
        return say("The usual therapist changes on {day}; that the client was told is not on record.", day=Day(since))
    return say(
        "The usual therapist changes on {day}: told {days} and {sessions} before.",
        day=Day(since),
        days=says("{n} day", "{n} days", Number(ahead, 0)),
        sessions=says("{n} session", "{n} sessions", sessions),
    )


def therapist_pattern(secon: float, n: int) -> Phrase:
    return say(
        "The therapist changed often from one session to the next (continuity {secon} over {n} sessions).",
        secon=Number(secon, 2),
        n=n,
    )


# S11 punctuality and length

TIME_ACTIONS = (say("Check the recorded times"), say("Agree on the length again"))
TIME_CLEARS = say("Two sessions in a row start on time and have their planned length.")


def time_frame(bad: int, n: int, late: int) -> Phrase:
    if late == bad:
        return say("{bad} of the last {n} sessions began later than planned.", bad=bad, n=n)
    if not late:
        return say("{bad} of the last {n} sessions had clearly another length than planned.", bad=bad, n=n)
    return say("{bad} of the last {n} sessions began later than planned or had clearly another length.", bad=bad, n=n)


# S12, S13 not held

MISSED_CLIENT_ACTIONS = (
    say("Get in touch, briefly and kindly"),
    say("Offer a choice of times"),
    say("Record an ending"),
)
MISSED_CLIENT_CLEARS = say("A session is held, or an ending is recorded.")
MISSED_CLINIC_ACTIONS = (say("Offer a session in its place"), say("Tell the client early about what is planned"))
MISSED_CLINIC_CLEARS = say("The cancelled sessions fall out of the last six.")


def missed_client(run: int, silent: int) -> Phrase:
    return say(
        "{missed} You may want to get in touch; offering a choice of times tends to help attendance.",
        missed=_missed(run, silent),
    )


def _missed(run: int, silent: int) -> Phrase:
    if run == 1 and silent:
        return say("The last session did not take place (without a message).")
    if run == 1:
        return say("The last session did not take place.")
    counted = _COUNTED[run] if run < len(_COUNTED) else run
    within = _COUNTED_WITHIN[silent] if silent < len(_COUNTED_WITHIN) else silent
    if silent:
        return say("{n} sessions in a row did not take place ({silent} without a message).", n=counted, silent=within)
    return say("{n} sessions in a row did not take place.", n=counted)


def missed_clinic(cancelled: int, n: int) -> Phrase:
    return say("The clinic cancelled {cancelled} of the last {n} sessions.", cancelled=cancelled, n=n)


# S14, S15 breaks

BREAK_ACTIONS = (say("Tell the client"), say("Offer other hours"), say("Agree on contact meanwhile"))
BREAK_CLEARS = say("The client is told, the sessions are moved, or the absence is withdrawn.")
LONG_ACTIONS = (say("Book the return date"), say("Agree on contact or cover meanwhile"))
LONG_CLEARS = say("The gap becomes shorter, or it is over.")


def break_untold(why: Cause, first: LocalTime, away: float) -> Phrase:
    return say(
        "Not yet told: {absence}. The first session concerned is in {days} ({moment}).",
        absence=_absence(why),
        days=days(away),
        moment=Moment(first),
    )


def break_told_late(why: Cause, lead: float) -> Phrase:
    return say("Told {lead} ahead: {absence}.", absence=_absence(why), lead=days(lead))


def _absence(why: Cause) -> Phrase:
    when = Span(why.since, why.until) if why.since and why.until else Day(why.slot.date())
    return say("{what} {when}", what=_why(why), when=when)


def break_long(g: float, since: LocalTime, is_return_booked: bool) -> Phrase:
    long = say(
        "{gap} between sessions from {day}: consider what contact, cover or written plan was agreed.",
        gap=days(g),
        day=DayOfWeek(since.date()),
    )
    return long if is_return_booked else say("{break_} Is the return date booked?", break_=long)


# S16 endings

ENDING_ACTIONS = (
    say("Speak about the ending"),
    say("Record that the ending was told"),
    say("Agree on more sessions"),
)
ENDING_CLEARS = say("The ending is on record as told, or more sessions are agreed.")
UNPLANNED_CLEARS = say("The ending is recorded as planned or transferred.")


def ending_unprepared(left: int) -> Phrase:
    if left < 1:
        return say("The agreed number of sessions is reached, and the ending is not yet on record as told.")
    return says(
        "{n} session remains, and the ending is not yet on record as told.",
        "{n} sessions remain, and the ending is not yet on record as told.",
        left,
    )


def ending_unplanned() -> Phrase:
    return say("The course is closed without an ending session on record (unplanned ending).")


# S17 intervals

INTERVAL_ACTIONS = (say("Agree on the interval"), say("Record a new version of the agreement"))
INTERVAL_CLEARS = say("Intervals become regular, or a new cadence is agreed.")


def interval_sd(sd: float, n: int, usual: float) -> Phrase:
    return say(
        "The time between sessions varies: SD {sd} days over {n} intervals (usual: {usual}).",
        sd=Number(sd),
        n=n,
        usual=Number(usual),
    )


def interval_cadence(mean: float, usual: float) -> Phrase:
    if usual == 7:
        return say("The last 3 intervals were about {mean} days: is this now fortnightly?", mean=Number(mean, 0))
    return say(
        "The last 3 intervals were about {mean} days: is this now every {days} days?",
        mean=Number(mean, 0),
        days=Number(2 * usual, 0),
    )


# Marks

MARK_ACTIONS = (say("Mark what took place"),)
MARK_CLEARS = say("The sessions are marked.")


def mark_missing(slots: Sequence[LocalTime]) -> Phrase:
    shown: list[Value] = [Moment(slot) for slot in slots[:3]]
    return says(
        "{n} past session is not marked yet ({listed}). Please mark what took place.",
        "{n} past sessions are not marked yet ({listed}). Please mark what took place.",
        len(slots),
        listed=Listing((*shown, "…") if len(slots) > 3 else tuple(shown)),
    )
