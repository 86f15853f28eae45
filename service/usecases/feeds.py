"""Calendar subscriptions: make one, change it, give it a new address, end it, and hand out what it has to say."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain import access, subscription
from service.domain.access import Actor, Role
from service.domain.hours import local_time
from service.domain.phrase import say
from service.domain.privacy import Privacy, names_a_client
from service.domain.refusals import NotFound, Unavailable
from service.domain.subscription import Options, Shows
from service.language import LOCALES
from service.store import audit, feeds
from service.store.clients import ClientRow
from service.store.feeds import FeedAddressRow, FeedRow, Glimpse
from service.store.glances import Glance, glancing
from service.store.people import Directory, RoomRow, SiteRow, TherapistRow, UserRow, directory
from service.store.transaction import reading, writing
from service.usecases import feed_drafts, feed_rights, steps
from service.usecases.feed_drafts import Draft, Writer, Written
from service.usecases.feed_rights import CannotSubscribe

__all__ = ["CannotSubscribe", "Writer", "Written"]

NOTED_EVERY = timedelta(minutes=1)
LIMIT = 1_000_000
"""Octets. Google leaves out hours of a longer calendar without a word."""
MOST = feed_rights.MOST
_TRIES = 4


@dataclass(frozen=True, kw_only=True)
class Address:
    """One of the addresses at which a feed is answered; never the address itself."""

    created_at: datetime
    ends_at: datetime | None
    """None for the one in use; an old one goes on until then."""
    fetched_at: datetime | None
    fetched_by: str | None


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A feed as its page lists it: all but the secret."""

    id: str
    name: str
    shows: Shows
    whose: str
    """Public id of the therapist, room, site or client."""
    whose_name: str
    owner_name: str | None
    """None for a client's own."""
    is_own: bool
    """Made by whoever looks at the list; a manager or the therapist see others' too."""
    options: Options
    created_at: datetime
    addresses: tuple[Address, ...]
    """The newest first, which is the one in use."""

    @property
    def fetched(self) -> Address | None:
        """The address that was fetched last; None where none was yet."""
        known = [one for one in self.addresses if one.fetched_at is not None]
        return max(known, key=lambda one: one.fetched_at or one.created_at, default=None)


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

    address: int
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
    room: str | None = None,
    site: str | None = None,
    client: str | None = None,
    privacy: Privacy | None = None,
    shows_cancelled: bool = False,
    days_back: int = Options.days_back,
    weeks_ahead: int | None = None,
    alarm_minutes: int | None = None,
    locale: str | None = None,
    owner: str | None = None,
    by: Actor,
    now: datetime,
) -> New:
    """A new subscription to the calendar of a therapist, a room, a site or a client; one's own where none is named.

    `owner` is the user it belongs to, and ends with; oneself where None. A client's own calendar belongs to the client.
    The options are those of `Options`; privacy and language are as usual for that kind and that person where None.

    :raises NotFound: nobody of that id, or somebody else's calendar. :raises Forbidden: not with this role.
    :raises Malformed: no name, or an option that can't be chosen. :raises CannotSubscribe: too many, or clients have
    no calendars here.
    """
    access.require(by, Role.FRONT_DESK, Role.THERAPIST, Role.MANAGER)
    whose = feed_rights.whose(db, therapist=therapist, room=room, site=site, client=client, by=by)
    user = None if whose.shows is Shows.CLIENT else feed_rights.owner(db, owner, by)
    feed_rights.expect_room_for_one_more(db, whose, user)
    chosen = Options(
        privacy=privacy or subscription.USUAL[whose.shows],
        shows_cancelled=shows_cancelled,
        days_back=days_back,
        weeks_ahead=weeks_ahead,
        alarm_minutes=alarm_minutes,
        locale=locale or (user.locale if user else whose.locale) or Options.locale,
    )
    _expect(whose.shows, chosen)
    row = FeedRow(**whose.columns, user_id=user.id if user else None, at_site_id=whose.at_site, created_at=now)
    row.name, row.options = _named(name), chosen
    db.add(row)
    db.flush()
    detail = {whose.shows.value: whose.public_id, "privacy": chosen.privacy.value}
    audit.record(db, "subscribe", by=by, now=now, kind="feed", subject=row.public_id, detail=detail)
    return New(id=row.public_id, secret=_new_address(db, row, now=now))


@writing
def change(
    db: Session, *, feed: str, name: str | None = None, choose: Mapping[str, Any], by: Actor, now: datetime
) -> None:
    """Other options from now on, at the same address; what is left out of `choose` stays as it is.

    :raises NotFound: no such feed, not theirs, or revoked. :raises Malformed: an option that can't be chosen.
    """
    row = feed_rights.find(db, feed, by)
    was = row.options
    wanted = replace(was, **choose)
    _expect(row.shows, wanted)
    if name is not None:
        row.name = _named(name)
    changed = sorted(key for key in choose if getattr(wanted, key) != getattr(was, key))
    if changed:
        row.options = wanted
        feeds.have_built_anew(db, row, was=was)
    audit.record(db, "change", by=by, now=now, kind="feed", subject=row.public_id, fields=changed)


@writing
def rotate(db: Session, *, feed: str, overlap: timedelta = timedelta(0), by: Actor, now: datetime) -> New:
    """A new address for the same subscription; the old one goes on for that long, a day at most, and is gone then.

    :raises NotFound: no such feed, not theirs, or revoked before. :raises Malformed: longer than a day.
    """
    subscription.expect_overlap(overlap)
    row = feed_rights.find(db, feed, by)
    feeds.end_addresses(db, row, at=now + overlap)
    detail = {"overlap_minutes": int(overlap / timedelta(minutes=1))}
    audit.record(db, "rotate", by=by, now=now, kind="feed", subject=row.public_id, detail=detail)
    return New(id=row.public_id, secret=_new_address(db, row, now=now))


@writing
def revoke(db: Session, *, feed: str, by: Actor, now: datetime) -> None:
    """Nobody is told anything at its addresses from now on. :raises NotFound: no such feed, or not theirs."""
    _revoke(db, feed_rights.find(db, feed, by), by=by, now=now)


@writing
def let_clients_have_one(db: Session, *, is_on: bool, by: Actor, now: datetime) -> int:
    """Whether clients may have a calendar of their own hours. Where not, those that there are end; how many did."""
    access.require(by, Role.MANAGER)
    feeds.let_clients_have_one(db, is_on)
    ending = [] if is_on else feeds.in_use(db, FeedRow.client_id.is_not(None))
    for row in ending:
        _revoke(db, row, by=by, now=now)
    detail = {"is_on": is_on}
    audit.record(db, "offer", by=by, now=now, kind="feed", subject="of clients", detail=detail)
    return len(ending)


@reading
def clients_may_have_one(db: Session, *, by: Actor) -> bool:
    access.require_any(by)
    return feeds.clients_may_have_one(db)


@reading
def listed(db: Session, *, by: Actor, now: datetime) -> list[Subscription]:
    """One's own and those of one's own calendar, in order of creation; the desk sees those of rooms and clients, a
    manager all."""
    return _described(db, feed_rights.visible(db, by), by=by, now=now)


@reading
def show(db: Session, *, feed: str, by: Actor, now: datetime) -> Subscription:
    """:raises NotFound: no such feed, not theirs, or revoked."""
    return _described(db, [feed_rights.find(db, feed, by, to_change=False)], by=by, now=now)[0]


# --- fetching -------------------------------------------------------------------------------------------------------


def fetch(*, secret: str, seen: Seen, write: Writer, spend: Callable[[], None] = lambda: None, now: datetime) -> Answer:
    """What a calendar program gets at this address. Where nothing changed, that is one query and nothing is built.

    `spend` is called before anything is done that costs more; what it raises is the answer.

    :raises NotFound: there never was a feed at this address. :raises Unavailable: it can't be made at the moment.
    """
    for attempt in range(_TRIES):
        feed = _glimpse(secret_hash=_digest(secret))
        if feed is None:
            raise NotFound(say("There is no calendar at this address."))
        if _is_gone(feed, now):
            return Revoked()
        is_current = _is_current(feed, now)
        if is_current and _has(seen, feed):
            return NotModified(stand=_stand(feed, now))
        if attempt == 0:
            spend()
        if not is_current:
            _build(feed, write, now=now)
        elif (found := _body(feed=feed, now=now)) is not None:
            return found
    raise Unavailable(say("This calendar changes faster than it can be written. Please ask again."))


def unchanged(*, secret: str, seen: Seen, now: datetime) -> NotModified | None:
    """The answer where the program has what stands there, by one query; None where it takes a `fetch` to know."""
    feed = _glimpse(secret_hash=_digest(secret))
    if feed is None or _is_gone(feed, now) or not _is_current(feed, now) or not _has(seen, feed):
        return None
    return NotModified(stand=_stand(feed, now))


def note_fetch(*, stand: Stand, by_program: str, now: datetime) -> None:
    """Write down that it was fetched just now, once a minute at most."""
    if stand.is_to_be_noted:
        _note_fetch(address=stand.address, by_program=by_program, now=now)


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
def _note_fetch(db: Session, *, address: int, by_program: str, now: datetime) -> None:
    feeds.note_fetch(db, address, by_program=by_program, before=now - NOTED_EVERY, now=now)


def _is_gone(feed: Glimpse, now: datetime) -> bool:
    return feed.is_revoked or (feed.ends_at is not None and feed.ends_at <= now)


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
        address=feed.address,
        etag=feed.etag,
        modified_at=feed.built_at,
        names_a_client=names_a_client(feed.privacy),
        is_to_be_noted=feed.fetched_at is None or feed.fetched_at <= now - NOTED_EVERY,
    )


# --- building -------------------------------------------------------------------------------------------------------


def _build(feed: Glimpse, write: Writer, *, now: datetime) -> None:
    """Read, write down, store. Nobody waits meanwhile: what was built for a state that has passed is thrown away."""
    draft = _read(feed=feed, now=now)
    if draft is None:
        return
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
def _read(db: Session, *, feed: Glimpse, now: datetime) -> Draft | None:
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


def _new_address(db: Session, row: FeedRow, *, now: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    db.add(FeedAddressRow(feed_id=row.id, secret_hash=_digest(secret), created_at=now))
    return secret


def _revoke(db: Session, row: FeedRow, *, by: Actor, now: datetime) -> None:
    row.revoked_at = now
    feeds.forget_content(db, row)
    audit.record(db, "revoke", by=by, now=now, kind="feed", subject=row.public_id)


def _expect(shows: Shows, options: Options) -> None:
    subscription.expect_level(shows, options.privacy)
    if options.locale not in LOCALES:
        raise subscription.CannotChoose(say("That is none of the languages samehour speaks."), where="locale")


def _described(db: Session, rows: Sequence[FeedRow], *, by: Actor, now: datetime) -> list[Subscription]:
    own, people = feed_rights.user_id(db, by), directory(db)
    owners = _names_of(db, {row.user_id for row in rows if row.user_id is not None})
    clients = _clients(db, (row.client_id for row in rows))
    addresses = feeds.addresses_of(db, rows, now=now)
    return [
        Subscription(
            id=row.public_id,
            name=row.name,
            shows=row.shows,
            whose=_whose(row, people, clients)[0],
            whose_name=_whose(row, people, clients)[1],
            owner_name=owners.get(row.user_id or 0),
            is_own=row.user_id is not None and row.user_id == own,
            options=row.options,
            created_at=row.created_at,
            addresses=tuple(map(_address, addresses.get(row.id, ()))),
        )
        for row in rows
    ]


def _names_of(db: Session, users: AbstractSet[int]) -> dict[int, str]:
    found = db.execute(select(UserRow.id, UserRow.name).where(UserRow.id.in_(sorted(users))))
    return dict(found.all())


def _address(row: FeedAddressRow) -> Address:
    return Address(created_at=row.created_at, ends_at=row.ends_at, fetched_at=row.fetched_at, fetched_by=row.fetched_by)


def _clients(db: Session, ids: Iterable[int | None]) -> dict[int, ClientRow]:
    wanted = sorted({one for one in ids if one is not None})
    return {row.id: row for row in db.scalars(select(ClientRow).where(ClientRow.id.in_(wanted)))} if wanted else {}


def _whose(row: FeedRow, people: Directory, clients: Mapping[int, ClientRow]) -> tuple[str, str]:
    """Public id and name of the therapist, room, site or client."""
    found: TherapistRow | RoomRow | SiteRow | ClientRow
    match row.shows:
        case Shows.THERAPIST:
            found = people.therapists[row.whose]
        case Shows.ROOM:
            found = people.rooms[row.whose]
            return found.public_id, f"{found.name}, {people.sites[row.at_site_id].name}"
        case Shows.SITE:
            found = people.sites[row.whose]
        case Shows.CLIENT:
            found = clients[row.whose]
    return found.public_id, found.name


def _named(name: str) -> str:
    return steps.on_one_line(name, otherwise=say("A name has 1 to 120 printable characters, such as “iPhone”."))
