"""Sites, rooms, therapists and users; signing in and out, and who is asking."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import Actor, Role
from service.domain.hours import Weekday, zone
from service.domain.phrase import listing, say
from service.domain.refusals import Conflict, Forbidden, Malformed, NotFound
from service.language import LOCALES
from service.store import audit
from service.store.people import (
    ApiTokenRow,
    RoomRow,
    SignInLinkRow,
    SiteRow,
    TherapistRow,
    UserRoleRow,
    UserRow,
    WebSessionRow,
    WorkingHoursRow,
    directory,
    forget_directory,
    roles_of,
)
from service.store.transaction import reading, writing

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
LINK_LIFE = timedelta(hours=24)
_SEEN_EVERY = timedelta(minutes=5)

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


class CannotSignIn(Forbidden):
    """Wrong, unknown, disabled or expired: nobody is told which."""

    title = say("That did not let you in")


class UnknownLocale(Malformed):
    """The house does not speak as they do there."""


class CannotAdd(Conflict):
    """The name or address is taken."""


@dataclass(frozen=True, kw_only=True)
class Site:
    id: str
    name: str
    zone: str
    country: str | None
    region: str | None


@dataclass(frozen=True, kw_only=True)
class Room:
    id: str
    name: str
    site: str
    is_active: bool


@dataclass(frozen=True, kw_only=True)
class WorkingHours:
    """Local times of one weekday, half-open."""

    site: str
    day: Weekday
    begins: time
    ends: time


@dataclass(frozen=True, kw_only=True)
class Therapist:
    id: str
    name: str
    site: str
    zone: str
    is_active: bool
    hours: tuple[WorkingHours, ...]


@dataclass(frozen=True, kw_only=True)
class User:
    id: str
    name: str
    email: str
    roles: tuple[Role, ...]
    therapist: str | None
    is_disabled: bool


@dataclass(frozen=True, kw_only=True)
class Token:
    """Of an API token all but the secret, which is shown once."""

    id: str
    name: str
    user: str
    may_write: bool
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None


# --- signing in -----------------------------------------------------------------------------------------------------


def sign_in(*, email: str, password: str, now: datetime) -> str:
    """The secret for the new session's cookie.

    :raises CannotSignIn: see there.
    """
    # Hashing takes long, on purpose: outside any transaction, and for unknown people too, so that time tells nothing.
    user_id, known_hash = _password_of(email=email)
    try:
        _hasher.verify(known_hash or _NOBODY, password)
    except VerificationError:
        raise CannotSignIn(say("The address or the password is not right.")) from None
    if user_id is None or known_hash is None:
        raise CannotSignIn(say("The address or the password is not right."))
    return _open_session(user_id=user_id, how="password", now=now)


@reading
def _password_of(db: Session, *, email: str) -> tuple[int | None, str | None]:
    user = db.scalar(select(UserRow).where(UserRow.email == email.strip().lower(), UserRow.disabled_at.is_(None)))
    return (user.id, user.password_hash) if user else (None, None)


@writing
def _open_session(db: Session, *, user_id: int, how: str, now: datetime) -> str:
    return _new_session(db, user_id=user_id, how=how, now=now)


@writing
def sign_in_by_link(db: Session, *, secret: str, now: datetime) -> str:
    """The secret for the new session's cookie; the link works once.

    :raises CannotSignIn: used, expired, or of nobody.
    """
    # Held until the commit: opened twice at the same moment it still lets in once.
    link = db.scalar(select(SignInLinkRow).where(SignInLinkRow.secret_hash == digest(secret)).with_for_update())
    user = db.get(UserRow, link.user_id) if link else None
    if link is None or user is None or link.used_at or link.expires_at <= now or user.disabled_at:
        raise CannotSignIn(say("This link does not work any more. Ask for a new one."))
    link.used_at = now
    return _new_session(db, user_id=user.id, how="link", now=now)


@writing
def sign_in_link(db: Session, *, email: str, by: Actor, now: datetime) -> str:
    """The secret of a link that lets this user in once within 24 hours.

    :raises Forbidden: only an admin, or the command line, makes them. :raises NotFound: no such user.
    """
    access.require(by, Role.ADMIN)
    user = _user_by_email(db, email)
    secret = secrets.token_urlsafe(32)
    db.add(SignInLinkRow(secret_hash=digest(secret), user_id=user.id, expires_at=now + LINK_LIFE))
    audit.record(db, "make sign-in link", by=by, now=now, kind="user", subject=user.public_id)
    return secret


def who_is(*, secret: str, now: datetime) -> Actor | None:
    """Who is signed in with this cookie, or None where the session ended, is too old, or never was."""
    found = _session_actor(secret_hash=digest(secret), now=now)
    if found is None:
        return None
    actor, is_stale = found
    if is_stale:
        _see_session(secret_hash=digest(secret), now=now)
    return actor


@reading
def _session_actor(db: Session, *, secret_hash: str, now: datetime) -> tuple[Actor, bool] | None:
    row = db.scalar(select(WebSessionRow).where(WebSessionRow.secret_hash == secret_hash))
    if row is None or row.ended_at or row.seen_at <= now - IDLE or row.created_at <= now - LONGEST:
        return None
    actor = _actor(db, row.user_id)
    return (actor, row.seen_at <= now - _SEEN_EVERY) if actor else None


@writing
def _see_session(db: Session, *, secret_hash: str, now: datetime) -> None:
    row = db.scalar(select(WebSessionRow).where(WebSessionRow.secret_hash == secret_hash))
    if row and row.ended_at is None:
        row.seen_at = now


@writing
def sign_out(db: Session, *, secret: str, now: datetime) -> None:
    """End the session; the cookie is worth nothing from now on."""
    row = db.scalar(select(WebSessionRow).where(WebSessionRow.secret_hash == digest(secret)))
    if row and row.ended_at is None:
        row.ended_at = now


@reading
def who_holds(db: Session, *, token: str, now: datetime) -> Actor | None:
    """On whose behalf an API token asks, or None where it is unknown, expired or revoked."""
    row = db.scalar(select(ApiTokenRow).where(ApiTokenRow.secret_hash == digest(token)))
    if row is None or row.revoked_at or row.expires_at <= now:
        return None
    return _actor(db, row.user_id, may_write=row.may_write)


# --- setting up -----------------------------------------------------------------------------------------------------


@writing
def add_site(
    db: Session, *, name: str, zone_name: str, country: str | None, region: str | None, by: Actor, now: datetime
) -> str:
    """Public id of the new site.

    :raises Forbidden: managers and admins do that. :raises UnknownZone: no such zone. :raises CannotAdd: name taken.
    """
    access.require(by, Role.MANAGER, Role.ADMIN)
    zone(zone_name)
    if db.scalar(select(SiteRow).where(SiteRow.name == _named(name))):
        raise CannotAdd(say("There is already a site of that name."), where="name")
    row = SiteRow(name=_named(name), zone=zone_name, country=country, region=region)
    return _added(db, row, "site", by=by, now=now)


@writing
def add_room(db: Session, *, name: str, site: str, by: Actor, now: datetime) -> str:
    """Public id of the new room.

    :raises Forbidden: managers and admins do that. :raises NotFound: no such site. :raises CannotAdd: name taken there.
    """
    access.require(by, Role.MANAGER, Role.ADMIN)
    at = directory(db).site(site)
    if db.scalar(select(RoomRow).where(RoomRow.name == _named(name), RoomRow.site_id == at.id)):
        raise CannotAdd(say("There is already a room of that name at this site."), where="name")
    return _added(db, RoomRow(name=_named(name), site_id=at.id, is_active=True), "room", by=by, now=now)


@writing
def add_therapist(
    db: Session, *, name: str, site: str, hours: Iterable[WorkingHours] = (), by: Actor, now: datetime
) -> str:
    """Public id of the new therapist.

    :raises Forbidden: managers and admins do that. :raises NotFound: no such site. :raises CannotAdd: name taken.
    """
    access.require(by, Role.MANAGER, Role.ADMIN)
    people = directory(db)
    if db.scalar(select(TherapistRow).where(TherapistRow.name == _named(name))):
        raise CannotAdd(say("There is already a therapist of that name."), where="name")
    row = TherapistRow(name=_named(name), site_id=people.site(site).id, is_active=True)
    public_id = _added(db, row, "therapist", by=by, now=now)
    _write_hours(db, row, hours)
    return public_id


@writing
def set_working_hours(db: Session, *, therapist: str, hours: Iterable[WorkingHours], by: Actor, now: datetime) -> None:
    """Replace the therapist's working hours. :raises Malformed: one ends before it begins."""
    access.require(by, Role.MANAGER, Role.ADMIN)
    row = directory(db).therapist(therapist)
    _write_hours(db, row, hours)
    row.calendar_version += 1
    audit.record(db, "set working hours", by=by, now=now, kind="therapist", subject=row.public_id, fields=["hours"])


@writing
def add_user(
    db: Session,
    *,
    name: str,
    email: str,
    roles: Iterable[Role],
    therapist: str | None = None,
    password: str | None = None,
    by: Actor,
    now: datetime,
) -> str:
    """Public id of the new user.

    :raises Malformed: no role, a bad address, a short password. :raises CannotAdd: address taken.
    """
    access.require(by, Role.ADMIN)
    address, given = email.strip().lower(), sorted({Role(role) for role in roles})
    if address.count("@") != 1 or any(letter.isspace() for letter in address):
        raise Malformed(say("That is not an e-mail address."), where="email")
    if not given:
        raise Malformed(say("A user needs at least one role."), where="roles")
    if password is not None and len(password) < 12:
        raise Malformed(say("A password has at least 12 characters."), where="password")
    if db.scalar(select(UserRow).where(UserRow.email == address)):
        raise CannotAdd(say("There is already a user with that address."), where="email")
    row = UserRow(
        name=_named(name),
        email=address,
        password_hash=_hasher.hash(password) if password else None,
        therapist_id=directory(db).therapist(therapist).id if therapist else None,
        created_at=now,
    )
    public_id = _added(db, row, "user", by=by, now=now)
    db.add_all(UserRoleRow(user_id=row.id, role=role.value) for role in given)
    return public_id


@writing
def disable_user(db: Session, *, user: str, by: Actor, now: datetime) -> None:
    """Let this user in no more, from this moment, by any door."""
    access.require(by, Role.ADMIN)
    row = _user(db, user)
    row.disabled_at = now
    audit.record(db, "disable", by=by, now=now, kind="user", subject=row.public_id)


@writing
def add_token(
    db: Session, *, user: str, name: str, may_write: bool, days: int, by: Actor, now: datetime
) -> tuple[str, str]:
    """Public id and the secret, which is shown this once. :raises Malformed: a life outside 1 to 365 days."""
    access.require(by, Role.ADMIN)
    if not 1 <= days <= 365:
        raise Malformed(say("A token lives 1 to 365 days."), where="days")
    secret = secrets.token_urlsafe(32)
    row = ApiTokenRow(
        secret_hash=digest(secret),
        user_id=_user(db, user).id,
        name=_named(name),
        may_write=may_write,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    return _added(db, row, "token", by=by, now=now), secret


@writing
def set_locale(db: Session, *, locale: str | None, by: Actor, now: datetime) -> None:
    """Speak to this person as they choose, `de_AT`; None: as their browser and the clinic do again.

    :raises UnknownLocale: none of ours. :raises Forbidden: nobody's own choice, as of the command line.
    """
    if locale is not None and locale not in LOCALES:
        raise UnknownLocale(
            say("There is no such language here. These are: {locales}.", locales=listing(LOCALES)), where="locale"
        )
    if by.user is None:
        raise Forbidden(say("Your role does not include this."))
    _user(db, by.user).locale = locale
    audit.record(db, "speak", by=by, now=now, kind="user", subject=by.user, detail={"locale": locale or ""})


@writing
def revoke_token(db: Session, *, token: str, by: Actor, now: datetime) -> None:
    """Refuse this token from now on. :raises NotFound: no such token."""
    access.require(by, Role.ADMIN)
    row = db.scalar(select(ApiTokenRow).where(ApiTokenRow.public_id == token))
    if row is None:
        raise NotFound(say("There is no such token."))
    row.revoked_at = row.revoked_at or now
    audit.record(db, "revoke", by=by, now=now, kind="token", subject=row.public_id)


# --- looking up -----------------------------------------------------------------------------------------------------


@reading
def sites(db: Session, *, by: Actor) -> list[Site]:
    access.require_any(by)
    rows = sorted(directory(db).sites.values(), key=lambda row: row.name)
    return [
        Site(id=row.public_id, name=row.name, zone=row.zone, country=row.country, region=row.region) for row in rows
    ]


@reading
def rooms(db: Session, *, by: Actor) -> list[Room]:
    access.require_any(by)
    people = directory(db)
    rows = sorted(people.rooms.values(), key=lambda row: (row.site_id, row.name))
    return [
        Room(id=row.public_id, name=row.name, site=people.sites[row.site_id].public_id, is_active=row.is_active)
        for row in rows
    ]


@reading
def therapists(db: Session, *, by: Actor) -> list[Therapist]:
    """Every therapist with their working hours, by name."""
    access.require_any(by)
    people = directory(db)
    hours: dict[int, list[WorkingHours]] = {}
    for row in db.scalars(select(WorkingHoursRow).order_by(WorkingHoursRow.weekday, WorkingHoursRow.begins)):
        hours.setdefault(row.therapist_id, []).append(
            WorkingHours(
                site=people.sites[row.site_id].public_id, day=Weekday(row.weekday), begins=row.begins, ends=row.ends
            )
        )
    return [
        Therapist(
            id=row.public_id,
            name=row.name,
            site=people.sites[row.site_id].public_id,
            zone=people.sites[row.site_id].zone,
            is_active=row.is_active,
            hours=tuple(hours.get(row.id, ())),
        )
        for row in sorted(people.therapists.values(), key=lambda row: row.name)
    ]


@reading
def users(db: Session, *, by: Actor) -> list[User]:
    access.require(by, Role.ADMIN, to_change=False)
    people = directory(db)
    return [
        User(
            id=row.public_id,
            name=row.name,
            email=row.email,
            roles=tuple(sorted(Role(role) for role in roles_of(db, row.id))),
            therapist=people.therapist_public(row.therapist_id) if row.therapist_id else None,
            is_disabled=row.disabled_at is not None,
        )
        for row in db.scalars(select(UserRow).order_by(UserRow.name, UserRow.id))
    ]


@reading
def tokens(db: Session, *, by: Actor) -> list[Token]:
    access.require(by, Role.ADMIN, to_change=False)
    query = select(ApiTokenRow, UserRow.public_id).join(UserRow, UserRow.id == ApiTokenRow.user_id)
    return [
        Token(
            id=row.public_id,
            name=row.name,
            user=user,
            may_write=row.may_write,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            used_at=row.used_at,
        )
        for row, user in db.execute(query.order_by(ApiTokenRow.id))
    ]


# --- steps ----------------------------------------------------------------------------------------------------------


def digest(secret: str) -> str:
    """What of a secret is kept: enough to know it again, too little to use it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _new_session(db: Session, *, user_id: int, how: str, now: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    db.add(WebSessionRow(secret_hash=digest(secret), user_id=user_id, created_at=now, seen_at=now))
    actor = _actor(db, user_id)
    if actor is None or actor.user is None:
        raise CannotSignIn(say("This account is closed."))
    audit.record(db, "sign in", by=actor, now=now, kind="user", subject=actor.user, detail={"how": how})
    return secret


def _actor(db: Session, user_id: int, *, may_write: bool = True) -> Actor | None:
    user = db.get(UserRow, user_id)
    if user is None or user.disabled_at:
        return None
    therapist = db.get(TherapistRow, user.therapist_id) if user.therapist_id else None
    return Actor(
        name=user.name,
        user=user.public_id,
        roles=frozenset(Role(role) for role in roles_of(db, user_id)),
        therapist=therapist.public_id if therapist else None,
        locale=user.locale,
        may_write=may_write,
    )


def _user(db: Session, public_id: str) -> UserRow:
    row = db.scalar(select(UserRow).where(UserRow.public_id == public_id))
    if row is None:
        raise NotFound(say("There is no such user."), where="user")
    return row


def _user_by_email(db: Session, email: str) -> UserRow:
    row = db.scalar(select(UserRow).where(UserRow.email == email.strip().lower(), UserRow.disabled_at.is_(None)))
    if row is None:
        raise NotFound(say("There is no such user."), where="email")
    return row


def _named(name: str) -> str:
    """:raises Malformed: empty, too long, or with control characters."""
    plain = name.strip()
    if not plain or len(plain) > 120 or not plain.isprintable():
        raise Malformed(say("A name has 1 to 120 printable characters."), where="name")
    return plain


Row = SiteRow | RoomRow | TherapistRow | UserRow | ApiTokenRow


def _added(db: Session, row: Row, kind: str, *, by: Actor, now: datetime) -> str:
    db.add(row)
    db.flush()
    forget_directory(db)
    audit.record(db, "add", by=by, now=now, kind=kind, subject=row.public_id)
    public_id: str = row.public_id
    return public_id


def _write_hours(db: Session, row: TherapistRow, hours: Iterable[WorkingHours]) -> None:
    db.execute(delete(WorkingHoursRow).where(WorkingHoursRow.therapist_id == row.id))
    people = directory(db)
    for one in hours:
        if one.begins >= one.ends:
            raise Malformed(say("Working hours end after they begin."), where="hours")
        db.add(
            WorkingHoursRow(
                therapist_id=row.id,
                site_id=people.site(one.site).id,
                weekday=int(one.day),
                begins=one.begins,
                ends=one.ends,
            )
        )
