"""A mail to a client as it leaves: what it says now, that it left, and reminders when their time comes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.access import CLOCK, Actor
from service.domain.appointment import FREEING
from service.domain.client_mail import GRACE, ClientMail, Hour, Item, Kind, Shown, Words, news
from service.domain.feed import FeedEvent
from service.domain.phrase import Phrase, Speaker
from service.domain.standing import Modality
from service.notices import Notice
from service.notices.client import client_notice, place_of, summary_of
from service.store import absences, appointments, audit, client_mail, clients, courses, outbox
from service.store.appointments import AppointmentRow
from service.store.client_mail import ClientHourRow
from service.store.clients import ClientRow
from service.store.courses import CourseRow
from service.store.outbox import OutboxRow
from service.store.people import Directory, directory
from service.store.transaction import reading, writing
from service.usecases import client_hours, steps
from service.usecases.client_hours import REMINDER

MOST_REMINDERS = 100
"""Written down at once, so that nobody at a desk waits long for the database; the next sweep goes on."""
MOST_READ = 5000
"""Among them those that nobody is reminded of, which stand there at the next sweep again."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One hour of a letter."""

    appointment: str
    item: Item
    uid: str
    sequence: int
    changed_at: datetime
    shown: Shown
    """As the client knows it once the mail is out."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A mail that is about to leave."""

    message: str
    """Public id of the message, stable over attempts."""
    to: str
    locale: str | None
    client: str
    course: str
    lines: tuple[Line, ...]
    words: Words


@writing
def letter(db: Session, *, message: int, attempt: int, now: datetime) -> Letter | None:
    """What the message says now; None, and the message superseded, where there is nothing to say, or nobody to hear it.

    Looked up anew at each attempt, since the client may have taken back their word, and the hour may have moved again.
    """
    row = db.get_one(OutboxRow, message)
    steps.take_turn(db, CourseRow.public_id == row.payload["course"])
    course, client = courses.get(db, row.payload["course"]), clients.get(db, row.payload["client"])
    choice, _version = client_mail.choice(db)
    is_mailed = choice.is_on and client.id in {one.id for one in client_mail.mailable_of(db, course.id)}
    lines = _lines(db, row, course, client, choice, now=now) if is_mailed else ()
    if not lines:
        outbox.settle(db, message, attempt, state="superseded", done_at=now)
        return None
    return Letter(
        message=row.public_id,
        to=client.email or "",
        locale=client.locale,
        client=client.public_id,
        course=course.public_id,
        lines=tuple(lines),
        words=Words(clinic=choice.clinic, sign_off=choice.sign_off, texts=client_mail.texts(db)),
    )


def notice_of(letter: Letter, speaks: Speaker) -> Notice:
    """The letter in its reader's words."""
    return client_notice([line.item for line in letter.lines], letter.words, speaks)


def entries_of(letter: Letter, speaks: Speaker) -> tuple[FeedEvent, ...]:
    """The letter's hours as the client's calendar is to have them. Called "appointment": others see that calendar."""
    return tuple(_entry(line, speaks) for line in letter.lines)


@writing
def note_sent(db: Session, *, letter: Letter, now: datetime) -> None:
    """The mail server took it: the client knows these hours as the letter says."""
    steps.take_turn(db, CourseRow.public_id == letter.course)
    client, course = clients.get(db, letter.client), courses.get(db, letter.course)
    choice, _version = client_mail.choice(db)
    rows = _by_public_id(db, (line.appointment for line in letter.lines))
    for line in letter.lines:
        row = rows[line.appointment]
        known = db.get(ClientHourRow, (row.id, client.id)) or client_hours.new_hour(db, row, client)
        known.take_over(line.shown)
        known.mailed_at, known.message = now, letter.message
    db.flush()
    audit.record(
        db, "mail", by=CLOCK, now=now, kind="client", subject=client.public_id, detail={"message": letter.message}
    )
    if choice.counts_as_told:
        changed = [rows[line.appointment] for line in letter.lines if line.item.kind is not Kind.REMINDER]
        _count_as_told(db, course, changed, now=now)


@writing
def call_reminders(db: Session, *, now: datetime) -> int:
    """Write a reminder for each hour that comes within the clinic's time and has none; how many. For the clock.

    They wait the grace, so that of what is just being booked or moved a mail is out before. Of an hour into which
    somebody is away nobody is reminded: it can't take place as it stands.
    """
    choice, _version = client_mail.choice(db)
    if not choice.tells(Kind.REMINDER):
        return 0
    until = now + timedelta(hours=choice.hours_before)
    found = client_mail.to_remind(db, until=until, now=now, limit=MOST_READ)
    lost = _lost(db, [row for row, _known, _client in found])
    written = 0
    for row, known, client in [one for one in found if one[0].id not in lost][:MOST_REMINDERS]:
        known.reminded_of = row.starts_at
        payload = {
            "client": client,
            "course": db.get_one(CourseRow, row.course_id).public_id,
            "appointment": row.public_id,
            "starts": row.starts_at.isoformat(),
        }
        key = f"{REMINDER}:{row.public_id}:{client}:{row.starts_at:%Y%m%dT%H%M}:{now:%Y%m%dT%H%M}"
        written += outbox.add(db, REMINDER, payload, dedup_key=key, not_before=now + GRACE, now=now)
    return written


@reading
def mailed_at(db: Session, *, appointment_id: str, by: Actor) -> datetime | None:
    """When a mail about the hour last went out to whom it concerns. :raises NotFound: not there, or not theirs."""
    row, people = appointments.get(db, appointment_id), directory(db)
    steps.may_see(db, db.get_one(CourseRow, row.course_id), people, by)
    return next((at for at, _client in client_mail.mailed_of(db, row.id)), None)


# --- steps ------------------------------------------------------------------------------------------------------------


def _lines(
    db: Session, message: OutboxRow, course: CourseRow, client: ClientRow, choice: ClientMail, *, now: datetime
) -> Sequence[Line]:
    people = directory(db)
    if message.topic == REMINDER:
        return _reminder(db, message, course, client, choice, people, now=now)
    found = client_hours.differences(db, client, [course.id], now=now)
    return [
        _line(one.row, one.kind, course, people, known=one.known)
        for one in client_hours.settle(db, client, choice, found)
    ]


def _reminder(
    db: Session,
    message: OutboxRow,
    course: CourseRow,
    client: ClientRow,
    choice: ClientMail,
    people: Directory,
    *,
    now: datetime,
) -> list[Line]:
    row = _by_public_id(db, [message.payload["appointment"]])[message.payload["appointment"]]
    known = db.get(ClientHourRow, (row.id, client.id))
    is_now = client_mail.shown(row)
    is_due = is_now.is_on and row.starts_at > now and row.starts_at.isoformat() == message.payload["starts"]
    if known is None or not is_due or not choice.tells(Kind.REMINDER):
        return []
    if _lost(db, [row]):
        known.reminded_of = None  # if it takes place after all, it is reminded of
        return []
    waits = news(known.shown, is_now)
    if waits is not None and choice.tells(waits):
        return []  # the mail about the change is on its way, and says the same
    if known.mailed_at is not None and known.mailed_at >= row.starts_at - timedelta(hours=choice.hours_before):
        return []
    return [_line(row, Kind.REMINDER, course, people, known=known)]


def _lost(db: Session, rows: Sequence[AppointmentRow]) -> set[int]:
    """Inner ids of those that lie in a known absence."""
    if not rows:
        return set()
    since, until = min(row.starts for row in rows), max(row.starts for row in rows) + timedelta(days=1)
    known = steps.Known(absences=tuple(absences.touching(db, since, until)), working=())
    if not known.absences:
        return set()
    return {row.id for row in rows if steps.lost_to(row, db.get_one(CourseRow, row.course_id), known) is not None}


def _line(
    row: AppointmentRow, kind: Kind, course: CourseRow, people: Directory, *, known: ClientHourRow | None = None
) -> Line:
    is_now = client_mail.shown(row)
    # Of an hour that is off, the client is told the time that they know.
    told = known.shown if kind is Kind.CANCELLED and known is not None else is_now
    was = _hour(known.shown, row, course, people) if kind is Kind.MOVED and known is not None else None
    return Line(
        appointment=row.public_id,
        item=Item(kind=kind, hour=_hour(told, row, course, people), was=was),
        uid=known.uid if known is not None else row.feed_uid,
        sequence=client_hours.sequence_of(row, known),
        changed_at=row.changed_at,
        shown=is_now,
    )


def _hour(shown: Shown, row: AppointmentRow, course: CourseRow, people: Directory) -> Hour:
    room = people.rooms[shown.room] if shown.room is not None else None
    return Hour(
        starts=shown.starts,
        minutes=shown.minutes,
        zone=row.zone,
        site=people.sites[room.site_id if room else course.site_id].name,
        room=room.name if room else None,
        modality=Modality(shown.modality),
        therapist=people.therapists[shown.therapist].name,
    )


def _entry(line: Line, speaks: Speaker) -> FeedEvent:
    hour, kind = line.item.hour, line.item.kind
    place = place_of(hour)
    return FeedEvent(
        uid=line.uid,
        zone=hour.zone,
        starts=hour.starts,
        minutes=hour.minutes,
        summary=summary_of(kind).said(speaks),
        location=place.said(speaks) if isinstance(place, Phrase) else str(place),
        changed_at=line.changed_at,
        sequence=line.sequence,
        is_cancelled=kind is Kind.CANCELLED,
    )


def _count_as_told(db: Session, course: CourseRow, rows: Iterable[AppointmentRow], *, now: datetime) -> None:
    """Of a couple or a group, once each of them was mailed."""
    everybody = set(courses.client_ids(db, course.id))
    told = [row for row in rows if row.void_at is None and _is_mailed_to(db, row, everybody)]
    changes = appointments.changes_of(db, [row.id for row in told])
    for row in told:
        for change in changes.get(row.id, ()):
            change.told_at = change.told_at or now
        if row.status in {status.value for status in FREEING}:
            row.told_at = row.told_at or now
        row.version += 1
        audit.record(db, "tell", by=CLOCK, now=now, kind="appointment", subject=row.public_id, fields=["told_at"])
    if told:
        steps.course_changed(db, course, therapists=[row.therapist_id for row in told], by=CLOCK, now=now)


def _is_mailed_to(db: Session, row: AppointmentRow, clients_in: set[int]) -> bool:
    known = client_mail.of_appointment(db, row.id)
    is_now = client_mail.shown(row)
    return all(one in known and known[one].mailed_at is not None and known[one].shown == is_now for one in clients_in)


def _by_public_id(db: Session, public_ids: Iterable[str]) -> dict[str, AppointmentRow]:
    """Void ones included: their going is news, too."""
    query = select(AppointmentRow).where(AppointmentRow.public_id.in_(sorted(set(public_ids))))
    return {row.public_id: row for row in db.scalars(query)}
