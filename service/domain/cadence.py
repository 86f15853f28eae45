"""How often a client comes: the longest time that the agreed pattern leaves between two sessions.

Weekly is 7 days, fortnightly 14, Tuesdays and Fridays at the same time 4, every four weeks 28. Clock times count:
Tuesday 10:00 and Friday 15:00 leave 3 days 19 hours from Friday to Tuesday. Wall time throughout, so that a change
of the clocks changes nothing.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice, pairwise

from service.domain.hours import MINUTES_A_WEEK, WEEK, monday_of
from service.domain.standing import Standing

MOST_SLOTS = 20_000
"""No real pattern needs more before it repeats; intervals that share no divisor could run for centuries."""


def cadence(standings: Sequence[Standing]) -> timedelta:
    """The longest nominal gap over the full cycle of standings that hold at the same time.

    The cycle is the least common multiple of their intervals, each counted from the week of its own `since`.
    """
    if len(standings) == 1:
        return timedelta(minutes=_longest_alone(standings[0]))
    bound = min(_longest_alone(standing) for standing in standings)
    cycle = math.lcm(*(standing.every_weeks for standing in standings)) * MINUTES_A_WEEK
    base = min(monday_of(standing.since) for standing in standings)
    marks = heapq.merge(*(_minutes(standing, (monday_of(standing.since) - base) // WEEK) for standing in standings))
    longest = 0
    first = None
    for one, other in pairwise(islice(marks, MOST_SLOTS)):
        first = one if first is None else first
        longest = max(longest, other - one)
        if longest >= bound or one - first >= cycle:
            break
    return timedelta(minutes=min(longest, bound))


def _longest_alone(standing: Standing) -> int:
    minutes = [hour.minute_of_week for hour in standing.hours]
    around = minutes[0] + standing.every_weeks * MINUTES_A_WEEK - minutes[-1]
    return max([around, *(other - one for one, other in pairwise(minutes))])


def _minutes(standing: Standing, weeks_after_base: int) -> Iterator[int]:
    """Minutes since the common base, without end, in order."""
    week = weeks_after_base % standing.every_weeks * MINUTES_A_WEEK
    while True:
        for hour in standing.hours:
            yield week + hour.minute_of_week
        week += standing.every_weeks * MINUTES_A_WEEK
