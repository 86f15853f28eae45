"""A manager turns mail to clients on and writes a text, on a wide screen and on a phone."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from service.domain.access import Role
from tests.journeys.conftest import Served, look, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


def test_turn_it_on_write_a_text_and_see_it(served: Served, page: "Page") -> None:
    sign_in(page, served, Role.MANAGER)
    page.goto(f"{served.url}/clients")
    page.get_by_role("link", name="Mail to clients").press("Enter")
    expect(page.get_by_role("heading", name="Mail to clients")).to_be_visible()
    look(page, "client-mail-off")
    page.get_by_label("Mail clients who agreed to it").check()
    page.get_by_label("Sign-off").fill("The desk\nTelephone 000")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("each mail says who writes")
    look(page, "client-mail-refused")
    page.get_by_label("Name of the clinic").fill("Clinic on the Quay")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("From now on")

    page.get_by_role("link", name=re.compile("standard text.*reminder.*English")).click()
    expect(page.get_by_role("group", name="As it reads")).to_contain_text("The desk")
    page.get_by_label("Between the greeting").fill("See you on {date}, {day}.")
    page.get_by_role("button", name="See it in a mail").click()
    expect(page.get_by_role("alert")).to_contain_text("day")
    look(page, "client-mail-text-refused")
    page.get_by_label("Between the greeting").fill("See you on {date}, {time}.")
    page.get_by_role("button", name="See it in a mail").click()
    expect(page.get_by_role("group", name="As it reads")).to_contain_text("See you on")
    look(page, "client-mail-text")
    page.get_by_role("button", name="Keep this text").click()
    expect(page.get_by_role("status")).to_contain_text("Kept")

    page.set_viewport_size({"width": 360, "height": 740})
    look(page, "client-mail-text-phone")
    page.goto(f"{served.url}/client-mail")
    expect(page.get_by_role("link", name="your own text")).to_be_visible()
    look(page, "client-mail-phone")
    page.goto(f"{served.url}/clients/{served.clinic.clients[0]}")
    page.get_by_label("E-mail").fill("one@clients.example")
    page.get_by_label("Agreed to mails about their appointments").check()
    look(page, "client-phone")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Agreed to mails about their appointments")).to_be_checked()
