"""How people are told, and what is stuck, in a real browser: by keyboard alone, on a wide screen and on a phone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from service import clock
from service.domain.access import Role
from service.usecases import outbox
from tests.journeys.conftest import PHONE, WIDE, Served, look, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


@pytest.fixture
def stuck(disturbed: Served) -> Served:
    """And two messages that could not be delivered."""
    with disturbed.app.app_context():
        for message in outbox.due(now=clock.now())[:2]:
            for attempt in range(1, outbox.ATTEMPTS + 1):
                at = clock.now() + timedelta(days=attempt)
                assert outbox.take(message=message, now=at)
                outbox.failed(message=message, attempt=attempt, error="ConnectionRefusedError", now=at)
    return disturbed


def test_somebody_goes_away_by_keyboard_alone(stuck: Served, new_page: Callable[..., "Page"]) -> None:
    page = new_page(**WIDE)
    sign_in(page, stuck, Role.THERAPIST)
    expect(page.get_by_role("link", name="Alerts 6 wait for an answer")).to_be_visible()
    menu = page.locator("summary", has_text="Therapist").first
    menu.focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="How you are told").press("Enter")
    page.wait_for_url("**/me")
    look(page, "me-wide")

    page.get_by_label("also what to look at").press("Space")
    page.get_by_label("At most so many mails a day").press("ControlOrMeta+a")
    page.keyboard.type("12")
    send = page.get_by_role("button", name="Tell me in this way")
    send.press("Enter")
    # The browser itself says what is wrong, and stays.
    expect(page.get_by_label("At most so many mails a day")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("2")
    page.get_by_label("Saturday").press("Space")
    page.get_by_label("Back on").fill((datetime.now() + timedelta(days=5)).date().isoformat())
    page.get_by_label("Told in your place meanwhile").focus()
    page.keyboard.type("Manager")
    send.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("told in this way")
    expect(page.get_by_text("Manager is told in your place")).to_be_visible()
    expect(page.get_by_label("Saturday")).to_be_checked()
    expect(page.get_by_label("also what to look at")).to_be_checked()
    look(page, "me-away")


def test_the_deputy_answers_and_does_not_open_the_course(stuck: Served, new_page: Callable[..., "Page"]) -> None:
    away, deputy = new_page(**WIDE), new_page(**PHONE)
    sign_in(away, stuck, Role.THERAPIST)
    sign_in(deputy, stuck, Role.MANAGER)
    deputy.goto(f"{stuck.url}/alerts")
    before = deputy.locator("article.alert").count()
    away.goto(f"{stuck.url}/me")
    away.get_by_label("Back on").fill((datetime.now() + timedelta(days=5)).date().isoformat())
    away.get_by_label("Told in your place meanwhile").select_option(label="Manager")
    away.get_by_role("button", name="Tell me in this way").click()
    expect(away.get_by_role("status")).to_contain_text("told in this way")
    deputy.reload()
    assert deputy.locator("article.alert").count() >= before
    look(deputy, "alerts-deputy-phone")


@pytest.mark.parametrize(("name", "screen"), [("wide", WIDE), ("phone", PHONE)])
def test_pages_are_for_everybody(
    stuck: Served, new_page: Callable[..., "Page"], name: str, screen: dict[str, Any]
) -> None:
    therapist = new_page(**screen)
    sign_in(therapist, stuck, Role.THERAPIST)
    therapist.goto(f"{stuck.url}/me")
    look(therapist, f"me-{name}")
    therapist.get_by_label("Address", exact=True).fill("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js")
    therapist.get_by_role("button", name="Tell me there as well").press("Enter")
    expect(therapist.get_by_role("status")).to_contain_text("told there as well")
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        therapist.get_by_label(day).uncheck()
    therapist.get_by_role("button", name="Tell me in this way").press("Enter")
    expect(therapist.get_by_text("You chose no day")).to_be_visible()
    therapist.get_by_role("button", name="Send a test there").press("Enter")
    expect(therapist.get_by_role("status")).to_contain_text("A test is on its way")
    look(therapist, f"me-chat-{name}")
    therapist.get_by_role("button", name="Remove the address").press("Enter")
    expect(therapist.get_by_role("status")).to_contain_text("Nothing is sent there any more")
    desk = new_page(**screen)
    sign_in(desk, stuck, Role.FRONT_DESK)
    desk.goto(f"{stuck.url}/me")
    look(desk, f"me-desk-{name}")
    admin = new_page(**screen)
    sign_in(admin, stuck, Role.ADMIN)
    admin.goto(f"{stuck.url}/messages")
    look(admin, f"messages-{name}")
    drop = admin.get_by_role("button", name="Drop")
    expect(drop).to_have_count(2)
    drop.first.press("Enter")
    expect(admin.get_by_role("status")).to_contain_text("will not be sent")
    admin.get_by_role("button", name="Try again").press("Enter")
    expect(admin.get_by_role("status")).to_contain_text("tried again now")
    expect(admin.get_by_text("Given up")).to_have_count(0)
