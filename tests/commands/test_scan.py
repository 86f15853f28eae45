"""A full scan finds what stands otherwise on record, alone or with the help of other processes."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from service.commands.demo_clinic import invent
from service.commands.scan import looking
from service.domain.access import OPERATOR
from service.usecases import consistency, demo, scanning

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_many_look_as_one_does(app: "Flask", environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "AT_ONCE", 9)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    clinic = invent(therapists=2, weeks=14, seed=3, horizon=timedelta(weeks=6), now=NOW)
    with app.app_context(), looking(1) as alone, looking(2) as together:
        demo.fill(clinic=clinic, by=OPERATOR, now=NOW)
        courses = consistency.every_course(by=OPERATOR)
        nobody_looked = [one for found in together(courses, NOW) for one in found]
        assert sorted(nobody_looked) == sorted(courses)
        for course in courses:
            consistency.assess(course=course, now=NOW)
        assert [one for found in together(courses, NOW) for one in found] == []
        later = NOW + timedelta(days=9)
        changed = list(alone(courses, later))
        assert list(together(courses, later)) == changed
        assert 0 < sum(map(len, changed)) < len(courses)
