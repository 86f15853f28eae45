"""A calendar feed on its way to its subscribers: what it is to say, beside what it said; each change with its number.

Steps for the use-cases of feeds; none opens a transaction.
"""

import hashlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from service.domain.feed import FeedEntry, FeedHeader, FeedPiece
from service.domain.hours import local_time
from service.domain.subscription import FARTHEST_BACK
from service.store import feed_values, feeds
from service.store.feed_values import Told
from service.store.feeds import Glimpse, Said

REMEMBERED = FARTHEST_BACK + timedelta(days=366)
"""The number of what began that long ago is forgotten: no choice of its owner brings it back, nor does a long leave."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What the feed is to say, beside what it said."""

    version: int
    day: str
    header: FeedHeader
    standings: AbstractSet[str]
    new: Mapping[str, Said]
    """Number and time of what is said otherwise than before; the piece is not written yet."""
    changed: Mapping[str, FeedEntry]
    before: Mapping[str, FeedPiece]
    """What was said of the changed ones."""
    kept: Mapping[str, FeedPiece]
    gone: Mapping[str, Said]
    forgotten: AbstractSet[str]


@dataclass(frozen=True, kw_only=True)
class Written:
    pieces: Mapping[str, FeedPiece]
    """Those of the changed entries, by UID."""
    body: bytes


class Writer(Protocol):
    """Writes a feed down: renders what changed, joins it with what did not, and reads it back."""

    def __call__(
        self,
        header: FeedHeader,
        *,
        changed: Mapping[str, FeedEntry],
        kept: Mapping[str, FeedPiece],
        never_left_out: AbstractSet[str],
        limit: int,
        before: Mapping[str, FeedPiece] | None = None,
    ) -> Written:
        """:raises Unavailable: it would not be read as it is meant."""


def draft(db: Session, feed: Glimpse, *, now: datetime) -> Draft | None:
    """What the feed is to say from now on. Of what was said before, only that which changed is to be written anew.

    None where its owner chose otherwise since the glimpse: then it has to be looked at again.
    """
    choice = feed_values.choice_of(db, feed)
    if choice.edition != feed.edition:
        return None
    today, said = local_time(now, feed.zone).date(), feeds.said(db, feed)
    values = feed_values.load(db, choice.subject, choice.options, today=today, said=said)
    told = {one.uid: one for one in values.told}
    changed = [one for one in values.told if not _is_as_before(one, said)]
    new = _numbered(db, changed, said, now=now)
    gone = {uid: one for uid, one in said.items() if uid not in told}
    forgotten = {uid for uid, one in gone.items() if one.piece.since < today - REMEMBERED}
    return Draft(
        version=choice.version,
        day=today.isoformat(),
        header=values.header,
        standings={one.uid for one in values.told if one.is_standing},
        new=new,
        changed={one.uid: _with_number(one, new[one.uid]) for one in changed},
        before={one.uid: said[one.uid].piece for one in changed if _may_keep_numbers(one, said)},
        kept={uid: said[uid].piece for uid in told if uid not in new},
        gone={uid: _silent(one) for uid, one in gone.items() if one.fingerprint and uid not in forgotten},
        forgotten=forgotten,
    )


def store(db: Session, feed: Glimpse, draft: Draft, written: Written, *, now: datetime) -> None:
    """Keep what was written, unless somebody else did meanwhile; Last-Modified moves only where the body differs."""
    etag, built_at = hashlib.sha256(written.body).hexdigest()[:32], feed.built_at
    if etag != feed.etag or built_at is None:
        # Later than the one before by a second at least, which is as fine as HTTP tells times.
        earliest = now.replace(microsecond=0)
        built_at = max(earliest, built_at + timedelta(seconds=1)) if built_at else earliest
    published = feeds.publish(
        db, feed, version=draft.version, day=draft.day, etag=etag, built_at=built_at, body=written.body
    )
    if published:
        pieces = {uid: replace(one, piece=written.pieces[uid]) for uid, one in draft.new.items()}
        feeds.put(db, feed, {**pieces, **draft.gone}, forget=draft.forgotten)


def _is_as_before(told: Told, said: Mapping[str, Said]) -> bool:
    before = said.get(told.uid)
    return told.entry is None or (before is not None and before.fingerprint == told.fingerprint)


def _may_keep_numbers(told: Told, said: Mapping[str, Said]) -> bool:
    """False under a new law of its zone: what reads the same then means another instant."""
    before = said.get(told.uid)
    return before is not None and feed_values.is_of_one_law(before.fingerprint, told.fingerprint)


def _numbered(db: Session, changed: Sequence[Told], said: Mapping[str, Said], *, now: datetime) -> dict[str, Said]:
    """Number and time of each change: neither ever goes down, and what is said otherwise has a higher number."""
    known = feed_values.last_change(db, [one.uid for one in changed if one.is_standing])
    new: dict[str, Said] = {}
    for one in changed:  # standings come first, so that those that follow one find it
        before, leader = said.get(one.uid), _leader(one, new, said)
        numbers = [one.at_least, before.sequence + 1 if before else 0, leader.sequence if leader else 0]
        changed_at = max(known.get(one.uid, one.changed_at), leader.changed_at if leader else one.changed_at)
        if before is not None and changed_at <= before.changed_at:
            changed_at = max(now, before.changed_at)  # its rows don't know: a client's name, a room's, a closure
        new[one.uid] = Said(fingerprint=one.fingerprint, sequence=max(numbers), changed_at=changed_at, piece=_UNWRITTEN)
    return new


def _leader(told: Told, new: Mapping[str, Said], said: Mapping[str, Said]) -> Said | None:
    return None if told.follows is None else new.get(told.follows) or said[told.follows]


def _with_number(told: Told, said: Said) -> FeedEntry:
    assert told.entry is not None  # else it would be as before
    return replace(told.entry, sequence=said.sequence, changed_at=said.changed_at)


_UNWRITTEN = FeedPiece(zone="UTC", since=date.min, events=0, body=b"")


def _silent(said: Said) -> Said:
    """Left out of the feed, and remembered: should it come back, its number must not have gone down."""
    return replace(said, fingerprint="", piece=replace(said.piece, events=0, body=b""))
