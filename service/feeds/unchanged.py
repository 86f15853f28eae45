"""What a calendar says as it said before keeps its number and its time, also where it is written down anew.

A standing is one piece, and may be several objects to a calendar program: its series, and hours that stand alone beside
it. Where one of them changed, the others are not to look changed: a program that synchronises would take in, and show
its owner, what is the same. An object is all events of one UID, a series with its exceptions.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from service.domain.feed import FeedPiece

_END = b"\r\nEND:VEVENT\r\n"
_STAMPS = (b"DTSTAMP:", b"LAST-MODIFIED:", b"SEQUENCE:")


def with_known_numbers(piece: FeedPiece, before: FeedPiece) -> FeedPiece:
    """The piece, with each object that says what it said before in the very bytes that it had then."""
    known = {_content(events): events for events in _objects(before.body)}
    kept = (known.get(_content(events), events) for events in _objects(piece.body))
    return replace(piece, body=b"".join(event for events in kept for event in events))


def _objects(body: bytes) -> Iterator[tuple[bytes, ...]]:
    """The events of each UID; they stand together."""
    # A line of text begins with a blank where it goes on, so that nothing typed looks like the end of an event.
    events = [event + _END for event in body.split(_END)[:-1]]
    return (tuple(of_one) for _, of_one in groupby(events, key=_uid))


def _uid(event: bytes) -> bytes:
    return next(line for line in event.split(b"\r\n") if line.startswith(b"UID:"))


def _content(events: tuple[bytes, ...]) -> bytes:
    """All but numbers and times of change."""
    lines = (line for event in events for line in event.split(b"\r\n"))
    return b"\r\n".join(line for line in lines if not line.startswith(_STAMPS))
