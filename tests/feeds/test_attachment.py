"""The file beside a mail, as other programs read it: one entry per hour, replaced by a later one of the same UID."""

from datetime import UTC, datetime

import icalendar
import pytest
import recurring_ical_events

from service.domain.feed import FeedEvent
from service.domain.hours import instant
from service.feeds.attachment import calendar_file

CHANGED = datetime(2026, 3, 1, 9, tzinfo=UTC)
UID = "5b0d0c1e-2f6e-4a3c-9d0a-7a1b2c3d4e5f"


def entry(
    starts: datetime, *, uid: str = UID, sequence: int = 1, zone: str = "Europe/Berlin", **given: object
) -> FeedEvent:
    usual: dict[str, object] = {
        "minutes": 50,
        "summary": "Appointment",
        "location": "Room 1, Quay",
        "changed_at": CHANGED,
    }
    return FeedEvent(uid=uid, zone=zone, starts=starts, sequence=sequence, **{**usual, **given})  # type: ignore[arg-type]


def test_it_says_that_it_publishes_and_invites_nobody() -> None:
    body = calendar_file([entry(datetime(2026, 3, 10, 10))])
    calendar = icalendar.Calendar.from_ical(body)
    [event] = calendar.walk("VEVENT")

    assert calendar["METHOD"] == "PUBLISH"
    assert not {"NAME", "X-WR-CALNAME", "REFRESH-INTERVAL", "X-PUBLISHED-TTL"} & set(calendar)
    assert not {"ORGANIZER", "ATTENDEE", "DESCRIPTION"} & set(event)
    assert (event["UID"], event["SEQUENCE"], event["STATUS"], event["LOCATION"]) == (
        UID,
        1,
        "CONFIRMED",
        "Room 1, Quay",
    )
    assert body.count(b"\r\n") == body.count(b"\n")
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/Dublin", "America/New_York", "Asia/Kolkata", "UTC"])
def test_each_hour_is_at_its_instant_also_across_the_change_of_the_clocks(zone: str) -> None:
    days = [datetime(2026, 3, 24, 10), datetime(2026, 3, 31, 10), datetime(2026, 10, 27, 10)]
    body = calendar_file([entry(day, uid=f"uid-{n}", zone=zone) for n, day in enumerate(days)])
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(body)).between((2026, 1, 1), (2027, 1, 1))

    assert [one.start.astimezone(UTC) for one in found] == [instant(day, zone) for day in days]


def test_two_zones_are_described_once_each() -> None:
    body = calendar_file(
        [entry(datetime(2026, 3, 10, 10)), entry(datetime(2026, 3, 11, 10), uid="other", zone="Europe/Lisbon")]
    )
    assert body.count(b"BEGIN:VTIMEZONE") == 2
