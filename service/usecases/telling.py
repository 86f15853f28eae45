"""Steps of telling: who hears of an alert, with which message, and what a message says when it leaves.

No use-case of its own: the assessment writes notices down, the outbox asks what a message has to say.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from service.domain.access import Actor, Role
from service.domain.alert import AlertState
from service.domain.appointment import FREEING, Attribute, Status
from service.domain.hours import LocalTime, instant, local_time
from service.domain.phrase import Moment, Phrase, say
from service.domain.signals.signal import Level
from service.domain.telling import Preferences, next_push
from service.store import clients, courses, notices, outbox
from service.store.alerts import AlertRow
from service.store.appointments import AppointmentRow, ChangeRow
from service.store.audit import AuditRow
from service.store.base import new_public_id
from service.store.courses import CourseRow
from service.store.notices import NoticeRow
from service.store.outbox import OutboxRow
from service.store.people import Directory, UserRow, directory, roles_of, with_role
from service.usecases import alerts, away, chat_services
from service.usecases.together import Together, gather

PUSH = "notice.mail"
DIGEST = "notice.digest"
CHAT = "notice.chat"
"""Goes with each PUSH, at the same time, to those who entered the address of a chat service."""
NOTICES = frozenset({PUSH, DIGEST, CHAT})
_TEST_LASTS = timedelta(minutes=10)
_SOON = timedelta(days=7)
_SINCE_YESTERDAY = timedelta(days=1)
_MOST_CHANGES = 40
_TOLD_OF = ("move", "cancel", "uncancel")


@dataclass(frozen=True, kw_only=True)
class Push:
    """What cannot wait for the digest, gathered for one person; the most urgent first."""

    to: str
    """An e-mail address."""
    locale: str | None
    """How they want to be spoken to, where they said."""
    alerts: tuple[alerts.Alert, ...]
    together: tuple[Together, ...] = ()
    """What one absence does to several courses; these alerts are not among the others."""
    closed: frozenset[str] = frozenset()
    """Ids of the courses that the reader may not open: they stand in for somebody."""


@dataclass(frozen=True, kw_only=True)
class Digest:
    """One person's day."""

    to: str
    locale: str | None
    day: date
    act: tuple[alerts.Alert, ...]
    watch: tuple[alerts.Alert, ...]
    breaks: tuple[alerts.Alert, ...]
    """Breaks that clients are still to be told of, whether or not that is news."""
    together: tuple[Together, ...]
    """What one absence does to several courses; these alerts are not among the others."""
    for_today: frozenset[str]
    """Ids of the absences among them that are news and need somebody now."""
    changes: tuple[Phrase, ...]
    """What others changed of the coming week's hours since the last digest."""
    dead: int
    """Messages that could not be delivered, for those who can do something about it."""


@dataclass(frozen=True, kw_only=True)
class Chat:
    """That there is something, and how much: it leaves for somebody else's machines."""

    to: str
    """Whose it is, by their address for mail."""
    address: str
    """Of the chat service, with its keys."""
    locale: str | None
    levels: tuple[Level, ...]
    """Of what the mail that it goes with has to say; nothing for a test."""


Letter = Push | Digest | Chat


# --- writing down who is to be told -----------------------------------------------------------------------------------


def readers(db: Session, therapist_id: int, *, is_clinic_caused: bool) -> list[UserRow]:
    """The users who are told: the therapist's, and for what the clinic caused the managers'."""
    found = {row.id: row for row in db.scalars(with_role(Role.THERAPIST).where(UserRow.therapist_id == therapist_id))}
    if is_clinic_caused:
        found |= {row.id: row for row in db.scalars(with_role(Role.MANAGER))}
    return [found[key] for key in sorted(found)]


def write_down(
    db: Session,
    alert: AlertRow,
    users: Sequence[UserRow],
    *,
    round_: str,
    grace: timedelta,
    own: Collection[str] = (),
    is_for_another: bool = False,
    now: datetime,
) -> int:
    """A notice for each of them, and for who stands in for whoever is away; and the messages that carry them.

    `own` are the users whose own doing it was: they find it in the app and in their digest.
    """
    plan = [one for user in users for one in _told_of(db, alert, user, own, is_for_another, now)]
    lock(db, [one.user for one in plan])
    written = 0
    for one in plan:
        written += _note(db, alert, one, round_, now=now)
        if one.is_sent_to:
            of = notices.preferences(db, [one.user.id])[one.user.id]
            zone = away.zone_of(db, one.user)
            push(db, one.user, of, level=Level(alert.level), zone=zone, grace=grace, now=now)
    return written


@dataclass(frozen=True, kw_only=True)
class _Told:
    """One person who is to hear of an alert."""

    user: UserRow
    is_own: bool
    is_for_another: bool
    is_sent_to: bool
    """Else they find it in the app, and in their digest."""


def _told_of(
    db: Session, alert: AlertRow, user: UserRow, own: Collection[str], is_for_another: bool, now: datetime
) -> Iterator[_Told]:
    """The user, and whoever is told in their place while they are away: never only somebody who is away as well."""

    def told(whom: UserRow, *, is_there: bool, is_for_another: bool = True) -> _Told:
        is_own = whom.public_id in own
        return _Told(user=whom, is_own=is_own, is_for_another=is_for_another, is_sent_to=is_there and not is_own)

    of = notices.preferences(db, [user.id])[user.id]
    is_away = away.is_away(db, user, of, away.zone_of(db, user), now)
    yield told(user, is_there=not is_away, is_for_another=is_for_another)
    if not is_away or of.deputy is None:
        return
    chain = away.stand_ins(db, user, of, now)
    yield from (told(deputy, is_there=False) for deputy in chain.asked)
    if chain.there is not None:
        yield told(chain.there, is_there=True)
    elif alert.level == Level.ACT:
        # What is only to look at is not the managers' to see, and waits for whoever comes back first.
        others = away.managers_there(db, now) or chain.asked[-1:]
        yield from (told(one, is_there=True) for one in others)


def _note(db: Session, alert: AlertRow, told: _Told, round_: str, *, now: datetime) -> int:
    if notices.is_known(db, told.user.id, alert.id, round_):
        return 0
    db.add(
        NoticeRow(
            user_id=told.user.id,
            alert_id=alert.id,
            round=round_,
            level=alert.level,
            is_for_digest=told.is_own,
            is_for_another=told.is_for_another,
            created_at=now,
        )
    )
    db.flush()
    return 1


def push(
    db: Session, user: UserRow, of: Preferences, *, level: Level, zone: str, grace: timedelta, now: datetime
) -> None:
    """One message on its way to them, unless one is already, or it can wait for the digest."""
    sent = outbox.of_reader(db, PUSH, user.public_id, since=now - timedelta(days=2), until=now + timedelta(days=3))
    if any(one.state == "pending" and one.attempts == 0 for one in sent):
        return
    at = next_push(
        of,
        level=level,
        earliest=local_time(now + grace, zone),
        sent=[local_time(one.not_before, zone) for one in sent],
    )
    if at is not None:
        mail, leaves = new_public_id(), max(instant(at, zone), now + grace)
        outbox.add(db, PUSH, {"user": user.public_id}, public_id=mail, not_before=leaves, now=now)
        if chat_services.is_offered() and notices.has_chat(db, user.id):
            outbox.add(db, CHAT, {"user": user.public_id, "with": mail}, not_before=leaves, now=now)


def lock(db: Session, users: Iterable[UserRow]) -> None:
    """Until the end of the transaction nobody else counts what these users were told. SQLite's writers take turns."""
    ids = sorted({user.id for user in users})
    if ids and db.get_bind().dialect.name == "postgresql":
        db.execute(select(UserRow.id).where(UserRow.id.in_(ids)).order_by(UserRow.id).with_for_update(key_share=True))


# --- what a message says when it leaves -------------------------------------------------------------------------------


def letter(db: Session, row: OutboxRow, now: datetime) -> Letter | None:
    """What that message says now; None where there is nothing left to say, or nobody to say it to.

    What goes with it is settled at the first attempt: a second one says the same, or less.
    """
    user = db.scalar(
        select(UserRow).where(UserRow.public_id == row.payload["user"], UserRow.disabled_at.is_(None)).with_for_update()
    )
    if user is None:
        return None
    letters: Mapping[str, Callable[[Session, OutboxRow, UserRow, datetime], Letter | None]] = {
        PUSH: _push_letter,
        DIGEST: _digest_letter,
        CHAT: _chat_letter,
    }
    return letters[row.topic](db, row, user, now)


def _push_letter(db: Session, row: OutboxRow, user: UserRow, now: datetime) -> Push | None:
    told = _gathered(db, row, user, is_for_digest=False, now=now)
    if not told:
        return None
    return _push(db, user, told, now)


def _chat_letter(db: Session, row: OutboxRow, user: UserRow, now: datetime) -> Chat | None:
    address = notices.chat_address(db, user) if chat_services.is_offered() else None
    if address is None:
        return None
    if "with" not in row.payload:
        is_fresh = now - row.created_at < _TEST_LASTS
        return Chat(to=user.email, address=address, locale=user.locale, levels=()) if is_fresh else None
    levels = _levels(db, _told_by_mail(db, row.payload["with"], user, now), user, now)
    return Chat(to=user.email, address=address, locale=user.locale, levels=levels) if levels else None


def _told_by_mail(db: Session, mail: str, user: UserRow, now: datetime) -> list[AlertRow]:
    """What goes with that mail and still holds; before its first attempt, what would. Nothing of it is settled here."""
    sent = db.scalar(select(OutboxRow).where(OutboxRow.public_id == mail))
    if sent is None:
        return []
    pairs = notices.going_with(db, mail)
    if not pairs and sent.state == "pending" and sent.attempts == 0:
        pairs = notices.untold(db, user.id, is_for_digest=False)
    return [alert for notice, alert in pairs if _still_holds(db, notice, alert, user, now)]


def _levels(db: Session, told: Sequence[AlertRow], user: UserRow, now: datetime) -> tuple[Level, ...]:
    push = _push(db, user, told, now)
    return (*(one.level for one in push.together), *(one.level for one in push.alerts))


def draft_chat(db: Session, user: UserRow, by: Actor, of: Preferences, now: datetime) -> Chat | None:
    """What would be said by chat beside `draft_push`; None also where they entered no address."""
    rows = [row for row in alerts.open_for(db, by, now=now) if Level(row.level) >= of.push_from]
    if not rows or not chat_services.is_offered() or not notices.has_chat(db, user.id):
        return None
    return Chat(to=user.email, address="", locale=user.locale, levels=_levels(db, rows, user, now))


def draft_push(db: Session, user: UserRow, by: Actor, of: Preferences, now: datetime) -> Push | None:
    """What a message would say if all that stands open for them were news; nothing is written down."""
    rows = [row for row in alerts.open_for(db, by, now=now) if Level(row.level) >= of.push_from]
    return _push(db, user, rows, now) if rows else None


def draft_digest(db: Session, user: UserRow, now: datetime) -> Digest | None:
    """What their digest would say if it left now; nothing is written down."""
    pairs = notices.untold(db, user.id, is_for_digest=True)
    news = [alert for notice, alert in pairs if _still_holds(db, notice, alert, user, now)]
    return _digest(db, user, news, since=_last_digest(db, user, None, now), now=now)


def _push(db: Session, user: UserRow, told: Sequence[AlertRow], now: datetime) -> Push:
    found, own = _views(db, told, now), _own(db, user)
    sees_all = bool({*roles_of(db, user.id)} & {Role.FRONT_DESK.value, Role.MANAGER.value})
    closed = frozenset(one.course for one in found if not sees_all and one.therapist != own)
    groups, single = gather(db, found, own=own)
    return Push(to=user.email, locale=user.locale, alerts=single, together=groups, closed=closed)


def _own(db: Session, user: UserRow) -> str | None:
    return directory(db).therapist_public(user.therapist_id) if user.therapist_id else None


def _digest_letter(db: Session, row: OutboxRow, user: UserRow, now: datetime) -> Digest | None:
    told = _gathered(db, row, user, is_for_digest=True, now=now)
    return _digest(db, user, told, since=_last_digest(db, user, row.id, now), now=now)


def _digest(db: Session, user: UserRow, told: Sequence[AlertRow], *, since: datetime, now: datetime) -> Digest | None:
    zone, roles = away.zone_of(db, user), {*roles_of(db, user.id)}
    news = _views(db, told, now)
    changes = _changes(db, user, without={row.course_id for row in told}, since=since, now=now)
    dead = outbox.counts(db).get("dead", 0) if roles & {Role.MANAGER.value, Role.ADMIN.value} else 0
    if not news and not changes and not dead:
        return None
    is_new = {one.id for one in news}
    groups, single = gather(db, [*news, *_breaks(db, user, is_new, now)], own=_own(db, user))
    urgent = {one.id for one in news if one.level is Level.ACT}
    return Digest(
        to=user.email,
        locale=user.locale,
        day=local_time(now, zone).date(),
        act=tuple(one for one in single if one.id in urgent),
        watch=tuple(one for one in single if one.id in is_new - urgent),
        breaks=tuple(one for one in single if one.id not in is_new),
        together=groups,
        for_today=frozenset(group.absence for group in groups if any(one.id in urgent for one in group.alerts)),
        changes=changes,
        dead=dead,
    )


def _gathered(db: Session, row: OutboxRow, user: UserRow, *, is_for_digest: bool, now: datetime) -> list[AlertRow]:
    """The alerts that go with the message and still hold; the notices of the others are forgotten."""
    pairs = notices.going_with(db, row.public_id)
    if not pairs and row.attempts <= 1:
        pairs = notices.untold(db, user.id, is_for_digest=is_for_digest)
    kept: list[AlertRow] = []
    for notice, alert in pairs:
        if _still_holds(db, notice, alert, user, now):
            notice.message = row.public_id
            kept.append(alert)
        else:
            db.delete(notice)
    db.flush()
    return kept


def _still_holds(db: Session, notice: NoticeRow, alert: AlertRow, user: UserRow, now: datetime) -> bool:
    if alerts.state_now(alert, now) is not AlertState.OPEN:
        return False
    course = db.get_one(CourseRow, alert.course_id)
    if notice.is_for_another:
        # Once the one who was away is back, their deputy would find nothing at the address in the message.
        is_manager = Role.MANAGER.value in roles_of(db, user.id)
        return is_manager or course.therapist_id in away.stood_in_for(db, user.public_id, now)
    told = readers(db, course.therapist_id, is_clinic_caused=alert.is_clinic_caused)
    return user.id in {one.id for one in told}


def _views(db: Session, rows: Sequence[AlertRow], now: datetime) -> tuple[alerts.Alert, ...]:
    found = alerts.views(db, list({row.id: row for row in rows}.values()), directory(db), now=now)
    return tuple(sorted(found, key=lambda one: (-one.level.rank, one.since, one.id)))


def _breaks(db: Session, user: UserRow, without: Collection[str], now: datetime) -> tuple[alerts.Alert, ...]:
    if user.therapist_id is None:
        return ()
    query = (
        select(AlertRow)
        .join(CourseRow, CourseRow.id == AlertRow.course_id)
        .where(
            CourseRow.therapist_id == user.therapist_id,
            AlertRow.signal == "break.unannounced",
            AlertRow.state == AlertState.OPEN.value,
        )
    )
    return tuple(one for one in _views(db, list(db.scalars(query)), now) if one.id not in without)


def _changes(
    db: Session, user: UserRow, *, without: Collection[int], since: datetime, now: datetime
) -> tuple[Phrase, ...]:
    """`without` are inner ids of courses of which the same digest has more to say."""
    if user.therapist_id is None:
        return ()
    changed = (
        select(AuditRow.subject, func.max(AuditRow.id).label("last"))
        .where(AuditRow.subject_kind == "appointment", AuditRow.action.in_(_TOLD_OF), AuditRow.at > since)
        .group_by(AuditRow.subject)
        .subquery()
    )
    query = (
        select(AppointmentRow)
        .join(changed, changed.c.subject == AppointmentRow.public_id)
        .join(AuditRow, AuditRow.id == changed.c.last)
        .where(
            AppointmentRow.therapist_id == user.therapist_id,
            AppointmentRow.starts_at >= now,
            AppointmentRow.starts_at < now + _SOON,
            # What they did themselves is no news to them.
            func.coalesce(AuditRow.actor, "") != user.public_id,
        )
        .order_by(AppointmentRow.starts_at)
        .limit(_MOST_CHANGES)
    )
    was = _was(db, rows := list(db.scalars(query)), since)
    known = {*without, *_heard_of(db, user, {row.course_id for row in rows}, since)}
    rows = [row for row in rows if row.course_id not in known]
    names, whose = clients.names(db), courses.clients_by_course(db, {row.course_id for row in rows})
    people = directory(db)
    who = {course: clients.initials_of(names.get(one, "") for one in sorted(ids)) for course, ids in whose.items()}
    said = (_change(row, was.get(row.id, {}), people, who.get(row.course_id, "")) for row in rows)
    return tuple(one for one in said if one is not None)


def _heard_of(db: Session, user: UserRow, course_ids: Collection[int], since: datetime) -> set[int]:
    """Inner ids of the courses of which the user was told in that time, or gave an answer: no need to say it again."""
    told = (
        select(AlertRow.course_id)
        .outerjoin(NoticeRow, and_(NoticeRow.alert_id == AlertRow.id, NoticeRow.user_id == user.id))
        .where(
            AlertRow.course_id.in_(sorted(course_ids)),
            or_(NoticeRow.message.is_not(None), AlertRow.acknowledged_by == user.name),
            or_(NoticeRow.created_at > since, AlertRow.acknowledged_at > since),
        )
    )
    return set(db.scalars(told))


def _was(db: Session, rows: Iterable[AppointmentRow], since: datetime) -> dict[int, dict[str, str | None]]:
    """By inner id, what each hour was before its first change in that span: attribute → value, as `changes` has it."""
    query = select(ChangeRow).where(
        ChangeRow.appointment_id.in_(sorted(row.id for row in rows)), ChangeRow.made_at > since
    )
    found: dict[int, dict[str, str | None]] = {}
    for change in db.scalars(query.order_by(ChangeRow.id)):
        found.setdefault(change.appointment_id, {}).setdefault(change.what, change.was)
    return found


def _change(row: AppointmentRow, was: Mapping[str, str | None], people: Directory, who: str) -> Phrase | None:
    """In words; None where what was done was undone."""
    at = Moment(row.starts)
    if row.void_at is not None:
        return say("{who}: {at} is expected no more", who=who, at=at)
    if Status(row.status) in FREEING:
        return say("{who}: {at} will not take place", who=who, at=at)
    before = was.get(Attribute.TIME)
    if before is not None and LocalTime.fromisoformat(before) != row.starts:
        return say("{who}: {was} moved to {at}", who=who, was=Moment(LocalTime.fromisoformat(before)), at=at)
    if was.get(Attribute.MODALITY, row.modality) != row.modality:
        return say("{who}: {at}, by video or in person, other than before", who=who, at=at)
    if was.get(Attribute.ROOM, room := people.room_public(row.room_id)) != room:
        return say("{who}: {at}, in another room", who=who, at=at)
    return None


def _last_digest(db: Session, user: UserRow, without: int | None, now: datetime) -> datetime:
    """When their last digest left, a week ago at most; `without` is the message that is being written."""
    query = select(func.max(OutboxRow.done_at)).where(
        OutboxRow.topic == DIGEST,
        OutboxRow.state == "done",
        OutboxRow.id != (without or 0),
        OutboxRow.payload["user"].as_string() == user.public_id,
    )
    last = db.scalar(query)
    return max(last, now - _SOON) if last else now - _SINCE_YESTERDAY
