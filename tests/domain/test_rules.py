"""The rules as people read them, and the drawn courses that show them."""

import re

import pytest

from service.domain.drawing import LETTERS
from service.domain.examples import CASES, worked
from service.domain.limits import RULES, Limits, parameters
from service.domain.rules import MEANING, affected_by, needs_relaxing, relaxation, rules

SHOWN = {
    "gap.open": "silent watch act silent silent",
    "gap.ahead": "watch act silent watch",
    "gap.early": "act act silent",
    "next.none": "silent act silent",
    "churn": "silent watch watch act",
    "notice.short": "watch act silent",
    "slot.drift": "watch watch silent",
    "slot.irregular": "watch silent",
    "slot.suggest": "info",
    "setting.room": "info silent watch",
    "setting.modality": "watch silent",
    "therapist.change": "info watch act",
    "time.frame": "silent watch act",
    "missed.client_run": "silent watch act act silent",
    "missed.clinic": "info watch act",
    "break.unannounced": "silent watch act silent",
    "break.long": "info silent",
    "ending.unprepared": "silent watch act",
    "ending.unplanned": "info",
    "interval.sd": "info silent",
    "mark.missing": "silent info",
}


@pytest.mark.parametrize("rule", RULES)
def test_the_drawn_courses_show_what_the_rule_says(rule: str) -> None:
    found = worked(Limits())[rule]
    assert " ".join(one.level.value if one.level else "silent" for one in found) == SHOWN[rule]
    assert all(one.text and one.evidence for one in found if one.level)


def test_they_follow_the_numbers_in_force() -> None:
    [lost] = [one for one in worked(Limits(gap_watch=2.2))["gap.open"] if one.letters == "HHHHHHHHcc|S"]
    assert lost.level is None


def test_every_letter_that_is_drawn_is_explained() -> None:
    drawn = {letter for cases in CASES.values() for case in cases for letter in case.letters}
    assert drawn <= set(LETTERS)


def test_every_file_is_taken_apart_whole() -> None:
    assert {its_id for one in rules() for its_id in one.ids} == set(RULES)
    for one in rules():
        assert one.title
        assert one.definition
        assert one.is_not
        assert str(one.evidence).lower().find(one.label) >= 0
        words = " ".join(map(str, (*one.definition, one.is_not, one.evidence)))
        assert not re.search(r"\n|Evidence:|What it is not:", words)
    assert set(MEANING) == parameters()


def test_what_speaks_against_a_rule_stands_in_its_evidence() -> None:
    said = {one.name: str(one.evidence) for one in rules()}
    for against in ("Ciharova et al. 2024", "Hoppen et al. 2023", "Fleming et al. 2020"):
        assert against in said["gap"]
    assert "Yang & Jin 2020" in said["churn"]
    assert "Clough & Casey 2014" in said["missed"]
    assert "not uniform" in said["therapist"]


@pytest.mark.parametrize(
    ("names", "affected"),
    [
        ({"gap_watch"}, {"gap.open", "gap.ahead", "gap.early"}),
        ({"long_break_days"}, set()),
        ({"announce_watch_days"}, {"break.unannounced"}),
        ({"mark_grace_h"}, {"gap.open", "gap.ahead", "gap.early", "next.none"}),
        ({"churn"}, {"churn"}),
        ({"mark.missing"}, set()),
    ],
)
def test_only_rules_that_compare_with_a_number_are_asked_about_it(names: set[str], affected: set[str]) -> None:
    assert affected_by(frozenset(names)) == affected


def test_a_rule_proposes_one_step_that_makes_sense() -> None:
    assert (relaxation("gap.open", Limits()).name, relaxation("gap.open", Limits()).value) == ("gap_watch", 1.8)
    assert "1.8 instead of 1.5" in str(relaxation("gap.open", Limits()).text)
    # No further step before the next level: then it is to be switched off, or left.
    assert relaxation("gap.open", Limits(gap_watch=2.4)).value == "off"
    assert relaxation("setting.modality", Limits()).value == "off"


@pytest.mark.parametrize(
    ("useful", "not_useful", "needs"),
    [(3, 7, True), (4, 6, False), (3, 6, False), (0, 10, True), (0, 9, False), (10, 0, False)],
)
def test_it_does_so_with_enough_answers_and_too_few_useful_ones(useful: int, not_useful: int, needs: bool) -> None:
    assert needs_relaxing(useful, not_useful) is needs
