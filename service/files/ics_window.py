"""RRULE within a window: all starts of any rule between two moments, however long ago it began.

Weekly rules take arithmetic; others are expanded by dateutil from a period shortly before the window.
"""

from datetime import datetime, timedelta

from icalendar.prop import vRecur

from service.domain.hours import WEEK, LocalTime
from service.files.ics_rules import Allowance, Weekly, expanded, expect_sure, read_rule, until_of, weekly_of

MOST_STARTS = 40_000
"""Of one rule that is counted from its beginning: a hundred years of days."""


def starts_within(
    text: str, *, start: LocalTime, zone: str, since: LocalTime, until: LocalTime, allowance: Allowance
) -> set[LocalTime]:
    """All starts from `since` up to and including `until`, on the wall of the event's zone; of a rule that ends before
    it begins, none.

    :raises CannotTake: it can't be read, never happens, or repeats in a way that can't be worked through.
    """
    rule = read_rule(text)
    last = until_of(rule, zone, lambda _choice: None)
    if last is not None and (last < since or last < start):
        return set()
    if (weekly := weekly_of(rule, start, last, lambda _choice: None)) is not None:
        return _of_weekly(weekly, since, until)
    expect_sure(rule, start)
    allowance.take_rule()
    count = int(rule["COUNT"][0]) if "COUNT" in rule else None
    if count is None:
        text, start = _begun_later(text, rule, start, since)
    found = expanded(text, start, min(last or until, until), min(count or MOST_STARTS, MOST_STARTS))
    allowance.take_dates(len(found))
    return {one for one in found if one >= since}


def _of_weekly(weekly: Weekly, since: LocalTime, until: LocalTime) -> set[LocalTime]:
    end = until if weekly.last is None else min(until, weekly.last)
    found: set[LocalTime] = set()
    for first in weekly.first:
        slot = first + max(0, -((first - since) // weekly.cycle)) * weekly.cycle
        while slot <= end:
            found.add(slot)
            slot += weekly.cycle
    return found


def _begun_later(text: str, rule: vRecur, start: LocalTime, since: LocalTime) -> tuple[str, LocalTime]:
    """The same rule, as if it had begun in one of its periods shortly before `since`."""
    frequency, interval = rule["FREQ"][0].upper(), int(rule.get("INTERVAL", [1])[0])
    if frequency in ("DAILY", "WEEKLY"):
        step = interval * (WEEK if frequency == "WEEKLY" else timedelta(days=1))
        return text, start + max(0, (since - start) // step - 1) * step
    month = start.year * 12 + start.month - 1
    behind = since.year * 12 + since.month - 1 - month
    periods = behind // (interval * (12 if frequency == "YEARLY" else 1)) - 1
    if periods <= 0:
        return text, start
    year, at = divmod(month + periods * interval * (12 if frequency == "YEARLY" else 1), 12)
    moved = datetime.combine(
        start.date().replace(year=year, month=1 if frequency == "YEARLY" else at + 1, day=1), start.time()
    )
    return text.strip().rstrip(";") + _of_start(rule, frequency, start), moved


def _of_start(rule: vRecur, frequency: str, start: LocalTime) -> str:
    """What the rule leaves to its start, said in so many words."""
    if "BYDAY" in rule or "BYMONTHDAY" in rule:
        return ""
    month = f";BYMONTH={start.month}" if frequency == "YEARLY" and "BYMONTH" not in rule else ""
    return f"{month};BYMONTHDAY={start.day}"
