"""All that a therapist's calendar feed is to say, out of its rows.

Read by columns, not by entities, and of the appointments only those that differ from what their standing says: a
changed feed is made anew within milliseconds.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.orm import Session

from service.domain.appointment import CANCELLED, Status
from service.domain.feed import FeedEntry, FeedEvent, FeedHeader, FeedLeave, FeedOverride, FeedStanding, uid_of_slot
from service.domain.hours import TZDATA_VERSION, Hour, LocalTime, Weekday, instant, midnight
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
    row = session.execute(
        select(TherapistRow.calendar_version, TherapistRow.name, SiteRow.zone, FeedRow.shows_cancelled)
        .join(SiteRow, SiteRow.id == TherapistRow.site_id)
        .join(FeedRow, FeedRow.therapist_id == TherapistRow.id)
        .where(FeedRow.id == feed.id)
    ).one()
    found = _Reading(session, feed, today=today, said=said, zone=row.zone, shows_cancelled=row.shows_cancelled)
    header = FeedHeader(name=row.name, zone=row.zone, since=found.since, color=COLOR)
    told = (*found.standings(), *found.cancelled(), *found.singles(), *found.leave())
    return FeedValues(version=row.calendar_version, header=header, told=told)


def last_change(session: Session, uids: Collection[str]) -> dict[str, datetime]:
    """When anything of these standings last changed, by their feed UIDs."""
    if not uids:
        return {}
    query = (
        select(StandingRow.feed_uid, StandingRow.changed_at, func.max(AppointmentRow.changed_at))
        .outerjoin(AppointmentRow, AppointmentRow.standing_id == StandingRow.id)
        .where(StandingRow.feed_uid.in_(sorted(uids)))
        .group_by(StandingRow.feed_uid, StandingRow.changed_at)
    )
    return {
        uid: max(changed_at, of_its_hours or changed_at) for uid, changed_at, of_its_hours in session.execute(query)
    }


_STANDING = (
    StandingRow.id,
    StandingRow.feed_uid,
    StandingRow.course_id,
    StandingRow.room_id,
    StandingRow.modality,
    StandingRow.zone,
    StandingRow.every_weeks,
    StandingRow.minutes,
    StandingRow.since,
    StandingRow.until,
    StandingRow.extended_to,
    CourseRow.site_id,
)
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
    AppointmentRow.void_at,
    AppointmentRow.version,
)


class _Reading:
    """One reading of one therapist's calendar."""

    def __init__(
        self,
        session: Session,
        feed: Glimpse,
        *,
        today: date,
        said: Mapping[str, Said],
        zone: str,
        shows_cancelled: bool,
    ) -> None:
        self.session, self.said, self.shows_cancelled = session, said, shows_cancelled
        self.therapist, self.privacy, self.zone = feed.therapist_id, feed.privacy, zone
        self.today, self.since = today, today - PAST

    # --- rows, each kind read once

    @cached_property
    def own(self) -> list[Row[Any]]:
        query = select(*_STANDING).join(CourseRow, CourseRow.id == StandingRow.course_id)
        return list(self.session.execute(query.where(StandingRow.therapist_id == self.therapist)))

    @cached_property
    def patterns(self) -> dict[int, Standing]:
        hours: dict[int, list[Hour]] = {}
        query = (
            select(StandingHourRow.standing_id, StandingHourRow.weekday, StandingHourRow.at)
            .join(StandingRow, StandingRow.id == StandingHourRow.standing_id)
            .where(StandingRow.therapist_id == self.therapist)
        )
        for standing, weekday, at in self.session.execute(query):
            hours.setdefault(standing, []).append(Hour(day=Weekday(weekday), at=at))
        return {row.id: _pattern(row, hours[row.id]) for row in self.own}

    @cached_property
    def heads(self) -> dict[int, str]:
        return {row.id: _print(self.patterns[row.id], self.summary(row.course_id), self.place(row)) for row in self.own}

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
        query = (
            select(*_HOUR)
            .join(StandingRow, StandingRow.id == AppointmentRow.standing_id)
            .where(AppointmentRow.standing_id.in_([row.id for row in self.in_motion]), _differs())
            .order_by(AppointmentRow.slot)
        )
        rows: list[Row[Any]] = list(self.session.execute(query))
        found: dict[int, list[Row[Any]]] = {}
        for row in rows:
            found.setdefault(row.standing_id, []).append(row)
        return found

    @cached_property
    def single_hours(self) -> list[Row[Any]]:
        """Hours of this therapist that belong to no standing of theirs: ad hoc ones, and those they cover."""
        alone = or_(
            AppointmentRow.standing_id.is_(None), AppointmentRow.standing_id.not_in([row.id for row in self.own])
        )
        query = select(*_HOUR, AppointmentRow.feed_uid, AppointmentRow.changed_at).where(
            AppointmentRow.therapist_id == self.therapist,
            AppointmentRow.starts_at >= instant(midnight(self.since), self.zone),
            AppointmentRow.void_at.is_(None),
            alone,
        )
        return list(self.session.execute(query))

    @cached_property
    def covered(self) -> dict[int, str]:
        """The feed UIDs of the standings whose hours this therapist covers."""
        ids = sorted({row.standing_id for row in self.single_hours if row.standing_id is not None})
        query = select(StandingRow.id, StandingRow.feed_uid).where(StandingRow.id.in_(ids))
        return dict(self.session.execute(query).all()) if ids else {}

    @cached_property
    def summaries(self) -> dict[int, str]:
        """What the hours of each course are called."""
        ids = sorted({row.course_id for row in (*self.own, *self.single_hours)})
        if self.privacy is Privacy.BUSY:
            return dict.fromkeys(ids, summary_for(self.privacy, initials="", reference="", name=""))
        query = (
            select(CourseClientRow.course_id, ClientRow.public_id, ClientRow.reference, ClientRow.name_sealed)
            .join(ClientRow, ClientRow.id == CourseClientRow.client_id)
            .where(CourseClientRow.course_id.in_(ids))
            .order_by(CourseClientRow.course_id, ClientRow.id)
        )
        clients: dict[int, list[tuple[str, str]]] = {}
        for course, public_id, reference, sealed in self.session.execute(query):
            clients.setdefault(course, []).append((reference, self._name(public_id, sealed)))
        return {course: self._called(clients.get(course, [])) for course in ids}

    def _name(self, public_id: str, sealed: str) -> str:
        if self.privacy is Privacy.REFERENCE:
            return ""
        return seal().open(sealed, row=public_id, column="clients:name")

    def _called(self, clients: Iterable[tuple[str, str]]) -> str:
        clients = list(clients)
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
        query = select(RoomRow.id, RoomRow.name, SiteRow.name).join(SiteRow, SiteRow.id == RoomRow.site_id)
        found = self.session.execute(query.where(RoomRow.id.in_(ids)))
        return {room: f"{name}, {site}" for room, name, site in found}

    @cached_property
    def away_later(self) -> list[AbsenceRow]:
        """What will take slots of open-ended standings that have no rows yet."""
        unfinished = (row.extended_to for row in self.own if row.until is None or row.until > row.extended_to)
        horizon = min(unfinished, default=None)
        if horizon is None:
            return []
        whose = or_(
            AbsenceRow.therapist_id == self.therapist,
            and_(AbsenceRow.therapist_id.is_(None), AbsenceRow.course_id.is_(None)),
            AbsenceRow.course_id.in_([row.course_id for row in self.own]),
        )
        query = select(AbsenceRow).where(
            AbsenceRow.until > midnight(horizon),
            AbsenceRow.withdrawn_at.is_(None),
            AbsenceRow.tentative.is_(False),
            whose,
        )
        return list(self.session.scalars(query))

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
                yield Told(uid=row.feed_uid, fingerprint=self.said[row.feed_uid].fingerprint, entry=None)
            else:
                yield self._standing(row)

    def _standing(self, row: Row[Any]) -> Told:
        pattern, hours = self.patterns[row.id], self.exceptions.get(row.id, ())
        lost = [hour.slot for hour in hours if self._is_lost(hour)]
        lost += sorted(self._lost_later(row, pattern))
        overrides = tuple(self._override(row, hour) for hour in hours if not self._is_lost(hour))
        entry = FeedStanding(
            uid=row.feed_uid,
            standing=pattern,
            summary=self.summary(row.course_id),
            location=self.place(row),
            changed_at=UNNUMBERED,
            sequence=0,
            lost=tuple(lost),
            overrides=overrides,
        )
        return Told(uid=row.feed_uid, fingerprint=self.heads[row.id] + _print(lost, overrides), entry=entry)

    def _is_lost(self, hour: Row[Any]) -> bool:
        return hour.void_at is not None or hour.status in CANCELLED or hour.therapist_id != self.therapist

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

    def _lost_later(self, row: Row[Any], pattern: Standing) -> set[LocalTime]:
        """Slots beyond the horizon that an absence will take, as the extender will find when it comes to them."""
        horizon, length = midnight(row.extended_to), timedelta(minutes=row.minutes)
        end = midnight(self.today + FARTHEST)
        return {
            slot
            for absence in self.away_later
            if absence.until > horizon and self._concerns(absence, row)
            for slot in slots(pattern, since=max(horizon, absence.since - length), until=min(end, absence.until))
            if absence.since < slot + length
        }

    def _concerns(self, absence: AbsenceRow, row: Row[Any]) -> bool:
        if row.modality == Modality.VIDEO and absence.kind == "closure":
            return False
        return absences.concerns(
            absence, therapist_id=self.therapist, room_id=row.room_id, site_id=row.site_id, course_id=row.course_id
        )

    def cancelled(self) -> Iterator[Told]:
        """Hours of their own standings that somebody cancelled, where the feed shows them."""
        if not self.shows_cancelled:
            return
        for row in self.in_motion:
            for hour in self.exceptions.get(row.id, ()):
                if _was_cancelled(hour) and hour.therapist_id == self.therapist and hour.starts >= midnight(self.since):
                    yield _told(self._event(uid_of_slot(row.feed_uid, hour.slot), hour), follows=row.feed_uid)

    def singles(self) -> Iterator[Told]:
        for hour in self.single_hours:
            if hour.status in CANCELLED and not (self.shows_cancelled and _was_cancelled(hour)):
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
        query = select(
            AbsenceRow.public_id, AbsenceRow.since, AbsenceRow.until, AbsenceRow.name, AbsenceRow.changed_at
        ).where(
            AbsenceRow.kind == "leave",
            AbsenceRow.therapist_id == self.therapist,
            AbsenceRow.until > midnight(self.since),
            AbsenceRow.withdrawn_at.is_(None),
            AbsenceRow.tentative.is_(False),
        )
        for public_id, since, until, name, changed_at in self.session.execute(query):
            entry = FeedLeave(
                uid=str(uuid5(UUID(public_id), "feed")),
                zone=self.zone,
                since=since,
                until=until,
                summary=summary_of_absence(self.privacy, name=name),
                changed_at=UNNUMBERED,
                sequence=0,
            )
            yield _told(entry, changed_at=changed_at)


def _told(entry: FeedEvent | FeedLeave, **more: Any) -> Told:
    return Told(uid=entry.uid, fingerprint=_print(entry) + _print(), entry=entry, **more)


def _was_cancelled(hour: Row[Any]) -> bool:
    """By somebody; a break that was agreed or announced beforehand is no news."""
    return hour.void_at is None and hour.status in {Status.CLIENT_CANCELLED, Status.CLINIC_CANCELLED}


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


def _pattern(row: Row[Any], hours: list[Hour]) -> Standing:
    return Standing(
        id="",
        therapist="",
        room=None,
        modality=Modality(row.modality),
        hours=tuple(sorted(hours)),
        every_weeks=row.every_weeks,
        minutes=row.minutes,
        zone=row.zone,
        since=row.since,
        until=row.until,
    )


def _print(*facts: object) -> str:
    """32 characters that change with the facts, and with what they are written by."""
    return hashlib.blake2b(repr((FORM, TZDATA_VERSION, facts)).encode(), digest_size=16).hexdigest()
