"""The slots that a standing expects, lazily, in order of time."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from service.domain.hours import WEEK, LocalTime, monday_of
from service.domain.standing import Standing


def slots(standing: Standing, *, since: LocalTime | None = None, until: LocalTime | None = None) -> Iterator[LocalTime]:
    """Every local time the standing expects, from `since` (included) until `until` (excluded), in order.

    An open-ended standing without `until` never ends: take what you need.
    """
    first_day = datetime.combine(standing.since, time())
    last_day = datetime.combine(standing.until, time()) if standing.until else None
    since = max(first_day, since) if since else first_day
    until = min(filter(None, (last_day, until)), default=None)
    step = WEEK * standing.every_weeks
    anchor = monday_of(standing.since)
    weeks_to_skip = max(0, (since.date() - anchor).days // (7 * standing.every_weeks))
    week = anchor + weeks_to_skip * step
    while True:
        for hour in standing.hours:
            slot = datetime.combine(week + timedelta(days=hour.day), hour.at)
            if until is not None and slot >= until:
                return
            if slot >= since:
                yield slot
        week += step
