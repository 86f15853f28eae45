"""Objects that say what they said keep their bytes, whatever stands beside them and whatever people typed."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from service.domain.feed import FeedEvent, FeedPiece
from service.feeds.ics import render_piece
from service.feeds.unchanged import with_known_numbers

THEN, NOW = datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 3, 2, 9, tzinfo=UTC)


def piece(*events: FeedEvent) -> FeedPiece:
    body = b"".join(render_piece(event).body for event in events)
    return FeedPiece(zone="UTC", since=date(2026, 3, 1), events=len(events), body=body)


def event(number: int, *, changed: bool = False, summary: str = "Client One", days: int = 0) -> FeedEvent:
    return FeedEvent(
        uid=str(UUID(int=number, version=4)),
        zone="Europe/Dublin",
        starts=datetime(2026, 3, 10, 10) + timedelta(days=days),
        minutes=50,
        summary=summary,
        changed_at=NOW if changed else THEN,
        sequence=7 if changed else 3,
    )


def test_of_two_objects_only_the_changed_one_is_numbered_anew() -> None:
    before = piece(event(1), event(2))
    after = with_known_numbers(piece(event(1, changed=True), event(2, changed=True, days=1)), before)
    assert after == piece(event(1), event(2, changed=True, days=1))


def test_what_is_new_has_its_new_number_and_what_is_gone_does_not_come_back() -> None:
    after = with_known_numbers(piece(event(2, changed=True)), piece(event(1)))
    assert after == piece(event(2, changed=True))


def test_the_end_of_an_event_within_a_name_is_no_end() -> None:
    """A fold may begin a line with it, after its blank."""
    for ahead in range(70):
        nasty = "x" * ahead + "END:VEVENT BEGIN:VEVENT UID:1 SEQUENCE:9" * 2
        before = piece(event(1, summary=nasty), event(2, summary=nasty))
        after = with_known_numbers(
            piece(event(1, changed=True, summary=nasty), event(2, changed=True, summary=nasty, days=1)), before
        )
        assert after == piece(event(1, summary=nasty), event(2, changed=True, summary=nasty, days=1))


def test_nothing_before_is_nothing_kept() -> None:
    assert with_known_numbers(piece(event(1)), piece()) == piece(event(1))
