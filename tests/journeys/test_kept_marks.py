"""The connection goes away while hours are marked: no mark is lost, and the page says where it is."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from service.domain.access import OPERATOR, Role
from service.domain.appointment import Mark, Status
from service.usecases import appointments
from tests.journeys.conftest import Served, hour, look, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


@pytest.fixture
def unmarked(served: Served) -> list[str]:
    """Two hours of last week that nobody has marked."""
    ids = [hour(served, n, weeks=-1) for n in (0, 1)]
    with served.app.app_context():
        for one in ids:
            appointments.mark(appointment_id=one, mark=Mark.UNMARKED, by=OPERATOR, now=served.now)
    return ids


def status_of(served: Served, appointment: str) -> Status:
    with served.app.app_context():
        return appointments.show(appointment_id=appointment, by=OPERATOR).status


def today(served: Served, page: "Page", role: Role = Role.FRONT_DESK) -> None:
    sign_in(page, served, role)
    page.goto(f"{served.url}/today")
    page.wait_for_load_state("domcontentloaded")


def mark(page: "Page", appointment: str, key: str) -> None:
    page.locator(f"#hour-{appointment}").focus()
    page.keyboard.press(key)


def keep(page: "Page", appointment: str, key: str) -> None:
    """Mark it while nothing that is sent arrives, until `page.unroute`."""
    page.route("**/mark", lambda route: route.abort())
    mark(page, appointment, key)
    expect(page.locator("#kept")).to_contain_text("One mark")


def test_marks_without_a_connection_are_kept_and_sent_once_it_is_back(
    served: Served, page: "Page", unmarked: list[str]
) -> None:
    today(served, page)
    page.context.set_offline(True)
    mark(page, unmarked[0], "h")
    expect(page.locator("#kept")).to_contain_text("One mark is kept in this browser")
    mark(page, unmarked[1], "x")
    mark(page, unmarked[1], "h")
    expect(page.locator("#kept")).to_contain_text("2 marks are kept in this browser")
    expect(page.locator(f"#hour-{unmarked[0]}")).to_contain_text("Held: kept here, not sent yet")
    expect(page.locator("#alarm")).to_be_hidden()
    look(page, "today-kept")
    assert [status_of(served, one) for one in unmarked] == [Status.SCHEDULED] * 2
    page.context.set_offline(False)
    for one in unmarked:
        expect(page.locator(f"#hour-{one}")).to_have_class("hour held")
    expect(page.locator("#kept")).to_be_hidden()
    assert [status_of(served, one) for one in unmarked] == [Status.HELD] * 2


def test_control_without_keeping_the_mark_is_lost(served: Served, page: "Page", unmarked: list[str]) -> None:
    page.route("**/static/marks.js", lambda route: route.abort())
    today(served, page)
    page.context.set_offline(True)
    mark(page, unmarked[0], "h")
    expect(page.locator("#alarm")).to_contain_text("did not answer")
    page.context.set_offline(False)
    page.reload()
    expect(page.locator(f"#hour-{unmarked[0]}")).to_have_class("hour unmarked")
    assert status_of(served, unmarked[0]) is Status.SCHEDULED


def test_what_is_kept_outlives_the_page_and_says_nobodys_name(
    served: Served, page: "Page", unmarked: list[str]
) -> None:
    today(served, page)
    keep(page, unmarked[0], "x")
    kept = page.evaluate("localStorage.getItem('samehour.marks')")
    assert unmarked[0] in kept
    assert "Client" not in kept and "no_show" in kept
    page.goto(f"{served.url}/board")
    expect(page.locator("#kept")).to_contain_text("One mark")
    page.unroute("**/mark")
    page.goto(f"{served.url}/today")
    expect(page.locator(f"#hour-{unmarked[0]}")).to_have_class("hour no_show")
    assert status_of(served, unmarked[0]) is Status.NO_SHOW


def test_a_kept_mark_is_sent_by_whoever_made_it_and_nobody_else(
    served: Served, page: "Page", unmarked: list[str]
) -> None:
    today(served, page)
    keep(page, unmarked[0], "h")
    page.context.clear_cookies()
    page.unroute("**/mark")
    today(served, page, Role.MANAGER)
    expect(page.locator("#kept")).to_contain_text("that somebody else made here")
    assert status_of(served, unmarked[0]) is Status.SCHEDULED
    page.context.clear_cookies()
    sign_in(page, served, Role.FRONT_DESK)  # it is sent from the page that this leads to, which is today's
    expect(page.locator(f"#hour-{unmarked[0]}")).to_have_class("hour held")
    assert status_of(served, unmarked[0]) is Status.HELD


def test_what_is_refused_in_the_end_is_said_until_it_was_seen(
    served: Served, page: "Page", unmarked: list[str]
) -> None:
    today(served, page)
    keep(page, unmarked[0], "h")
    kept = page.evaluate("localStorage.getItem('samehour.marks')")
    long_ago = (served.now - timedelta(days=15)).isoformat()
    page.evaluate(
        "([kept, at]) => localStorage.setItem('samehour.marks',"
        " JSON.stringify(JSON.parse(kept).map((one) => ({ ...one, pressed_at: at }))))",
        [kept, long_ago],
    )
    page.unroute("**/mark")
    page.goto(f"{served.url}/today")
    bar = page.locator("#kept")
    expect(bar).to_contain_text("Not taken: Held")
    expect(bar).to_contain_text("too long ago")
    look(page, "today-refused")
    page.get_by_role("button", name="I have seen it").click()
    expect(bar).to_be_hidden()
    assert status_of(served, unmarked[0]) is Status.SCHEDULED


def test_a_mark_in_an_hours_own_sheet_is_kept_too(served: Served, page: "Page", unmarked: list[str]) -> None:
    today(served, page)
    page.locator(f"#hour-{unmarked[0]}").focus()
    page.keyboard.press("Enter")
    sheet = page.locator("#dialog")
    sheet.get_by_label("Began at").fill("10:20")
    page.context.set_offline(True)
    sheet.get_by_role("button", name="Held, began late").click()
    expect(sheet).to_be_hidden()
    expect(page.locator("#kept")).to_contain_text("One mark")
    page.context.set_offline(False)
    expect(page.locator(f"#hour-{unmarked[0]}")).to_have_class("hour held")
    with served.app.app_context():
        began = appointments.show(appointment_id=unmarked[0], by=OPERATOR).began
    assert began is not None and f"{began:%H:%M}" == "10:20"
