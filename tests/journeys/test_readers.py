"""What therapists, managers and admins look at, in a real browser: nobody shut out, nothing sticking out."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from service.domain.access import Role
from tests.journeys.conftest import PHONE, WIDE, Served, look, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


@pytest.mark.parametrize(("name", "screen"), [("wide", WIDE), ("phone", PHONE)])
def test_pages_are_for_everybody(
    disturbed: Served, new_page: Callable[..., "Page"], name: str, screen: dict[str, Any]
) -> None:
    therapist = new_page(**screen)
    sign_in(therapist, disturbed, Role.THERAPIST)
    for path in ("/alerts", "/courses", f"/courses/{disturbed.clinic.courses[0]}", "/calendars"):
        therapist.goto(disturbed.url + path)
        look(therapist, f"therapist-{path.split('/')[-1][:9]}-{name}")
    admin = new_page(**screen)
    sign_in(admin, disturbed, Role.ADMIN)
    admin.goto(f"{disturbed.url}/people")
    for summary in admin.locator("main summary").all():
        summary.click()
    look(admin, f"admin-people-{name}")


def test_an_alert_is_answered_by_keyboard_alone(disturbed: Served, new_page: Callable[..., "Page"]) -> None:
    page = new_page()
    sign_in(page, disturbed, Role.THERAPIST)
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/alerts")
    # The leave is one thing to see to: the clients are told on its own page, or answered one by one.
    expect(page.get_by_role("heading", name="3 clients to tell")).to_be_visible()
    expect(page.get_by_role("button", name="Tell them")).to_have_attribute("href", re.compile("^/away/"))
    look(page, "alerts-together")
    page.get_by_text("Each by itself").press("Enter")
    cards = page.locator("details article.alert")
    answers = page.get_by_role("button", name="Acknowledge")
    before = answers.count()
    assert before >= 3
    expect(cards.first.locator("svg[role=img]")).to_be_visible()
    answers.first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("you take care of it")
    # The others stay in sight.
    expect(page.locator("details.foot")).to_have_attribute("open", "")
    expect(answers).to_have_count(before - 1)
    page.wait_for_load_state("domcontentloaded")  # with its scripts, which hear the keys
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("open again")
    expect(answers).to_have_count(before)
