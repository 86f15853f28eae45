"""Sites, rooms, therapists, their hours; users, their roles, sessions and tokens."""

from datetime import datetime, time
from typing import TypeVar

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, Select, String, Time, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.access import Role
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.store.base import BigId, Model, PublicId, UtcTime, new_public_id

Found = TypeVar("Found")


class SiteRow(Model):
    __tablename__ = "sites"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    zone: Mapped[str] = mapped_column(String(64))
    country: Mapped[str | None] = mapped_column(String(2))
    region: Mapped[str | None] = mapped_column(String(10))


class RoomRow(Model):
    __tablename__ = "rooms"
    __table_args__ = (Index("uq_rooms_site_id_name", "site_id", "name", unique=True),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    name: Mapped[str] = mapped_column(String(120))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    calendar_version: Mapped[int] = mapped_column(Integer, default=1)
    """Rises with every change of what this room's calendar may show."""


class TherapistRow(Model):
    __tablename__ = "therapists"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), index=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    calendar_version: Mapped[int] = mapped_column(Integer, default=1)
    """Rises with every change of what this therapist's calendar shows: feeds and the board compare it."""


class WorkingHoursRow(Model):
    __tablename__ = "working_hours"
    __table_args__ = (CheckConstraint("begins < ends", name="in_order"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapists.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    weekday: Mapped[int] = mapped_column(Integer)
    begins: Mapped[time] = mapped_column(Time)
    ends: Mapped[time] = mapped_column(Time)


class UserRow(Model):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """Lower case."""
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    therapist_id: Mapped[int | None] = mapped_column(ForeignKey("therapists.id"))
    locale: Mapped[str | None] = mapped_column(String(10))
    """How they are spoken to, `de_AT`; None where they leave it to their browser and the clinic."""
    disabled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class UserRoleRow(Model):
    __tablename__ = "user_roles"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)


class WebSessionRow(Model):
    """A signed-in browser. The cookie holds the secret, this row its hash."""

    __tablename__ = "web_sessions"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)


class SignInLinkRow(Model):
    """A way in that works once."""

    __tablename__ = "sign_in_links"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)


class ApiTokenRow(Model):
    __tablename__ = "api_tokens"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    may_write: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)


class IdempotencyRow(Model):
    """What was answered to a request that carried an Idempotency-Key."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("uq_idempotency_keys_user_id_key", "user_id", "key", unique=True),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    key: Mapped[str] = mapped_column(String(255))
    request_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(Integer)
    """None while the first request is still under way."""
    body: Mapped[str | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class Directory:
    """The clinic's sites, rooms and therapists, by inner and by public id: small, read once a transaction."""

    def __init__(self, session: Session) -> None:
        self.sites = {row.id: row for row in session.scalars(select(SiteRow))}
        self.rooms = {row.id: row for row in session.scalars(select(RoomRow))}
        self.therapists = {row.id: row for row in session.scalars(select(TherapistRow))}
        self._site_ids = {row.public_id: row for row in self.sites.values()}
        self._room_ids = {row.public_id: row for row in self.rooms.values()}
        self._therapist_ids = {row.public_id: row for row in self.therapists.values()}

    def site(self, public_id: str) -> SiteRow:
        """:raises NotFound: no such site."""
        return _known(self._site_ids.get(public_id), "site")

    def room(self, public_id: str) -> RoomRow:
        """:raises NotFound: no such room."""
        return _known(self._room_ids.get(public_id), "room")

    def therapist(self, public_id: str) -> TherapistRow:
        """:raises NotFound: no such therapist."""
        return _known(self._therapist_ids.get(public_id), "therapist")

    def room_id(self, public_id: str | None) -> int | None:
        return None if public_id is None else self.room(public_id).id

    def room_public(self, room_id: int | None) -> str | None:
        return None if room_id is None else self.rooms[room_id].public_id

    def therapist_public(self, therapist_id: int) -> str:
        return self.therapists[therapist_id].public_id


_NO_SUCH = {
    "site": say("There is no such site."),
    "room": say("There is no such room."),
    "therapist": say("There is no such therapist."),
}


def _known(row: Found | None, noun: str) -> Found:
    if row is None:
        raise NotFound(_NO_SUCH[noun], where=noun)
    return row


def directory(session: Session) -> Directory:
    """The clinic's directory, as this transaction sees it."""
    if "directory" not in session.info:
        session.info["directory"] = Directory(session)
    found: Directory = session.info["directory"]
    return found


def forget_directory(session: Session) -> None:
    """After one of its rows was added in this transaction."""
    session.info.pop("directory", None)


def with_role(*roles: Role) -> Select[UserRow]:
    """The users who may sign in and have one of these roles, each once."""
    theirs = select(UserRoleRow.user_id).where(UserRoleRow.role.in_([role.value for role in roles]))
    return select(UserRow).where(UserRow.disabled_at.is_(None), UserRow.id.in_(theirs))


def roles_of(session: Session, user_id: int) -> list[str]:
    return list(session.scalars(select(UserRoleRow.role).where(UserRoleRow.user_id == user_id)))
