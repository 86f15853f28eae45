"""The course strip: shapes and words for what was agreed and what happened."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Attribute, Change, Initiator, Status
from service.domain.course import Course, CourseStatus
from service.domain.hours import Hour, Weekday
from service.domain.signals import Limits, assess
from service.domain.standing import Modality, Standing
from service.web.strip import Strip, strip_of

FIRST = datetime(2026, 3, 3, 10)
"""A Tuesday."""

LETTERS = {
    "H": {"status": Status.HELD},
    "c": {"status": Status.CLIENT_CANCELLED, "by": Initiator.CLIENT},
    "N": {"status": Status.NO_SHOW},
    "K": {"status": Status.CLINIC_CANCELLED, "by": Initiator.CLINIC},
    "b": {"status": Status.BREAK, "by": Initiator.CLINIC},
    "A": {"status": Status.BREAK, "by": Initiator.CLINIC, "told_at": FIRST - timedelta(days=60)},
    "V": {"status": Status.HELD, "modality": Modality.VIDEO, "room": None},
    "B": {"status": Status.HELD, "therapist": "B"},
    "-": {"status": Status.SCHEDULED},
}


def course_of(letters: str, **more: object) -> Course:
    """One letter a week, as a clinician would draw it."""
    standing = Standing(
        id="s1",
        therapist="A",
        room="R1",
        modality=Modality.IN_PERSON,
        hours=(Hour(day=Weekday.TU, at=time(10)),),
        every_weeks=1,
        minutes=50,
        zone="Europe/Berlin",
        since=FIRST.date(),
        until=None,
    )
    hours = tuple(
        replace(_hour(FIRST + timedelta(weeks=week)), **LETTERS[letter])  # type: ignore[arg-type]
        for week, letter in enumerate(letters)
    )
    plain = Course(zone="Europe/Berlin", status=CourseStatus.ACTIVE, standings=(standing,), appointments=hours)
    return replace(plain, **more)  # type: ignore[arg-type]


def _hour(slot: datetime) -> Appointment:
    return Appointment(
        id=f"a-{slot:%m%d}",
        standing="s1",
        slot=slot,
        starts=slot,
        minutes=50,
        zone="Europe/Berlin",
        therapist="A",
        room="R1",
        modality=Modality.IN_PERSON,
    )


def drawn(course: Course, now: datetime) -> Strip:
    return strip_of(
        course, now=now, signals=assess(course, limits=Limits(), now=now).signals, names={"B": "Therapist B"}
    )


@pytest.mark.parametrize(
    ("letter", "shape", "words"),
    [
        ("H", "held", "held"),
        ("c", "client-side", "cancelled by the client"),
        ("N", "no-message", "without a message"),
        ("K", "clinic-side", "cancelled by the clinic"),
        ("b", "break", "a break"),
        ("V", "video", "by video"),
        ("B", "other-therapist", "with Therapist B"),
        ("-", "unmarked", "not yet marked"),
    ],
)
def test_what_happened_has_a_shape_and_the_same_in_words(letter: str, shape: str, words: str) -> None:
    mark = drawn(course_of(letter), FIRST + timedelta(days=1)).marks[0]
    assert mark.shape == shape
    assert words in str(mark.label)


def test_what_is_to_come_is_outlined_and_dashed_where_somebody_is_away() -> None:
    leave = Absence(kind=AbsenceKind.LEAVE, therapist="A", since=datetime(2026, 3, 17), until=datetime(2026, 3, 18))
    marks = drawn(course_of("H--", absences=(leave,)), FIRST + timedelta(days=1)).marks
    assert [(mark.shape, mark.is_at_risk) for mark in marks[1:]] == [("booked", False), ("booked", True)]


@pytest.mark.parametrize(
    ("moved_by", "lift"),
    [
        (timedelta(minutes=45), 0),
        (timedelta(hours=-3), 9),
        (timedelta(hours=12), -9),
        (timedelta(days=3), -16),
        (timedelta(days=4), -23),
        (timedelta(days=-4), 23),
    ],
)
def test_a_move_lifts_the_mark_up_for_earlier_and_down_for_later(moved_by: timedelta, lift: float) -> None:
    course = course_of("H")
    slot = course.appointments[0].slot
    assert slot is not None
    change = Change(what=Attribute.TIME, was=None, now=None, told_at=FIRST, by=Initiator.CLIENT)
    moved = replace(course.appointments[0], starts=slot + moved_by, changes=(change,))
    mark = drawn(replace(course, appointments=(moved,)), FIRST + timedelta(days=9)).marks[0]
    assert mark.line_y - mark.y == lift
    assert ("moved to" in str(mark.label)) == (moved_by != timedelta())


def test_neighbouring_breaks_are_one_band_hatched_while_the_client_is_not_told() -> None:
    bands = drawn(course_of("HAAHbH"), FIRST + timedelta(weeks=6)).bands
    assert [(band.is_told, band.width) for band in bands] == [(True, 40), (False, 20)]


def test_a_gap_above_its_threshold_has_a_bracket_with_its_days() -> None:
    brackets = drawn(course_of("HHHHHHccH"), FIRST + timedelta(weeks=8, days=1)).brackets
    assert [str(bracket.days) for bracket in brackets] == ["21 d"]
    assert drawn(course_of("HHHHHHHHH"), FIRST + timedelta(weeks=8, days=1)).brackets == ()


def test_the_line_steps_where_the_agreement_changed() -> None:
    course = course_of("HH")
    old = replace(course.standings[0], until=date(2026, 3, 17))
    new = replace(course.standings[0], id="s2", since=date(2026, 3, 17), hours=(Hour(day=Weekday.TH, at=time(9)),))
    later = replace(_hour(datetime(2026, 3, 19, 9)), standing="s2", status=Status.HELD)
    strip = drawn(
        replace(course, standings=(old, new), appointments=(*course.appointments, later)), FIRST + timedelta(weeks=3)
    )
    assert [str(turn.label) for turn in strip.turns] == ["The agreement changed: Tue 10:00 → Thu 09:00"]
    assert len({y for _x, y in strip.line}) == 2


def test_the_whole_is_said_in_one_sentence() -> None:
    assert str(drawn(course_of("HHcH--"), FIRST + timedelta(weeks=3, days=1)).sentence) == (
        "Of 4 agreed hours so far 3 were held, 0 of them moved; 2 are booked ahead."
    )
    assert str(drawn(course_of(""), FIRST).sentence) == "No hour is agreed yet."
