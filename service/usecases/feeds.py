"""Calendar subscriptions: make one, change its address, end it, and hand out what it has to say."""

import hashlib
import secrets
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import Actor, Role
from service.domain.hours import local_time
from service.domain.phrase import say
from service.domain.privacy import Privacy, names_a_client
from service.domain.refusals import Conflict, Malformed, NotFound, Unavailable
from service.store import audit, feeds
from service.store.feeds import FeedRow, Glimpse
from service.store.glances import Glance, glancing
from service.store.people import TherapistRow, UserRow, directory
from service.store.transaction import reading, writing
from service.usecases import feed_drafts
from service.usecases.feed_drafts import Draft, Writer, Written

MOST = 20
"""Subscriptions that one user may have at a time."""
NOTED_EVERY = timedelta(minutes=1)
LIMIT = 1_000_000
"""Octets. Google leaves out hours of a longer calendar without a word."""
_TRIES = 4


class CannotSubscribe(Conflict):
    """The user has as many subscriptions as one can keep an eye on."""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A feed as its page lists it: all but the secret."""

    id: str
    name: str
    therapist: str
    therapist_name: str
    owner_name: str
    is_own: bool
    """Made by whoever looks at the list; a manager or the therapist see others' too."""
    privacy: Privacy
    shows_cancelled: bool
    created_at: datetime
    fetched_at: datetime | None
    fetched_by: str | None


@dataclass(frozen=True, kw_only=True)
class New:
    """A feed with its secret, which is shown this once: only its hash is kept."""

    id: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the program that asks says it has already."""

    etags: AbstractSet[str] | None = None
    """Of its If-None-Match; None where it sent none."""
    any_version: bool = False
    """It sent `If-None-Match: *`."""
    since: datetime | None = None
    """Of its If-Modified-Since."""


@dataclass(frozen=True, kw_only=True)
class Stand:
    """What stands at a feed's address now."""

    feed: int
    """For `note_fetch` alone."""
    etag: str
    modified_at: datetime
    names_a_client: bool
    is_to_be_noted: bool
    """The moment of this fetch should be written down: call `note_fetch` once the answer is out."""


@dataclass(frozen=True, kw_only=True)
class NotModified:
    """The program has it already."""

    stand: Stand


@dataclass(frozen=True, kw_only=True)
class Body:
    stand: Stand
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """There was a feed at this address, and there will be none again."""


Answer = NotModified | Body | Revoked


# --- making and ending ----------------------------------------------------------------------------------------------


@writing
def create(
    db: Session,
    *,
    name: str,
    therapist: str | None = None,
    privacy: Privacy = Privacy.INITIALS,
    shows_cancelled: bool = False,
    owner: str | None = None,
    by: Actor,
    now: datetime,
) -> New:
    """A new subscription to a therapist's calendar, one's own where none is named.

    `owner` is the user it belongs to, and ends with; oneself where None.

    :raises NotFound: no such therapist, or somebody else's calendar, which only managers may subscribe to.
    :raises Malformed: no name. :raises CannotSubscribe: too many.
    """
    access.require(by, Role.THERAPIST, Role.MANAGER)
    whose = _therapist(db, therapist or by.therapist, by)
    user = _user(db, owner, by)
    if len(feeds.in_use(db, user_id=user.id)) >= MOST:
        raise CannotSubscribe(say("{most} subscriptions are in use. End one that is not needed any more.", most=MOST))
    row, secret = _new(user_id=user.id, therapist_id=whose.id, now=now)
    row.name, row.privacy, row.shows_cancelled = _named(name), privacy.value, shows_cancelled
    db.add(row)
    db.flush()
    detail = {"therapist": whose.public_id, "privacy": privacy.value}
    audit.record(db, "subscribe", by=by, now=now, kind="feed", subject=row.public_id, detail=detail)
    return New(id=row.public_id, secret=secret)


@writing
def rotate(db: Session, *, feed: str, by: Actor, now: datetime) -> New:
    """A new address for the same subscription; the old one is revoked from this moment.

    :raises NotFound: no such feed, not theirs, or revoked before.
    """
    old = _find(db, feed, by)
    row, secret = _new(user_id=old.user_id, therapist_id=old.therapist_id, now=now)
    row.name, row.privacy, row.shows_cancelled = old.name, old.privacy, old.shows_cancelled
    old.revoked_at = now
    db.add(row)
    db.flush()
    feeds.hand_over(db, old, row)
    audit.record(db, "rotate", by=by, now=now, kind="feed", subject=row.public_id, detail={"replaces": old.public_id})
    return New(id=row.public_id, secret=secret)


@writing
def revoke(db: Session, *, feed: str, by: Actor, now: datetime) -> None:
    """Nobody is told anything at this address from now on. :raises NotFound: no such feed, or not theirs."""
    row = _find(db, feed, by)
    row.revoked_at = now
    feeds.forget_content(db, row)
    audit.record(db, "revoke", by=by, now=now, kind="feed", subject=row.public_id)


@reading
def listed(db: Session, *, by: Actor) -> list[Subscription]:
    """One's own and those of one's own calendar, in order of creation; managers see all."""
    access.require(by, Role.THERAPIST, Role.MANAGER, to_change=False)
    own, therapist = _ids(db, by)
    rows = feeds.in_use(db) if by.has(Role.MANAGER) else feeds.in_use(db, user_id=own, therapist_id=therapist)
    people = directory(db)
    owners = dict(
        db.execute(select(UserRow.id, UserRow.name).where(UserRow.id.in_(sorted({row.user_id for row in rows})))).all()
    )
    return [
        Subscription(
            id=row.public_id,
            name=row.name,
            therapist=people.therapist_public(row.therapist_id),
            therapist_name=people.therapists[row.therapist_id].name,
            owner_name=owners[row.user_id],
            is_own=row.user_id == own,
            privacy=Privacy(row.privacy),
            shows_cancelled=row.shows_cancelled,
            created_at=row.created_at,
            fetched_at=row.fetched_at,
            fetched_by=row.fetched_by,
        )
        for row in rows
    ]


# --- fetching -------------------------------------------------------------------------------------------------------


def fetch(*, secret: str, seen: Seen, write: Writer, now: datetime) -> Answer:
    """What a calendar program gets at this address. Where nothing changed, that is one query and nothing is built.

    :raises NotFound: there never was a feed at this address. :raises Unavailable: it can't be made at the moment.
    """
    for _ in range(_TRIES):
        feed = _glimpse(secret_hash=_digest(secret))
        if feed is None:
            raise NotFound(say("There is no calendar at this address."))
        if feed.is_revoked:
            return Revoked()
        if not _is_current(feed, now):
            _build(feed, write, now=now)
        elif _has(seen, feed):
            return NotModified(stand=_stand(feed, now))
        elif (found := _body(feed=feed, now=now)) is not None:
            return found
    raise Unavailable(say("This calendar changes faster than it can be written. Please ask again."))


def unchanged(*, secret: str, seen: Seen, now: datetime) -> NotModified | None:
    """The answer where the program has what stands there, by one query; None where it takes a `fetch` to know."""
    feed = _glimpse(secret_hash=_digest(secret))
    if feed is None or feed.is_revoked or not _is_current(feed, now) or not _has(seen, feed):
        return None
    return NotModified(stand=_stand(feed, now))


def note_fetch(*, stand: Stand, by_program: str, now: datetime) -> None:
    """Write down that it was fetched just now, once a minute at most."""
    if stand.is_to_be_noted:
        _note_fetch(feed_id=stand.feed, by_program=by_program, now=now)


@glancing
def _glimpse(glance: Glance, *, secret_hash: str) -> Glimpse | None:
    return feeds.glimpse(glance, secret_hash)


@glancing
def _body(glance: Glance, *, feed: Glimpse, now: datetime) -> Body | None:
    found = feeds.body_of(glance, feed)
    if found is None:
        return None
    content, etag, built_at = found
    return Body(stand=_stand(feed._replace(etag=etag, built_at=built_at), now), content=content)


@writing
def _note_fetch(db: Session, *, feed_id: int, by_program: str, now: datetime) -> None:
    feeds.note_fetch(db, feed_id, by_program=by_program, before=now - NOTED_EVERY, now=now)


def _is_current(feed: Glimpse, now: datetime) -> bool:
    """True where what is stored shows the calendar as it is, as of today."""
    if feed.built_version != feed.calendar_version:
        return False
    return feed.built_on == local_time(now, feed.zone).date().isoformat()


def _has(seen: Seen, feed: Glimpse) -> bool:
    """True where what the program has is what stands here. Its If-None-Match wins over its If-Modified-Since."""
    if feed.etag is None or feed.built_at is None:
        return False
    if seen.etags is not None or seen.any_version:
        return seen.any_version or feed.etag in (seen.etags or ())
    return seen.since is not None and feed.built_at <= seen.since


def _stand(feed: Glimpse, now: datetime) -> Stand:
    assert feed.etag is not None and feed.built_at is not None
    return Stand(
        feed=feed.id,
        etag=feed.etag,
        modified_at=feed.built_at,
        names_a_client=names_a_client(feed.privacy),
        is_to_be_noted=feed.fetched_at is None or feed.fetched_at <= now - NOTED_EVERY,
    )


# --- building -------------------------------------------------------------------------------------------------------


def _build(feed: Glimpse, write: Writer, *, now: datetime) -> None:
    """Read, write down, store. Nobody waits meanwhile: what was built for a state that has passed is thrown away."""
    draft = _read(feed=feed, now=now)
    written = write(
        draft.header,
        changed=draft.changed,
        kept=draft.kept,
        never_left_out=draft.standings,
        limit=LIMIT,
        before=draft.before,
    )
    _store(feed=feed, draft=draft, written=written, now=now)


@reading
def _read(db: Session, *, feed: Glimpse, now: datetime) -> Draft:
    if db.get_bind().dialect.name == "postgresql":
        # Else each query sees another moment, and a moved hour may be seen at both places or at none.
        db.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return feed_drafts.draft(db, feed, now=now)


@writing
def _store(db: Session, *, feed: Glimpse, draft: Draft, written: Written, now: datetime) -> None:
    feed_drafts.store(db, feed, draft, written, now=now)


# --- steps ----------------------------------------------------------------------------------------------------------


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _new(*, user_id: int, therapist_id: int, now: datetime) -> tuple[FeedRow, str]:
    secret = secrets.token_urlsafe(32)
    return FeedRow(secret_hash=_digest(secret), user_id=user_id, therapist_id=therapist_id, created_at=now), secret


def _find(db: Session, feed: str, by: Actor) -> FeedRow:
    access.require(by, Role.THERAPIST, Role.MANAGER)
    row, (own, therapist) = feeds.get(db, feed), _ids(db, by)
    is_theirs = by.has(Role.MANAGER) or row.user_id == own or row.therapist_id == therapist
    if row.revoked_at is not None or not is_theirs:
        raise NotFound(say("There is no such calendar subscription."))
    return row


def _ids(db: Session, by: Actor) -> tuple[int | None, int | None]:
    """Inner ids of the user and the therapist that somebody is."""
    user = db.scalar(select(UserRow.id).where(UserRow.public_id == by.user)) if by.user else None
    return user, directory(db).therapist(by.therapist).id if by.therapist else None


def _therapist(db: Session, therapist: str | None, by: Actor) -> TherapistRow:
    if therapist is None:
        raise Malformed(say("Say whose calendar it is."), where="therapist")
    if therapist != by.therapist and not by.has(Role.MANAGER):
        raise NotFound(say("There is no such therapist."), where="therapist")
    return directory(db).therapist(therapist)


def _user(db: Session, owner: str | None, by: Actor) -> UserRow:
    public_id = owner or by.user
    if public_id is None:
        raise Malformed(say("Say whose subscription it is."), where="owner")
    if public_id != by.user:
        access.require(by, Role.MANAGER)
    row = db.scalar(select(UserRow).where(UserRow.public_id == public_id, UserRow.disabled_at.is_(None)))
    if row is None:
        raise NotFound(say("There is no such user."), where="owner")
    return row


def _named(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or len(plain) > 120 or not plain.isprintable():
        raise Malformed(say("A name has 1 to 120 printable characters, such as “iPhone”."), where="name")
    return plain
