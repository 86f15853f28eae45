"""The main job from end to end, every process real: what the desk moves reaches the therapist's inbox and phone."""

import re
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import TYPE_CHECKING

import httpx
import icalendar
import pytest
import recurring_ical_events
from playwright.sync_api import expect

from service.domain.access import OPERATOR, Actor, Role
from service.domain.hours import Weekday, local_time
from service.domain.signals import Level
from service.domain.telling import Preferences
from service.usecases import consistency, notices, people
from tests.clinic import EMAILS, ZONE
from tests.journeys.conftest import Served, look, sign_in
from tests.servers import Inbox, Program

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


@pytest.fixture
def environment(environment: dict[str, str], redis_url: str, smtp_server: Inbox) -> dict[str, str]:
    """With a queue and a mail server, and without the wait that lets people think again."""
    return environment | {
        "SAMEHOUR_REDIS_URL": redis_url,
        "SAMEHOUR_SMTP_URL": smtp_server.url,
        "SAMEHOUR_GRACE_SECONDS": "0",
    }


def test_from_the_desk_to_the_therapists_phone(
    served: Served,
    environment: dict[str, str],
    start_program: Callable[..., Program],
    new_page: Callable[..., "Page"],
    smtp_server: Inbox,
) -> None:
    _open_every_day(served)
    start_program("workers", "work", env=environment)
    start_program("workers", "sweep", "--every", "1", env=environment)
    tomorrow = local_time(served.now, ZONE).date() + timedelta(days=1)

    # The desk agrees an hour that begins tomorrow, and the clinic has to move its first date.
    desk = new_page()
    sign_in(desk, served, Role.FRONT_DESK)
    _agree(desk, served, tomorrow)
    _move_the_first(desk)
    look(desk, "main-moved")

    # The therapist finds the alert, and a mail that says what, why and what one can do.
    mail = smtp_server.wait_for_one_to(EMAILS[Role.THERAPIST])
    assert "Client" not in str(mail["Subject"])
    assert "notice" in mail.get_body(("plain",)).get_content()
    therapist = new_page()
    sign_in(therapist, served, Role.THERAPIST)
    therapist.goto(f"{served.url}/alerts")
    expect(therapist.get_by_role("heading", name="Client Five")).to_be_visible()
    look(therapist, "main-alert")

    # The phone shows the hour where it is now, and nothing at all once the subscription is revoked.
    address = _subscribe(therapist, served)
    look(therapist, "main-calendar")
    starts = _starts_on(address, tomorrow)
    assert time(16, 30) in starts
    assert time(12, 30) not in starts
    therapist.get_by_role("button", name="Done: to my calendars").click()
    therapist.get_by_role("button", name="Revoke").click()
    expect(therapist.get_by_role("status")).to_contain_text("Revoked")
    assert httpx.get(address).status_code == 410
    assert httpx.get(address.replace("/feeds/", "/feeds/x")).status_code == 404


def _open_every_day(served: Served) -> None:
    """So that tomorrow is a working day, whenever this runs; and assess what was there before."""
    with served.app.app_context():
        week = [people.WorkingHours(site=served.clinic.site, day=day, begins=time(8), ends=time(18)) for day in Weekday]
        people.set_working_hours(therapist=served.clinic.therapists[0], hours=week, by=OPERATOR, now=served.now)
        for course in served.clinic.courses:
            consistency.assess(course=course, now=served.now)
        # Told at any hour, also of what is only to be looked at.
        told = Preferences(push_from=Level.WATCH, quiet_since=time(), quiet_until=time(), digest_days=())
        user = served.clinic.users[Role.THERAPIST]
        therapist = Actor(name="Therapist A", roles=frozenset({Role.THERAPIST}), user=user)
        notices.prefer(preferences=told, by=therapist, now=served.now)


def _agree(page: "Page", served: Served, day: date) -> None:
    page.goto(f"{served.url}/agree")
    page.get_by_role("main").get_by_label("Name or reference").press_sequentially("client five")
    page.get_by_role("main").get_by_role("link", name="Client Five").click()
    page.wait_for_url(re.compile("client="))  # with its scripts, which the fields depend on
    page.get_by_label("Therapist").select_option(label="Therapist A")
    page.get_by_label("Where").select_option(label="Room 1")
    page.locator("select[name=day0]").select_option(label=f"{day:%A}")
    page.get_by_label("From").fill(f"{day}")
    page.get_by_label("Time").first.fill("12:30")
    page.get_by_label("Time").first.blur()
    page.get_by_role("button", name=re.compile("Agree .* hours")).click()
    page.wait_for_url(re.compile("/courses/"))
    expect(page.get_by_role("status")).to_contain_text("hours are booked")


def _move_the_first(page: "Page") -> None:
    """From the course's page: the clinic asks, within two days, and the client is told."""
    page.get_by_role("link", name=re.compile("12:30")).last.click()
    page.get_by_role("main").get_by_role("button", name="Move").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Time").fill("16:30")
    dialog.get_by_label("Time").blur()
    expect(dialog.get_by_role("heading", name="What it does")).to_be_visible()
    dialog.get_by_label("the clinic", exact=True).check()
    dialog.get_by_label("Why?").select_option(label="room")
    dialog.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Moved to")


def _subscribe(page: "Page", served: Served) -> str:
    page.goto(f"{served.url}/calendars/new")
    page.get_by_label("Name, so that you know it again").fill("Phone")
    page.get_by_role("button", name="Make the address").click()
    return page.locator("#address").inner_text()


def _starts_on(address: str, day: date) -> list[time]:
    """Read by another program, as a phone would."""
    answer = httpx.get(address)
    assert answer.status_code == 200
    calendar = icalendar.Calendar.from_ical(answer.content)
    return [event["DTSTART"].dt.time() for event in recurring_ical_events.of(calendar).at(day)]
