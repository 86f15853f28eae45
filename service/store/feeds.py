"""Calendar subscriptions, and what each of them last said. The address is a secret; only its hash is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import (
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from service.domain.feed import FeedPiece
from service.domain.phrase import say
from service.domain.privacy import Privacy, names_a_client
from service.domain.refusals import NotFound
from service.store.base import BigId, Model, PublicId, UtcTime, count, new_public_id
from service.store.glances import Glance
from service.store.people import SiteRow, TherapistRow, UserRow
from service.store.seal import seal


class FeedRow(Model):
    __tablename__ = "feeds"
    __table_args__ = (Index("ix_feeds_therapist_id", "therapist_id"), Index("ix_feeds_user_id", "user_id"))
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapists.id"))
    name: Mapped[str] = mapped_column(String(120))
    privacy: Mapped[str] = mapped_column(String(10))
    """busy, initials, reference, name."""
    shows_cancelled: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    fetched_at: Mapped[datetime | None] = mapped_column(UtcTime)
    fetched_by: Mapped[str | None] = mapped_column(String(60))
    built_version: Mapped[int | None] = mapped_column(Integer)
    """The therapist's `calendar_version` that the stored body shows."""
    built_on: Mapped[str | None] = mapped_column(String(10))
    """The local date it was built on: its window of past days moves with the day."""
    built_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When the body last came out different, in whole seconds: Last-Modified."""
    etag: Mapped[str | None] = mapped_column(String(64))
    body: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    """Sealed where it names clients; so are the pieces."""


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
    therapist_id: int
    level: str
    fetched_at: datetime | None
    etag: str | None
    built_version: int | None
    built_on: str | None
    built_at: datetime | None
    calendar_version: int
    zone: str

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


_GLIMPSE = (
    select(
        FeedRow.id,
        or_(FeedRow.revoked_at.is_not(None), UserRow.disabled_at.is_not(None)),
        FeedRow.therapist_id,
        FeedRow.privacy,
        FeedRow.fetched_at,
        FeedRow.etag,
        FeedRow.built_version,
        FeedRow.built_on,
        FeedRow.built_at,
        TherapistRow.calendar_version,
        SiteRow.zone,
    )
    .join(UserRow, UserRow.id == FeedRow.user_id)
    .join(TherapistRow, TherapistRow.id == FeedRow.therapist_id)
    .join(SiteRow, SiteRow.id == TherapistRow.site_id)
    .where(FeedRow.secret_hash == bindparam("secret_hash"))
)


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
    return _opened(feed, body, row=str(feed.therapist_id), column="feeds:body"), etag, built_at


def get(session: Session, public_id: str) -> FeedRow:
    """:raises NotFound: no such feed."""
    row = session.scalar(select(FeedRow).where(FeedRow.public_id == public_id))
    if row is None:
        raise NotFound(say("There is no such calendar subscription."))
    return row


def in_use(session: Session, **whose: int | None) -> list[FeedRow]:
    """Those that still work, made by `user_id` or showing `therapist_id`, in order of creation; all, where neither is
    asked for."""
    query = select(FeedRow).where(FeedRow.revoked_at.is_(None)).order_by(FeedRow.id)
    if whose:
        query = query.where(or_(*(getattr(FeedRow, name) == inner_id for name, inner_id in whose.items())))
    return list(session.scalars(query))


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
        kept = _closed(feed, body, row=str(feed.therapist_id), column="feeds:body")
        values |= {"etag": etag, "built_at": built_at, "body": kept}
    statement = update(FeedRow).where(
        FeedRow.id == feed.id,
        FeedRow.revoked_at.is_(None),
        FeedRow.etag.is_not_distinct_from(feed.etag),
        FeedRow.built_version.is_not_distinct_from(feed.built_version),
        FeedRow.built_on.is_not_distinct_from(feed.built_on),
    )
    return count(session.connection().execute(statement.values(**values))) == 1


def note_fetch(session: Session, feed_id: int, *, by_program: str, before: datetime, now: datetime) -> bool:
    """Write when and by which program it was last fetched, unless that was written after `before`."""
    due = or_(FeedRow.fetched_at.is_(None), FeedRow.fetched_at <= before)
    statement = update(FeedRow).where(FeedRow.id == feed_id, due).values(fetched_at=now, fetched_by=by_program)
    return count(session.execute(statement)) == 1


def forget_content(session: Session, row: FeedRow) -> None:
    """Keep nothing of what it said."""
    session.execute(delete(FeedPieceRow).where(FeedPieceRow.feed_id == row.id))
    row.body = row.etag = row.built_at = row.built_version = row.built_on = None


def hand_over(session: Session, old: FeedRow, new: FeedRow) -> None:
    """Let the new address go on where the old one was: the same events with the same numbers."""
    for name in ("body", "etag", "built_at", "built_version", "built_on", "fetched_at", "fetched_by"):
        setattr(new, name, getattr(old, name))
    session.flush()
    session.execute(update(FeedPieceRow).where(FeedPieceRow.feed_id == old.id).values(feed_id=new.id))
    forget_content(session, old)


def _closed(feed: Glimpse, body: bytes, *, row: str, column: str) -> bytes:
    return seal().close(body.decode(), row=row, column=column).encode() if names_a_client(feed.privacy) else body


def _opened(feed: Glimpse, kept: bytes, *, row: str, column: str) -> bytes:
    return seal().open(kept.decode(), row=row, column=column).encode() if names_a_client(feed.privacy) else kept
