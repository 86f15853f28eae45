"""Every zone's block says what our own arithmetic says, in the only form that every calendar program reads alike."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from dateutil.rrule import rrulestr
from dateutil.tz import tzical
from icalendar import Timezone

from service.domain.hours import UnknownZone, zone, zone_names
from service.feeds.timezone_blocks import LAST_YEAR, Onset, block, onsets, rules

SINCE = 2024
NAMES = sorted(zone_names())
RULE = re.compile(r"FREQ=YEARLY;BYDAY=(-1|[1-4])[A-Z]{2};BYMONTH=\d{1,2}")


def observances(name: str, since_year: int = SINCE) -> list[tuple[datetime, timedelta]]:
    """A reader of its own, from the text of RFC 5545 §3.6.5: the onsets in UTC, in order, with their new offsets."""
    return sorted(
        ((local - part.TZOFFSETFROM).replace(tzinfo=UTC), part.TZOFFSETTO)
        for part in parts(name, since_year)
        for local in recurrences(part)
    )


def parts(name: str, since_year: int = SINCE) -> list[Any]:
    return list(Timezone.from_ical(block(name, since_year)).subcomponents)


def recurrences(part: Any) -> Iterator[datetime]:
    first = part["DTSTART"].dt
    if "RRULE" not in part:
        return iter([first])
    rule = part["RRULE"].to_ical().decode()
    return iter(rrulestr(f"{rule};UNTIL={LAST_YEAR + 1}0101T000000", dtstart=first))


def instants_to_ask(name: str) -> Iterator[datetime]:
    """The middle of each month from 2024 to 2030, and both sides of each change of the clocks, to the second."""
    yield from (datetime(year, month, 15, 12, tzinfo=UTC) for year in range(2024, 2031) for month in range(1, 13))
    for onset in onsets(name, SINCE):
        if onset.at.year <= 2030:
            yield from (onset.at + timedelta(seconds=seconds) for seconds in (-3600, -1, 0, 3600))


def test_each_zone_reads_as_our_own_arithmetic() -> None:
    wrong = []
    for name in NAMES:
        read = observances(name)
        starts = [at for at, _ in read]
        for at in instants_to_ask(name):
            offset = read[bisect_right(starts, at) - 1][1]
            if offset != at.astimezone(zone(name)).utcoffset():
                wrong.append((name, at))
    assert wrong == []
    assert len(NAMES) > 500


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Dublin",
        "Africa/Casablanca",
        "America/New_York",
        "America/Vancouver",
        "America/Santiago",
        "America/Nuuk",
        "Africa/Cairo",
        "Asia/Gaza",
        "Asia/Jerusalem",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Antarctica/Troll",
        "Pacific/Chatham",
        "Pacific/Kiritimati",
    ],
)
def test_dateutil_reads_the_block_as_our_own_arithmetic(name: str) -> None:
    reader = tzical(StringIO(block(name, SINCE).decode())).get(name)
    for at in instants_to_ask(name):
        local = at.astimezone(zone(name))
        is_read_alike = local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset()
        if is_read_alike:
            assert local.replace(tzinfo=reader).utcoffset() == local.utcoffset(), at


def test_every_recurring_onset_is_a_month_and_one_weekday() -> None:
    """A comma list of RDATEs puts Thunderbird and Radicale an hour off; an onset is a rule or stands alone."""
    for name in NAMES:
        text = block(name, SINCE).decode()
        assert "RDATE" not in text and "UNTIL" not in text
        found = re.findall(r"RRULE:(.*)\r\n", text)
        assert len(found) in (0, 2)
        assert all(RULE.fullmatch(rule) for rule in found), (name, found)


def test_the_first_onset_is_before_the_oldest_event() -> None:
    oldest = datetime(SINCE, 1, 1, tzinfo=UTC) - timedelta(hours=14)
    assert all(observances(name)[0][0] <= oldest for name in NAMES)


def test_daylight_is_the_later_clock_even_where_the_law_calls_winter_the_exception() -> None:
    for name in ("Europe/Dublin", "Africa/Casablanca", "Europe/Berlin"):
        daylight = [part for part in parts(name) if part.name == "DAYLIGHT"]
        assert daylight and all(part.TZOFFSETTO > part.TZOFFSETFROM for part in daylight)


def test_a_change_of_standard_time_is_no_daylight_saving() -> None:
    """Vancouver put its clocks forward in 2026 and keeps them there."""
    last = parts("America/Vancouver")[-1]
    assert (last.name, last["DTSTART"].dt.year, last.TZOFFSETTO) == ("STANDARD", 2026, timedelta(hours=-7))


def test_a_rule_beyond_one_weekday_is_written_out() -> None:
    """In Santiago the clocks change on the Sunday after the first Saturday, which no `nSU` says."""
    text = block("America/Santiago", SINCE).decode()
    assert "RRULE" not in text
    assert text.count("DTSTART") == 2 * (LAST_YEAR - SINCE + 2)


def test_the_footers_rules_are_the_onsets_of_every_later_year() -> None:
    for name in NAMES:
        if rules(name) and "Gaza" not in name and "Hebron" not in name:  # both skip Ramadan, beyond the footer's rule
            by_rule: set[Onset] = {rule.onset(year) for rule in rules(name) for year in range(2030, LAST_YEAR + 1)}
            assert by_rule == set(onsets(name, 2030)), name


def test_old_events_have_their_own_onsets() -> None:
    """New York changed its rule in 2007: a block for 2005 tells both."""
    read = observances("America/New_York", 2005)
    assert (datetime(2005, 4, 3, 7, tzinfo=UTC), timedelta(hours=-4)) in read
    assert (datetime(2008, 3, 9, 7, tzinfo=UTC), timedelta(hours=-4)) in read
    assert len(block("America/New_York", 2005)) < 1000


def test_no_such_zone_is_refused_before_it_becomes_a_path() -> None:
    with pytest.raises(UnknownZone):
        block("../../../etc/passwd", SINCE)


def test_control_the_librarys_own_block_has_the_list_that_two_programs_misread() -> None:
    own = Timezone.from_tzid("Europe/Berlin").to_ical().decode()
    assert "RDATE" in own and "RRULE" not in own
