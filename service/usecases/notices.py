"""How people want to be told, the day's digest, and what nobody has answered."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.absences import AbsenceKind
from service.domain.access import Actor, Role
from service.domain.alert import AlertState
from service.domain.chat import CannotOffer
from service.domain.hours import LocalTime, local_time
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.domain.signals.signal import Level
from service.domain.telling import (
    UNANSWERED_DAYS,
    CannotPrefer,
    Preferences,
    is_digest_due,
    working_days_later,
)
from service.store import absences, audit, notices, outbox
from service.store.alerts import AlertRow
from service.store.courses import CourseRow
from service.store.people import UserRow, directory, with_role
from service.store.transaction import reading, writing
from service.usecases import alerts, away, chat_services, telling

_DEPUTIES = (Role.THERAPIST, Role.MANAGER)
_TOLD = (*_DEPUTIES, Role.ADMIN)
MOST_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What one person would be sent as things stand."""

    zone: str
    """Of their wall: quiet hours and digests go by it."""
    is_away: bool
    instead: tuple[str, ...]
    """Names of those who are told in their place meanwhile: a deputy who is there, else managers; nobody where no
    deputy was named, or they are not away."""
    push: telling.Push | None
    """All that stands open for them and is worth a message of its own, whether or not they were told of it."""
    digest: telling.Digest | None
    chat: telling.Chat | None
    """What goes to their chat service with the push; None where none is entered."""


@dataclass(frozen=True, kw_only=True)
class ChatPlace:
    """Where a person is told by chat beside mail: all of it that is ever shown."""

    service: str
    """`Slack`"""
    masked: str
    """`slack://••••`"""
    last: str | None
    """What became of the message sent last: `done`, `pending`, `dead`; None where none was."""
    last_error: str | None
    """The kind of fault, where the last try was in vain."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What waits for one person."""

    alerts: int
    """Open ones that are theirs to answer."""
    dead: int
    """Messages that could not be delivered, for those who can do something about it."""


@reading
def preferences(db: Session, *, by: Actor) -> Preferences:
    """How the person wants to be told. :raises NotFound: not a user."""
    user = _own(db, by)
    return notices.preferences(db, [user.id])[user.id]


@reading
def deputies(db: Session, *, by: Actor) -> list[tuple[str, str]]:
    """Public id and name of everybody who may stand in for the person: therapists and managers."""
    query = with_role(*_DEPUTIES).where(UserRow.public_id != (by.user or ""))
    return [(row.public_id, row.name) for row in db.scalars(query.order_by(UserRow.name))]


@reading
def preview(db: Session, *, by: Actor, now: datetime) -> Preview:
    """What they would be sent if it left now. :raises NotFound: not a user."""
    user = _own(db, by)
    of = notices.preferences(db, [user.id])[user.id]
    is_pushed, zone = of.is_pushed and of.pushes_a_day > 0, away.zone_of(db, user)
    is_away = away.is_away(db, user, of, zone, now)
    return Preview(
        zone=zone,
        is_away=is_away,
        instead=_instead(db, user, of, now) if is_away and of.deputy else (),
        push=telling.draft_push(db, user, by, of, now) if is_pushed else None,
        digest=telling.draft_digest(db, user, now),
        chat=telling.draft_chat(db, user, by, of, now) if is_pushed else None,
    )


@reading
def counts(db: Session, *, by: Actor, now: datetime) -> Counts:
    """What waits for whoever asks; nothing for those who are not told of it."""
    return Counts(
        alerts=alerts.count_open(db, by, now=now) if by.has(Role.THERAPIST, Role.MANAGER) else 0,
        dead=outbox.counts(db).get("dead", 0) if by.has(Role.MANAGER, Role.ADMIN) else 0,
    )


@writing
def prefer(db: Session, *, preferences: Preferences, by: Actor, now: datetime) -> None:
    """From now on the person is told in that way.

    :raises CannotPrefer: the deputy is not somebody who may hear of it. :raises Forbidden: a read-only access.
    """
    user = _own(db, by)
    access.require(by, *Role)
    deputy = None
    if preferences.deputy is not None:
        named = UserRow.public_id == preferences.deputy, UserRow.id != user.id
        deputy = db.scalar(with_role(*_DEPUTIES).where(*named))
        if deputy is None:
            raise CannotPrefer(say("Choose another therapist or a manager as your deputy."), where="deputy")
    days = tuple(sorted(set(preferences.digest_days), key=lambda day: day.value))
    notices.write_preferences(
        db, user.id, replace(preferences, digest_days=days), deputy_id=deputy.id if deputy else None
    )
    audit.record(db, "prefer", by=by, now=now, kind="user", subject=user.public_id, fields=["preferences"])


@reading
def chat_place(db: Session, *, by: Actor) -> ChatPlace | None:
    """Where the person is told by chat; None where nothing is entered, or no chat service is offered here."""
    user = _own(db, by)
    address = notices.chat_address(db, user) if chat_services.is_offered() else None
    return _chat_place(db, user, address) if address else None


@writing
def tell_by_chat(db: Session, *, address: str, by: Actor, now: datetime) -> ChatPlace:
    """From now on each message at once goes there as well: how many things there are, and a link.

    :raises CannotChat: not the address of a service that may be used. :raises CannotOffer: none is offered here.
    """
    user = _may_chat(db, by)
    chosen = chat_services.read(address)
    notices.write_chat_address(db, user, chosen.text)
    # What became of messages to another address says nothing about this one.
    outbox.close(db, outbox.waiting(db, telling.CHAT, about="user", subject=user.public_id), "superseded", now=now)
    audit.record(db, "prefer", by=by, now=now, kind="user", subject=user.public_id, fields=["chat"])
    return ChatPlace(service=chosen.service, masked=chosen.masked, last=None, last_error=None)


@writing
def tell_by_chat_no_more(db: Session, *, by: Actor, now: datetime) -> None:
    """Forget the address, and what waits for it. Also where chat services are not offered any more."""
    user = _own(db, by)
    access.require(by, *_TOLD)
    notices.write_chat_address(db, user, None)
    outbox.close(db, outbox.waiting(db, telling.CHAT, about="user", subject=user.public_id), "superseded", now=now)
    audit.record(db, "prefer", by=by, now=now, kind="user", subject=user.public_id, fields=["chat"])


@writing
def try_chat(db: Session, *, by: Actor, now: datetime) -> None:
    """Send a test there, the way that every message goes; one a minute at most.

    :raises CannotOffer: none is offered here, or none was entered.
    """
    user = _may_chat(db, by)
    if not notices.has_chat(db, user.id):
        raise CannotOffer(say("Enter the address of a chat service first."))
    key = f"chat-test:{user.public_id}:{now:%Y%m%dT%H%M}"
    outbox.add(db, telling.CHAT, {"user": user.public_id}, dedup_key=key, now=now)
    audit.record(db, "test", by=by, now=now, kind="user", subject=user.public_id, fields=["chat"])


@writing
def call_digests(db: Session, *, now: datetime) -> int:
    """Write the day's digest for everybody whose hour has come; how many. Each says what it says as it leaves."""
    called = 0
    users = list(db.scalars(with_role(*_TOLD).order_by(UserRow.id)))
    prefer = notices.preferences(db, [user.id for user in users])
    due: dict[str, UserRow] = {}
    for user in users:
        zone = away.zone_of(db, user)
        local = local_time(now, zone)
        if is_digest_due(prefer[user.id], local):
            due[f"digest:{user.public_id}:{local.date().isoformat()}"] = user
    known = outbox.known_keys(db, due)
    for key, user in due.items():
        if key in known or away.is_away(db, user, prefer[user.id], away.zone_of(db, user), now):
            continue
        called += outbox.add(db, telling.DIGEST, {"user": user.public_id}, dedup_key=key, now=now)
    return called


@writing
def pass_on(db: Session, *, grace: timedelta, now: datetime) -> int:
    """Tell managers of what needs somebody, and nobody has acknowledged for two working days; how many alerts."""
    query = (
        select(AlertRow)
        .where(
            AlertRow.state == AlertState.OPEN.value,
            AlertRow.level == Level.ACT.value,
            AlertRow.passed_on_at.is_(None),
            AlertRow.act_since <= now - timedelta(days=UNANSWERED_DAYS),
        )
        .order_by(AlertRow.id)
        .limit(MOST_AT_ONCE)
    )
    managers = list(db.scalars(with_role(Role.MANAGER).order_by(UserRow.id)))
    passed = 0
    for alert in db.scalars(query):
        if _is_unanswered(db, alert, now):
            alert.passed_on_at = now
            telling.write_down(
                db,
                alert,
                managers,
                round_=f"unanswered:{alert.act_since:%Y%m%dT%H%M%S}",
                grace=grace,
                is_for_another=True,
                now=now,
            )
            passed += 1
    return passed


# --- steps ----------------------------------------------------------------------------------------------------------


def _own(db: Session, by: Actor) -> UserRow:
    access.require(by, *Role, to_change=False)
    user = db.scalar(select(UserRow).where(UserRow.public_id == (by.user or "")))
    if user is None:
        raise NotFound(say("There is no such user."))
    return user


def _may_chat(db: Session, by: Actor) -> UserRow:
    access.require(by, *_TOLD)
    if not chat_services.is_offered():
        raise CannotOffer(say("Chat services are not installed here."))
    return _own(db, by)


def _chat_place(db: Session, user: UserRow, address: str) -> ChatPlace | None:
    chosen = chat_services.known(address)
    if chosen is None:
        return None
    last = outbox.last_of_reader(db, telling.CHAT, user.public_id)
    return ChatPlace(
        service=chosen.service,
        masked=chosen.masked,
        last=last.state if last and last.state in {"done", "pending", "dead"} else None,
        last_error=last.last_error if last and last.state in {"pending", "dead"} else None,
    )


def _instead(db: Session, user: UserRow, of: Preferences, now: datetime) -> tuple[str, ...]:
    chain = away.stand_ins(db, user, of, now)
    there = [chain.there] if chain.there else away.managers_there(db, now)
    return tuple(one.name for one in there)


def _is_unanswered(db: Session, alert: AlertRow, now: datetime) -> bool:
    course = db.get_one(CourseRow, alert.course_id)
    site = directory(db).sites[course.site_id]
    since = local_time(alert.act_since, site.zone) if alert.act_since else local_time(now, site.zone)
    free = _free_days(db, site.id, since, local_time(now, site.zone))
    return working_days_later(since, UNANSWERED_DAYS, free) <= local_time(now, site.zone)


def _free_days(db: Session, site_id: int, since: LocalTime, until: LocalTime) -> frozenset[date]:
    """Public holidays and closures of the whole site, day by day."""
    found: set[date] = set()
    for row in absences.touching(db, since, until + timedelta(days=1)):
        is_of_all = row.room_id is None and row.therapist_id is None and row.site_id in {None, site_id}
        if row.kind in {AbsenceKind.HOLIDAY.value, AbsenceKind.CLOSURE.value} and is_of_all:
            day = max(row.since, since).date()
            while datetime.combine(day, datetime.min.time()) < min(row.until, until + timedelta(days=1)):
                found.add(day)
                day += timedelta(days=1)
    return frozenset(found)
