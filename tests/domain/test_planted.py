"""Each of seventeen disturbances is found wherever it is planted, at its level, and by its own rule.

COURSES=1000 plants each in a thousand courses; `make test` in thirty.
"""

import os
from random import Random

import pytest

from service.domain.limits import Limits
from service.domain.signals import assess
from tests.domain.planted import PLANTS, Planted, ground, planted

COURSES = int(os.environ.get("COURSES", "30"))


def found(it: Planted) -> set[str]:
    """The levels at which its rule speaks; what is over is history."""
    said = assess(it.course, limits=Limits(), now=it.now).signals
    return {one.level.value for one in said if one.id in it.ids and one.value.get("state") != "closed"}


@pytest.mark.parametrize("rule", PLANTS)
def test_what_is_planted_is_found(rule: str) -> None:
    plants = ((number, planted(rule, number)) for number in range(COURSES))
    missed = [(number, it.ids, it.level.value, found(it)) for number, it in plants if it.level.value not in found(it)]
    assert missed == []


def test_control_the_ground_that_they_are_planted_in_says_nothing() -> None:
    for number in range(COURSES * 3):
        of = ground(Random(number), held=(1, 30))
        assert assess(of.course(), limits=Limits(), now=of.soon()).signals == ()
