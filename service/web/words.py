"""The words and signs that pages show for what the domain names, and how they write days, times and numbers.

All of it is phrases, said in the reader's language where they are shown.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Role
from service.domain.alert import AlertState, Verdict
from service.domain.appointment import FREEING, Initiator, Status
from service.domain.course import CourseStatus, Ending
from service.domain.hours import Hour, Weekday
from service.domain.index import Component
from service.domain.phrase import (
    Clock,
    Day,
    DayOfWeek,
    FullDay,
    HourOfWeek,
    Listing,
    Moment,
    Number,
    Part,
    Phrase,
    Value,
    YearDay,
    listing,
    say,
    says,
)
from service.domain.signals import Level

DAYS: Mapping[Weekday, Phrase] = {
    Weekday.MO: say("Monday"),
    Weekday.TU: say("Tuesday"),
    Weekday.WE: say("Wednesday"),
    Weekday.TH: say("Thursday"),
    Weekday.FR: say("Friday"),
    Weekday.SA: say("Saturday"),
    Weekday.SU: say("Sunday"),
}
STATUS: Mapping[str, Phrase] = {
    Status.SCHEDULED.value: say("booked"),
    Status.HELD.value: say("held"),
    Status.CLIENT_CANCELLED.value: say("cancelled by the client"),
    Status.NO_SHOW.value: say("did not take place"),
    Status.LATE_NOT_SEEN.value: say("arrived too late to be seen"),
    Status.CLINIC_CANCELLED.value: say("cancelled by the clinic"),
    Status.BREAK.value: say("break"),
    "arrived": say("arrived"),
    "unmarked": say("not marked yet"),
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
ASKED_BY: Mapping[str, Phrase] = {
    Initiator.CLIENT.value: say("the client"),
    Initiator.CLINIC.value: say("the clinic"),
    Initiator.MUTUAL.value: say("both together"),
    Initiator.UNKNOWN.value: say("not known"),
}
WAS_ASKED_BY: Mapping[str, Phrase] = {
    Initiator.CLIENT.value: say("asked by the client"),
    Initiator.CLINIC.value: say("asked by the clinic"),
    Initiator.MUTUAL.value: say("asked by both together"),
    Initiator.UNKNOWN.value: say("not known who asked"),
}
SIDE: Mapping[str, Phrase] = {
    Initiator.CLIENT.value: say("client's side"),
    Initiator.CLINIC.value: say("clinic's side"),
    Initiator.MUTUAL.value: say("both together"),
    Initiator.UNKNOWN.value: say("not known"),
}
REASON: Mapping[str, Phrase] = {
    "illness": say("illness"),
    "holiday": say("holiday"),
    "work": say("work"),
    "family": say("family"),
    "travel": say("travel"),
    "room": say("room"),
    "training": say("training"),
    "agreed": say("agreed together"),
    "other": say("another reason"),
}
KIND: Mapping[str, Phrase] = {
    AbsenceKind.LEAVE.value: say("leave"),
    AbsenceKind.CLOSURE.value: say("closure"),
    AbsenceKind.HOLIDAY.value: say("public holiday"),
    AbsenceKind.PAUSE.value: say("pause"),
}
ROLE: Mapping[str, Phrase] = {
    Role.FRONT_DESK.value: say("front desk"),
    Role.THERAPIST.value: say("therapist"),
    Role.MANAGER.value: say("manager"),
    Role.ADMIN.value: say("admin"),
}
COURSE: Mapping[str, Phrase] = {
    CourseStatus.ACTIVE.value: say("active"),
    CourseStatus.PAUSED.value: say("paused"),
    CourseStatus.ENDED.value: say("ended"),
}
ENDING: Mapping[str, Phrase] = {
    Ending.PLANNED.value: say("as planned"),
    Ending.UNPLANNED.value: say("unplanned"),
    Ending.TRANSFERRED.value: say("transferred to somebody else"),
}
MODALITY: Mapping[str, Phrase] = {"in_person": say("in person"), "video": say("video")}
LEVEL: Mapping[str, Phrase] = {
    Level.INFO.value: say("for the record"),
    Level.WATCH.value: say("watch"),
    Level.ACT.value: say("act"),
}
ALERT: Mapping[str, Phrase] = {
    AlertState.OPEN.value: say("waits for an answer"),
    AlertState.ACKNOWLEDGED.value: say("acknowledged"),
    AlertState.SNOOZED.value: say("snoozed"),
    AlertState.AGREED.value: say("noted as agreed"),
    AlertState.CLEARED.value: say("cleared"),
}
VERDICT: Mapping[str, Phrase] = {
    Verdict.USEFUL.value: say("useful"),
    Verdict.NOT_USEFUL.value: say("not useful"),
    Verdict.HANDLED.value: say("handled already"),
}
EVIDENCE: Mapping[str, Phrase] = {
    "moderate": say("moderate"),
    "code": say("professional duty"),
    "convention": say("convention"),
}
COMPONENT: Mapping[str, Phrase] = {
    Component.MISSED.value: say("session missed"),
    Component.SLOT.value: say("other time"),
    Component.THERAPIST.value: say("other therapist"),
    Component.NOTICE.value: say("short notice"),
    Component.SETTING.value: say("other room or video"),
    Component.LENGTH.value: say("other length"),
}
FIELD: Mapping[str, Phrase] = {
    "day": say("Date"),
    "at": say("Time"),
    "minutes": say("Minutes"),
    "since": say("From"),
    "until": say("Until"),
    "began": say("Began"),
    "asked_by": say("Who asked"),
    "reason": say("Why"),
    "every_weeks": say("Every … weeks"),
    "therapist": say("Therapist"),
    "room": say("Room"),
    "name": say("Name"),
    "kind": say("Kind"),
    "hours": say("Hours"),
    "value": say("Number"),
    "what": say("What"),
    "email": say("E-mail"),
    "hours_before": say("Hours before"),
    "clinic": say("Name of the clinic"),
    "sign_off": say("Sign-off"),
    "text": say("Text"),
}
PART: Mapping[str, Phrase] = {
    "slot": say("other time"),
    "therapist": say("other therapist"),
    "notice": say("short notice"),
    "setting": say("other room or video"),
    "gap": say("longer gap"),
    "close": say("close together"),
    "preference": say("preferred hour"),
}
THRESHOLD: Mapping[str, Phrase] = {
    "watch": say("watch from"),
    "act": say("act from"),
    "days": say("days"),
    "hours": say("hours"),
    "any": say("moved in all"),
    "clinic": say("moved by the clinic"),
    "n": say("of the last"),
    "share": say("share"),
    "window": say("of the last"),
    "act_run": say("act from, one after another"),
    "act_with_no_message": say("act from, without a message"),
    "first_sessions": say("first sessions"),
    "info": say("noted from"),
    "hit_min": say("minutes that count as the hour"),
    "near_min": say("minutes that count as near"),
    "near": say("fewest near"),
    "late_min": say("minutes late"),
    "length_low": say("shorter than the share"),
    "length_high": say("longer than the share"),
}
"""What a signal was compared with. A number of a rule that has no word here goes by its own name."""

TOPIC: Mapping[str, Phrase] = {
    "assess.course": say("a look at a course"),
    "notice.mail": say("a mail about alerts"),
    "notice.digest": say("the mail of the day"),
    "notice.chat": say("a chat message that there is something"),
    "webhook.send": say("a message to a program"),
    "outside.read": say("a reading of an outside calendar"),
    "client.mail": say("a mail to a client"),
    "client.reminder": say("a reminder to a client"),
}
"""What a message is, for those who see that it is stuck."""
COUNTED: Mapping[str, Phrase] = {
    "assess.course": says("{n} look at a course", "{n} looks at courses", n=0),
    "notice.mail": says("{n} mail about alerts", "{n} mails about alerts", n=0),
    "notice.digest": says("{n} mail of the day", "{n} mails of the day", n=0),
    "notice.chat": says("{n} chat message to somebody here", "{n} chat messages to people here", n=0),
    "webhook.send": says("{n} message to a program", "{n} messages to programs", n=0),
    "outside.read": says("{n} reading of an outside calendar", "{n} readings of outside calendars", n=0),
    "client.mail": says("{n} mail to a client", "{n} mails to clients", n=0),
    "client.reminder": says("{n} reminder to a client", "{n} reminders to clients", n=0),
}
IN_VAIN: Mapping[str, Phrase] = {
    "assess.course": say("The course is looked at again with its next change."),
    "notice.mail": say("What it says stands in the app, and goes into the mail of the day."),
    "notice.digest": say("What it says stands in the app, and goes into the next mail of the day."),
    "notice.chat": say("What it is about stands in the app; the mail that it goes with leaves by itself."),
    "webhook.send": say("The program does not know of it. It can ask for it, or be told again."),
    "outside.read": say("What the calendar said before is kept. It is read again once it is tried again."),
    "client.mail": say("The client was not told by mail. Tell them in another way."),
    "client.reminder": say("The client was not reminded."),
}
"""What it means that a message was given up, by its topic."""


def kinds_of(topics: Iterable[str]) -> Listing:
    """`2 mails about alerts, 1 mail to a client`; what has no word here goes by its own name."""
    counts = Counter(topics)
    return listing(
        replace(COUNTED[topic], values=(("n", n),), n=n) if topic in COUNTED else f"{n} {topic}"
        for topic, n in sorted(counts.items())
    )


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a page says once after something was done; `undo` is the address that takes it back."""

    text: Phrase
    undo: str | None = None

    def about(self, fact: Value) -> Phrase:
        """The text with the one thing that it names: a time as `{when}`, a count as `{n}`."""
        if self.text.many is None:
            return replace(self.text, values=(("when", fact),))
        n = fact if isinstance(fact, int) else 0
        return replace(self.text, values=(("n", n),), n=n)


DONE: Mapping[str, Done] = {
    "marked": Done(text=say("Marked."), undo="/appointments/{}/unmark"),
    "unmarked": Done(text=say("The mark was taken back.")),
    "moved": Done(text=say("Moved to {when}."), undo="/appointments/{}/move-back"),
    "moved back": Done(text=say("It is at {when} again, as if it had never been moved.")),
    "cancelled": Done(text=say("The hour of {when} was cancelled, and is free."), undo="/appointments/{}/uncancel"),
    "uncancelled": Done(text=say("The hour of {when} stands again.")),
    "told": Done(text=say("Noted: the client has been told.")),
    "agreed": Done(text=says("Agreed: {n} hour is booked.", "Agreed: {n} hours are booked.", n=0)),
    "changed": Done(text=says("Changed: {n} hour is booked anew.", "Changed: {n} hours are booked anew.", n=0)),
    "ended": Done(text=say("Ended. The later hours are free.")),
    "booked": Done(text=say("Booked for {when}.")),
    "client added": Done(text=say("The client was added. Agree their first hour next.")),
    "client changed": Done(text=say("The client's details were changed.")),
    "away": Done(text=say("Entered. These are the clients to tell."), undo="/away/{}/withdraw"),
    "withdrawn": Done(text=say("Withdrawn. Hours that were let go can be taken up again one by one.")),
    "released": Done(text=says("{n} hour was let go.", "{n} hours were let go.", n=0)),
    "holidays": Done(text=says("{n} public holiday was entered.", "{n} public holidays were entered.", n=0)),
    "paused": Done(text=say("The course is paused.")),
    "resumed": Done(
        text=says(
            "The course goes on; {n} hour is booked again.", "The course goes on; {n} hours are booked again.", n=0
        )
    ),
    "course ended": Done(text=say("The course has ended. Its later hours are free.")),
    "acknowledged": Done(text=say("Noted that you take care of it."), undo="/alerts/{}/reopen"),
    "snoozed": Done(text=say("Quiet until that day, unless it gets worse."), undo="/alerts/{}/reopen"),
    "agreed break": Done(text=say("Noted as agreed."), undo="/alerts/{}/reopen"),
    "reopened": Done(text=say("The alert is open again.")),
    "judged": Done(text=say("Thank you. It helps to tune the rules.")),
    "exception agreed": Done(text=say("Agreed. What it concerns is looked at again.")),
    "exception lifted": Done(text=say("Lifted. The rule holds again as it does for everybody.")),
    "site added": Done(text=say("The site is there.")),
    "room added": Done(text=say("The room is there.")),
    "therapist added": Done(text=say("The therapist is there.")),
    "hours set": Done(text=say("The working hours are set. What is booked outside them stays booked.")),
    "user added": Done(text=say("The user is there. Make a sign-in link to let them in.")),
    "user disabled": Done(text=say("This user is let in no more.")),
    "feed changed": Done(text=say("Saved. Phones show it when they fetch the calendar next.")),
    "client calendars on": Done(text=say("Clients may have a calendar of their own hours.")),
    "client calendars off": Done(text=say("Clients have no calendars of their own any more.")),
    "feed revoked": Done(text=say("Revoked. Nobody is told anything at that address any more.")),
    "outside added": Done(text=say("Added. It is being read; load this page again in a few seconds.")),
    "outside renamed": Done(text=say("Renamed.")),
    "outside read": Done(text=say("It is being read. Load this page again in a few seconds.")),
    "outside removed": Done(text=say("Removed. Its address and its busy times are forgotten.")),
    "client mail chosen": Done(text=say("Saved. From now on clients are mailed like this.")),
    "client text kept": Done(text=say("Kept. From now on the mails say this.")),
    "client text reset": Done(text=say("The mails say the standard text again.")),
    "webhook changed": Done(text=say("Changed. What waits goes there too.")),
    "webhook paused": Done(text=say("Paused. What happens meanwhile is kept for seven days.")),
    "webhook resumed": Done(text=say("It is told again, what waited first.")),
    "webhook tested": Done(text=say("A test is on its way. Load this page again in a few seconds.")),
    "webhook replayed": Done(text=say("It is on its way again.")),
    "preferences set": Done(text=say("From now on you are told in this way.")),
    "chat set": Done(text=say("From now on you are told there as well. Send a test to see that it arrives.")),
    "chat tried": Done(text=say("A test is on its way. Load this page again in a few seconds.")),
    "chat removed": Done(text=say("Removed. Nothing is sent there any more.")),
    "message retried": Done(text=say("It is tried again now.")),
    "messages retried": Done(text=says("{n} message is tried again.", "{n} messages are tried again.", n=0)),
    "message dropped": Done(text=say("It will not be sent. What it would have said stands in the app.")),
    "webhook deleted": Done(text=say("Deleted. Nothing is sent there any more.")),
    "token revoked": Done(text=say("The token is worth nothing any more.")),
    "language set": Done(text=say("From now on samehour speaks to you like this.")),
}


def state(hour: Any, now: datetime) -> str:
    """A key of STATUS and SIGN: the hour's status, told apart once it has begun or is over."""
    if hour.status is not Status.SCHEDULED:
        return str(hour.status.value)
    if hour.starts_at + timedelta(minutes=hour.minutes) <= now:
        return "unmarked"
    return "arrived" if hour.began else Status.SCHEDULED.value


def days(value: float) -> Phrase:
    """7 days, 1 day, 9.5 days"""
    return says("{n} day", "{n} days", n=Number(value))


def when(value: datetime | str) -> Moment:
    """Tue 24 Nov 09:30; local time, or the same as ISO 8601."""
    return Moment(datetime.fromisoformat(value) if isinstance(value, str) else value)


def clock(value: datetime | time | str) -> Clock:
    """09:30"""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return Clock(at.time() if isinstance(at, datetime) else at)


def hour(value: Hour) -> HourOfWeek:
    """Tue 09:30"""
    return HourOfWeek(int(value.day) * 24 * 60 + value.at.hour * 60 + value.at.minute)


def hours(values: Iterable[Hour]) -> Value:
    """Tue 09:30 and Thu 14:00"""
    return together([hour(one) for one in values])


def arrangement(standing: Any) -> Phrase:
    """Tue 09:30, every 2 weeks with Therapist A"""
    return say(
        "{hours}, {often} with {therapist}",
        hours=hours(standing.hours),
        often=every(standing.every_weeks),
        therapist=standing.therapist_name,
    )


def every(weeks: int) -> Phrase:
    """every week, every 2 weeks"""
    return says("every week", "every {n} weeks", n=weeks)


def ago(value: datetime, now: datetime) -> Phrase:
    """just now, 20 minutes ago, 5 hours ago, 3 days ago; both are instants."""
    minutes = int((now - value).total_seconds() // 60)
    if minutes >= 24 * 60:
        return says("{n} day ago", "{n} days ago", n=minutes // (24 * 60))
    if minutes >= 60:
        return says("{n} hour ago", "{n} hours ago", n=minutes // 60)
    return says("{n} minute ago", "{n} minutes ago", n=minutes) if minutes >= 1 else say("just now")


def minute(value: datetime) -> str:
    """2026-11-24T09:30, as form fields of local time want it."""
    return value.isoformat(timespec="minutes")


def first_day(value: datetime) -> Part:
    """Tue 24 Nov, with the time where it begins within the day"""
    return DayOfWeek(value) if value.time() == time() else Moment(value)


def last_day(value: datetime) -> Part:
    """The last day of a half-open span, with the time where it ends within the day."""
    return DayOfWeek(value - timedelta(days=1)) if value.time() == time() else Moment(value)


def together(values: Sequence[Value]) -> Value:
    """Client One and Client Two; nothing where there is nobody."""
    if not values:
        return ""
    *others, last = values
    return say("{one} and {other}", one=together(others), other=last) if others else last


def listed(values: Iterable[Value]) -> Listing:
    """one, two, three"""
    return listing(values)


def author(name: str) -> Value:
    """Who did it: a person by name, or somebody at the machine itself."""
    return say("the command line") if name == OPERATOR.name else name


def held_by(clashes: Iterable[Any]) -> Listing:
    """Whom or what somebody else has then, as the front desk calls them."""
    return listing(clash.name or say("the client") for clash in clashes)


def number(value: float) -> Number:
    """10.6, half up, and as many digits as say something."""
    return Number(float(value), 3 if abs(value) < 1 else 1)


def measure(value: float | str) -> Part:
    """A threshold: a number, or the time from which a rule speaks."""
    return when(value) if isinstance(value, str) else number(value)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "ago": ago,
    "arrangement": arrangement,
    "author": author,
    "clock": clock,
    "date": Day,
    "day": DayOfWeek,
    "days": days,
    "every": every,
    "first_day": first_day,
    "full_day": FullDay,
    "held_by": held_by,
    "hour": hour,
    "hours": hours,
    "last_day": last_day,
    "listed": listed,
    "measure": measure,
    "minute": minute,
    "number": number,
    "state": state,
    "together": together,
    "when": when,
    "year_day": YearDay,
}
