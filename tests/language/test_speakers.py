"""How each place writes numbers, days and times, and who is spoken to in which language."""

from datetime import date, datetime, time

import pytest

from service.domain.phrase import (
    PLAIN,
    City,
    Clock,
    Day,
    DayOfWeek,
    FullDay,
    HourOfWeek,
    Listing,
    Moment,
    Number,
    Phrase,
    Span,
    YearDay,
    say,
    says,
)
from service.language import LOCALES, nearest, speaker, tag

DAY = date(2026, 8, 17)
AT = datetime(2026, 8, 17, 15, 0)
SPAN = Span(datetime(2026, 8, 17), datetime(2026, 8, 29))
THIN = "\u2009"
NARROW = "\u202f"


@pytest.mark.parametrize(
    ("locale", "number", "day", "year_day", "full_day", "moment", "hour", "span"),
    [
        (
            "en_GB",
            "1,234.5",
            "17 Aug",
            "17 Aug 2026",
            "Monday 17 August 2026",
            "Mon 17 Aug 15:00",
            "Tue 15:00",
            "17–28 Aug",
        ),
        (
            "en_US",
            "1,234.5",
            "Aug 17",
            "Aug 17, 2026",
            "Monday, August 17, 2026",
            f"Mon, Aug 17 3:00{NARROW}PM",
            f"Tue 3:00{NARROW}PM",
            f"Aug 17{THIN}–{THIN}28",
        ),
        (
            "de_DE",
            "1.234,5",
            "17. Aug.",
            "17. Aug. 2026",
            "Montag, 17. August 2026",
            "Mo., 17. Aug. 15:00",
            "Di 15:00",
            "17.–28. Aug.",
        ),
        (
            "de_AT",
            "1.234,5",
            "17. Aug.",
            "17. Aug. 2026",
            "Montag, 17. August 2026",
            "Mo., 17. Aug. 15:00",
            "Di 15:00",
            "17.–28. Aug.",
        ),
        (
            "de_CH",
            "1’234.5",
            "17. Aug.",
            "17. Aug. 2026",
            "Montag, 17. August 2026",
            "Mo., 17. Aug. 15:00",
            "Di 15:00",
            "17.–28. Aug.",
        ),
    ],
)
def test_each_place_has_its_habits(
    locale: str, number: str, day: str, year_day: str, full_day: str, moment: str, hour: str, span: str
) -> None:
    by = speaker(locale)
    said = [
        part.said(by)
        for part in (
            Number(1234.5), Day(DAY), YearDay(DAY), FullDay(DAY), Moment(AT), HourOfWeek(24 * 60 + 15 * 60), SPAN
        )
    ]  # fmt: skip
    assert said == [number, day, year_day, full_day, moment, hour, span]


@pytest.mark.parametrize(
    ("zone", "english", "german"),
    [
        ("Europe/Vienna", "Vienna", "Wien"),
        ("Europe/Berlin", "Berlin", "Berlin"),
        ("America/New_York", "New York", "New York"),
        ("UTC", "UTC", "UTC"),
    ],
)
def test_whose_clocks_are_meant_is_called_as_people_call_it(zone: str, english: str, german: str) -> None:
    assert [City(zone).said(speaker(locale)) for locale in ("en_GB", "en_US", "de_AT")] == [english, english, german]


def test_a_day_alone_is_no_span() -> None:
    one = Span(datetime(2026, 8, 17), datetime(2026, 8, 18))
    assert [one.said(speaker(locale)) for locale in ("en_GB", "de_DE")] == ["17 Aug", "17. Aug."]


def test_english_is_what_the_code_says() -> None:
    assert speaker("en_GB") is PLAIN and speaker(None) is PLAIN and speaker("xx_YY") is PLAIN
    phrase = say("{who} at {at}, {day}: {n}", who="Client One", at=Clock(time(9, 5)), day=DayOfWeek(DAY), n=3)
    assert str(phrase) == phrase.said(PLAIN) == "Client One at 09:05, Mon 17 Aug: 3"


@pytest.mark.parametrize(
    ("n", "words"), [(0, "0 hours"), (1, "1 hour"), (2, "2 hours"), (Number(1.0), "1 hour"), (Number(1.5), "1.5 hours")]
)
def test_what_is_counted_agrees_with_its_number(n: int | Number, words: str) -> None:
    assert str(says("{n} hour", "{n} hours", n=n)) == words


def test_what_people_typed_stays_as_it_is() -> None:
    typed = "100% {sure} %(really)s"
    assert say("{typed} and {typed}", typed=typed).said(speaker("de_DE")) == f"{typed} and {typed}"


def test_phrases_stand_in_phrases() -> None:
    inner = say("{n} of {m}", n=1200, m=Number(2500.25, 2))
    outer = say("{parts}", parts=Listing((inner, Day(DAY), "Room 1")))
    assert outer.said(speaker("de_DE")) == "1.200 of 2.500,25, 17. Aug., Room 1"
    assert str(outer) == "1,200 of 2,500.25, 17 Aug, Room 1"


@pytest.mark.parametrize(
    ("wanted", "usual", "found"),
    [
        ([], "en_GB", "en_GB"),
        ([], "de_AT", "de_AT"),
        (["fr", "it-IT"], "de_CH", "de_CH"),
        (["de"], "en_GB", "de_DE"),
        (["de"], "de_AT", "de_AT"),
        (["de-DE"], "de_CH", "de_CH"),
        (["de-AT"], "en_GB", "de_AT"),
        (["en-US"], "en_GB", "en_GB"),
        (["en-US"], "de_DE", "en_US"),
        (["en"], "de_DE", "en_GB"),
        (["fr", "de-CH", "en"], "en_GB", "de_CH"),
        (["../etc/passwd", "x" * 5000, "*"], "en_GB", "en_GB"),
    ],
)
def test_a_browser_decides_on_the_language_and_the_clinic_on_the_habits(
    wanted: list[str], usual: str, found: str
) -> None:
    assert nearest(wanted, usual) == found


def test_the_web_names_languages_its_own_way() -> None:
    assert [tag(one) for one in ("de_AT", None, "xx")] == ["de-AT", "en-GB", "en-GB"]
    assert all(speaker(locale).tag == tag(locale) for locale in LOCALES)


def test_a_phrase_is_a_value() -> None:
    assert say("a {b}", b=1) == Phrase("a {b}", (("b", 1),)) and len({say("a"), say("a"), say("b")}) == 2
