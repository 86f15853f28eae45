"""The rules page, exceptions on the course's page, and one card for each client."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from service.domain.access import OPERATOR, Role
from service.domain.appointment import Initiator
from service.domain.limits import RULES
from service.usecases import appointments, consistency, overrides
from tests.clinic import Clinic
from tests.web.conftest import Reader

if TYPE_CHECKING:
    from flask import Flask

Readers = Callable[[Role], Reader]


def test_everybody_who_works_with_courses_reads_every_rule(reader: Readers) -> None:
    for role in (Role.FRONT_DESK, Role.THERAPIST, Role.MANAGER):
        page = reader(role).get("/rules").text
        assert all(f'id="{rule}"' in page for rule in RULES)
        assert "Ciharova et al. 2024" in page, "what speaks against it stands beside it"
        assert "<code>gap_watch</code> (1.5)" in page
        assert "HHHHHHHHcc|S" in page
        assert ("Try other numbers" in page) == (role is Role.MANAGER)


def test_a_manager_tries_numbers_and_sets_them(reader: Readers, now: datetime, app: "Flask") -> None:
    manager = reader(Role.MANAGER)
    answer = manager.post("/rules/what-if", gap_watch="2,2", off="churn")
    assert answer.status_code == 200
    assert "alerts instead of" in answer.text
    assert 'name="gap_watch" value="2.2"' in answer.text
    until = (now + timedelta(days=90)).date().isoformat()
    assert manager.post("/exceptions", gap_watch="2.2", off="churn", reason="quieter", until=until).status_code == 303
    page = manager.get("/rules").text
    assert "<code>gap_watch</code> (2.2)" in page
    assert "off for the clinic" in page
    assert "quieter" in page
    with app.app_context():
        found = {one.name: one.id for one in overrides.listed(by=OPERATOR, now=now)}
    assert set(found) == {"gap_watch", "churn"}
    assert manager.post(f"/exceptions/{found['churn']}/lift").status_code == 303
    assert "off for the clinic" not in manager.get("/rules").text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"gap_watch": "soon"}, "That is not a number."),
        ({"gap_watch": "2.6"}, "must not fall"),
        ({}, "Say which number"),
    ],
)
def test_what_makes_no_sense_is_said(reader: Readers, form: dict[str, str], words: str) -> None:
    answer = reader(Role.MANAGER).post("/rules/what-if", **form)
    assert answer.status_code == 422
    assert words in answer.text


def test_an_exception_of_a_course_is_agreed_and_lifted_there(
    reader: Readers, clinic: Clinic, now: datetime, app: "Flask"
) -> None:
    therapist, course = reader(Role.THERAPIST), clinic.courses[0]
    until = (now + timedelta(days=60)).date().isoformat()
    back = f"/courses/{course}"
    for what, value in (("gap_watch", "2"), ("preset:breaks_sensitive", ""), ("off:churn", "")):
        agreed = therapist.post(
            "/exceptions", course=course, what=what, value=value, reason="so we said", until=until, back=back
        )
        assert (agreed.status_code, agreed.location) == (303, back)
    page = therapist.get(back).text
    assert page.count("so we said") == 3
    assert "breaks matter" in page
    for what in ("", "points_missed", "off:nothing"):
        refused = therapist.post("/exceptions", course=course, what=what, value="1", reason="no", until=until)
        assert refused.status_code in (403, 422)
    with app.app_context():
        one = overrides.listed(course=course, by=OPERATOR, now=now)[0]
    assert therapist.post(f"/exceptions/{one.id}/lift", back=back).location == back
    assert therapist.get(back).text.count("so we said") == 2
    assert "Agreed otherwise" not in reader(Role.FRONT_DESK).get(back).text


def test_all_that_stands_about_a_client_is_one_card(
    app: "Flask", reader: Readers, clinic: Clinic, now: datetime
) -> None:
    with app.app_context():
        for weeks in (1, 2):
            hour = clinic.hour(0, weeks=weeks)
            appointments.cancel(
                appointment_id=hour.id,
                asked_by=Initiator.CLINIC,
                reason="illness",
                is_told=False,
                by=OPERATOR,
                now=now,
            )
        consistency.assess(course=clinic.courses[0], now=now)
    page = reader(Role.THERAPIST).get("/alerts").text
    assert page.count('<article class="alert') == 1
    assert page.count('<section class="about') > 1
    assert page.count("/strip") == 1
    assert 'href="/rules#gap.' in page
