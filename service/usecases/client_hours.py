"""Steps: what of a client's hours differs from what they know by mail, and the message that will tell them.

No transaction of its own. One message stands for all that changed for one client in one course; it is looked up when
it leaves, so that it says the last state, and nothing where a change was undone.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from service.domain import client_mail as rules
from service.domain.client_mail import GRACE, ClientMail, Kind
from service.store import client_mail, courses, outbox
from service.store.appointments import AppointmentRow
from service.store.client_mail import ClientHourRow
from service.store.clients import ClientRow
from service.store.courses import CourseRow

CHANGE = "client.mail"
REMINDER = "client.reminder"
TOPICS = frozenset({CHANGE, REMINDER})


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An hour that a client knows otherwise, or not at all."""

    kind: Kind
    row: AppointmentRow
    known: ClientHourRow | None


def note_change(db: Session, course: CourseRow, *, is_news: bool, now: datetime) -> None:
    """The course has changed: have its clients told, of those that are mailed.

    Hours that the clock or an import adds are no news: `is_news` is False, and the client knows them from then on.
    """
    mailed = client_mail.mailable_of(db, course.id)
    if not mailed:
        return
    choice, _version = client_mail.choice(db)
    for client in mailed:
        _hand_on(db, client, course, now=now)
        found = differences(db, client, [course.id], now=now)
        new = [] if is_news else [one for one in found if one.known is None]
        take_as_known(db, client, new)
        told = settle(db, client, choice, [one for one in found if one not in new])
        _announce(db, client, course, told, now=now)


def start(db: Session, client: ClientRow, *, now: datetime) -> None:
    """From now on the client is mailed: what is booked already is nothing new to them."""
    of_client = [course.id for course in courses.of_client(db, client.id)]
    take_as_known(db, client, differences(db, client, of_client, now=now))


def differences(db: Session, client: ClientRow, course_ids: Iterable[int], *, now: datetime) -> list[Difference]:
    """What the client is still to be told of the hours ahead, in order of time."""
    found = []
    for row, known in client_mail.hours_ahead(db, client.id, course_ids, now=now):
        kind = rules.news(known.shown if known else None, client_mail.shown(row))
        if kind is not None:
            found.append(Difference(kind=kind, row=row, known=known))
    return found


def take_as_known(db: Session, client: ClientRow, found: Iterable[Difference]) -> None:
    """The client knows these hours as they stand, without a mail."""
    for one in found:
        known = one.known or new_hour(db, one.row, client)
        known.take_over(client_mail.shown(one.row))
    db.flush()


def new_hour(db: Session, row: AppointmentRow, client: ClientRow) -> ClientHourRow:
    known = ClientHourRow(appointment_id=row.id, client_id=client.id, uid=row.feed_uid, raised=0)
    db.add(known)
    return known


def sequence_of(row: AppointmentRow, known: ClientHourRow | None) -> int:
    """Of the entry in the client's calendar; it rises with every change."""
    return row.version + (known.raised if known else 0)


def settle(db: Session, client: ClientRow, choice: ClientMail, found: Sequence[Difference]) -> list[Difference]:
    """Those of the differences that a mail may tell of; the others the client knows from now on."""
    silent = [one for one in found if not choice.tells(one.kind)]
    take_as_known(db, client, silent)
    return [one for one in found if one not in silent]


def _hand_on(db: Session, client: ClientRow, course: CourseRow, *, now: datetime) -> None:
    """Where a standing was replaced, the hour of each week is a new one: to the client it is the same, moved or not."""
    ahead = client_mail.hours_ahead(db, client.id, [course.id], now=now)
    new = [row for row, known in ahead if known is None and row.standing_id and client_mail.shown(row).is_on]
    for old, known in ahead:
        if known is None or not known.is_on or old.void_at is None:
            continue
        week = old.starts.isocalendar()[:2]
        heir = next((one for one in new if one.starts.isocalendar()[:2] == week), None)
        if heir is not None:
            new.remove(heir)
            _inherit(db, client, heir, old, known)


def _inherit(db: Session, client: ClientRow, heir: AppointmentRow, old: AppointmentRow, known: ClientHourRow) -> None:
    entry = new_hour(db, heir, client)
    entry.take_over(known.shown)
    entry.uid, entry.raised = known.uid, sequence_of(old, known)
    entry.mailed_at, entry.message, entry.reminded_of = known.mailed_at, known.message, known.reminded_of
    db.delete(known)
    db.flush()


def _announce(db: Session, client: ClientRow, course: CourseRow, found: Sequence[Difference], *, now: datetime) -> None:
    whose = f"{client.public_id}:{course.public_id}"
    states = ",".join(f"{one.row.public_id}:{one.row.version}" for one in found)
    key = hashlib.sha256(states.encode()).hexdigest()[:40]
    waiting = outbox.waiting(db, CHANGE, about="whose", subject=whose, free_at=now)
    if found and any(one["key"] == key for one in outbox.payloads(db, waiting)):
        return
    outbox.close(db, waiting, "superseded", now=now)
    if found:
        payload = {"whose": whose, "client": client.public_id, "course": course.public_id, "key": key}
        # Without a key of its own: the same differences can wait again after others came and were undone.
        outbox.add(db, CHANGE, payload, not_before=now + GRACE, now=now)
