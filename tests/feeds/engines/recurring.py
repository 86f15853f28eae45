"""recurring-ical-events."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import recurring_ical_events
from icalendar import Calendar

from tests.feeds.engines import UTC_FORM, Listing, Window

_A_DAY = timedelta(days=1)  # it cuts at days of each zone's own


def listed(feeds: Mapping[str, bytes], window: Window) -> dict[str, Listing]:
    return {name: _listed(body, window) for name, body in feeds.items()}


def _listed(body: bytes, window: Window) -> Listing:
    found = recurring_ical_events.of(Calendar.from_ical(body)).between(window.since - _A_DAY, window.until + _A_DAY)
    shown = [event for event in found if event.get("STATUS") != "CANCELLED"]
    return window.of([(_written(event.start), _written(event.end), str(event.get("SUMMARY", ""))) for event in shown])


def _written(when: date) -> str:
    return f"{when.astimezone(UTC):{UTC_FORM}}" if isinstance(when, datetime) else when.isoformat()
