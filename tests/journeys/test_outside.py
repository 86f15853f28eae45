"""A therapist has a calendar read, the desk sees it and books over it with a reason: real browser, real worker."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from service.domain.access import Role
from tests.clinic import ZONE
from tests.files.test_ics_book import calendar
from tests.journeys.conftest import PHONE, WIDE, Served, look, sign_in
from tests.servers import Program
from tests.workers.calendars import Keeper, keeper

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


@pytest.fixture
def environment(environment: dict[str, str], redis_url: str) -> dict[str, str]:
    return {**environment, "SAMEHOUR_REDIS_URL": redis_url, "SAMEHOUR_CALENDARS_FROM_OWN_NETWORK": "yes"}


@pytest.fixture
def elsewhere() -> Iterator[Keeper]:
    with keeper() as found:
        yield found


def life(served: Served) -> bytes:
    """Therapist A's Mondays from 12 to 14 and a whole Wednesday, from next week on."""
    monday = served.clinic.monday + timedelta(weeks=1)
    noon = f"BEGIN:VEVENT\nUID:1\nSUMMARY:Choir\nDTSTART;TZID={ZONE}:{monday:%Y%m%d}T120000\nDURATION:PT2H\n"
    noon += "RRULE:FREQ=WEEKLY\nEND:VEVENT"
    trip = f"BEGIN:VEVENT\nUID:2\nSUMMARY:Trip\nDTSTART;VALUE=DATE:{monday + timedelta(days=2):%Y%m%d}\nEND:VEVENT"
    odd = "BEGIN:VEVENT\nUID:3\nSUMMARY:Odd\nDTSTART;TZID=Nobody/Knows:20300101T100000\nDURATION:PT1H\nEND:VEVENT"
    return calendar(noon, trip, odd)


def test_read_see_and_book_over_it(
    served: Served,
    environment: dict[str, str],
    elsewhere: Keeper,
    new_page: Callable[..., "Page"],
    start_program: Callable[..., Program],
) -> None:
    start_program("workers", "work", env=environment)
    page = new_page(**PHONE)
    sign_in(page, served, Role.THERAPIST)
    page.goto(f"{served.url}/calendars")
    page.get_by_role("link", name=re.compile("Busy elsewhere")).click()
    look(page, "elsewhere-none-phone")
    page.get_by_label("Name").fill("Home")
    page.get_by_label("Address").fill("https://me@calendar.example.com/a.ics")
    page.get_by_role("button", name="Read it from now on").click()
    expect(page.get_by_text("no user and no password")).to_be_visible()
    page.get_by_label("Address").fill(elsewhere.says("/private-a1b2.ics", life(served), ETag='"1"'))
    page.get_by_role("button", name="Read it from now on").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("being read")
    _load_until(page, "busy times in the next half year")
    expect(page.get_by_text("1 entry is in a time zone that nobody knows.")).to_be_visible()
    assert "a1b2" not in page.content()
    look(page, "elsewhere-read-phone")

    desk = new_page(**WIDE)
    sign_in(desk, served, Role.FRONT_DESK)
    monday = served.clinic.monday + timedelta(weeks=1)
    desk.goto(f"{served.url}/board?date={monday}")
    expect(desk.locator(".is-elsewhere")).to_contain_text("busy elsewhere")
    look(desk, "elsewhere-board-day")
    desk.goto(f"{served.url}/board?view=week&only={served.clinic.therapists[0]}&date={monday}")
    expect(desk.locator(".is-elsewhere")).to_have_count(2)
    look(desk, "elsewhere-board-week")
    desk.get_by_text("As a list").click()
    desk.get_by_text(re.compile("Busy elsewhere: 2 times")).press("Enter")
    expect(desk.get_by_text("Therapist A: ").first).to_be_visible()
    look(desk, "elsewhere-board-list")

    wish = f"client={served.clinic.clients[3]}&therapist={served.clinic.therapists[0]}&day={monday}&at=12:00"
    desk.goto(f"{served.url}/agree?{wish}")
    desk.get_by_label("Where").select_option("video")
    desk.get_by_role("button", name="Show every date").click()
    expect(desk.get_by_text(re.compile(r"On \d+ of \d+ dates the therapist is busy elsewhere"))).to_be_visible()
    desk.get_by_label("Reason to book all of those that need one").fill("agreed with A")
    look(desk, "elsewhere-agree")
    desk.get_by_role("button", name=re.compile("Agree [0-9]+ hour")).click()
    expect(desk.get_by_role("status")).to_contain_text(re.compile("Agreed: [0-9]+ hours are booked"))
    desk.goto(f"{served.url}/board?date={monday}")
    expect(desk.get_by_role("button", name=re.compile("12:00 Client Four"))).to_be_visible()
    look(desk, "elsewhere-booked")


def _load_until(page: "Page", words: str) -> None:
    """It is read a moment after it was added."""
    for _ in range(100):
        page.reload()
        if page.locator("main").get_by_text(words).count():
            return
        page.wait_for_timeout(100)
    raise AssertionError(words)
