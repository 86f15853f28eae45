"""A feed written down: what changed is rendered and read back, and joined with what was rendered before."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import structlog

from service.domain.feed import FeedEntry, FeedHeader, FeedPiece
from service.feeds.ics import join, render_piece
from service.feeds.reading_back import CannotPublish, verify, verify_piece
from service.feeds.unchanged import with_known_numbers
from service.usecases.feed_drafts import Written

log = structlog.get_logger("samehour")

FEW = 8
"""Up to so many changed pieces are read back one by one; with more of them, reading the whole is faster."""
FRAME = 20_000
"""Octets set aside for what is around the pieces: the head and the zones."""


def write(
    header: FeedHeader,
    *,
    changed: Mapping[str, FeedEntry],
    kept: Mapping[str, FeedPiece],
    never_left_out: AbstractSet[str],
    limit: int,
    before: Mapping[str, FeedPiece] | None = None,
) -> Written:
    """The calendar out of the changed entries, beside what was said of them before, and the kept pieces, all by UID.

    Where it would be longer than `limit` octets, the oldest single hours are left out.

    :raises CannotPublish: it would not be read as it is meant.
    """
    pieces = {uid: render_piece(entry) for uid, entry in changed.items()}
    pieces |= {uid: with_known_numbers(pieces[uid], piece) for uid, piece in (before or {}).items()}
    told = _within(limit - FRAME, {**kept, **pieces}, never_left_out)
    body = join(header, told.values())
    try:
        if len(pieces) > FEW:
            verify(body, events=sum(piece.events for piece in told.values()))
        else:
            for piece in pieces.values():
                verify_piece(header, piece)
    except CannotPublish as reason:
        log.error("a calendar feed was not published", message=str(reason.message))
        raise
    return Written(pieces=pieces, body=body)


def _within(limit: int, pieces: Mapping[str, FeedPiece], never_left_out: AbstractSet[str]) -> dict[str, FeedPiece]:
    told, size = dict(pieces), sum(len(piece.body) for piece in pieces.values())
    if size > limit:
        single = (uid for uid in pieces if uid not in never_left_out)
        for uid in sorted(single, key=lambda uid: (pieces[uid].since, uid)):
            size -= len(told.pop(uid).body)
            if size <= limit:
                break
    return told
