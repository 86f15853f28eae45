"""Steps of telling: who hears of an alert, with which message, and what a message says when it leaves.

No use-case of its own: the assessment writes notices down, the outbox asks what a message has to say.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from service.store.courses import CourseRow
from service.store.notices import NoticeRow
from service.store.outbox import OutboxRow
from service.store.people import Directory, UserRow, directory, roles_of, with_role
from service.usecases import alerts, away

PUSH = "notice.mail"
DIGEST = "notice.digest"
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
    changes: tuple[Phrase, ...]
    """What others changed of the coming week's hours since the last digest."""
    dead: int
    """Messages that could not be delivered, for those who can do something about it."""


Letter = Push | Digest


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
    """A notice for each of them, and for the deputy of whoever is away; and the messages that carry them.

    `own` are the users whose own doing it was: they find it in the app and in their digest.
    """
    lock(db, users)
    prefer = notices.preferences(db, [user.id for user in users])
    written = 0
    for user in users:
        is_own = user.public_id in own
        written += _note(db, alert, user, round_, is_for_digest=is_own, is_for_another=is_for_another, now=now)
        of, zone = prefer[user.id], away.zone_of(db, user)
        if not away.is_away(db, user, of, zone, now):
            if not is_own:
                push(db, user, of, level=Level(alert.level), zone=zone, grace=grace, now=now)
        elif deputy := _deputy(db, of):
            written += _note(db, alert, deputy, round_, is_for_digest=False, is_for_another=True, now=now)
            theirs = notices.preferences(db, [deputy.id])[deputy.id]
            push(db, deputy, theirs, level=Level(alert.level), zone=away.zone_of(db, deputy), grace=grace, now=now)
    return written


def _note(
    db: Session,
    alert: AlertRow,
    user: UserRow,
    round_: str,
    *,
    is_for_digest: bool,
    is_for_another: bool,
    now: datetime,
) -> int:
    if notices.is_known(db, user.id, alert.id, round_):
        return 0
    db.add(
        NoticeRow(
            user_id=user.id,
            alert_id=alert.id,
            round=round_,
            level=alert.level,
            is_for_digest=is_for_digest,
            is_for_another=is_for_another,
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
        outbox.add(db, PUSH, {"user": user.public_id}, not_before=max(instant(at, zone), now + grace), now=now)


def lock(db: Session, users: Iterable[UserRow]) -> None:
    """Until the end of the transaction nobody else counts what these users were told. SQLite's writers take turns."""
    ids = sorted({user.id for user in users})
    if ids and db.get_bind().dialect.name == "postgresql":
        db.execute(select(UserRow.id).where(UserRow.id.in_(ids)).order_by(UserRow.id).with_for_update(key_share=True))


def _deputy(db: Session, of: Preferences) -> UserRow | None:
    return db.scalar(select(UserRow).where(UserRow.public_id == (of.deputy or ""), UserRow.disabled_at.is_(None)))


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
    return _push_letter(db, row, user, now) if row.topic == PUSH else _digest_letter(db, row, user, now)


def _push_letter(db: Session, row: OutboxRow, user: UserRow, now: datetime) -> Push | None:
    told = _gathered(db, row, user, is_for_digest=False, now=now)
    if not told:
        return None
    return _push(db, user, told, now)


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
    found = _views(db, told, now)
    sees_all = bool({*roles_of(db, user.id)} & {Role.FRONT_DESK.value, Role.MANAGER.value})
    own = directory(db).therapist_public(user.therapist_id) if user.therapist_id else None
    closed = frozenset(one.course for one in found if not sees_all and one.therapist != own)
    return Push(to=user.email, locale=user.locale, alerts=found, closed=closed)


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
    return Digest(
        to=user.email,
        locale=user.locale,
        day=local_time(now, zone).date(),
        act=tuple(one for one in news if one.level is Level.ACT),
        watch=tuple(one for one in news if one.level is not Level.ACT),
        breaks=_breaks(db, user, {one.id for one in news}, now),
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
