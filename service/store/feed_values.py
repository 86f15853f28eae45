"""All that a calendar feed is to say, out of its rows: a changed feed is made anew within milliseconds."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Row, Select, bindparam, select
from sqlalchemy.orm import Session

from service.domain.absences import AbsenceKind
from service.domain.appointment import CANCELLED, Status
from service.domain.feed import (
    FeedAlarm,
    FeedEntry,
    FeedEvent,
    FeedHeader,
    FeedLeave,
    FeedOverride,
    FeedStanding,
    uid_of_slot,
)
from service.domain.hours import Hour, LocalTime, Weekday, instant, law_of, midnight
from service.domain.privacy import (
    APPOINTMENTS,
    SOON,
    cancelled,
    summary_of_absence,
    summary_with,
)
from service.domain.recurrence import slots
from service.domain.standing import Modality, Standing
from service.domain.subscription import Options, Shows
from service.language import speaker
from service.store import absences, feed_queries
from service.store.feed_names import Names
from service.store.feeds import CALENDAR_VERSION, ROOM, THERAPIST, FeedRow, Glimpse, Said, with_version
from service.store.people import SiteRow

SETTLED = timedelta(days=365)
"""So long after its end, a standing is not looked at for exceptions again."""
FARTHEST = timedelta(days=2 * 366)
"""Absences beyond that lose no slot of an open-ended standing yet."""
COLOR = "teal"
UNNUMBERED = datetime(1970, 1, 1, tzinfo=UTC)
FORM = "1"
"""Raise it when the same facts are to be written otherwise: every piece is rendered anew."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose calendar it is."""

    shows: Shows
    who: int
    """Inner id of the therapist, room, site or client."""
    name: str
    """Of the therapist, the room or the site; a client's own calendar does not name them."""
    zone: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """One entry that the feed is to have. Comparing it with what was said before gives it its number and time."""

    uid: str
    fingerprint: str
    entry: FeedEntry | None
    """None where it is known to be as it was said before."""
    is_standing: bool = False
    changed_at: datetime = UNNUMBERED
    """When its rows last changed, as far as they know."""
    at_least: int = 0
    """A number that it must not stay under."""
    follows: str | None = None
    """UID of the standing whose number it takes: an hour that leaves a series or returns to it must not go down."""


@dataclass(frozen=True, kw_only=True)
class FeedValues:
    header: FeedHeader
    told: tuple[Told, ...]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a feed is to show, as it stands in its row at the moment of reading."""

    subject: Subject
    options: Options
    version: int
    """The `calendar_version` of whose hours it shows."""
    edition: int


def choice_of(session: Session, feed: Glimpse) -> Choice:
    row, version, zone, therapist, room, site = session.execute(_CHOICE, {"feed": feed.id}).one()
    name = therapist or (f"{room}, {site}" if room else site)
    subject = Subject(shows=row.shows, who=row.whose, name=name, zone=zone)
    return Choice(subject=subject, options=row.options, version=version, edition=row.edition)


def load(
    session: Session, subject: Subject, options: Options, *, today: date, said: Mapping[str, Said] | None = None
) -> FeedValues:
    """What the feed has to say on that day. Pieces that can't have changed are not looked at in detail."""
    reading = _Reading(session.connection(), subject, options, today=today, said=said or {})
    header = FeedHeader(name=reading.title, zone=subject.zone, since=reading.since, color=COLOR)
    return FeedValues(
        header=header, told=(*reading.standings(), *reading.cancelled(), *reading.singles(), *reading.leave())
    )


def last_change(session: Session, uids: Collection[str]) -> dict[str, datetime]:
    """When anything of these standings last changed, by their feed UIDs."""
    if not uids:
        return {}
    rows = session.connection().execute(feed_queries.LAST_CHANGE, {"uids": sorted(uids)})
    return {uid: max(changed_at, of_its_hours or changed_at) for uid, changed_at, of_its_hours in rows}


_CHOICE = with_version(select(FeedRow, CALENDAR_VERSION, SiteRow.zone, THERAPIST.name, ROOM.name, SiteRow.name)).where(
    FeedRow.id == bindparam("feed")
)


class _Reading:
    """One reading of one calendar."""

    def __init__(
        self, connection: Connection, subject: Subject, options: Options, *, today: date, said: Mapping[str, Said]
    ) -> None:
        self.connection, self.subject, self.options, self.said = connection, subject, options, said
        self.today, self.since = today, options.since(today)
        self.names = Names(shows=subject.shows, options=options, ask=self.rows)
        self.speaker = speaker(options.locale)

    def rows(self, query: "Select[*tuple[Any, ...]]", **parameters: object) -> list[Any]:
        """Rows whose columns are read by name."""
        return list(self.connection.execute(query, parameters))

    @property
    def title(self) -> str:
        return APPOINTMENTS.said(self.speaker) if self.subject.shows is Shows.CLIENT else self.subject.name

    @cached_property
    def alarm(self) -> FeedAlarm | None:
        minutes = self.options.alarm_minutes
        return None if minutes is None else FeedAlarm(minutes=minutes, text=SOON.said(self.speaker))

    # --- rows, each kind read once

    @cached_property
    def with_hours(self) -> list[Row[Any]]:
        """One row for each hour of each standing."""
        return self.rows(feed_queries.STANDINGS[self.subject.shows], who=self.subject.who)

    @cached_property
    def own(self) -> list[Row[Any]]:
        return list({row.id: row for row in self.with_hours}.values())

    @cached_property
    def hours(self) -> dict[int, list[tuple[int, time]]]:
        found: dict[int, list[tuple[int, time]]] = {}
        for row in self.with_hours:
            found.setdefault(row.id, []).append((row.weekday, row.at))
        return found

    @cached_property
    def heads(self) -> dict[int, str]:
        return {
            row.id: _head(
                row.zone,
                *row[feed_queries.PATTERN],
                self.hours[row.id],
                self.names.summary(row),
                self.names.place(row),
                self.alarm,
            )
            for row in self.known
        }

    @cached_property
    def in_motion(self) -> list[Row[Any]]:
        """The standings that may have new exceptions, or that are called otherwise than before."""
        return [row for row in self.own if not self._is_settled(row)]

    def _is_settled(self, row: Row[Any]) -> bool:
        if row.until is None or row.until > self.today - SETTLED:
            return False
        before = self.said.get(row.feed_uid)
        return before is not None and before.fingerprint.startswith(self.heads[row.id])

    @cached_property
    def exceptions(self) -> dict[int, list[Row[Any]]]:
        """Of each standing in motion the hours that differ from what it says, in order of slot."""
        found: dict[int, list[Row[Any]]] = {}
        for row in self.rows(feed_queries.EXCEPTIONS, ids=[row.id for row in self.in_motion]):
            found.setdefault(row.standing_id, []).append(row)
        return found

    @cached_property
    def single_hours(self) -> list[Row[Any]]:
        """Hours that belong here, and to no standing of these: ad hoc ones, and those that came from elsewhere."""
        query, since = feed_queries.SINGLE_HOURS[self.subject.shows], instant(midnight(self.since), self.subject.zone)
        found = self.rows(query, who=self.subject.who, since=since, ids=[row.id for row in self.own])
        return [hour for hour in found if not self._is_too_far(hour.starts)]

    @cached_property
    def covered(self) -> dict[int, str]:
        """The feed UIDs of the standings from which hours came here."""
        ids = sorted({row.standing_id for row in self.single_hours if row.standing_id is not None})
        return {row.id: row.feed_uid for row in self.rows(feed_queries.COVERED, ids=ids)} if ids else {}

    @cached_property
    def known(self) -> list[Row[Any]]:
        """Their own standings, once it is known what these and the single hours are called."""
        self.names.know([*self.own, *self.single_hours])
        return self.own

    @cached_property
    def rooms_here(self) -> frozenset[int]:
        """Of the site, if it is one."""
        rows = self.rows(feed_queries.ROOMS_OF_SITE, who=self.subject.who) if self.subject.shows is Shows.SITE else ()
        return frozenset(row.id for row in rows)

    @cached_property
    def therapists_here(self) -> frozenset[int]:
        """Whose leave is told: the therapist's own, or that of all who belong to the site."""
        if self.subject.shows is Shows.THERAPIST:
            return frozenset({self.subject.who})
        if self.subject.shows is not Shows.SITE:
            return frozenset()
        return frozenset(row.id for row in self.rows(feed_queries.THERAPISTS_OF_SITE, who=self.subject.who))

    @cached_property
    def away(self) -> list[Any]:
        """Absences of the therapists, of everybody, and of their courses, from the first day that the feed tells of."""
        return self.rows(
            feed_queries.AWAY,
            therapists=sorted({row.therapist_id for row in self.own} | self.therapists_here),
            since=midnight(self.since),
            ids=sorted({row.course_id for row in self.own}),
        )

    @cached_property
    def away_later(self) -> list[Any]:
        """Of these, what will take slots of standings that have no rows yet."""
        unfinished = (row.extended_to for row in self.own if row.until is None or row.until > row.extended_to)
        horizon = min(unfinished, default=None)
        return [] if horizon is None else [one for one in self.away if one.until > midnight(horizon)]

    # --- values

    def _is_here(self, hour: Row[Any]) -> bool:
        """True of an hour of one of their standings that is still theirs."""
        match self.subject.shows:
            case Shows.THERAPIST:
                return bool(hour.therapist_id == self.subject.who)
            case Shows.ROOM:
                return bool(hour.room_id == self.subject.who)
            case Shows.SITE if hour.room_id is None:
                return hour.therapist_id in self.therapists_here
            case Shows.SITE:
                return hour.room_id in self.rooms_here
            case Shows.CLIENT:
                return True

    def _is_too_far(self, starts: LocalTime) -> bool:
        until = self.options.until(self.today)
        return until is not None and starts >= midnight(until)

    def standings(self) -> Iterator[Told]:
        moving = {row.id for row in self.in_motion}
        for row in self.own:
            if row.id not in moving:
                fingerprint = self.said[row.feed_uid].fingerprint
                yield Told(uid=row.feed_uid, fingerprint=fingerprint, entry=None, is_standing=True)
            else:
                yield self._standing(row)

    def _standing(self, row: Row[Any]) -> Told:
        hours = self.exceptions.get(row.id, ())
        lost = [hour.slot for hour in hours if self._is_lost(hour)]
        lost += sorted(self._lost_later(row))
        otherwise = [hour for hour in hours if not self._is_lost(hour)]
        fingerprint = self.heads[row.id] + _print(
            lost,
            [
                (hour.slot, hour.starts, hour.minutes, self.names.summary(hour), self.names.place(hour))
                for hour in otherwise
            ],
        )
        if self._is_said(row.feed_uid, fingerprint):
            return Told(uid=row.feed_uid, fingerprint=fingerprint, entry=None, is_standing=True)
        entry = FeedStanding(
            uid=row.feed_uid,
            standing=self._pattern(row),
            summary=self.names.summary(row),
            location=self.names.place(row),
            changed_at=UNNUMBERED,
            sequence=0,
            lost=tuple(lost),
            overrides=tuple(self._override(hour) for hour in otherwise),
            alarm=self.alarm,
        )
        return Told(uid=row.feed_uid, fingerprint=fingerprint, entry=entry, is_standing=True)

    def _pattern(self, row: Row[Any]) -> Standing:
        return Standing(
            id="",
            therapist="",
            room=None,
            modality=Modality(row.modality),
            hours=tuple(Hour(day=Weekday(day), at=at) for day, at in self.hours[row.id]),
            every_weeks=row.every_weeks,
            minutes=row.minutes,
            zone=row.zone,
            since=row.since,
            until=row.until,
        )

    def _is_said(self, uid: str, fingerprint: str) -> bool:
        before = self.said.get(uid)
        return before is not None and before.fingerprint == fingerprint

    def _is_lost(self, hour: Row[Any]) -> bool:
        return hour.is_void or hour.status in CANCELLED or not self._is_here(hour)

    def _override(self, hour: Row[Any]) -> FeedOverride:
        return FeedOverride(
            slot=hour.slot,
            starts=hour.starts,
            minutes=hour.minutes,
            summary=self.names.summary(hour),
            location=self.names.place(hour),
            changed_at=UNNUMBERED,
            sequence=0,
        )

    def _lost_later(self, row: Row[Any]) -> set[LocalTime]:
        """Slots beyond the horizon that an absence will take, as the extender will find when it comes to them."""
        horizon, length = midnight(row.extended_to), timedelta(minutes=row.minutes)
        end = midnight(self.today + FARTHEST)
        return {
            slot
            for absence in self.away_later
            if absence.until > horizon and self._concerns(absence, row)
            for slot in slots(
                self._pattern(row), since=max(horizon, absence.since - length), until=min(end, absence.until)
            )
            if absence.since < slot + length
        }

    def _concerns(self, absence: Any, row: Row[Any]) -> bool:
        if row.modality == Modality.VIDEO and absence.kind == "closure":
            return False
        return absences.concerns(
            absence,
            therapist_id=row.therapist_id,
            room_id=row.room_id,
            site_id=row.site_id,
            course_id=row.course_id,
        )

    def cancelled(self) -> Iterator[Told]:
        """Hours of their own standings that somebody cancelled, where the feed shows them."""
        if not self.options.shows_cancelled:
            return
        for row in self.in_motion:
            for hour in self.exceptions.get(row.id, ()):
                is_told = hour.starts >= midnight(self.since) and not self._is_too_far(hour.starts)
                if is_told and _was_cancelled(hour) and self._is_here(hour):
                    yield _told(self._event(uid_of_slot(row.feed_uid, hour.slot), hour), follows=row.feed_uid)

    def singles(self) -> Iterator[Told]:
        for hour in self.single_hours:
            if hour.status in CANCELLED and not (self.options.shows_cancelled and _was_cancelled(hour)):
                continue
            uid = hour.feed_uid if hour.standing_id is None else uid_of_slot(self.covered[hour.standing_id], hour.slot)
            yield _told(self._event(uid, hour), changed_at=hour.changed_at, at_least=hour.version)

    def _event(self, uid: str, hour: Row[Any]) -> FeedEvent:
        is_cancelled, summary = hour.status in CANCELLED, self.names.summary(hour)
        return FeedEvent(
            uid=uid,
            zone=hour.zone,
            starts=hour.starts,
            minutes=hour.minutes,
            summary=summary,
            location=self.names.place(hour),
            changed_at=UNNUMBERED,
            sequence=0,
            is_cancelled=is_cancelled,
            cancelled_as=cancelled(summary, self.speaker) if is_cancelled else "",
            alarm=None if is_cancelled else self.alarm,
        )

    def leave(self) -> Iterator[Told]:
        """Leave of whose calendar it is; of a room and a site, also when they are closed."""
        for row in self.away:
            if self._is_too_far(row.since) or not (self._is_leave_here(row) or self._is_closed_here(row)):
                continue
            entry = FeedLeave(
                uid=str(uuid5(UUID(row.public_id), "feed")),
                zone=self.subject.zone,
                since=row.since,
                until=row.until,
                summary=self._called_away(row),
                changed_at=UNNUMBERED,
                sequence=0,
                location=self.names.room(row.room_id) if row.room_id else "",
            )
            yield _told(entry, changed_at=row.changed_at)

    def _is_leave_here(self, row: Row[Any]) -> bool:
        return row.kind == AbsenceKind.LEAVE and row.therapist_id in self.therapists_here

    def _is_closed_here(self, row: Row[Any]) -> bool:
        if row.kind not in {AbsenceKind.CLOSURE, AbsenceKind.HOLIDAY}:
            return False
        if self.subject.shows is Shows.ROOM:
            return bool(row.room_id == self.subject.who)
        if self.subject.shows is not Shows.SITE:
            return False
        if row.room_id is not None:
            return row.room_id in self.rooms_here
        return row.site_id is None or bool(row.site_id == self.subject.who)

    def _called_away(self, row: Row[Any]) -> str:
        is_leave, level = row.kind == AbsenceKind.LEAVE, self.options.privacy
        said = summary_of_absence(level, name=row.name, speaker=self.speaker, is_closure=not is_leave)
        if not is_leave or self.subject.shows is Shows.THERAPIST:
            return said
        return summary_with(level, said, therapist=self.names.therapist(row))


def _told(entry: FeedEvent | FeedLeave, **more: Any) -> Told:
    return Told(uid=entry.uid, fingerprint=_head(entry.zone, entry) + _print(), entry=entry, **more)


def _was_cancelled(hour: Row[Any]) -> bool:
    """By somebody; a break that was agreed or announced beforehand is no news."""
    return not hour.is_void and hour.status in {Status.CLIENT_CANCELLED, Status.CLINIC_CANCELLED}


def is_of_one_law(fingerprint: str, other: str) -> bool:
    """False where the law of the zone changed between the two: then the same local time is another instant."""
    return fingerprint[:_LAW] == other[:_LAW]


_LAW = 8


def _head(zone: str, *facts: object) -> str:
    """32 characters, of which the first say by which law of the zone it is meant."""
    return law_of(zone)[:_LAW] + _print(*facts)[_LAW:]


def _print(*facts: object) -> str:
    """32 characters that change with the facts, and with the form they are written in."""
    return hashlib.blake2b(repr((FORM, facts)).encode(), digest_size=16).hexdigest()
