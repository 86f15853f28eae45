"""Calendar subscriptions, and what each of them last said. The address is a secret; only its hash is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Mapped, Session, aliased, deferred, mapped_column

from service.domain.feed import FeedPiece
from service.domain.phrase import say
from service.domain.privacy import Privacy, names_a_client
from service.domain.refusals import NotFound
from service.domain.subscription import Options, Shows
from service.store.base import BigId, Model, PublicId, UtcTime, count, new_public_id
from service.store.clients import ClientRow
from service.store.glances import Glance
from service.store.people import RoomRow, SiteRow, TherapistRow, UserRow
from service.store.seal import seal

_WHOSE = ("therapist_id", "room_id", "site_id", "client_id")
_OF_ONE = " or ".join(
    " and ".join(f"({name} is {'not ' if name == one else ''}null)" for name in _WHOSE) for one in _WHOSE
)


def _shows(therapist_id: int | None, room_id: int | None, site_id: int | None) -> Shows:
    if therapist_id is not None:
        return Shows.THERAPIST
    if room_id is not None:
        return Shows.ROOM
    return Shows.CLIENT if site_id is None else Shows.SITE


class FeedRow(Model):
    """A subscription: whose hours it shows, and how. Its addresses are rows of their own."""

    __tablename__ = "feeds"
    __table_args__ = (
        CheckConstraint(_OF_ONE, name="of_one"),
        CheckConstraint("user_id is not null or client_id is not null", name="of_somebody"),
        Index("ix_feeds_client_id", "client_id"),
        Index("ix_feeds_therapist_id", "therapist_id"),
        Index("ix_feeds_user_id", "user_id"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Whose it is, and with whose account it ends; None for a client's own."""
    therapist_id: Mapped[int | None] = mapped_column(ForeignKey("therapists.id"))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("rooms.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id"))
    at_site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    """By whose clocks a day ends, and leave is told."""
    name: Mapped[str] = mapped_column(String(120))
    privacy: Mapped[str] = mapped_column(String(10))
    """busy, initials, reference, name."""
    shows_cancelled: Mapped[bool] = mapped_column(Boolean, default=False)
    days_back: Mapped[int] = mapped_column(Integer)
    weeks_ahead: Mapped[int | None] = mapped_column(Integer)
    alarm_minutes: Mapped[int | None] = mapped_column(Integer)
    locale: Mapped[str] = mapped_column(String(10))
    edition: Mapped[int] = mapped_column(Integer, default=1)
    """Rises when its owner chooses otherwise: what was built before is stored no more."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    built_version: Mapped[int | None] = mapped_column(Integer)
    """The `calendar_version` that the stored body shows."""
    built_on: Mapped[str | None] = mapped_column(String(10))
    """The local date it was built on: its window of days moves with the day."""
    built_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When the body last came out different, in whole seconds: Last-Modified."""
    etag: Mapped[str | None] = mapped_column(String(64))
    body: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    """Sealed where it names clients; so are the pieces."""

    @property
    def shows(self) -> Shows:
        return _shows(self.therapist_id, self.room_id, self.site_id)

    @property
    def whose(self) -> int:
        """Inner id of the therapist, room, site or client."""
        found = self.therapist_id or self.room_id or self.site_id or self.client_id
        assert found is not None
        return found

    @property
    def options(self) -> Options:
        return Options(
            privacy=Privacy(self.privacy),
            shows_cancelled=self.shows_cancelled,
            days_back=self.days_back,
            weeks_ahead=self.weeks_ahead,
            alarm_minutes=self.alarm_minutes,
            locale=self.locale,
        )

    @options.setter
    def options(self, options: Options) -> None:
        self.privacy, self.shows_cancelled = options.privacy.value, options.shows_cancelled
        self.days_back, self.weeks_ahead = options.days_back, options.weeks_ahead
        self.alarm_minutes, self.locale = options.alarm_minutes, options.locale


class FeedAddressRow(Model):
    """A secret address of a feed. Several at a time only while an old one goes on for some hours."""

    __tablename__ = "feed_addresses"
    __table_args__ = (Index("ix_feed_addresses_feed_id", "feed_id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id"))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """From then on it is gone; None for the address that is in use."""
    fetched_at: Mapped[datetime | None] = mapped_column(UtcTime)
    fetched_by: Mapped[str | None] = mapped_column(String(60))


class ClientCalendarsRow(Model):
    """Whether clients may have a calendar of their own hours: one row, or none while they may not."""

    __tablename__ = "client_calendars"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    is_on: Mapped[bool] = mapped_column(Boolean)


class FeedPieceRow(Model):
    """One standing, hour or absence as this feed last said it, so that a change renders that one alone.

    What left the feed stays here without a body for as long as it could come back: its number must not go down.
    """

    __tablename__ = "feed_pieces"
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id"), primary_key=True)
    uid: Mapped[str] = mapped_column(PublicId, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """Of everything that it says, its number and time aside; "" for what is not said any more."""
    sequence: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(UtcTime)
    zone: Mapped[str] = mapped_column(String(64))
    since: Mapped[date] = mapped_column(Date)
    events: Mapped[int] = mapped_column(Integer)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class Glimpse(NamedTuple):
    """All that a fetch must know before it is certain that nothing changed. A tuple, since it is made all day."""

    id: int
    is_revoked: bool
    """By its owner, or because their account was closed."""
    level: str
    etag: str | None
    edition: int
    built_version: int | None
    built_on: str | None
    built_at: datetime | None
    calendar_version: int
    zone: str
    address: int
    ends_at: datetime | None
    fetched_at: datetime | None

    @property
    def privacy(self) -> Privacy:
        return Privacy(self.level)


@dataclass(frozen=True, kw_only=True)
class Said:
    """A piece with its number: what the feed said, or is to say."""

    fingerprint: str
    sequence: int
    changed_at: datetime
    piece: FeedPiece


def _all_versions(of: type[RoomRow] | type[TherapistRow]) -> ColumnElement[int]:
    total = func.coalesce(func.sum(of.calendar_version), literal_column("0"))
    return select(total).where(of.site_id == FeedRow.site_id).correlate(FeedRow).scalar_subquery()


_SITE_VERSION = _all_versions(RoomRow) + _all_versions(TherapistRow)
"""Of all that belongs to it: neither a room nor a therapist ever leaves, so it only rises."""
THERAPIST, ROOM = aliased(TherapistRow), aliased(RoomRow)
CALENDAR_VERSION: ColumnElement[int] = func.coalesce(
    THERAPIST.calendar_version, ROOM.calendar_version, ClientRow.calendar_version, _SITE_VERSION
)


def with_version(query: "Select[*tuple[Any, ...]]") -> "Select[*tuple[Any, ...]]":
    """A query of feeds, joined with what `CALENDAR_VERSION` and the site's zone are read from."""
    return (
        query.outerjoin(THERAPIST, THERAPIST.id == FeedRow.therapist_id)
        .outerjoin(ROOM, ROOM.id == FeedRow.room_id)
        .outerjoin(ClientRow, ClientRow.id == FeedRow.client_id)
        .join(SiteRow, SiteRow.id == FeedRow.at_site_id)
    )


_GLIMPSE = with_version(
    select(
        FeedRow.id,
        or_(FeedRow.revoked_at.is_not(None), UserRow.disabled_at.is_not(None)),
        FeedRow.privacy,
        FeedRow.etag,
        FeedRow.edition,
        FeedRow.built_version,
        FeedRow.built_on,
        FeedRow.built_at,
        CALENDAR_VERSION,
        SiteRow.zone,
        FeedAddressRow.id,
        FeedAddressRow.ends_at,
        FeedAddressRow.fetched_at,
    )
    .select_from(FeedAddressRow)
    .join(FeedRow, FeedRow.id == FeedAddressRow.feed_id)
    .outerjoin(UserRow, UserRow.id == FeedRow.user_id)
).where(FeedAddressRow.secret_hash == bindparam("secret_hash"))


_BODY = select(FeedRow.body, FeedRow.etag, FeedRow.built_at).where(FeedRow.id == bindparam("feed_id"))


def glimpse(glance: Glance, secret_hash: str) -> Glimpse | None:
    """The feed behind a secret, by one query; None where there is none."""
    row = glance.row(_GLIMPSE, secret_hash=secret_hash)
    return None if row is None else Glimpse(*row)


def body_of(glance: Glance, feed: Glimpse) -> tuple[bytes, str, datetime] | None:
    """Body, ETag and Last-Modified, as they belong together; None where it has none."""
    body, etag, built_at = glance.row(_BODY, feed_id=feed.id) or (None, None, None)
    if body is None or etag is None or built_at is None:
        return None
    return _opened(feed, body, row=str(feed.id), column="feeds:body"), etag, built_at


def get(session: Session, public_id: str) -> FeedRow:
    """:raises NotFound: no such feed."""
    row = session.scalar(select(FeedRow).where(FeedRow.public_id == public_id))
    if row is None:
        raise NotFound(say("There is no such calendar subscription."))
    return row


def in_use(session: Session, *conditions: ColumnElement[bool]) -> list[FeedRow]:
    """Those that still work and meet any of the conditions, in order of creation; all, where there is none."""
    query = select(FeedRow).outerjoin(UserRow, UserRow.id == FeedRow.user_id)
    works = and_(FeedRow.revoked_at.is_(None), UserRow.disabled_at.is_(None))
    return list(session.scalars(query.where(works, or_(*conditions) if conditions else true()).order_by(FeedRow.id)))


def addresses_of(session: Session, rows: Iterable[FeedRow], *, now: datetime) -> dict[int, list[FeedAddressRow]]:
    """Of each feed those that are answered, the newest first."""
    query = select(FeedAddressRow).where(
        FeedAddressRow.feed_id.in_(sorted(row.id for row in rows)),
        or_(FeedAddressRow.ends_at.is_(None), FeedAddressRow.ends_at > now),
    )
    found: dict[int, list[FeedAddressRow]] = {}
    for address in session.scalars(query.order_by(FeedAddressRow.id.desc())):
        found.setdefault(address.feed_id, []).append(address)
    return found


def end_addresses(session: Session, row: FeedRow, *, at: datetime) -> None:
    """Let the addresses go on until then, or until they were to end before."""
    later = or_(FeedAddressRow.ends_at.is_(None), FeedAddressRow.ends_at > at)
    session.execute(update(FeedAddressRow).where(FeedAddressRow.feed_id == row.id, later).values(ends_at=at))


def clients_may_have_one(session: Session) -> bool:
    """Off as delivered."""
    return bool(session.scalar(select(ClientCalendarsRow.is_on)))


def let_clients_have_one(session: Session, is_on: bool) -> None:
    session.merge(ClientCalendarsRow(id=1, is_on=is_on))


_piece = FeedPieceRow
_SAID = select(
    _piece.uid,
    _piece.fingerprint,
    _piece.sequence,
    _piece.changed_at,
    _piece.zone,
    _piece.since,
    _piece.events,
    _piece.body,
).where(_piece.feed_id == bindparam("feed_id"))
_FORGET = delete(FeedPieceRow).where(
    FeedPieceRow.feed_id == bindparam("feed_id"), FeedPieceRow.uid.in_(bindparam("uids", expanding=True))
)


def said(session: Session, feed: Glimpse) -> dict[str, Said]:
    """What the feed last said, by UID."""
    rows = session.connection().execute(_SAID, {"feed_id": feed.id})
    return {
        uid: Said(
            fingerprint=fingerprint,
            sequence=sequence,
            changed_at=changed_at,
            piece=FeedPiece(
                zone=zone, since=since, events=events, body=_opened(feed, body, row=uid, column="feed_pieces:body")
            ),
        )
        for uid, fingerprint, sequence, changed_at, zone, since, events, body in rows
    }


def put(session: Session, feed: Glimpse, new: Mapping[str, Said], *, forget: Iterable[str]) -> None:
    """Replace these pieces, and forget those."""
    connection, gone = session.connection(), sorted({*new, *forget})
    for start in range(0, len(gone), 500):
        connection.execute(_FORGET, {"feed_id": feed.id, "uids": gone[start : start + 500]})
    rows = [
        {
            "feed_id": feed.id,
            "uid": uid,
            "fingerprint": one.fingerprint,
            "sequence": one.sequence,
            "changed_at": one.changed_at,
            "zone": one.piece.zone,
            "since": one.piece.since,
            "events": one.piece.events,
            "body": _closed(feed, one.piece.body, row=uid, column="feed_pieces:body"),
        }
        for uid, one in new.items()
    ]
    if rows:
        connection.execute(insert(FeedPieceRow), rows)


def publish(
    session: Session, feed: Glimpse, *, version: int, day: str, etag: str, built_at: datetime, body: bytes
) -> bool:
    """Store what was built, if the feed is still as it was glimpsed; else somebody else was first, and False."""
    values: dict[str, object] = {"built_version": version, "built_on": day}
    if etag != feed.etag:
        kept = _closed(feed, body, row=str(feed.id), column="feeds:body")
        values |= {"etag": etag, "built_at": built_at, "body": kept}
    statement = update(FeedRow).where(
        FeedRow.id == feed.id,
        FeedRow.revoked_at.is_(None),
        FeedRow.edition == feed.edition,
        FeedRow.etag.is_not_distinct_from(feed.etag),
        FeedRow.built_version.is_not_distinct_from(feed.built_version),
        FeedRow.built_on.is_not_distinct_from(feed.built_on),
    )
    return count(session.connection().execute(statement.values(**values))) == 1


def note_fetch(session: Session, address: int, *, by_program: str, before: datetime, now: datetime) -> bool:
    """Write when and by which program it was last fetched, unless that was written after `before`."""
    due = or_(FeedAddressRow.fetched_at.is_(None), FeedAddressRow.fetched_at <= before)
    statement = update(FeedAddressRow).where(FeedAddressRow.id == address, due)
    return count(session.execute(statement.values(fetched_at=now, fetched_by=by_program))) == 1


def forget_content(session: Session, row: FeedRow) -> None:
    """Keep nothing of what it said."""
    session.execute(delete(FeedPieceRow).where(FeedPieceRow.feed_id == row.id))
    row.body = row.etag = row.built_at = row.built_version = row.built_on = None


def have_built_anew(session: Session, row: FeedRow, *, was: Options) -> None:
    """Its owner chose otherwise. What was said before keeps its numbers; Last-Modified goes on from where it was."""
    row.edition += 1
    row.body = row.etag = row.built_version = row.built_on = None
    if names_a_client(was.privacy) != names_a_client(row.options.privacy):
        # Sealed and plain don't mix: of the pieces only the numbers are kept, and each is written again.
        of_feed = update(FeedPieceRow).where(FeedPieceRow.feed_id == row.id)
        session.execute(of_feed.values(body=b"", fingerprint=""))


def _closed(feed: Glimpse, body: bytes, *, row: str, column: str) -> bytes:
    if not body or not names_a_client(feed.privacy):
        return body
    return seal().close(body.decode(), row=row, column=column).encode()


def _opened(feed: Glimpse, kept: bytes, *, row: str, column: str) -> bytes:
    if not kept or not names_a_client(feed.privacy):
        return kept
    return seal().open(kept.decode(), row=row, column=column).encode()
