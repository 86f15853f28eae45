"""Thresholds and agreed exceptions from them."""

from datetime import date

import pytest

from service.domain.course import Override
from service.domain.limits import RULES, CannotSetLimits, Limits, parameters
from service.domain.signals import SIGNALS

TODAY = date(2026, 3, 3)
LATER = date(2026, 9, 1)


def override(value: float | str, until: date = LATER) -> Override:
    return Override(value=value, reason="agreed", until=until)


def test_the_defaults_are_the_definitions() -> None:
    limits = Limits()
    assert (limits.early_sessions, limits.gap_watch, limits.gap_act) == (5, 1.5, 2.5)
    assert {"gap_watch", "mark_grace_h", "episode_gap_days", "ending_act"} <= parameters()
    assert len(parameters()) == 28
    assert not any(name.startswith("points_") for name in parameters())


def test_the_later_layer_wins() -> None:
    clinic, therapist, course = ({"gap_watch": override(value)} for value in (1.6, 1.8, 2.0))
    assert Limits().with_overrides(clinic, therapist, course, on=TODAY).gap_watch == 2.0
    assert Limits().with_overrides(clinic, therapist, on=TODAY).gap_watch == 1.8
    assert Limits().with_overrides(clinic, {}, {}, on=TODAY).gap_watch == 1.6


def test_an_exception_ends_on_its_day() -> None:
    ends_today = {"gap_watch": override(2.0, TODAY), "churn": override("off", TODAY)}
    assert Limits().with_overrides(ends_today, on=TODAY) == Limits()
    assert Limits().with_overrides(ends_today, on=date(2026, 3, 2)).gap_watch == 2.0


def test_on_takes_off_back() -> None:
    limits = Limits().with_overrides({"churn": override("off")}, {"churn": override("on")}, on=TODAY)
    assert "churn" not in limits.off


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("gap_watch", 2.6),
        ("gap_act", 1.4),
        ("gap_early_watch", 1.8),
        ("announce_days", 22),
        ("ending_act", 5),
        ("churn_clinic", 4),
        ("churn_n", 2.5),
        ("churn_n", 0),
        ("gap_watch", float("inf")),
        ("gap_watch", "off"),
        ("churn", "louder"),
        ("nothing", 1),
        ("points_missed", 70),
        ("preset", "strict"),
        ("when_away", "dance"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_name(key: str, value: float | str) -> None:
    with pytest.raises(CannotSetLimits) as refused:
        Limits().with_overrides({key: override(value)}, on=TODAY)
    assert refused.value.where == key


def test_presets_set_what_they_say() -> None:
    sensitive = Limits().with_overrides({"preset": override("breaks_sensitive")}, on=TODAY)
    assert (sensitive.announce_days, sensitive.long_break_days) == (28, 14)
    needed = Limits().with_overrides({"preset": override("as_needed")}, on=TODAY)
    assert set(RULES) - needed.off == {"next.none", "break.unannounced", "mark.missing"}


def test_every_rule_is_known_and_explained() -> None:
    ids = [its_id for rule in SIGNALS for its_id in rule.IDS]
    assert sorted(ids) == sorted(RULES)
    for rule in SIGNALS:
        assert parameters() | {"preset"} >= rule.USES
        text = rule.__doc__ or ""
        assert "Evidence" in text
        assert "not" in text
        assert all(its_id in text for its_id in rule.IDS)
