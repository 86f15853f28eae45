"""An alarm says in neutral words that an hour is coming up: on each hour that takes place, and on nothing else."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from service.domain.feed import FeedAlarm, FeedCalendar, FeedEntry
from service.feeds.ics import render
from service.feeds.reading_back import CannotPublish, verify
from tests.feeds.test_ics import HEADER, entry, leave, moved, single

ALARM = FeedAlarm(minutes=15, text="Coming up")


def written(*entries: FeedEntry) -> bytes:
    return render(FeedCalendar(header=HEADER, entries=entries))


def alarms(event: Any) -> list[list[str]]:
    return [sorted(alarm.to_ical().decode().splitlines()) for alarm in event.walk("VALARM")]


def test_a_series_its_exceptions_and_single_hours_have_it() -> None:
    standing = entry(
        alarm=ALARM,
        overrides=(moved("2026-03-24T10:00", "2026-03-25T10:00"), moved("2026-03-17T10:00", "2026-03-27T10:00")),
    )
    away = replace(leave("2026-08-03", "2026-08-17"), uid=str(UUID(int=7)))
    body = written(standing, single(alarm=ALARM), away)
    calendar = Calendar.from_ical(body)
    verify(body, events=len(calendar.events))
    expected = sorted(["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Coming up", "TRIGGER:-PT15M", "END:VALARM"])
    found = {str(event["SUMMARY"]): alarms(event) for event in calendar.events}
    assert found == {"Busy": [expected], "Away": []}
    assert body.count(b"BEGIN:VALARM") == len(calendar.events) - 1


@pytest.mark.parametrize(("minutes", "trigger"), [(1, "-PT1M"), (90, "-PT1H30M"), (1440, "-P1D"), (10080, "-P7D")])
def test_how_long_before(minutes: int, trigger: str) -> None:
    body = written(single(alarm=FeedAlarm(minutes=minutes, text="Coming up")))
    assert f"TRIGGER:{trigger}\r\n".encode() in body
    verify(body, events=1)


def test_without_an_alarm_nothing_else_is_another_octet() -> None:
    with_it, without = written(entry(alarm=ALARM), single(alarm=ALARM)), written(entry(), single())
    kept, is_inside = [], False
    for line in with_it.split(b"\r\n"):
        is_inside = is_inside or line == b"BEGIN:VALARM"
        if not is_inside:
            kept.append(line)
        is_inside = is_inside and line != b"END:VALARM"
    assert b"\r\n".join(kept) == without


def test_what_it_says_breaks_out_of_nothing() -> None:
    nasty = "x\r\nEND:VALARM\r\nBEGIN:VALARM\nATTACH:http://example.com"
    body = written(single(alarm=replace(ALARM, text=nasty)))
    verify(body, events=1)
    assert body.count(b"\r\nBEGIN:VALARM") == 1 and b"\r\nATTACH" not in body
    with pytest.raises(CannotPublish, match="more or less"):
        verify(body.replace(b"ACTION:DISPLAY\r\n", b"ACTION:DISPLAY\r\nATTACH:http://example.com\r\n"), events=1)
