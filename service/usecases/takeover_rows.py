"""The rows that a client's share of an old book becomes: people, courses, standings, hours, and the records of them.

Steps for the use-cases of imports; none opens a transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from service.domain.absences import AbsenceKind
from service.domain.access import Actor
from service.domain.appointment import Attribute, Initiator
from service.domain.book import BookAbsence
from service.domain.event import IMPORTED
from service.domain.hours import TZDATA_VERSION
from service.store import audit, clients, imports, webhooks
from service.store.absences import AbsenceRow
from service.store.appointments import ChangeRow
from service.store.audit import AuditRow
from service.store.base import new_public_id
from service.store.courses import CourseClientRow, CourseRow
from service.store.imports import Booking, ImportedRow, ImportRow
from service.store.occupancies import Kind
from service.store.people import RoomRow, SiteRow, TherapistRow, directory
from service.store.standings import StandingHourRow, StandingRow
from service.usecases import steps
from service.usecases.takeover import (
    Here,
    Holder,
    NewHour,
    NewSeries,
    Share,
    changes_of,
    folded,
    holders_of,
    told_at,
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What every transaction of one import has in common."""

    site: str
    """Public id."""
    source: str
    digest: str
    by: Actor
    now: datetime


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A client and their course."""

    client_id: int
    course: CourseRow


class Writer:
    """One transaction of an import."""

    def __init__(self, db: Session, run: Run, import_id: int | None) -> None:
        self.db, self.run = db, run
        people = directory(db)
        self.at: SiteRow = people.site(run.site)
        self.people: dict[Holder, tuple[int, str]] = {}
        for therapist in sorted(people.therapists.values(), key=lambda row: row.id):
            self.people.setdefault((Kind.THERAPIST, folded(therapist.name)), (therapist.id, therapist.public_id))
        for room in sorted(people.rooms.values(), key=lambda row: row.id):
            if room.site_id == self.at.id:
                self.people.setdefault((Kind.ROOM, folded(room.name)), (room.id, room.public_id))
        self.of: dict[str, _Written] = {}
        self.standing_ids: dict[str, int] = {}
        self.row = db.get_one(ImportRow, import_id) if import_id is not None else self._new_import()

    @property
    def import_id(self) -> int:
        return self.row.id

    def count(self, *, taken: int, rejected: int) -> None:
        self.row.entries += taken
        self.row.rejected += rejected

    def _new_import(self) -> ImportRow:
        run = self.run
        row = ImportRow(
            public_id=new_public_id(),
            source=run.source,
            digest=run.digest,
            made_by=run.by.name,
            made_at=run.now,
            entries=0,
            rejected=0,
        )
        self.db.add(row)
        self.db.flush()
        self._record("import", "import", row.public_id)
        return row

    # -- people and rooms

    def therapist(self, name: str) -> int:
        return self._met(Kind.THERAPIST, name)[0]

    def room(self, name: str | None) -> int | None:
        return None if name is None else self._met(Kind.ROOM, name)[0]

    def _met(self, kind: Kind, name: str) -> tuple[int, str]:
        """Inner and public id of the one whom the book calls so; made where there is none."""
        known = self.people.get((kind, folded(name)))
        if known is None:
            row: TherapistRow | RoomRow
            if kind is Kind.THERAPIST:
                row = TherapistRow(public_id=new_public_id(), name=name, site_id=self.at.id, is_active=True)
            else:
                row = RoomRow(public_id=new_public_id(), name=name, site_id=self.at.id, is_active=True)
            self.db.add(row)
            self.db.flush()
            self._record("add", "therapist" if kind is Kind.THERAPIST else "room", row.public_id)
            known = self.people[kind, folded(name)] = (row.id, row.public_id)
        return known

    # -- clients and their courses

    def courses(self, shares: Iterable[tuple[Share, date | None]], here: Here) -> None:
        """Take each client's running course, or open one; with the day on which a former client's has ended."""
        shares = list(shares)
        new_clients = {
            folded(share.client): clients.new_row(name=" ".join(share.client.split()), now=self.run.now)
            for share, _ended in shares
            if folded(share.client) not in here.clients
        }
        self.db.add_all(new_clients.values())
        self.db.flush()
        for row in new_clients.values():
            row.reference = f"C{row.id:05d}"
            self._record("add", "client", row.public_id)
        ids = {**here.clients, **{name: row.id for name, row in new_clients.items()}}
        for share, ended in shares:
            name = folded(share.client)
            known = self.db.get_one(CourseRow, here.courses[name]) if name in here.courses else None
            course = known or self._new_course(share, ended)
            if known is not None and any(one.series.standing.until is None for one in share.series):
                known.therapist_id = self.therapist(share.therapist())
            self.of[name] = _Written(client_id=ids[name], course=course)
        self.db.flush()
        opened = [one for name, one in self.of.items() if name not in here.courses]
        self.db.add_all(CourseClientRow(course_id=one.course.id, client_id=one.client_id) for one in opened)

    def _new_course(self, share: Share, ended: date | None) -> CourseRow:
        row = CourseRow(
            public_id=new_public_id(),
            site_id=self.at.id,
            therapist_id=self.therapist(share.therapist()),
            status="active" if ended is None else "ended",
            ended_on=ended,
            opened_at=min(self.run.now, *(hour.since for hour in share.hours)),
        )
        self.db.add(row)
        self._record("open", "course", row.public_id)
        return row

    # -- standings

    def standings(self, shares: Iterable[Share]) -> None:
        rows: dict[str, StandingRow] = {}
        new = [(share, one) for share in shares for one in share.series]
        for share, one in new:
            rows[one.series.key] = self._new_standing(self.of[folded(share.client)].course, one)
        self.db.add_all(rows.values())
        self.db.flush()
        for _share, one in new:
            former = rows.get(one.series.standing.replaces or "")
            rows[one.series.key].replaces_id = former.id if former else one.replaces_id
        self.standing_ids = {key: row.id for key, row in rows.items()}
        self.remember([(key, number, None) for key, number in self.standing_ids.items()])

    def _new_standing(self, course: CourseRow, one: NewSeries) -> StandingRow:
        standing = one.series.standing
        row = StandingRow(
            public_id=new_public_id(),
            course_id=course.id,
            therapist_id=self.therapist(standing.therapist),
            room_id=self.room(standing.room),
            modality=standing.modality.value,
            zone=standing.zone,
            every_weeks=standing.every_weeks,
            minutes=standing.minutes,
            since=standing.since,
            until=standing.until,
            change_told_at=one.told_at,
            ending_told=False,
            extended_to=one.extended_to,
            version=1,
            changed_at=self.run.now,
            feed_uid=new_public_id(),
            hours=[StandingHourRow(weekday=int(hour.day), at=hour.at) for hour in standing.hours],
        )
        self._record("import", "standing", row.public_id, detail={"course": course.public_id})
        return row

    # -- hours

    def hours(self, shares: Iterable[Share], *, newest_hold: int) -> None:
        """Every date with whom it holds and what of it differs from what was agreed.

        :raises CannotBook: somebody else took one of them since the book was looked at.
        """
        bookings: list[Booking] = []
        told: list[tuple[Booking, NewHour, NewSeries | None]] = []
        for share in shares:
            written = self.of[folded(share.client)]
            parts = [(hour, one) for one in share.series for hour in one.hours]
            for hour, one in [*parts, *((hour, None) for hour in share.singles)]:
                booking = self._booking(hour, one, written, share.client)
                bookings.append(booking)
                told.append((booking, hour, one))
        ids = imports.book(self.db, bookings, newer_than=newest_hold)
        self._put_on_record(told, ids)

    def _booking(self, hour: NewHour, one: NewSeries | None, written: _Written, client: str) -> Booking:
        values = {
            "public_id": new_public_id(),
            "course_id": written.course.id,
            "standing_id": self.standing_ids[one.series.key] if one else None,
            "slot": hour.slot,
            "starts": hour.starts,
            "zone": self.at.zone,
            "minutes": hour.minutes,
            "starts_at": hour.since,
            "ends_at": hour.until,
            "tzdata": TZDATA_VERSION,
            "therapist_id": self.therapist(hour.therapist),
            "room_id": self.room(hour.room),
            "modality": hour.modality.value,
            "status": hour.status.value,
            "by": hour.by.value if hour.by else None,
            "reason": hour.reason,
            "told_at": hour.told_at,
            "ending_session": False,
            "keeps_hour": hour.keeps_hour,
            "feed_uid": new_public_id(),
            "version": 1,
            "changed_at": self.run.now,
        }
        holders = holders_of(hour, client) if hour.holds else []
        keys = tuple(sorted((int(kind), self._number(kind, name, written)) for (kind, name), _called in holders))
        return Booking(values=values, keys=keys)

    def _number(self, kind: Kind, name: str, written: _Written) -> int:
        return written.client_id if kind is Kind.CLIENT else self.people[kind, name][0]

    def _put_on_record(self, told: Sequence[tuple[Booking, NewHour, NewSeries | None]], ids: dict[str, int]) -> None:
        known: list[tuple[str, int | None, int | None]] = []
        changes: list[dict[str, Any]] = []
        singles: list[str] = []
        for booking, hour, one in told:
            number = ids[booking.values["public_id"]]
            if hour.key is not None:
                known.append((hour.key, booking.values["standing_id"], number))
            if one is None:
                singles.append(booking.values["public_id"])
            else:
                changes += self._changes(hour, one, number)
        self.remember(known)
        if changes:
            self.db.execute(insert(ChangeRow), changes)
        if singles:
            self.db.execute(insert(AuditRow), [self._audit("import", "appointment", one) for one in singles])

    def _changes(self, hour: NewHour, one: NewSeries, number: int) -> list[dict[str, Any]]:
        return [
            {
                "appointment_id": number,
                "what": what.value,
                "was": self._as_said(what, was),
                "now": self._as_said(what, now),
                "asked_by": Initiator.UNKNOWN.value,
                "reason": None,
                "told_at": told_at(min(hour.starts, hour.slot or hour.starts), self.at.zone, self.run.now),
                "made_by": self.run.by.name,
                "made_at": self.run.now,
            }
            for what, was, now in changes_of(hour, one.series.standing)
        ]

    def _as_said(self, what: Attribute, value: str | None) -> str | None:
        kinds = {Attribute.THERAPIST: Kind.THERAPIST, Attribute.ROOM: Kind.ROOM}
        return self._met(kinds[what], value)[1] if value is not None and what in kinds else value

    # -- leave, and the records of it all

    def absences(self, new: Iterable[BookAbsence]) -> None:
        rows = []
        for absence in new:
            row = AbsenceRow(
                public_id=new_public_id(),
                kind=AbsenceKind.LEAVE.value,
                therapist_id=self.therapist(absence.therapist),
                since=absence.since,
                until=absence.until,
                name=absence.name[:120],
                source=f"book:{absence.key}",
                changed_at=self.run.now,
            )
            rows.append(row)
            self.remember([(absence.key, None, None)])
            self._record("import", "absence", row.public_id, detail={"kind": row.kind})
        self.db.add_all(rows)
        self.db.flush()
        steps.calendars_changed(self.db, {row.therapist_id for row in rows if row.therapist_id is not None})

    def tell(self, shares: Iterable[Share]) -> None:
        """Have the courses assessed, and the calendars that show them built anew."""
        therapists = {self.therapist(hour.therapist) for share in shares for hour in share.hours}
        therapists |= {self.therapist(one.series.standing.therapist) for share in shares for one in share.series}
        self.db.flush()
        for written in self.of.values():
            steps.course_changed(self.db, written.course, therapists=(), now=self.run.now)
            webhooks.tell_event(self.db, IMPORTED, written.course.public_id, now=self.run.now)
        rooms = {self.room(hour.room) for share in shares for hour in share.hours}
        steps.calendars_changed(self.db, therapists, rooms=rooms)

    def remember(self, known: Sequence[tuple[str, int | None, int | None]]) -> None:
        """Keys in the book, each with the standing and the appointment that it became."""
        rows = [
            {"import_id": self.import_id, "key": key, "standing_id": standing, "appointment_id": appointment}
            for key, standing, appointment in known
        ]
        if rows:
            self.db.execute(insert(ImportedRow), rows)

    def _record(self, action: str, kind: str, subject: str, *, detail: dict[str, Any] | None = None) -> None:
        audit.record(self.db, action, by=self.run.by, now=self.run.now, kind=kind, subject=subject, detail=detail)

    def _audit(self, action: str, kind: str, subject: str) -> dict[str, Any]:
        by = self.run.by
        return {
            "at": self.run.now,
            "actor": by.user,
            "actor_name": by.name,
            "action": action,
            "subject_kind": kind,
            "subject": subject,
            "fields": [],
            "detail": {"import": self.row.public_id},
        }
