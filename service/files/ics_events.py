"""One VEVENT: when, how long, who, where; or the reason why it is no appointment."""

from dataclasses import dataclass, replace
from datetime import timedelta

from service.domain.book import BookAbsence, key_of
from service.domain.hours import LocalTime, instant
from service.domain.phrase import say
from service.domain.standing import Modality
from service.files.book import CannotTake, Findings, checked_minutes, name_of, place_of
from service.files.ics_text import Component, Line
from service.files.ics_times import Times, When, at_site, version_of

NAMELESS = frozenset(
    {"", "busy", "private", "private appointment", "no title", "(no title)", "untitled", "free", "unavailable"}
    | {"beschäftigt", "gebucht", "privat", "occupé", "ocupado", "occupato", "bezet", "zajęty", "upptagen", "optaget"}
)
"""What calendars write where they hide a name."""
AWAY = frozenset(
    {"leave", "on leave", "annual leave", "sick leave", "away", "out of office", "vacation", "holiday", "holidays"}
)
"""An event that is called so is time away, not a client."""


@dataclass(frozen=True, kw_only=True)
class ExtraHour:
    """An RDATE."""

    start: When
    minutes: int | None
    """None: as long as the event."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event that can be an appointment, or a series of them."""

    uid: str
    line: int
    version: tuple[int, str]
    """SEQUENCE and time of the last change: of two with one UID, the greater is the newer."""
    start: When
    minutes: int
    client: str
    therapist: str
    room: str | None
    modality: Modality
    rule: str | None = None
    extras: tuple[ExtraHour, ...] = ()
    excluded: tuple[When, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of one slot of a series (RECURRENCE-ID), or of it and all that follow."""

    uid: str
    line: int
    version: tuple[int, str]
    slot: When
    and_following: bool
    event: Event | None
    """None where nothing takes place then."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads the events of one file with all that was said for the whole of it."""

    times: Times
    findings: Findings
    site_zone: str
    therapist: str | None
    minutes: int | None
    left_out: frozenset[str]

    def absence(self, event: Component, calendar_name: str) -> BookAbsence | None:
        """Time that the calendar itself marks as away, once; None where it does not.

        :raises CannotTake: it is away again and again, or without a time that can be read.
        """
        is_away = event.text("X-MICROSOFT-CDO-BUSYSTATUS").upper() == "OOF"
        if not is_away and event.text("SUMMARY").casefold() not in AWAY:
            return None
        if event.first("RRULE") or event.first("RDATE") or event.first("RECURRENCE-ID"):
            raise CannotTake(say("It is time away that repeats: enter it as leave."), where="RRULE")
        if event.text("STATUS").upper() == "CANCELLED":
            raise CannotTake(say("It is cancelled."), where="STATUS")
        start = self._start(event)
        until = self.times.end(event, start) or (start.local + timedelta(days=1) if start.is_day else None)
        if until is None or until <= start.local:
            raise CannotTake(say("It is time away without an end."), where="DTEND")
        return BookAbsence(
            key=key_of("ics", event.text("UID"), start.local),
            line=event.line,
            name=name_of(event.text("SUMMARY"), where="SUMMARY"),
            therapist=self._therapist(event, calendar_name),
            since=at_site(start, self.site_zone),
            until=at_site(replace(start, local=until), self.site_zone),
        )

    def change(self, event: Component, calendar_name: str) -> Change:
        """
        :raises CannotTake: it does not say which slot it changes.
        """
        line = event.first("RECURRENCE-ID")
        if line is None or not event.text("UID"):
            raise CannotTake(say("It changes a date of a series, but does not say of which."), where="UID")
        return Change(
            uid=event.text("UID"),
            line=event.line,
            version=version_of(event),
            slot=self.times.at(line),
            and_following=line.params.get("RANGE", "").upper() == "THISANDFUTURE",
            event=self._unless_cancelled(event, calendar_name),
        )

    def _unless_cancelled(self, event: Component, calendar_name: str) -> Event | None:
        """None also where the change can't be taken: the slot as agreed is what the file says is not so."""
        if event.text("STATUS").upper() == "CANCELLED":
            return None
        try:
            return self.event(event, calendar_name)
        except CannotTake as refusal:
            self.findings.reject(event.line, refusal)
            return None

    def event(self, event: Component, calendar_name: str) -> Event:
        """
        :raises CannotTake: it is no appointment, or does not say enough to be one.
        """
        self._check_kind(event)
        start = self._start(event)
        if start.is_day or event.text("X-MICROSOFT-CDO-ALLDAYEVENT").upper() == "TRUE":
            raise CannotTake(
                say("It lasts whole days: if it is leave or a closure, enter it as that."), where="DTSTART"
            )
        room, modality = self._place(event)
        return Event(
            uid=event.text("UID"),
            line=event.line,
            version=version_of(event),
            start=start,
            minutes=self._length(event, start),
            client=self._client(event),
            therapist=self._therapist(event, calendar_name),
            room=room,
            modality=modality,
            rule=next((line.value for line in event.all("RRULE")), None),
            extras=tuple(self.times.listed(event, "RDATE", lambda line: self._extra(line, start))),
            excluded=self.times.excluded(event, start),
        )

    def _check_kind(self, event: Component) -> None:
        if event.text("STATUS").upper() == "CANCELLED":
            raise CannotTake(say("It is cancelled, and the file does not say by whom."), where="STATUS")
        if event.text("TRANSP").upper() == "TRANSPARENT":
            raise CannotTake(say("It is marked as free time, so it is no appointment."), where="TRANSP")
        if event.first("EXRULE") or len(event.all("RRULE")) > 1:
            raise CannotTake(say("It has more than one rule of repetition."), where="RRULE")
        if event.text("STATUS").upper() == "TENTATIVE":
            self.findings.note(event.line, say("A tentative event was taken as an appointment."))

    def _client(self, event: Component) -> str:
        name = name_of(event.text("SUMMARY"), where="SUMMARY")
        if name.casefold() in NAMELESS:
            raise CannotTake(say("It names no client."), where="SUMMARY")
        if name.casefold() in self.left_out:
            raise CannotTake(say("It is called what was to be left out."), where="SUMMARY")
        return name

    def _therapist(self, event: Component, calendar_name: str) -> str:
        if self.therapist:
            return self.therapist
        organiser = event.first("ORGANIZER")
        name = name_of(organiser.params.get("CN", ""), where="ORGANIZER") if organiser else ""
        if name and "@" not in name:
            self.findings.note(event.line, say("The event's organiser was taken as the therapist."))
            return name
        if name := name_of(calendar_name, where="X-WR-CALNAME"):
            self.findings.note(event.line, say("The calendar's name was taken as the therapist's."))
            return name
        raise CannotTake(
            say("It does not say whose appointment it is. Name the therapist and try again."), where="ORGANIZER"
        )

    def _place(self, event: Component) -> tuple[str | None, Modality]:
        room, modality = place_of(event.text("LOCATION"), where="LOCATION")
        has_link = event.first("X-GOOGLE-CONFERENCE") or event.first("X-MICROSOFT-SKYPETEAMSMEETINGURL")
        if room is None and (has_link or modality is Modality.VIDEO):
            self.findings.note(
                event.line, say("A place that is a link or a video service was read as a session by video.")
            )
            return None, Modality.VIDEO
        return room, modality

    def _length(self, event: Component, start: When) -> int:
        end = self.times.end(event, start)
        if end is not None and end != start.local:
            return _minutes(start, end, where="DTEND")
        if self.minutes is None:
            raise CannotTake(say("It has no end. Say how long a session lasts and try again."), where="DTEND")
        self.findings.note(
            event.line, say("An event without an end was taken as lasting {minutes} minutes.", minutes=self.minutes)
        )
        return self.minutes

    def _start(self, event: Component) -> When:
        start = self.times.start(event)
        if start.local.second:
            self.findings.note(event.line, say("Seconds were dropped: an appointment starts on the minute."))
        return replace(start, local=start.local.replace(second=0))

    def _extra(self, line: Line, start: When) -> ExtraHour:
        extra = self.times.further(line, start)
        if extra.start.is_day:
            raise CannotTake(say("It has a further date without a time."), where="RDATE")
        if extra.until is None:
            return ExtraHour(start=extra.start, minutes=None)
        return ExtraHour(start=extra.start, minutes=_minutes(extra.start, extra.until, where="RDATE"))


def _minutes(start: When, until: LocalTime, *, where: str) -> int:
    seconds = (instant(until, start.zone) - instant(start.local, start.zone)).total_seconds()
    return checked_minutes(int(seconds // 60), where=where)
