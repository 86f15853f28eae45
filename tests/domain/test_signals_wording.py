"""The words that signals say: kind, plain, and with the session or the clinic as subject."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings

from service.domain.course import Course
from service.domain.limits import Limits
from service.domain.phrase import Number, Phrase, Span
from service.domain.signals import Signal, assess, wording
from tests.domain.drawn import TUESDAY, at, days
from tests.domain.test_signals_due import courses

FORBIDDEN = re.compile(
    r"\b(failed|failure to attend|no-?showed|no-?shows?|DNA'?d|non-?compliant|refused|unreliable|excuse|fault|blame|"
    r"poor attender|chronic|resistant|difficult|offender|should have|warning|risk score|will improve)\b|!",
    re.IGNORECASE,
)
SUBJECT_IS_CLIENT = re.compile(r"(^|[.:] )(The client|Client|They|She|He) (?!(was|is) told)", re.IGNORECASE)


def words(of: Signal) -> list[str]:
    return [str(one) for one in (of.text, of.clears, *of.actions)]


def constants() -> list[str]:
    found: list[str] = []
    for name in dir(wording):
        value = getattr(wording, name)
        if name.isupper() and not name.startswith("_"):
            found += [str(value)] if isinstance(value, Phrase) else [str(one) for one in value]
    return found + [str(one) for one in wording._WHY.values()]


SENTENCES = [
    str(one)
    for one in (
        wording.gap_open(10.6, 7, (), at("2026-03-17 10:00")),
        wording.gap_open(10.6, 7, (), None),
        wording.gap_ahead(28, 7, ()),
        wording.gap_later(28, 7, (), TUESDAY, TUESDAY + days(28)),
        wording.gap_tentative(wording.gap_ahead(28, 7, ())),
        wording.gap_closed(14, 7, (), TUESDAY, TUESDAY + days(14)),
        wording.next_none(TUESDAY),
        wording.next_return(TUESDAY, ()),
        *(wording.churn(*numbers) for numbers in ((1, 0, 3, 6), (3, 0, 1, 6), (3, 3, 1, 6), (3, 1, 1, 6))),
        *(wording.notice_clinic(TUESDAY, 2, flag, not flag) for flag in (True, False)),
        wording.notice_clinic(TUESDAY, None, True, False),
        *(wording.notice_client(TUESDAY, 22, flag) for flag in (True, False)),
        wording.slot_drift(5, 6, 5220),
        wording.slot_irregular(2, 6),
        wording.slot_suggest(5, 6, 5220, 7),
        wording.setting_room(3, 6),
        *(wording.setting_modality(2, 6, agreed) for agreed in ("in_person", "video")),
        *(wording.therapist_cover(n) for n in (1, 2)),
        wording.therapist_change(TUESDAY, None, 0),
        wording.therapist_change(TUESDAY, 30, 4),
        wording.therapist_pattern(0.2, 6),
        *(wording.time_frame(2, 4, late) for late in (0, 1, 2)),
        *(wording.missed_client(run, silent) for run, silent in ((1, 1), (1, 0), (2, 0), (2, 1), (3, 3), (9, 8))),
        wording.missed_clinic(2, 6),
        wording.break_long(28, TUESDAY, True),
        wording.break_long(28, TUESDAY, False),
        *(wording.ending_unprepared(left) for left in (0, 1, 4)),
        wording.ending_unplanned(),
        wording.interval_sd(3.8, 5, 7),
        wording.interval_cadence(14, 7),
        wording.interval_cadence(28, 14),
        *(wording.mark_missing([TUESDAY] * n) for n in (1, 4)),
    )
]


@pytest.mark.parametrize("sentence", [*SENTENCES, *constants()])
def test_no_sentence_scolds(sentence: str) -> None:
    assert not FORBIDDEN.search(sentence)
    assert not SUBJECT_IS_CLIENT.search(sentence)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_ends(sentence: str) -> None:
    assert sentence[-1] in ".?"
    assert "  " not in sentence
    assert ".." not in sentence


@settings(max_examples=60, deadline=None)
@given(courses())
def test_nothing_that_is_said_about_any_course_scolds(of: Course) -> None:
    for week in (3, 9, 15, 21):
        for one in assess(of, limits=Limits(), now=TUESDAY + timedelta(days=7 * week + 3)).signals:
            assert all(not FORBIDDEN.search(text) and not SUBJECT_IS_CLIENT.search(text) for text in words(one))
            assert one.evidence in {"moderate", "code", "convention"}
            assert replace(one) == one


@pytest.mark.parametrize("scolding", ["The client failed to come.", "They missed two.", "Two no-shows!"])
def test_the_lint_sees_what_scolds(scolding: str) -> None:
    assert FORBIDDEN.search(scolding) or SUBJECT_IS_CLIENT.search(scolding)


@pytest.mark.parametrize(("value", "text"), [(28.0, "28"), (10.55, "10.6"), (0.04, "0"), (1.25, "1.3"), (100.0, "100")])
def test_numbers(value: float, text: str) -> None:
    assert str(Number(value)) == text


@pytest.mark.parametrize(
    ("since", "until", "text"),
    [
        ("2026-08-17", "2026-08-29", "17–28 Aug"),
        ("2026-08-31", "2026-09-01", "31 Aug"),
        ("2026-08-28", "2026-09-05", "28 Aug – 4 Sep"),
    ],
)
def test_spans_name_the_last_day_included(since: str, until: str, text: str) -> None:
    assert str(Span(at(since), at(until))) == text
