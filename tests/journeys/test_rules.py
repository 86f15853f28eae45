"""The rules in a real browser: to read, to try, on a phone, and open to everybody."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from service.domain.access import Role
from tests.journeys.conftest import Served, look, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


def test_read_try_and_agree_otherwise(served: Served, page: "Page") -> None:
    sign_in(page, served, Role.MANAGER)
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url(re.compile("/rules"))
    expect(page.get_by_role("heading", name="Do they help?")).to_be_visible()
    look(page, "rules")
    page.get_by_text("Try other numbers on the last 90 days").click()
    page.get_by_label("gap_watch times the usual interval").fill("2.2")
    page.get_by_role("button", name="See what it would have told").click()
    expect(page.get_by_role("heading", name=re.compile("alerts instead of"))).to_be_visible()
    look(page, "rules-what-if")
    page.get_by_text("Set these for the clinic").click()
    page.get_by_label("Why").fill("quieter by agreement")
    page.get_by_role("button", name="Set them").click()
    expect(page.get_by_role("status")).to_contain_text("Agreed")
    expect(page.get_by_role("cell", name="quieter by agreement")).to_be_visible()

    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{served.url}/courses/{served.clinic.courses[0]}")
    page.get_by_text("Agree an exception").click()
    section = page.get_by_role("region", name="Agreed otherwise")
    section.locator("[name=what]").select_option("preset:breaks_sensitive")
    section.locator("[name=reason]").fill("breaks matter")
    section.locator("[name=until]").fill(f"{served.clinic.monday + timedelta(weeks=20)}")
    look(page, "exception-phone")
    section.get_by_role("button", name="Agree").click()
    expect(page.get_by_role("cell", name="breaks matter", exact=True)).to_be_visible()
    page.goto(f"{served.url}/rules")
    look(page, "rules-phone")
