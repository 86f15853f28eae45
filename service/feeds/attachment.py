"""A client's hours as a file beside a mail: the same UID for the same hour each time, a higher SEQUENCE after a change.

`METHOD:PUBLISH` and no organizer: nobody is invited and nobody has to answer; a calendar program takes the entries in,
and replaces what it has under their UIDs. What a subscription says (a name, when to come again) must not stand here:
Outlook would open the file as a calendar of its own.
"""

from collections.abc import Sequence

from icalendar import Calendar

from service.domain.feed import FeedEvent
from service.feeds.ics import PRODUCT, single
from service.feeds.timezone_blocks import block

_END = b"END:VCALENDAR\r\n"


def calendar_file(entries: Sequence[FeedEvent]) -> bytes:
    """The whole file, in order of time; at least one entry."""
    years: dict[str, int] = {}
    for entry in entries:
        years[entry.zone] = min(entry.starts.year, years.get(entry.zone, entry.starts.year))
    zones = [block(name, year) for name, year in sorted(years.items())]
    in_order = sorted(entries, key=lambda entry: (entry.starts, entry.uid))
    return b"".join([_head(), *zones, *(single(entry, entry.summary).to_ical() for entry in in_order), _END])


def _head() -> bytes:
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODUCT)
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", "PUBLISH")
    head: bytes = calendar.to_ical()
    return head.removesuffix(_END)
