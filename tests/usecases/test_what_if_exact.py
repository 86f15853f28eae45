"""Looking back by shortcuts, in shares and in other processes finds what looking everywhere, one by one, finds."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from service.app import from_env
from service.commands.demo_clinic import invent
from service.domain import replay
from service.domain.access import OPERATOR
from service.store.base import db
from service.usecases import demo, processes, what_if

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TRIED: dict[str, dict[str, float | str]] = {
    "gaps": {"gap_watch": 1.8},
    "early": {"gap_early_watch": 1.6, "early_sessions": 8},
    "many": {"churn_any": 2, "late_notice_clinic_h": 72.0, "setting_n": 8, "announce_days": 21, "next_grace_h": 200.0},
    "preset": {"preset": "breaks_sensitive"},
    "off": {"gap.ahead": "off"},
}


@dataclass(frozen=True)
class Telling:
    """What one look back at all courses told, without where it was seen from."""

    counts: tuple[int, ...]
    gone: Counter[tuple[str, ...]]
    new: Counter[tuple[str, ...]]

    @staticmethod
    def by(answer: what_if.Answer) -> "Telling":
        counts = answer.courses, answer.before, answer.after, answer.before_act, answer.after_act
        return Telling(
            (*counts, answer.gone_count, answer.new_count),
            Counter((one.course, one.signal, one.level.value) for one in answer.gone),
            Counter((one.course, one.signal, one.level.value) for one in answer.new),
        )


@pytest.fixture
def courses(app: "Flask") -> "Iterator[None]":
    with app.app_context():
        clinic = invent(therapists=2, weeks=26, seed=3, horizon=timedelta(weeks=6), now=NOW)
        demo.fill(clinic=clinic, by=OPERATOR, now=NOW)
        yield


def test_other_processes_find_the_same(
    courses: None, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    alone = what_if.ask(values={"gap_watch": 1.2}, by=OPERATOR, now=NOW)
    assert min(alone.before, alone.after) > 0
    monkeypatch.setattr(what_if, "ALONE", 0)
    monkeypatch.setattr(processes, "how_many", lambda: 2)
    monkeypatch.setattr(processes, "_opener", [from_env])
    assert what_if.ask(values={"gap_watch": 1.2}, by=OPERATOR, now=NOW) == alone


def test_more_than_can_be_looked_at_are_refused_with_their_number(
    courses: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = what_if.ask(values=TRIED["gaps"], by=OPERATOR, now=NOW).courses
    monkeypatch.setattr(what_if, "MOST", n)
    what_if.ask(values=TRIED["gaps"], by=OPERATOR, now=NOW)
    monkeypatch.setattr(what_if, "MOST", n - 1)
    with pytest.raises(what_if.TooManyCourses) as refused:
        what_if.ask(values=TRIED["gaps"], by=OPERATOR, now=NOW)
    assert f"concern {n} courses" in str(refused.value.message)


@pytest.fixture
def some_hundred(sqlite_url: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    for name, value in {**environment, "SAMEHOUR_DATABASE_URL": sqlite_url}.items():
        monkeypatch.setenv(name, value)
    with from_env().app_context():
        clinic = invent(therapists=12, weeks=30, seed=11, horizon=timedelta(weeks=16), now=NOW)
        yield len(demo.fill(clinic=clinic, by=OPERATOR, now=NOW))
        db.engine.dispose()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_looking_everywhere_finds_the_same(some_hundred: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert some_hundred > 200
    found = {name: Telling.by(what_if.ask(values=values, by=OPERATOR, now=NOW)) for name, values in TRIED.items()}
    monkeypatch.setattr(replay, "replay", _everywhere)
    for name, values in TRIED.items():
        assert found[name] == Telling.by(what_if.ask(values=values, by=OPERATOR, now=NOW)), name
    assert sum(bool(one.gone) for one in found.values()) > 2
    assert any(one.new for one in found.values())


_replay = replay.replay


def _everywhere(*args: object, **named: object) -> object:
    return _replay(*args, **named, looks_everywhere=True)  # type: ignore[arg-type]
