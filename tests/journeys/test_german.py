"""The pages in German, whose words are long: nothing sticks out, nothing shuts anybody out, and one can choose."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from service.domain.access import Role
from tests.clinic import way_in
from tests.journeys.conftest import Served, look, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


def enter(page: "Page", served: Served, role: Role) -> None:
    page.goto(f"{served.url}/sign-in/{way_in(served.app, role, now=served.now)}")
    page.locator("main button").click()
    page.wait_for_url(re.compile(r"/(today|people|calendars)"))


def pages_of(served: Served) -> dict[str, str]:
    clinic = served.clinic
    with served.app.app_context():
        one = clinic.hour(0, weeks=1).id
    day = clinic.monday + timedelta(weeks=1)
    return {
        "today": f"/today?date={day}",
        "board": f"/board?date={day}",
        "week": f"/board?date={day}&view=week",
        "hour": f"/appointments/{one}",
        "move": f"/appointments/{one}/move?day={day + timedelta(days=1)}&at=16:00",
        "cancel": f"/appointments/{one}/cancel",
        "agree": f"/agree?client={clinic.clients[0]}",
        "change": f"/standings/{clinic.standings[0]}/change",
        "clients": "/clients",
        "client": f"/clients/{clinic.clients[0]}",
        "away": "/away",
        "alerts": "/alerts",
        "course": f"/courses/{clinic.courses[0]}",
        "rules": "/rules",
        "calendars": "/calendars",
        "calendar-new": f"/calendars/new?whose=therapist:{clinic.therapists[0]}",
        "people": "/people",
    }


@pytest.mark.parametrize("width", [360, 1280])
def test_long_words_fit(disturbed: Served, new_page: "Callable[..., Page]", width: int) -> None:
    page = new_page(viewport={"width": width, "height": 800}, locale="de-DE", has_touch=width == 360)
    page.goto(f"{disturbed.url}/sign-in")
    look(page, f"german-sign-in-{width}")
    enter(page, disturbed, Role.MANAGER)
    for name, path in pages_of(disturbed).items():
        page.goto(disturbed.url + path)
        expect(page.locator("html")).to_have_attribute("lang", "de-DE")
        look(page, f"german-{name}-{width}")


def test_a_person_chooses_their_language(served: Served, page: "Page") -> None:
    sign_in(page, served, Role.FRONT_DESK)
    page.locator("details.person summary").click()
    look(page, "language-menu")
    page.get_by_label("Language").select_option(label="Deutsch (Österreich)")
    page.get_by_role("button", name="Use this language").click()
    expect(page.locator("html")).to_have_attribute("lang", "de-AT")
    expect(page.locator("header time")).to_have_text(re.compile(r"^(Mo|Di|Mi|Do|Fr|Sa|So)\.?,? \d+\. "))
    page.locator("details.person summary").click()
    page.locator("[name=locale]").select_option("")
    page.locator("form.language button").click()
    expect(page.locator("html")).to_have_attribute("lang", "en-GB")
