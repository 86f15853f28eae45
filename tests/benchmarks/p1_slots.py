"""P1: the slots of 10,000 weekly standings over two years in New York, with their instants.

One by one against dateutil's `rrule` with zoneinfo, on a tenth of the standings, since it is slow. As a table against
the floor of a plain numpy table: the same three columns, but out of arrays made beforehand, where `bulk` reads
10,000 `Standing`s.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from dateutil.rrule import WEEKLY, rrule

from service.domain.hours import Hour, Weekday, steady_spans
from service.domain.recurrence import bulk, instants
from service.domain.standing import Modality, Standing
from tests.benchmarks.measure import Figure, seconds_of, show

STANDINGS, WEEKS, TENTH = 10_000, 104, 1_000
NEW_YORK = "America/New_York"
SINCE, UNTIL = datetime(2026, 1, 5), datetime(2028, 1, 3)
MILLION = 1_000_000

Table = tuple[Any, Any, Any]


def run() -> list[Figure]:
    standings = [_standing(number) for number in range(STANDINGS)]
    plain = _plain_table(standings)
    _make_sure_all_agree(standings, plain)
    one_by_one, by_dateutil, as_table, by_plain_table = seconds_of(
        lambda: [deque(instants(each, since=SINCE, until=UNTIL), maxlen=0) for each in standings[:TENTH]],
        lambda: [deque(_dateutil(each), maxlen=0) for each in standings[:TENTH]],
        lambda: bulk(standings, since=SINCE, until=UNTIL),
        plain,
    )
    ours, peer = TENTH * WEEKS / one_by_one / MILLION, TENTH * WEEKS / by_dateutil / MILLION
    table, floor = STANDINGS * WEEKS / as_table / MILLION, STANDINGS * WEEKS / by_plain_table / MILLION
    what = "slots of weekly standings over two years, to UTC"
    return [
        Figure(id="P1a", what=f"{what}, one by one", ours=ours, unit="M/s", at_least=2),
        Figure(
            id="P1b", what=f"{what}, one by one", ours=ours, unit="M/s", peer=peer, peer_name="dateutil", at_least=8
        ),
        Figure(
            id="P1c", what=f"{what}, as a table", ours=table, unit="M/s", peer=floor, peer_name="numpy", at_least=0.5
        ),
    ]


def _standing(number: int) -> Standing:
    return Standing(
        id=str(number),
        therapist=f"therapist-{number % 300}",
        room=f"room-{number % 100}",
        modality=Modality.IN_PERSON,
        hours=(Hour(day=Weekday(number % 5), at=time(8 + number % 11, number % 4 * 15)),),
        every_weeks=1,
        minutes=50,
        zone=NEW_YORK,
        since=date(2026, 1, 5),
        until=None,
    )


def _dateutil(standing: Standing) -> list[tuple[datetime, datetime]]:
    zone = ZoneInfo(NEW_YORK)
    rule = rrule(WEEKLY, dtstart=standing.hours[0].on(standing.since), count=WEEKS)
    return [(local, local.replace(tzinfo=zone).astimezone(UTC)) for local in rule]


def _plain_table(standings: list[Standing]) -> Callable[[], Table]:
    """What a table by hand costs that knows beforehand: one zone, one hour a week, none ended, arrays ready."""
    first = np.array([each.hours[0].on(each.since) for each in standings], dtype="datetime64[m]")
    spans = [span for year in (2026, 2027, 2028) for span in steady_spans(NEW_YORK, year)]
    ends = np.array([span.until for span in spans], dtype="datetime64[m]")
    offsets = np.array([span.offset for span in spans], dtype="timedelta64[m]")

    def table() -> Table:
        local = (first[:, None] + np.arange(WEEKS) * np.timedelta64(7, "D")).ravel()
        utc = local - offsets[np.searchsorted(ends, local, side="right")]
        return np.repeat(np.arange(len(first)), WEEKS), local, utc

    return table


def _make_sure_all_agree(standings: list[Standing], plain: Callable[[], Table]) -> None:
    table = bulk(standings, since=SINCE, until=UNTIL)
    assert all(np.array_equal(*pair) for pair in zip(plain(), (table.standing, table.local, table.utc), strict=True))
    assert all(_dateutil(each) == list(instants(each, since=SINCE, until=UNTIL)) for each in standings[:20])


if __name__ == "__main__":
    show(run())
