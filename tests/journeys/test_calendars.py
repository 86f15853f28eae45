"""A therapist gets their hours onto a phone; the desk a room's onto a door; a manager lets clients have their own."""

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from service.domain.access import Role
from tests.journeys.conftest import PHONE, Served, look, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


def test_a_therapist_sees_it_first_and_then_has_it_in_a_minute(served: Served, page: "Page") -> None:
    sign_in(page, served, Role.THERAPIST)
    page.goto(f"{served.url}/calendars")
    expect(page.get_by_text("No calendar reads these hours yet")).to_be_visible()
    look(page, "calendars-none")
    page.get_by_role("button", name="Connect a calendar").press("Enter")

    expect(page.get_by_role("heading", name="So it will look")).to_be_visible()
    shown = page.locator(".preview:visible")
    expect(shown).to_contain_text("CO")
    look(page, "calendar-new")
    page.get_by_label("“Busy” and nothing else").focus()
    page.keyboard.press("Space")
    expect(shown).not_to_contain_text("CO")
    expect(shown.get_by_text("Busy", exact=True).first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(shown).to_contain_text("Client One")
    look(page, "calendar-new-by-name")
    page.get_by_label("initials").check()
    page.get_by_label("Name, so that you know it again").fill("iPhone")
    page.get_by_label("Name, so that you know it again").press("Enter")

    expect(page.get_by_role("heading", name="Subscribe now")).to_be_visible()
    expect(page.get_by_role("button", name="Subscribe on this device")).to_have_attribute(
        "href", re.compile(r"^webcal://.+\.ics$")
    )
    expect(page.get_by_role("img", name="The address as a code")).to_be_visible()
    for program in ("iPhone, iPad, Mac", "Google Calendar, Android", "Outlook", "Thunderbird"):
        expect(page.get_by_role("heading", name=program)).to_be_visible()
    expect(page.get_by_text("It never replaces an alert for today's changes")).to_be_visible()
    look(page, "calendar-address")
    address = page.locator("#address").inner_text()
    told = httpx.get(address, trust_env=False).text
    assert "SUMMARY:CO" in told and "Client One" not in told


def test_change_it_give_it_a_new_address_and_end_it(served: Served, page: "Page") -> None:
    sign_in(page, served, Role.THERAPIST)
    first = _connect(page, served, "iPhone")
    assert httpx.get(first, headers={"User-Agent": "dataaccessd/1.0"}, trust_env=False).status_code == 200
    page.get_by_role("button", name="Done: to my calendars").click()
    expect(page.get_by_text("by Apple Calendar (iPhone or iPad)")).to_be_visible()
    look(page, "calendars")

    page.get_by_role("button", name="Change “iPhone”").press("Enter")
    page.get_by_label("“Busy” and nothing else").check()
    page.get_by_label("Alarm on the phone").select_option("15 minutes before")
    look(page, "calendar-change")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    told = httpx.get(first, trust_env=False).text
    assert "SUMMARY:Busy" in told and "TRIGGER:-PT15M" in told

    page.get_by_label("How long the old address of “iPhone” goes on").select_option("the old one goes on for 6 hours")
    page.get_by_role("button", name="New address").press("Enter")
    expect(page.get_by_role("heading", name="Subscribe now")).to_be_visible()
    second = page.locator("#address").inner_text()
    assert [httpx.get(one, trust_env=False).status_code for one in (first, second)] == [200, 200]
    page.get_by_role("button", name="Done: to my calendars").click()
    expect(page.get_by_text("goes on until")).to_be_visible()
    look(page, "calendars-two-addresses")

    page.get_by_role("button", name="Revoke").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Revoked")
    assert [httpx.get(one, trust_env=False).status_code for one in (first, second)] == [410, 410]


def test_the_desk_puts_a_room_on_a_door_and_a_client_gets_their_own(
    served: Served, page: "Page", new_page: "Callable[..., Page]"
) -> None:
    sign_in(page, served, Role.MANAGER)
    page.goto(f"{served.url}/calendars")
    page.get_by_label("Clients may have one").check()
    page.get_by_role("region", name="Calendars for clients").get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Clients may have")

    desk = new_page(**PHONE)
    sign_in(desk, served, Role.FRONT_DESK)
    desk.goto(f"{served.url}/calendars/new")
    look(desk, "calendar-whose-phone")
    desk.get_by_label("Whose hours").select_option("Room 1, Harbour")
    desk.get_by_role("button", name="See how it will look").click()
    expect(desk.locator(".preview:visible")).to_contain_text("Therapist A: CO")
    look(desk, "calendar-new-phone")

    desk.goto(f"{served.url}/clients/{served.clinic.clients[0]}")
    desk.get_by_role("button", name="Their own calendar").click()
    expect(desk.locator(".preview:visible")).to_contain_text("Appointment with Therapist A")
    look(desk, "calendar-of-client-phone")
    desk.get_by_label("Name, so that you know it again").fill("Phone")
    desk.get_by_role("button", name="Make the address").click()
    told = httpx.get(desk.locator("#address").inner_text(), trust_env=False).text
    assert "SUMMARY:Appointment with Therapist A" in told and "Client One" not in told
    look(desk, "calendar-address-phone")
    desk.get_by_role("button", name="Done: to my calendars").click()
    look(desk, "calendars-phone")


def _connect(page: "Page", served: Served, name: str) -> str:
    """The address of a new calendar of one's own hours."""
    page.goto(f"{served.url}/calendars/new")
    page.get_by_label("Name, so that you know it again").fill(name)
    page.get_by_role("button", name="Make the address").click()
    expect(page.get_by_role("heading", name="Subscribe now")).to_be_visible()
    return page.locator("#address").inner_text()
