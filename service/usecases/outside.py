"""Calendars elsewhere that a therapist lives by too: add one, have it read, and know when they are busy.

Reading takes three steps, so that no transaction waits for a machine elsewhere: `errand` says what is to be asked,
somebody asks and reads, and `note_read`, `note_same` or `note_fault` writes down what came of it. Whoever carries it
out holds the lease of the calendar's message; what somebody writes who has lost it, is dropped.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from service.domain import access, web_address
from service.domain import outside as domain
from service.domain.access import Actor, Role
from service.domain.hours import LocalTime, instant, local_time
from service.domain.outside import Reading
from service.domain.phrase import say
from service.domain.refusals import Conflict, Malformed, NotFound
from service.store import audit, outbox, outside
from service.store.outbox import OutboxRow
from service.store.outside import OutsideCalendarRow
from service.store.people import Directory, TherapistRow, directory
from service.store.seal import seal
from service.store.transaction import note_message, reading, writing
from service.usecases import steps

SOONEST = timedelta(minutes=1)
"""From one reading that a person asked for to the next."""
LONGEST_TAG, LONGEST_DATE = 200, 60
_REST = timedelta(days=1)
"""When somebody whose account has ended is looked at again."""


class CannotFollow(Conflict):
    """The therapist has as many calendars as one can keep an eye on, or this very one already."""


class ReadJustNow(Conflict):
    """It was read a moment ago: whoever keeps it need not be asked again."""


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """A calendar as its page lists it: of the address, the machine alone."""

    id: str
    name: str
    therapist: str
    therapist_name: str
    host: str
    made_by: str
    created_at: datetime
    tried_at: datetime | None
    read_at: datetime | None
    """When it was last read, or said that nothing has changed."""
    next_at: datetime | None
    """None while it is not read: its therapist's account has ended, or its message was dropped."""
    busy: int
    """Times from now on; those that touch are one."""
    left_out: Mapping[str, int]
    """How many entries could not be read, by a key of `service.domain.outside.left_out_text`."""
    fault: str | None
    """The kind of the last one, a key of service.domain.outside.FAULTS; None where the last reading went well."""
    failures: int
    """In a row."""
    is_lived: bool
    """False where the therapist's account has ended: it is not read, and its times do not count."""

    @property
    def is_troubled(self) -> bool:
        return self.failures >= domain.TROUBLED_AFTER


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """When a therapist is busy elsewhere, on a site's wall."""

    therapist: str
    therapist_name: str
    since: LocalTime
    until: LocalTime


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What is to be asked, where, and what is known of it already."""

    calendar: str
    message: int
    attempt: int
    url: str
    etag: str | None
    modified: str | None
    """Both None where it is to be read whole."""
    zone: str
    """Where the therapist lives: floating times and whole days are of that zone."""
    since: datetime
    until: datetime


# --- adding and ending ----------------------------------------------------------------------------------------------


@writing
def create(
    db: Session,
    *,
    name: str,
    url: str,
    therapist: str | None = None,
    public_url: str,
    own_network: bool = False,
    by: Actor,
    now: datetime,
) -> str:
    """Follow the calendar at that address from now on; its public id. Without a therapist, oneself.

    `public_url` is where this installation is reached; `own_network` says that it lets calendars of the clinic's own
    network be read.

    :raises NotFound: no such therapist, or somebody else, for whom only managers may add one.
    :raises Malformed: no name. :raises CannotReach: not an address that may be asked.
    :raises CannotSubscribeToOwn: see there. :raises CannotFollow: see there.
    """
    access.require(by, Role.THERAPIST, Role.MANAGER)
    whose, plain = _therapist(db, therapist or by.therapist, by), domain.address_of(url)
    domain.expect_foreign(web_address.read(plain, own_network=own_network), public_url)
    theirs = outside.of_therapists(db, {whose.id})
    if len(theirs) >= domain.MOST:
        raise CannotFollow(
            say("{n} calendars are read already. Remove one that is not needed any more.", n=domain.MOST)
        )
    if any(_url(row) == plain for row in theirs):
        raise CannotFollow(say("This calendar is read already."), where="url")
    row = OutsideCalendarRow(
        therapist_id=whose.id, name=_named(name), url="", made_by=by.name, created_at=now, changed_at=now
    )
    db.add(row)
    db.flush()
    row.url = seal().close(plain, row=row.public_id, column="outside_calendars:url")
    outbox.add(db, outside.TOPIC, {"calendar": row.public_id}, dedup_key=outside.key_of(row.public_id), now=now)
    _record(db, "add", row, whose, by=by, now=now)
    public_id: str = row.public_id
    return public_id


@writing
def rename(db: Session, *, calendar: str, name: str, by: Actor, now: datetime) -> None:
    """:raises NotFound: no such one, or not theirs. :raises Malformed: no name."""
    row, whose = _find(db, calendar, by)
    row.name = _named(name)
    _record(db, "rename", row, whose, by=by, now=now)


@writing
def remove(db: Session, *, calendar: str, by: Actor, now: datetime) -> None:
    """Read it no more, and forget its address and all that it said. :raises NotFound: no such one, or not theirs."""
    row, whose = _find(db, calendar, by)
    outside.forget(db, row)
    _record(db, "delete", row, whose, by=by, now=now)


@writing
def read_now(db: Session, *, calendar: str, by: Actor, now: datetime) -> None:
    """Have it read at once. :raises NotFound: no such one, or not theirs. :raises ReadJustNow: see there."""
    row, whose = _find(db, calendar, by)
    if row.tried_at is not None and row.tried_at > now - SOONEST:
        raise ReadJustNow(say("It was read less than a minute ago."))
    message = outside.messages(db, [calendar]).get(calendar)
    if message is None:
        outbox.add(db, outside.TOPIC, {"calendar": calendar}, dedup_key=outside.key_of(calendar), now=now)
    else:
        outside.arm(db, message, now=now)
        note_message(db, message.id)
    _record(db, "read", row, whose, by=by, now=now)


# --- looking --------------------------------------------------------------------------------------------------------


@reading
def listed(db: Session, *, by: Actor, now: datetime) -> list[Calendar]:
    """One's own, in order of creation; managers see all, by therapist."""
    access.require(by, Role.THERAPIST, Role.MANAGER, to_change=False)
    people = directory(db)
    ids = (
        None
        if by.has(Role.MANAGER)
        else {row.id for row in people.therapists.values() if row.public_id == by.therapist}
    )
    found = _views(db, outside.of_therapists(db, ids), people, now)
    return sorted(found, key=lambda one: (one.therapist != by.therapist, one.therapist_name))


@reading
def elsewhere(db: Session, *, since: LocalTime, until: LocalTime, zone: str, by: Actor) -> list[Elsewhere]:
    """When therapists are busy elsewhere between two moments on the wall of that zone, in order.

    The desk and the managers see everybody; a therapist sees themselves.
    """
    access.require(by, Role.FRONT_DESK, Role.THERAPIST, Role.MANAGER, to_change=False)
    people = directory(db)
    everybody = by.has(Role.FRONT_DESK, Role.MANAGER)
    ids = [row.id for row in people.therapists.values() if everybody or row.public_id == by.therapist]
    found = outside.busy(db, since=instant(since, zone), until=instant(until, zone), therapist_ids=ids)
    return [
        Elsewhere(
            therapist=people.therapist_public(whose),
            therapist_name=people.therapists[whose].name,
            since=local_time(begins, zone),
            until=local_time(ends, zone),
        )
        for whose, begins, ends in found
    ]


# --- reading it -----------------------------------------------------------------------------------------------------


@writing
def errand(db: Session, *, message: int, attempt: int, now: datetime) -> Errand | None:
    """What is to be asked for the outbox row; None where nothing is, which is written down."""
    sent = db.get_one(OutboxRow, message)
    row = outside.find(db, sent.payload["calendar"])
    if row is None:
        outbox.settle(db, message, attempt, state="superseded", done_at=now)
        return None
    if not outside.is_lived(db, row.therapist_id):
        outbox.settle(db, message, attempt, attempts=0, not_before=now + _REST)
        return None
    is_fresh = row.filled_at is not None and row.filled_at > now - domain.FRESH
    people = directory(db)
    return Errand(
        calendar=row.public_id,
        message=message,
        attempt=attempt,
        url=_url(row),
        etag=row.etag if is_fresh else None,
        modified=row.modified if is_fresh else None,
        zone=people.sites[people.therapists[row.therapist_id].site_id].zone,
        since=now - domain.BEHIND,
        until=now + domain.AHEAD,
    )


@writing
def note_read(
    db: Session, *, errand: Errand, found: Reading, etag: str | None, modified: str | None, now: datetime
) -> bool:
    """It was read whole, and says this; False where somebody else has read it meanwhile, and nothing is written."""
    row = _still_ours(db, errand, now=now, after=domain.wait_after(0, luck=_luck()))
    if row is None:
        return False
    if outside.replace_spans(db, row.id, found.spans):
        row.changed_at = now
    row.etag = etag if etag and len(etag) <= LONGEST_TAG else None
    row.modified = modified if modified and len(modified) <= LONGEST_DATE else None
    row.left_out, row.filled_at = dict(found.left_out), now
    _went_well(row, now)
    return True


@writing
def note_same(db: Session, *, errand: Errand, now: datetime) -> bool:
    """It says that nothing has changed; False as with `note_read`."""
    row = _still_ours(db, errand, now=now, after=domain.wait_after(0, luck=_luck()))
    if row is not None:
        _went_well(row, now)
    return row is not None


@writing
def note_fault(db: Session, *, errand: Errand, fault: str, wish: timedelta | None = None, now: datetime) -> bool:
    """It could not be read: what it said before is kept. `wish` is how long it asks to be left alone.

    False as with `note_read`.
    """
    row = outside.find(db, errand.calendar)
    failures = row.failures + 1 if row else 1
    wait = max(domain.wait_after(failures, luck=_luck()), min(wish or timedelta(0), domain.LONGEST_WAIT))
    row = _still_ours(db, errand, now=now, after=wait)
    if row is not None:
        row.fault, row.failures, row.tried_at = fault, failures, now
    return row is not None


# --- steps ----------------------------------------------------------------------------------------------------------


def _still_ours(db: Session, errand: Errand, *, now: datetime, after: timedelta) -> OutsideCalendarRow | None:
    """Arm the message for the next reading; the calendar's row, None where a later attempt has taken over."""
    is_ours = outbox.settle(db, errand.message, errand.attempt, attempts=0, not_before=now + after, last_error=None)
    return outside.find(db, errand.calendar) if is_ours else None


def _went_well(row: OutsideCalendarRow, now: datetime) -> None:
    row.tried_at, row.read_at, row.fault, row.failures = now, now, None, 0


def _luck() -> float:
    return random.random()  # noqa: S311  no secret


def _find(db: Session, calendar: str, by: Actor) -> tuple[OutsideCalendarRow, TherapistRow]:
    access.require(by, Role.THERAPIST, Role.MANAGER)
    row = outside.get(db, calendar)
    whose = directory(db).therapists[row.therapist_id]
    if whose.public_id != by.therapist and not by.has(Role.MANAGER):
        raise NotFound(say("There is no such calendar."))
    return row, whose


def _therapist(db: Session, therapist: str | None, by: Actor) -> TherapistRow:
    if therapist is None:
        raise Malformed(say("Say whose calendar it is."), where="therapist")
    if therapist != by.therapist and not by.has(Role.MANAGER):
        raise NotFound(say("There is no such therapist."), where="therapist")
    return directory(db).therapist(therapist)


def _named(name: str) -> str:
    return steps.on_one_line(name, otherwise=say("A name has 1 to 120 printable characters, such as “Home”."))


def _url(row: OutsideCalendarRow) -> str:
    return seal().open(row.url, row=row.public_id, column="outside_calendars:url")


def _record(
    db: Session, action: str, row: OutsideCalendarRow, whose: TherapistRow, *, by: Actor, now: datetime
) -> None:
    detail = {"therapist": whose.public_id}
    audit.record(db, action, by=by, now=now, kind="outside calendar", subject=row.public_id, detail=detail)


def _views(db: Session, rows: list[OutsideCalendarRow], people: Directory, now: datetime) -> list[Calendar]:
    busy, sent = outside.counts(db, since=now), outside.messages(db, [row.public_id for row in rows])
    lived = {whose: outside.is_lived(db, whose) for whose in {row.therapist_id for row in rows}}
    return [
        Calendar(
            id=row.public_id,
            name=row.name,
            therapist=people.therapist_public(row.therapist_id),
            therapist_name=people.therapists[row.therapist_id].name,
            host=web_address.host_of(_url(row)),
            made_by=row.made_by,
            created_at=row.created_at,
            tried_at=row.tried_at,
            read_at=row.read_at,
            next_at=_next(sent.get(row.public_id)) if lived[row.therapist_id] else None,
            busy=busy.get(row.id, 0),
            left_out=row.left_out,
            fault=row.fault,
            failures=row.failures,
            is_lived=lived[row.therapist_id],
        )
        for row in rows
    ]


def _next(message: OutboxRow | None) -> datetime | None:
    return message.not_before if message is not None and message.state == "pending" else None
