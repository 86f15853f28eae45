"""Calendars elsewhere that a therapist lives by too. When they are busy there is kept, and nothing else: no title, no
place, nobody they meet.

What is busy elsewhere warns and never forbids: it is a stranger's file, and may be hours old.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote

from service.domain import web_address
from service.domain.hours import Span
from service.domain.phrase import Phrase, say, says
from service.domain.refusals import Conflict
from service.domain.web_address import WHY_NOT_REACHED, WebAddress

MOST = 5
"""Calendars that one therapist may have read."""
BEHIND, AHEAD = timedelta(days=7), timedelta(weeks=27)
"""What is kept: a week beyond the half year that standing hours are booked ahead."""
FRESH = timedelta(days=1)
"""So long a calendar may say that nothing has changed. Then it is read whole again: what is kept ends at a day that
moves on, and the law on the clocks may have changed."""
EVERY = timedelta(minutes=30)
LONGEST_WAIT = timedelta(hours=24)
TROUBLED_AFTER = 3
"""Faults in a row: one or two are a machine that is being restarted."""

_FEEDS = re.compile("/+feeds/", re.IGNORECASE)

FAULTS: Mapping[str, Phrase] = {
    "address": say("It leads to an address that is not asked: only https on the public internet is."),
    **WHY_NOT_REACHED,
    "redirect": say("It leads on and on, and never to a calendar."),
    "own_feed": say("It leads to a calendar of samehour itself, whose hours are known already."),
    "not_allowed": say("It does not let us in. The address may have been changed or is no longer shared."),
    "gone": say("There is no calendar at this address any more."),
    "busy": say("It asks for more time between two readings."),
    "refused": say("It answered that something went wrong there."),
    "too_large": say("The calendar is larger than 5 MB. Share one with less of the past, or of fewer things."),
    "not_calendar": say("What is there is not a calendar. It may be the page for people instead of the .ics address."),
    "cut_short": say("The calendar breaks off before its end."),
    "damaged": say("The calendar is damaged and can't be read."),
    "too_many": say("It has more busy times in half a year than a calendar of one person can have."),
}
"""Why a calendar was not read. Its busy times from before are kept."""


class CannotSubscribeToOwn(Conflict):
    """The address is one of samehour's own feeds: each hour would count as busy twice."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one calendar says of the time that is kept."""

    spans: tuple[Span, ...]
    """Merged, in order."""
    left_out: Mapping[str, int]
    """How many entries could not be read, by a key of `left_out_text`."""


def address_of(text: str) -> str:
    """What somebody pasted as the address that is asked: `webcal` is what calendar programs call https."""
    plain = text.strip()
    scheme, colon, rest = plain.partition(":")
    return f"https:{rest}" if colon and scheme.lower() in ("webcal", "webcals") else plain


def expect_foreign(address: WebAddress, public_url: str) -> None:
    """:raises CannotSubscribeToOwn: it is a feed of this very installation."""
    if address.host == web_address.host_of(public_url) and _FEEDS.match(unquote(address.target)):
        raise CannotSubscribeToOwn(
            say("That is a calendar of samehour itself: its hours would count as busy twice. Nothing was added."),
            where="url",
        )


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time in as few spans as can be, in order."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.since, one.until)):
        if found and span.since <= found[-1].until:
            found[-1] = Span(since=found[-1].since, until=max(found[-1].until, span.until))
        else:
            found.append(span)
    return tuple(found)


def wait_after(failures: int, *, luck: float) -> timedelta:
    """From one reading to the next, doubled with each fault in a row; a fifth less (`luck` 0) to a fifth more (1), so
    that not all ask in one moment."""
    doubled = min(EVERY * (1 << min(failures, 6)), LONGEST_WAIT)
    return doubled * (0.8 + 0.4 * luck)


def left_out_text(reason: str, n: int) -> Phrase:
    """Why so many entries could not be read: `time`, `zone`, `rule` or `no_end`."""
    texts = {
        "time": says("{n} entry has a time that can't be read.", "{n} entries have a time that can't be read.", n=n),
        "zone": says(
            "{n} entry is in a time zone that nobody knows.", "{n} entries are in a time zone that nobody knows.", n=n
        ),
        "rule": says(
            "{n} entry repeats in a way that can't be worked through.",
            "{n} entries repeat in a way that can't be worked through.",
            n=n,
        ),
        "no_end": says("{n} entry has no end.", "{n} entries have no end.", n=n),
    }
    return texts[reason]


LEFT_OUT = ("time", "zone", "rule", "no_end")
