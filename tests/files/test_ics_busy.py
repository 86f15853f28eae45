"""Calendars of people's lives as they really come, each hard feature in a small file of our own: when is one busy?"""

import random
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
import recurring_ical_events
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.hours import Span, instant, local_time
from service.domain.outside import FAULTS, LEFT_OUT, Reading, merged
from service.files.ics_busy import MOST_TIMES, CannotReadBusy, read
from tests.files.damage import damaged
from tests.files.test_ics_book import OUTLOOK, calendar

BERLIN = "Europe/Berlin"
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)


def event(*lines: str, uid: str = "one") -> str:
    """Tuesday 6 January 2026, 10:00 to 11:00 in Berlin, with what the lines add or say otherwise."""
    stated = {line.partition(":")[0].partition(";")[0] for line in lines}
    plain = [f"UID:{uid}", "SUMMARY:Dentist", "DTSTART;TZID=Europe/Berlin:20260106T100000"]
    if not stated & {"DTEND", "DURATION"}:
        plain.append("DURATION:PT1H")
    kept = [line for line in plain if line.partition(":")[0].partition(";")[0] not in stated]
    return "\n".join(["BEGIN:VEVENT", *kept, *filter(None, lines), "END:VEVENT"])


def reading(*parts: str, zone: str = BERLIN) -> Reading:
    return read(calendar(*parts), zone=zone, since=SINCE, until=UNTIL)


def local(found: Reading, zone: str = BERLIN) -> list[str]:
    """`06 10:00-11:00` for each span, on the wall."""
    return [f"{local_time(one.since, zone):%m-%d %H:%M}-{local_time(one.until, zone):%H:%M}" for one in found.spans]


def test_of_an_event_nothing_is_kept_but_when_it_is() -> None:
    found = reading(event("SUMMARY:Dentist", "LOCATION:Hill 3", "ATTENDEE;CN=Somebody:mailto:somebody@example.com"))
    assert local(found) == ["01-06 10:00-11:00"]
    assert found.left_out == {}
    assert not {"Dentist", "Hill", "somebody", "one"} & set(repr(found).replace("'", " ").split())


@pytest.mark.parametrize(
    "line",
    [
        "STATUS:CANCELLED",
        "TRANSP:TRANSPARENT",
        "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
        "DURATION:PT0S",
        "transp:transparent",
    ],
)
def test_what_is_free_cancelled_or_takes_no_time_is_not_busy(line: str) -> None:
    assert reading(event(line)) == Reading(spans=(), left_out={})


@pytest.mark.parametrize("line", ["STATUS:TENTATIVE", "X-MICROSOFT-CDO-BUSYSTATUS:OOF", "TRANSP:OPAQUE"])
def test_what_may_be_or_is_away_is_busy(line: str) -> None:
    assert len(reading(event(line)).spans) == 1


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["DTSTART;VALUE=DATE:20260106", "DTEND;VALUE=DATE:20260108"], ["01-06 00:00-00:00"]),
        (["DTSTART;VALUE=DATE:20260106", "DTEND;VALUE=DATE:20260106"], ["01-06 00:00-00:00"]),
        (["DTSTART;VALUE=DATE:20260106", ""], ["01-06 00:00-00:00"]),
        (["DTSTART:20260106T100000"], ["01-06 10:00-11:00"]),
        (["DTSTART:20260106T100000Z"], ["01-06 11:00-12:00"]),
        (["DTSTART;TZID=W. Europe Standard Time:20260106T100000"], ["01-06 10:00-11:00"]),
        (['DTSTART;TZID="Europe/Berlin":20260106T100000'], ["01-06 10:00-11:00"]),
        (["DTSTART;TZID=/example.org/2024/Europe/Berlin:20260106T100000"], ["01-06 10:00-11:00"]),
        (["DTSTART;TZID=America/New_York:20260106T100000"], ["01-06 16:00-17:00"]),
        (["DTEND;TZID=America/New_York:20260106T060000"], ["01-06 10:00-12:00"]),
    ],
)
def test_whole_days_floating_times_and_zones(lines: list[str], expected: list[str]) -> None:
    whole = [line for line in lines if line]
    text = event(*whole) if "" not in lines else event(*whole).replace("DURATION:PT1H\n", "")
    assert local(reading(text)) == expected


def test_floating_times_and_whole_days_are_lived_at_the_site() -> None:
    floating, day = event("DTSTART:20260106T100000"), event("DTSTART;VALUE=DATE:20260108", "DURATION:P1D", uid="two")
    found = reading(floating, day, zone="America/New_York")
    assert local(found, "America/New_York") == ["01-06 10:00-11:00", "01-08 00:00-00:00"]


def test_the_clocks_change_within_a_day_that_is_whole() -> None:
    found = reading(event("DTSTART;VALUE=DATE:20260329", "DURATION:P1D"))
    assert [one.until - one.since for one in found.spans] == [timedelta(hours=23)]
    across = reading(event("DTSTART;TZID=Europe/Berlin:20260329T013000"))
    assert local(across) == ["03-29 01:30-03:30"]


def test_a_weekly_hour_keeps_its_wall_time_over_the_change_of_the_clocks() -> None:
    found = reading(event("DTSTART;TZID=Europe/Berlin:20200107T100000", "RRULE:FREQ=WEEKLY"))
    assert len(found.spans) == 17
    assert {line[6:] for line in local(found)} == {"10:00-11:00"}


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=MONTHLY;BYDAY=2TU", ["01-13", "02-10", "03-10", "04-14"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["01-31", "03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["01-31", "02-28", "03-31", "04-30"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ["01-30", "02-27", "03-31", "04-30"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", ["02-13", "03-13"]),
        ("FREQ=MONTHLY", ["01-06", "02-06", "03-06", "04-06"]),
        ("FREQ=MONTHLY;INTERVAL=2", ["01-06", "03-06"]),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", ["03-29"]),
        ("FREQ=YEARLY;BYMONTH=2,3", ["02-06", "03-06"]),
        ("FREQ=YEARLY", ["01-06"]),
        ("FREQ=WEEKLY;BYMONTH=2;BYDAY=MO", ["02-02", "02-09", "02-16", "02-23"]),
        ("FREQ=DAILY;INTERVAL=40", ["01-28", "03-09", "04-18"]),
        ("FREQ=WEEKLY;COUNT=300;INTERVAL=3", ["01-20", "02-10", "03-03", "03-24", "04-14"]),
    ],
)
def test_every_rule_that_people_use_is_followed_however_old_it_is(rule: str, days: list[str]) -> None:
    found = reading(event("DTSTART;TZID=Europe/Berlin:20150106T100000", f"RRULE:{rule}"))
    assert [line[:5] for line in local(found)] == days
    assert found.left_out == {}


def test_further_dates_with_a_length_of_their_own_and_dates_left_out_in_every_form() -> None:
    found = reading(
        event(
            "RRULE:FREQ=WEEKLY;COUNT=6",
            "RDATE;TZID=Europe/Berlin:20260108T090000",
            "RDATE;VALUE=PERIOD:20260109T090000Z/PT2H,20260109T150000Z/20260109T153000Z",
            "EXDATE;TZID=Europe/Berlin:20260113T100000",
            "EXDATE:20260120T090000Z",
            "EXDATE;VALUE=DATE:20260127",
            "EXDATE:20260203T100000",
        )
    )
    times = [line[:11] for line in local(found)]
    assert times == ["01-06 10:00", "01-08 09:00", "01-09 10:00", "01-09 16:00", "02-10 10:00"]
    assert (found.spans[2].until - found.spans[2].since, found.left_out) == (timedelta(hours=2), {})


def test_a_rule_of_what_is_left_out() -> None:
    found = reading(event("RRULE:FREQ=DAILY;COUNT=8", "EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=4"))
    assert [line[:5] for line in local(found)] == ["01-07", "01-09", "01-11", "01-13"]


def change(slot: str, *lines: str, uid: str = "one", range_: str = "") -> str:
    return event(f"RECURRENCE-ID{range_};TZID=Europe/Berlin:{slot}", *lines, uid=uid)


def test_a_changed_date_is_busy_where_it_is_now_and_not_where_it_was() -> None:
    found = reading(
        event("RRULE:FREQ=WEEKLY;COUNT=5"),
        change("20260113T100000", "DTSTART;TZID=Europe/Berlin:20260114T150000"),
        change("20260120T100000", "STATUS:CANCELLED"),
        change("20260127T100000", "TRANSP:TRANSPARENT"),
    )
    assert local(found) == ["01-06 10:00-11:00", "01-14 15:00-16:00", "02-03 10:00-11:00"]


def test_a_change_without_its_series_stands_alone_and_a_busy_date_of_a_free_series_counts() -> None:
    moved = "DTSTART;TZID=Europe/Berlin:20260114T150000"
    assert local(reading(change("20260113T100000", moved))) == ["01-14 15:00-16:00"]
    free = event("RRULE:FREQ=WEEKLY;COUNT=5", "TRANSP:TRANSPARENT")
    assert local(reading(free, change("20260113T100000", moved))) == ["01-14 15:00-16:00"]


def test_this_and_all_following_move_together() -> None:
    found = reading(
        event("RRULE:FREQ=WEEKLY;COUNT=6"),
        change(
            "20260120T100000",
            "DTSTART;TZID=Europe/Berlin:20260121T120000",
            "DURATION:PT2H",
            range_=";RANGE=THISANDFUTURE",
        ),
        change("20260203T100000", "STATUS:CANCELLED", range_=";RANGE=THISANDFUTURE"),
    )
    assert local(found) == ["01-06 10:00-11:00", "01-13 10:00-11:00", "01-21 12:00-14:00", "01-28 12:00-14:00"]


def test_one_uid_twice_is_the_newer_version_or_two_events() -> None:
    old, new = event("SEQUENCE:1"), event("SEQUENCE:2", "DTSTART;TZID=Europe/Berlin:20260107T100000")
    assert local(reading(new, old)) == ["01-07 10:00-11:00"]
    assert local(reading(event("SEQUENCE:1"), event("SEQUENCE:2", "STATUS:CANCELLED"))) == []
    other = event("DTSTART;TZID=Europe/Berlin:20260107T100000")
    assert len(reading(event(), other).spans) == 2


def test_lists_of_busy_times_count_too() -> None:
    found = reading(
        "BEGIN:VFREEBUSY\nUID:f\nFREEBUSY:20260106T090000Z/PT30M,20260107T090000Z/20260107T100000Z\n"
        "FREEBUSY;FBTYPE=FREE:20260108T090000Z/PT1H\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20260109T090000Z/PT1H\nEND:VFREEBUSY"
    )
    assert local(found) == ["01-06 10:00-10:30", "01-07 10:00-11:00", "01-09 10:00-11:00"]


def test_what_touches_is_one_and_what_lies_outside_is_cut_off() -> None:
    found = reading(
        event(),
        event("DTSTART;TZID=Europe/Berlin:20260106T103000", uid="two"),
        event("DTSTART;TZID=Europe/Berlin:20260106T113000", uid="three"),
        event("DTSTART;VALUE=DATE:20240101", "DTEND;VALUE=DATE:20260103", uid="four"),
        event("DTSTART;VALUE=DATE:20260430", "DTEND;VALUE=DATE:20300103", uid="five"),
        event("DTSTART;VALUE=DATE:20300430", "DURATION:P1D", uid="six"),
    )
    assert local(found) == ["01-01 01:00-00:00", "01-06 10:00-12:30", "04-30 00:00-02:00"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["DTSTART:soon"], "time"),
        (["DTEND;TZID=Europe/Berlin:20260106T090000"], "time"),
        (["DTEND;VALUE=DATE:20260109"], "time"),
        (["DTSTART;TZID=Europe/Berlin:00010106T090000"], "time"),
        (["DURATION:P40000D"], "time"),
        (["DURATION:P999999999D"], "time"),
        (["DTSTART;TZID=Nobody/Knows:20260106T100000"], "zone"),
        (["RRULE:FREQ=HOURLY"], "rule"),
        (["RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"], "rule"),
        (["RRULE:FREQ=WEEKLY;BYWEEKNO=5"], "rule"),
        (["RRULE:nonsense"], "rule"),
    ],
)
def test_what_is_not_clear_is_left_out_and_counted(lines: list[str], reason: str) -> None:
    found = reading(event(*lines), event(uid="fine"))
    assert local(found) == ["01-06 10:00-11:00"]
    assert found.left_out == {reason: 1}


def test_an_event_without_an_end_is_left_out_and_counted() -> None:
    endless = event().replace("DURATION:PT1H\n", "")
    assert reading(endless) == Reading(spans=(), left_out={"no_end": 1})


def test_a_date_of_a_list_that_can_not_be_read_leaves_the_rest() -> None:
    found = reading(event("RRULE:FREQ=WEEKLY;COUNT=2", "EXDATE:soon"))
    assert (len(found.spans), found.left_out) == (2, {"time": 1})


def test_old_offsets_with_seconds_byte_marks_and_folds_do_no_harm() -> None:
    zone = "BEGIN:VTIMEZONE\nTZID:Europe/Amsterdam\nBEGIN:STANDARD\nDTSTART:18350101T000000\nTZOFFSETFROM:+001932\n"
    zone += "TZOFFSETTO:+001932\nEND:STANDARD\nEND:VTIMEZONE"
    data = calendar(zone, event("DTSTART;TZID=Europe/Amsterdam:20260106T100000", "SUMMARY:Zahnä"), end="\n")
    cut = data.index("ä".encode()) + 1
    folded = b"\xef\xbb\xbf" + data[:cut] + b"\r\n " + data[cut:]
    assert local(read(folded, zone=BERLIN, since=SINCE, until=UNTIL)) == ["01-06 10:00-11:00"]


def test_a_rule_that_ends_before_it_begins_leaves_its_first_date() -> None:
    for rule in ("FREQ=WEEKLY", "FREQ=MONTHLY"):
        assert local(reading(event(f"RRULE:{rule};UNTIL=20251231T000000Z"))) == ["01-06 10:00-11:00"]


def test_birthdays_since_1604_are_followed() -> None:
    found = reading(event("DTSTART;VALUE=DATE:16040229", "DURATION:P1D", "RRULE:FREQ=YEARLY"))
    assert found == Reading(spans=(), left_out={})
    found = reading(event("DTSTART;VALUE=DATE:16040301", "DURATION:P1D", "RRULE:FREQ=YEARLY"))
    assert local(found) == ["03-01 00:00-00:00"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "not_calendar"),
        (b"<!doctype html><title>Sign in</title>", "not_calendar"),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "not_calendar"),
        (calendar(event())[:-27], "cut_short"),
        (b"BEGIN:VCALENDAR\r\n", "cut_short"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "damaged"),
        (b"BEGIN:VCALENDAR\n" * 20, "damaged"),
    ],
)
def test_what_is_no_whole_calendar_is_not_taken_at_all(data: bytes, kind: str) -> None:
    with pytest.raises(CannotReadBusy) as refused:
        read(data, zone=BERLIN, since=SINCE, until=UNTIL)
    assert refused.value.kind == kind


def test_an_empty_calendar_is_a_free_one() -> None:
    assert reading() == Reading(spans=(), left_out={})


# -- hostile files


def test_there_is_an_end_to_how_many_times_are_kept() -> None:
    daily = [event("RRULE:FREQ=DAILY", uid=str(n)) for n in range(MOST_TIMES // 110)]
    with pytest.raises(CannotReadBusy) as refused:
        reading(*daily)
    assert refused.value.kind == "too_many"


def test_masters_and_changes_that_would_take_long_are_not_worked_through() -> None:
    start = datetime(2026, 1, 1)
    starts = [f"DTSTART:{start + timedelta(minutes=n):%Y%m%dT%H%M%S}Z" for n in range(800)]
    following = change("20260113T100000", range_=";RANGE=THISANDFUTURE")
    for parts in ([*map(event, starts), *[change("20260113T100000")] * 800], [event(), *[following] * 300]):
        with pytest.raises(CannotReadBusy):
            reading(*parts)


def test_days_left_out_a_hundred_thousand_times() -> None:
    minutes = [f"{datetime(2026, 1, 6) + timedelta(minutes=n):%Y%m%dT%H%M%S}Z" for n in range(14_000)]
    days = ",".join(["20260107", "20260108"] * 20_000)
    with pytest.raises(CannotReadBusy):
        reading(event(f"RDATE:{','.join(minutes)}", f"EXDATE;VALUE=DATE:{days}"))


def test_rules_that_match_nothing_are_bounded() -> None:
    rules = ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=TU,5MO", "FREQ=YEARLY;BYDAY=SU,20TU"]
    found = reading(*(event(f"RRULE:{rules[n % 3]}", uid=str(n)) for n in range(60)))
    assert found.left_out == {"rule": 60}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_busy_times_are_those_of_recurring_ical_events(seed: int) -> None:
    data = calendar(*(_any_event(random.Random(seed + n), str(n)) for n in range(4)))
    peers = recurring_ical_events.of(icalendar.Calendar.from_ical(data)).between(SINCE, UNTIL)
    spans = [Span(since=_at(one["DTSTART"].dt), until=_at(one["DTEND"].dt)) for one in peers]
    expected = merged(
        Span(since=max(one.since, SINCE), until=min(one.until, UNTIL))
        for one in spans
        if one.since < UNTIL and one.until > SINCE
    )
    assert read(data, zone=BERLIN, since=SINCE, until=UNTIL).spans == expected


def _any_event(chance: random.Random, uid: str) -> str:
    start = datetime(2026, 1, 1) + timedelta(days=chance.randint(-3000, 90), hours=chance.randint(4, 22))
    ordinal = chance.choice(["1", "2", "-1"]) + "TH"
    rule = chance.choice(
        [
            "FREQ=DAILY",
            "FREQ=WEEKLY",
            f"FREQ=WEEKLY;BYDAY=MO,{('TU', 'SU')[chance.randint(0, 1)]};WKST=SU",
            "FREQ=MONTHLY",
            f"FREQ=MONTHLY;BYDAY={ordinal}",
            "FREQ=MONTHLY;BYMONTHDAY=13,-1",
            "FREQ=YEARLY",
            f"FREQ=YEARLY;BYMONTH=3;BYDAY={ordinal}",
        ]
    )
    end = chance.choice(["", ";COUNT=40", ";UNTIL=20260220T120000Z"])
    # What an event does on a first day that its own rule leaves out is read differently by everybody.
    start = rrulestr(rule, dtstart=start)[0]
    if end.startswith(";UNTIL") and start > datetime(2026, 2, 19):
        end = ""
    zone = chance.choice([BERLIN, "America/New_York", "Australia/Sydney"])
    interval = f";INTERVAL={chance.randint(1, 3)}"
    return event(
        f"DTSTART;TZID={zone}:{start:%Y%m%dT%H%M%S}", "DURATION:PT45M", f"RRULE:{rule}{interval}{end}", uid=uid
    )


def _at(moment: date) -> datetime:
    return (
        moment.astimezone(UTC) if isinstance(moment, datetime) else instant(datetime(*moment.timetuple()[:3]), BERLIN)
    )


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_gives_a_traceback(data: st.DataObject) -> None:
    """Lines dropped, doubled, swapped and overwritten: it is read, or not taken."""
    whole = calendar(
        OUTLOOK.format(name="Own"),
        event("RRULE:FREQ=MONTHLY;BYDAY=2TU;COUNT=9", "EXDATE;VALUE=DATE:20260120", "RDATE:20260108T100000Z/PT1H"),
        change("20260203T100000", "DTSTART;TZID=Own:20260204T170000", range_=";RANGE=THISANDFUTURE"),
        event("DTSTART;VALUE=DATE:20260105", "DTEND;VALUE=DATE:20260107", "SEQUENCE:4", uid="two"),
        "BEGIN:VFREEBUSY\nFREEBUSY:20260106T090000Z/PT30M,20260107T090000Z/20260107T100000Z\nEND:VFREEBUSY",
    )
    try:
        found = read(damaged(whole, data), zone=BERLIN, since=SINCE, until=UNTIL)
    except CannotReadBusy as refusal:
        assert refusal.kind in FAULTS
    else:
        assert set(found.left_out) <= set(LEFT_OUT)
        assert all(SINCE <= one.since < one.until <= UNTIL for one in found.spans)
        assert list(found.spans) == list(merged(found.spans))
