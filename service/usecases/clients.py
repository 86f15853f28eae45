"""Clients: who they are and how to reach them. Every look at one is on record."""

from dataclasses import dataclass
from datetime import datetime

from rapidfuzz import fuzz, process, utils
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import Actor, Role
from service.domain.client_mail import is_address
from service.domain.phrase import say
from service.domain.refusals import Malformed
from service.language import LOCALES
from service.store import audit, clients, courses
from service.store.appointments import AppointmentRow
from service.store.clients import ClientRow
from service.store.courses import CourseClientRow, CourseRow
from service.store.people import Directory, directory
from service.store.transaction import reading, writing
from service.usecases import client_hours, steps

CLOSE_ENOUGH = 60
"""Of 100: how alike a name and a query must be to be offered."""


@dataclass(frozen=True, kw_only=True)
class Client:
    id: str
    reference: str
    name: str
    email: str | None
    phone: str | None
    is_safe_to_contact: bool
    may_be_mailed: bool
    """They agreed to mails about their hours; sent only while it is safe to contact them."""
    locale: str | None
    """How they are written to, `de_AT`; None: as the clinic speaks."""
    courses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Match:
    """A client that a search found, best first."""

    id: str
    reference: str
    name: str
    courses: tuple[str, ...]


@writing
def add(
    db: Session,
    *,
    name: str,
    email: str | None = None,
    phone: str | None = None,
    is_safe_to_contact: bool = True,
    may_be_mailed: bool = False,
    locale: str | None = None,
    by: Actor,
    now: datetime,
) -> str:
    """Public id of the new client.

    :raises Forbidden: the desk and managers do that. :raises Malformed: no name, or no address to mail to.
    """
    access.require(by, Role.FRONT_DESK, Role.MANAGER)
    row = add_row(db, name=name, email=email, phone=phone, is_safe_to_contact=is_safe_to_contact, by=by, now=now)
    row.may_be_mailed, row.locale = may_be_mailed, checked_locale(locale)
    expect_address(row)
    return row.public_id


@writing
def change(
    db: Session,
    *,
    client: str,
    name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    is_safe_to_contact: bool | None = None,
    may_be_mailed: bool | None = None,
    locale: str | None = None,
    by: Actor,
    now: datetime,
) -> None:
    """Change what is given; "" removes an address, a number or a language.

    :raises NotFound: :raises Forbidden: :raises Malformed:
    """
    access.require(by, Role.FRONT_DESK, Role.MANAGER)
    row = clients.get(db, client)
    given: dict[str, object] = {
        "name": name,
        "email": email,
        "phone": phone,
        "is_safe_to_contact": is_safe_to_contact,
        "may_be_mailed": may_be_mailed,
        "locale": locale,
    }
    was_mailed = _is_mailed(row)
    fields = [field for field, value in given.items() if value is not None]
    if name is not None:
        row.name = checked_name(name)
    if email is not None:
        row.email = email.strip() or None
    if phone is not None:
        row.phone = phone.strip() or None
    if is_safe_to_contact is not None:
        row.is_safe_to_contact = is_safe_to_contact
    if may_be_mailed is not None:
        row.may_be_mailed = may_be_mailed
    if locale is not None:
        row.locale = checked_locale(locale or None)
    expect_address(row)
    if _is_mailed(row) and not was_mailed:
        client_hours.start(db, row, now=now)
    row.updated_at, row.version = now, row.version + 1
    audit.record(db, "change", by=by, now=now, kind="client", subject=row.public_id, fields=fields)
    if name is not None:
        _show_new_name(db, row)


@writing
def show(db: Session, *, client: str, by: Actor, now: datetime) -> Client:
    """One client, and a line in the audit that it was looked at. :raises NotFound: not there, or not theirs."""
    row, people = clients.get(db, client), directory(db)
    rows = [course for course in courses.of_client(db, row.id) if _is_theirs(db, course, people, by)]
    if not rows and not by.has(Role.FRONT_DESK, Role.MANAGER):
        raise steps.no_such("client")
    audit.record(db, "view", by=by, now=now, kind="client", subject=row.public_id)
    return Client(
        id=row.public_id,
        reference=row.reference,
        name=row.name,
        email=row.email,
        phone=row.phone,
        is_safe_to_contact=row.is_safe_to_contact,
        may_be_mailed=row.may_be_mailed,
        locale=row.locale,
        courses=tuple(course.public_id for course in rows),
    )


@reading
def find(db: Session, *, query: str, limit: int = 20, by: Actor) -> list[Match]:
    """Clients whose name or reference is like the query, best first; with an empty query all, by name.

    Spelling is forgiven. A therapist finds their own clients alone.
    """
    access.require(by, Role.FRONT_DESK, Role.MANAGER, Role.THERAPIST, to_change=False)
    names = clients.names(db)
    if by.has(Role.FRONT_DESK, Role.MANAGER):
        return _matches(db, _ranked(db, names, query.strip(), limit))
    own = _own_courses(db, by)
    theirs = set(db.scalars(select(CourseClientRow.client_id).where(CourseClientRow.course_id.in_(own))))
    names = {client: name for client, name in names.items() if client in theirs}
    return _matches(db, _ranked(db, names, query.strip(), limit), among=own)


def _show_new_name(db: Session, row: ClientRow) -> None:
    """Boards and calendars show names, so each that shows this one is built anew."""
    shown = select(AppointmentRow.therapist_id, AppointmentRow.room_id).join(
        CourseClientRow, CourseClientRow.course_id == AppointmentRow.course_id
    )
    found = db.execute(shown.where(CourseClientRow.client_id == row.id).distinct()).all()
    courses = db.scalars(select(CourseClientRow.course_id).where(CourseClientRow.client_id == row.id))
    steps.calendars_changed(
        db, {therapist for therapist, _ in found}, rooms={room for _, room in found}, courses=courses.all()
    )


def _ranked(db: Session, names: dict[int, str], query: str, limit: int) -> list[int]:
    if not query:
        return sorted(names, key=lambda client: (names[client].casefold(), client))[:limit]
    by_reference = db.scalar(select(ClientRow.id).where(ClientRow.reference == query.upper()))
    found = process.extract(
        query, names, scorer=fuzz.WRatio, processor=utils.default_process, limit=limit, score_cutoff=CLOSE_ENOUGH
    )
    ids = [client for _name, _score, client in found]
    if by_reference in names:
        ids = [by_reference, *(client for client in ids if client != by_reference)]
    return ids[:limit]


def _matches(db: Session, ids: list[int], *, among: set[int] | None = None) -> list[Match]:
    """`among`: the courses that may be named; a client may have others that the reader does not know of."""
    rows = clients.by_ids(db, ids)
    joined = select(CourseClientRow.client_id, CourseRow.public_id).join(
        CourseRow, CourseRow.id == CourseClientRow.course_id
    )
    if among is not None:
        joined = joined.where(CourseClientRow.course_id.in_(among))
    of_client: dict[int, list[str]] = {}
    for client, course in db.execute(joined.where(CourseClientRow.client_id.in_(ids)).order_by(CourseRow.id)):
        of_client.setdefault(client, []).append(course)
    return [
        Match(
            id=rows[client].public_id,
            reference=rows[client].reference,
            name=rows[client].name,
            courses=tuple(of_client.get(client, ())),
        )
        for client in ids
    ]


def _own_courses(db: Session, by: Actor) -> set[int]:
    if by.therapist is None:
        return set()
    return steps.courses_of_therapist(db, directory(db).therapist(by.therapist).id)


def _is_theirs(db: Session, course: CourseRow, people: Directory, by: Actor) -> bool:
    return access.may_see_course(by, steps.therapists_of(db, course, people))


def add_row(
    db: Session,
    *,
    name: str,
    email: str | None = None,
    phone: str | None = None,
    is_safe_to_contact: bool = True,
    by: Actor,
    now: datetime,
) -> ClientRow:
    """A step for use-cases that bring clients along: the row, flushed, with its line in the audit."""
    row = clients.new_row(name=checked_name(name), now=now)
    row.email, row.phone, row.is_safe_to_contact = email or None, phone or None, is_safe_to_contact
    db.add(row)
    db.flush()
    row.reference = f"C{row.id:05d}"
    audit.record(db, "add", by=by, now=now, kind="client", subject=row.public_id)
    return row


def checked_locale(locale: str | None) -> str | None:
    """:raises Malformed: none of ours."""
    if locale is not None and locale not in LOCALES:
        raise Malformed(say("samehour does not speak that language."), where="locale")
    return locale


def expect_address(row: ClientRow) -> None:
    """:raises Malformed: somebody who is to be mailed has no address that a mail can go to."""
    if row.may_be_mailed and not is_address(row.email or ""):
        raise Malformed(say("To mail them, enter one e-mail address."), where="email")


def _is_mailed(row: ClientRow) -> bool:
    return row.may_be_mailed and row.is_safe_to_contact and row.email_sealed is not None


def checked_name(name: str) -> str:
    """:raises Malformed: empty, too long, or with characters that are not printed."""
    plain = " ".join(name.split())
    if not plain or len(plain) > 200 or not plain.isprintable():
        raise Malformed(say("A name has 1 to 200 printable characters."), where="name")
    return plain
