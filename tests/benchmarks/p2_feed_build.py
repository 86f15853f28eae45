"""P2: one standing of a full-time therapist changed, and the feed is made anew.

30 weekly standings in Dublin, 13 weeks back and open-ended, 150 exceptions within 65 weeks (two in three lost, one in
three moved). The changed standing is rendered and read back; the others are joined from stored pieces. Against that,
the same feed written and read back as a whole, which is what a feed without stored pieces would do each time.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

from service.domain.hours import Hour, Weekday
from service.domain.standing import Modality, Standing
from service.feeds.ics import FeedHeader, FeedOverride, FeedPiece, FeedStanding, join, render_piece
from service.feeds.reading_back import verify, verify_piece
from tests.benchmarks.measure import Figure, seconds_of, show

STANDINGS, EXCEPTIONS, WEEKS = 30, 150, 65
DUBLIN = "Europe/Dublin"
MONDAY = date(2026, 1, 5)
CHANGED = datetime(2026, 4, 1, 12, tzinfo=UTC)
HEADER = FeedHeader(name="Therapist A", zone=DUBLIN, since=MONDAY, color="teal")


def run() -> list[Figure]:
    standings = _standings()
    stored = [render_piece(each) for each in standings]
    changed = replace(standings[7], sequence=2, changed_at=CHANGED + timedelta(hours=1))
    _make_sure_both_agree(stored, changed, standings)
    build, whole = seconds_of(
        lambda: _with_one_changed(stored, changed),
        lambda: _from_nothing([*standings[:7], changed, *standings[8:]]),
    )
    what = f"feed of {STANDINGS} standings and {EXCEPTIONS} exceptions, one changed, read back"
    return [
        Figure(id="P2b", what=what, ours=build * 1000, unit="ms", at_most=10),
        Figure(
            id="P2c", what=what, ours=build * 1000, unit="ms", peer=whole * 1000, peer_name="as a whole", at_most=0.25
        ),
    ]


def _with_one_changed(stored: Sequence[FeedPiece], changed: FeedStanding) -> tuple[bytes, str]:
    piece = render_piece(changed)
    verify_piece(HEADER, piece)
    body = join(HEADER, [*stored[:7], piece, *stored[8:]])
    return body, hashlib.sha256(body).hexdigest()


def _from_nothing(standings: Sequence[FeedStanding]) -> tuple[bytes, str]:
    pieces = [render_piece(each) for each in standings]
    body = join(HEADER, pieces)
    verify(body, events=sum(piece.events for piece in pieces))
    return body, hashlib.sha256(body).hexdigest()


def _make_sure_both_agree(
    stored: Sequence[FeedPiece], changed: FeedStanding, standings: Sequence[FeedStanding]
) -> None:
    joined = _with_one_changed(stored, changed)
    assert joined == _from_nothing([*standings[:7], changed, *standings[8:]])
    assert joined[0].count(b"\r\nEXDATE") + joined[0].count(b"\r\nRECURRENCE-ID") == EXCEPTIONS


def _standings() -> list[FeedStanding]:
    dice = Random(11)
    return [_standing(number, dice) for number in range(STANDINGS)]


def _standing(number: int, dice: Random) -> FeedStanding:
    hour = Hour(day=Weekday(number % 5), at=time(9 + number // 5, 15))
    slots = dice.sample([hour.on(MONDAY) + timedelta(weeks=week) for week in range(WEEKS)], EXCEPTIONS // STANDINGS)
    return FeedStanding(
        uid=str(UUID(int=dice.getrandbits(128), version=4)),
        standing=Standing(
            id=str(number),
            therapist="therapist",
            room="room",
            modality=Modality.IN_PERSON,
            hours=(hour,),
            every_weeks=1,
            minutes=50,
            zone=DUBLIN,
            since=MONDAY,
            until=None,
        ),
        summary="Busy",
        location="Room 2, ground floor",
        changed_at=CHANGED,
        sequence=1,
        lost=tuple(slots[len(slots) // 3 :]),
        overrides=tuple(
            FeedOverride(
                slot=slot,
                starts=slot + timedelta(days=1, hours=1),
                minutes=50,
                summary="Busy",
                location="Room 2, ground floor",
                changed_at=CHANGED,
                sequence=1,
            )
            for slot in slots[: len(slots) // 3]
        ),
    )


if __name__ == "__main__":
    show(run())
