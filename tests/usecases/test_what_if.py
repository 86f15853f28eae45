"""What other numbers would have told over the last ninety days, and whether the rules help."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from service.domain.access import OPERATOR
from service.domain.alert import Verdict
from service.domain.course import Override
from service.domain.limits import RULES, CannotSetLimits, Limits
from service.domain.refusals import Forbidden, Malformed, NotFound
from service.usecases import alerts, consistency, overrides, rules, what_if
from tests.alarms import AlarmClinic, alarm_clinic
from tests.domain.drawn import course

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=9)
UNTIL = date(2026, 9, 1)


@pytest.fixture
def clinic(app: "Flask") -> Iterator[AlarmClinic]:
    """Ada's next hour and Ben's next two will not take place: 14 and 21 days between sessions."""
    with app.app_context():
        found = alarm_clinic(now=NOW)
        found.cancel(0, now=NOW)
        found.cancel(0, 1, now=NOW, course=found.other_course)
        yield found


def ask(clinic: AlarmClinic, *, therapist: str | None = None, **values: float | str) -> what_if.Answer:
    named = {name.replace("__", "."): value for name, value in values.items()}
    return what_if.ask(values=named, therapist=therapist, by=clinic.manager, now=LATER)


def test_higher_steps_tell_less_and_name_what_would_be_gone(clinic: AlarmClinic) -> None:
    found = ask(clinic, gap_watch=2.2)
    assert (found.before, found.after, found.before_act, found.after_act) == (2, 1, 1, 1)
    [gone] = found.gone
    assert (gone.course, gone.names, gone.therapist_name) == (clinic.course, ("Client One",), "Therapist Ada")
    assert gone.signal.startswith("gap.")
    assert gone.on >= NOW.date()
    assert (found.new, found.courses, found.rules) == ((), 2, ("gap.open", "gap.ahead", "gap.early"))
    assert overrides.listed(by=clinic.manager, now=NOW) == [], "trying sets nothing"


def test_lower_steps_tell_more(clinic: AlarmClinic) -> None:
    found = ask(clinic, gap_watch=0.9)
    assert found.gone == ()
    assert found.new_count == len(found.new) > 0


def test_for_one_therapist_and_without_a_rule(clinic: AlarmClinic) -> None:
    of_ben = ask(clinic, therapist=clinic.ben, gap_watch=2.2)
    assert (of_ben.courses, of_ben.before, of_ben.after) == (1, 1, 1)
    without = ask(clinic, gap__ahead="off", gap__open="off", gap__early="off")
    assert (without.before, without.after) == (2, 0)


def test_numbers_in_which_no_told_rule_has_a_say_ask_none(clinic: AlarmClinic) -> None:
    found = ask(clinic, long_break_days=20)
    assert (found.rules, found.courses, found.before) == ((), 0, 0)


def test_of_a_preset_those_rules_are_asked_that_it_changes(clinic: AlarmClinic) -> None:
    assert ask(clinic, preset="hybrid_agreed").rules == ("setting.modality",)
    assert "gap.open" in ask(clinic, preset="tapering").rules, "it says how far apart sessions are to be"


def test_a_preset_in_the_place_of_another_takes_back_what_that_one_changed(clinic: AlarmClinic) -> None:
    overrides.set(values={"preset": "as_needed"}, reason="a reason", until=UNTIL, by=clinic.manager, now=NOW)
    found = ask(clinic, preset="hybrid_agreed")
    assert (found.before, found.after) == (0, 2)


def test_what_is_set_already_is_where_it_starts_from(clinic: AlarmClinic) -> None:
    both: dict[str, float | str] = {"gap_watch": 2.2, "gap_act": 4.0}
    overrides.set(values=both, reason="a reason", until=UNTIL, by=clinic.manager, now=NOW)
    found = ask(clinic, gap_watch=3.5)
    assert (found.before, found.after) == (1, 0)
    with pytest.raises(CannotSetLimits):
        ask(clinic, gap_watch=4.5)


def test_limits_are_made_once_for_what_is_in_force() -> None:
    end = date(2026, 3, 10)
    layer = {"gap_watch": Override(value=1.7, reason="tried", until=end)}
    known = what_if._KnownLimits()
    one, another = (known.of(replace(course("HHH"), layers=(layer, {}))) for _ in range(2))
    plain = known.of(replace(course("HHH"), layers=({}, {})))
    before, after = end - timedelta(days=1), end
    assert (one(before).gap_watch, one(after).gap_watch) == (1.7, Limits().gap_watch)
    assert one(before) is another(before)
    assert one(after) is plain(before) is plain(after)
    of = replace(course("HHH"), layers=(layer, {}))
    assert [one(day) for day in (before, after)] == [Limits().for_course(of, on=day) for day in (before, after)]


def test_only_managers_ask_and_only_sensible_things(clinic: AlarmClinic) -> None:
    for by in (clinic.as_ada, clinic.desk, clinic.reader):
        with pytest.raises(Forbidden):
            what_if.ask(values={"gap_watch": 2.0}, by=by, now=NOW)
    with pytest.raises(Malformed):
        ask(clinic)
    with pytest.raises(CannotSetLimits):
        ask(clinic, gap_wait=2.0)
    with pytest.raises(NotFound):
        ask(clinic, therapist=clinic.course, gap_watch=2.0)


def test_every_rule_is_explained_with_the_numbers_in_force(clinic: AlarmClinic) -> None:
    overrides.set(values={"gap_watch": 2.2}, reason="a reason", until=UNTIL, by=clinic.manager, now=NOW)
    found = rules.explained(by=clinic.desk, now=NOW)
    assert {its_id for one in found for its_id in one.rule.ids} == set(RULES)
    gap = found[0]
    [watch] = [one for one in gap.thresholds if one.name == "gap_watch"]
    assert (watch.value, watch.standard, watch.agreed and watch.agreed.author) == (2.2, 1.5, "manager")
    # The drawn course with one lost slot is judged by the number in force.
    [lost] = [one for one in gap.worked["gap.open"] if one.letters == "HHHHHHHHcc|S"]
    assert lost.level is None
    assert all(one.rule.is_not and one.rule.evidence and one.rule.definition for one in found)
    with pytest.raises(Forbidden):
        rules.usefulness(by=clinic.as_ada, now=NOW)


def test_a_rule_that_few_find_useful_proposes_to_speak_more_rarely(clinic: AlarmClinic) -> None:
    consistency.assess(course=clinic.course, now=NOW)
    [alert] = alerts.of_course(course=clinic.course, by=OPERATOR, now=NOW)
    alerts.judge(alert=alert.id, verdict=Verdict.NOT_USEFUL, by=clinic.as_ada, now=NOW)
    [said] = rules.usefulness(by=clinic.manager, now=NOW)
    assert (said.rule, said.useful, said.not_useful, said.n, said.rate) == ("gap.ahead", 0, 1, 1, 0.0)
    assert said.proposal is None, "one answer is none"
