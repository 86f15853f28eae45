"""All that a therapist's calendar feed is to say, out of its rows.

Read by columns, not by entities, and of the appointments only those that differ from what their standing says: a
changed feed is made anew within milliseconds.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from service.domain.appointment import CANCELLED, Status
from service.domain.feed import FeedEntry, FeedEvent, FeedHeader, FeedLeave, FeedOverride, FeedStanding, uid_of_slot
from service.domain.hours import Hour, LocalTime, Weekday, instant, law_of, midnight
from service.domain.privacy import Privacy, summary_for, summary_of_absence
from service.domain.recurrence import slots
from service.domain.standing import Modality, Standing
from service.store import absences
from service.store.absences import AbsenceRow
from service.store.appointments import AppointmentRow
from service.store.clients import ClientRow, initials
from service.store.courses import CourseClientRow, CourseRow
from service.store.feeds import FeedRow, Glimpse, Said
from service.store.people import RoomRow, SiteRow, TherapistRow
from service.store.seal import seal
from service.store.standings import StandingHourRow, StandingRow

PAST = timedelta(days=90)
"""How far back single hours and leave are told. A standing is told from its first day on, always."""
SETTLED = timedelta(days=365)
"""So long after its end, a standing is not looked at for exceptions again."""
FARTHEST = timedelta(days=2 * 366)
"""Absences beyond that lose no slot of an open-ended standing yet."""
COLOR = "teal"
UNNUMBERED = datetime(1970, 1, 1, tzinfo=UTC)
FORM = "1"
"""Raise it when the same facts are to be written otherwise: every piece is rendered anew."""


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
    version: int
    """The therapist's `calendar_version` that it is made of."""
    header: FeedHeader
    told: tuple[Told, ...]


def load(session: Session, feed: Glimpse, *, today: date, said: Mapping[str, Said]) -> FeedValues:
    """What the feed has to say on that day. Pieces that can't have changed are not looked at in detail."""
    reading = _Reading(session.connection(), feed, today=today, said=said)
    header = FeedHeader(name=reading.whose.name, zone=reading.zone, since=reading.since, color=COLOR)
    told = (*reading.standings(), *reading.cancelled(), *reading.singles(), *reading.leave())
    return FeedValues(version=reading.whose.calendar_version, header=header, told=told)


def last_change(session: Session, uids: Collection[str]) -> dict[str, datetime]:
    """When anything of these standings last changed, by their feed UIDs."""
    if not uids:
        return {}
    rows = session.connection().execute(_LAST_CHANGE, {"uids": sorted(uids)})
    return {uid: max(changed_at, of_its_hours or changed_at) for uid, changed_at, of_its_hours in rows}


def _differs() -> ColumnElement[bool]:
    """True of an hour that its standing's pattern does not tell."""
    hour, standing = AppointmentRow, StandingRow
    counts = or_(hour.void_at.is_(None), standing.until.is_(None), hour.slot < standing.until)
    return and_(
        counts,
        or_(
            hour.status.in_(sorted(CANCELLED)),
            hour.void_at.is_not(None),
            hour.starts != hour.slot,
            hour.minutes != standing.minutes,
            hour.therapist_id != standing.therapist_id,
            hour.room_id.is_distinct_from(standing.room_id),
            hour.modality != standing.modality,
        ),
    )


# The queries are made once: making one takes longer than asking it.

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_THERAPIST: BindParameter[Any] = bindparam("therapist")
_WHOSE = (
    select(TherapistRow.calendar_version, TherapistRow.name, SiteRow.zone, FeedRow.shows_cancelled)
    .join(SiteRow, SiteRow.id == TherapistRow.site_id)
    .join(FeedRow, FeedRow.therapist_id == TherapistRow.id)
    .where(FeedRow.id == bindparam("feed"))
)
_STANDINGS = (
    select(
        StandingRow.zone,
        StandingRow.every_weeks,
        StandingRow.minutes,
        StandingRow.since,
        StandingRow.until,
        StandingRow.id,
        StandingRow.feed_uid,
        StandingRow.course_id,
        StandingRow.room_id,
        StandingRow.modality,
        StandingRow.extended_to,
        CourseRow.site_id,
        StandingHourRow.weekday,
        StandingHourRow.at,
    )
    .join(CourseRow, CourseRow.id == StandingRow.course_id)
    .join(StandingHourRow, StandingHourRow.standing_id == StandingRow.id)
    .where(StandingRow.therapist_id == _THERAPIST)
    .order_by(StandingRow.id, StandingHourRow.weekday, StandingHourRow.at)
)
_PATTERN = slice(0, 5)
"""Of these columns the ones that, with the hours, are its pattern."""
_HOUR = (
    AppointmentRow.standing_id,
    AppointmentRow.course_id,
    AppointmentRow.slot,
    AppointmentRow.starts,
    AppointmentRow.minutes,
    AppointmentRow.zone,
    AppointmentRow.therapist_id,
    AppointmentRow.room_id,
    AppointmentRow.modality,
    AppointmentRow.status,
    AppointmentRow.void_at.is_not(None).label("is_void"),
    AppointmentRow.version,
)
_EXCEPTIONS = (
    select(*_HOUR)
    .join(StandingRow, StandingRow.id == AppointmentRow.standing_id)
    .where(AppointmentRow.standing_id.in_(_IDS), _differs())
    .order_by(AppointmentRow.slot)
)
_SINGLE_HOURS = select(*_HOUR, AppointmentRow.feed_uid, AppointmentRow.changed_at).where(
    AppointmentRow.therapist_id == _THERAPIST,
    AppointmentRow.starts_at >= bindparam("since"),
    AppointmentRow.void_at.is_(None),
    or_(AppointmentRow.standing_id.is_(None), AppointmentRow.standing_id.not_in(_IDS)),
)
_COVERED = select(StandingRow.id, StandingRow.feed_uid).where(StandingRow.id.in_(_IDS))
_CLIENTS = (
    select(CourseClientRow.course_id, ClientRow.public_id, ClientRow.reference, ClientRow.name_sealed)
    .join(ClientRow, ClientRow.id == CourseClientRow.client_id)
    .where(CourseClientRow.course_id.in_(_IDS))
    .order_by(CourseClientRow.course_id, ClientRow.id)
)
_PLACES = (
    select(RoomRow.id, RoomRow.name, SiteRow.name)
    .join(SiteRow, SiteRow.id == RoomRow.site_id)
    .where(RoomRow.id.in_(_IDS))
)
_AWAY = select(
    AbsenceRow.public_id,
    AbsenceRow.kind,
    AbsenceRow.therapist_id,
    AbsenceRow.room_id,
    AbsenceRow.site_id,
    AbsenceRow.course_id,
    AbsenceRow.since,
    AbsenceRow.until,
    AbsenceRow.name,
    AbsenceRow.changed_at,
).where(
    AbsenceRow.until > bindparam("since"),
    AbsenceRow.withdrawn_at.is_(None),
    AbsenceRow.tentative.is_(False),
    or_(
        AbsenceRow.therapist_id == _THERAPIST,
        and_(AbsenceRow.therapist_id.is_(None), AbsenceRow.course_id.is_(None)),
        AbsenceRow.course_id.in_(_IDS),
    ),
)
_LAST_CHANGE = (
    select(StandingRow.feed_uid, StandingRow.changed_at, func.max(AppointmentRow.changed_at))
    .outerjoin(AppointmentRow, AppointmentRow.standing_id == StandingRow.id)
    .where(StandingRow.feed_uid.in_(bindparam("uids", expanding=True)))
    .group_by(StandingRow.feed_uid, StandingRow.changed_at)
)


class _Reading:
    """One reading of one therapist's calendar."""

    def __init__(self, connection: Connection, feed: Glimpse, *, today: date, said: Mapping[str, Said]) -> None:
        self.connection, self.said = connection, said
        self.feed, self.therapist, self.privacy = feed.id, feed.therapist_id, feed.privacy
        self.today, self.since = today, today - PAST

    def rows(self, query: "Select[*tuple[Any, ...]]", **parameters: object) -> list[Any]:
        """Rows whose columns are read by name."""
        return list(self.connection.execute(query, parameters))

    # --- rows, each kind read once

    @cached_property
    def whose(self) -> Row[Any]:
        """Version, name, zone, and whether cancelled hours are shown."""
        found: Row[Any] = self.rows(_WHOSE, feed=self.feed)[0]
        return found

    @cached_property
    def zone(self) -> str:
        zone: str = self.whose.zone
        return zone

    @cached_property
    def with_hours(self) -> list[Row[Any]]:
        """One row for each hour of each standing."""
        return self.rows(_STANDINGS, therapist=self.therapist)

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
            row.id: _print(
                law_of(row.zone), *row[_PATTERN], self.hours[row.id], self.summary(row.course_id), self.place(row)
            )
            for row in self.own
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
        for row in self.rows(_EXCEPTIONS, ids=[row.id for row in self.in_motion]):
            found.setdefault(row.standing_id, []).append(row)
        return found

    @cached_property
    def single_hours(self) -> list[Row[Any]]:
        """Hours of this therapist that belong to no standing of theirs: ad hoc ones, and those they cover."""
        since = instant(midnight(self.since), self.zone)
        return self.rows(_SINGLE_HOURS, therapist=self.therapist, since=since, ids=[row.id for row in self.own])

    @cached_property
    def covered(self) -> dict[int, str]:
        """The feed UIDs of the standings whose hours this therapist covers."""
        ids = sorted({row.standing_id for row in self.single_hours if row.standing_id is not None})
        return {row.id: row.feed_uid for row in self.rows(_COVERED, ids=ids)} if ids else {}

    @cached_property
    def summaries(self) -> dict[int, str]:
        """What the hours of each course are called."""
        ids = sorted({row.course_id for row in (*self.own, *self.single_hours)})
        if self.privacy is Privacy.BUSY:
            return dict.fromkeys(ids, summary_for(self.privacy, initials="", reference="", name=""))
        clients: dict[int, list[tuple[str, str]]] = {}
        for course, public_id, reference, sealed in self.rows(_CLIENTS, ids=ids):
            clients.setdefault(course, []).append((reference, self._name(public_id, sealed)))
        return {course: self._called(clients.get(course, [])) for course in ids}

    def _name(self, public_id: str, sealed: str) -> str:
        if self.privacy is Privacy.REFERENCE:
            return ""
        return seal().open(sealed, row=public_id, column="clients:name")

    def _called(self, clients: Sequence[tuple[str, str]]) -> str:
        return summary_for(
            self.privacy,
            initials=" + ".join(filter(None, (initials(name) for _, name in clients))),
            reference=" + ".join(reference for reference, _ in clients),
            name=" + ".join(filter(None, (name for _, name in clients))),
        )

    @cached_property
    def places(self) -> dict[int, str]:
        return self._places({row.room_id for row in (*self.own, *self.single_hours)})

    def _places(self, rooms: Iterable[int | None]) -> dict[int, str]:
        ids = sorted(room for room in rooms if room is not None)
        return {room: f"{name}, {site}" for room, name, site in self.rows(_PLACES, ids=ids)}

    @cached_property
    def away(self) -> list[Any]:
        """Absences of the therapist, of everybody, and of their courses, from the first day that the feed tells of."""
        courses = [row.course_id for row in self.own]
        return self.rows(_AWAY, therapist=self.therapist, since=midnight(self.since), ids=courses)

    @cached_property
    def away_later(self) -> list[Any]:
        """Of these, what will take slots of standings that have no rows yet."""
        unfinished = (row.extended_to for row in self.own if row.until is None or row.until > row.extended_to)
        horizon = min(unfinished, default=None)
        return [] if horizon is None else [one for one in self.away if one.until > midnight(horizon)]

    # --- values

    def summary(self, course: int) -> str:
        return self.summaries[course]

    def place(self, row: Row[Any]) -> str:
        if row.modality == Modality.VIDEO or row.room_id is None:
            return "Video" if row.modality == Modality.VIDEO else ""
        if row.room_id not in self.places:  # of an exception: few
            self.places.update(self._places([row.room_id]))
        return self.places[row.room_id]

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
            lost, [(hour.slot, hour.starts, hour.minutes, self.place(hour)) for hour in otherwise]
        )
        if self._is_said(row.feed_uid, fingerprint):
            return Told(uid=row.feed_uid, fingerprint=fingerprint, entry=None, is_standing=True)
        entry = FeedStanding(
            uid=row.feed_uid,
            standing=self._pattern(row),
            summary=self.summary(row.course_id),
            location=self.place(row),
            changed_at=UNNUMBERED,
            sequence=0,
            lost=tuple(lost),
            overrides=tuple(self._override(row, hour) for hour in otherwise),
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
        return hour.is_void or hour.status in CANCELLED or hour.therapist_id != self.therapist

    def _override(self, row: Row[Any], hour: Row[Any]) -> FeedOverride:
        return FeedOverride(
            slot=hour.slot,
            starts=hour.starts,
            minutes=hour.minutes,
            summary=self.summary(row.course_id),
            location=self.place(hour),
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
            absence, therapist_id=self.therapist, room_id=row.room_id, site_id=row.site_id, course_id=row.course_id
        )

    def cancelled(self) -> Iterator[Told]:
        """Hours of their own standings that somebody cancelled, where the feed shows them."""
        if not self.whose.shows_cancelled:
            return
        for row in self.in_motion:
            for hour in self.exceptions.get(row.id, ()):
                if _was_cancelled(hour) and hour.therapist_id == self.therapist and hour.starts >= midnight(self.since):
                    yield _told(self._event(uid_of_slot(row.feed_uid, hour.slot), hour), follows=row.feed_uid)

    def singles(self) -> Iterator[Told]:
        for hour in self.single_hours:
            if hour.status in CANCELLED and not (self.whose.shows_cancelled and _was_cancelled(hour)):
                continue
            uid = hour.feed_uid if hour.standing_id is None else uid_of_slot(self.covered[hour.standing_id], hour.slot)
            yield _told(self._event(uid, hour), changed_at=hour.changed_at, at_least=hour.version)

    def _event(self, uid: str, hour: Row[Any]) -> FeedEvent:
        return FeedEvent(
            uid=uid,
            zone=hour.zone,
            starts=hour.starts,
            minutes=hour.minutes,
            summary=self.summary(hour.course_id),
            location=self.place(hour),
            changed_at=UNNUMBERED,
            sequence=0,
            is_cancelled=hour.status in CANCELLED,
        )

    def leave(self) -> Iterator[Told]:
        for row in self.away:
            if row.kind != "leave" or row.therapist_id != self.therapist:
                continue
            entry = FeedLeave(
                uid=str(uuid5(UUID(row.public_id), "feed")),
                zone=self.zone,
                since=row.since,
                until=row.until,
                summary=summary_of_absence(self.privacy, name=row.name),
                changed_at=UNNUMBERED,
                sequence=0,
            )
            yield _told(entry, changed_at=row.changed_at)


def _told(entry: FeedEvent | FeedLeave, **more: Any) -> Told:
    return Told(uid=entry.uid, fingerprint=_print(law_of(entry.zone), entry) + _print(), entry=entry, **more)


def _was_cancelled(hour: Row[Any]) -> bool:
    """By somebody; a break that was agreed or announced beforehand is no news."""
    return not hour.is_void and hour.status in {Status.CLIENT_CANCELLED, Status.CLINIC_CANCELLED}


def _print(*facts: object) -> str:
    """32 characters that change with the facts, and with the form they are written in."""
    return hashlib.blake2b(repr((FORM, facts)).encode(), digest_size=16).hexdigest()
