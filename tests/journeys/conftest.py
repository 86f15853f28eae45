"""A clinic that is served by gunicorn, and browsers of its people."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from service import clock
from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Role
from service.usecases import absences, consistency
from tests.clinic import Clinic, small_clinic, way_in
from tests.servers import Program

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Page

expect.set_options(timeout=30_000)
"""Milliseconds: a busy machine is slow, and how fast the pages are is not what journeys ask."""
PICTURES = Path(__file__).parent / "pictures"
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}
"""What the pages looked like, for people to look at; not kept in git."""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@dataclass(frozen=True, kw_only=True)
class Served:
    """The clinic, and where it is reached."""

    app: "Flask"
    clinic: Clinic
    url: str
    now: datetime


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Pages are the same on both engines; the use-cases behind them are tested on both."""
    return sqlite_url


@pytest.fixture
def served(app: "Flask", environment: dict[str, str], start_web: Callable[[dict[str, str]], Program]) -> Served:
    now = clock.now()
    clinic = small_clinic(app, now=now)
    start_web(environment)
    return Served(app=app, clinic=clinic, url=environment["SAMEHOUR_PUBLIC_URL"], now=now)


def sign_in(page: "Page", served: Served, role: Role) -> None:
    """Follow a link as it comes by mail, and press its button."""
    page.goto(f"{served.url}/sign-in/{way_in(served.app, role, now=served.now)}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/(today|people|calendars)"))


@pytest.fixture
def disturbed(served: Served) -> Served:
    """Leave next week that nobody was told of, and what the rules say of it."""
    with served.app.app_context():
        begins = datetime.combine(served.clinic.monday + timedelta(weeks=1), time())
        absences.add(
            kind=AbsenceKind.LEAVE,
            therapist=served.clinic.therapists[0],
            since=begins,
            until=begins + timedelta(days=7),
            by=OPERATOR,
            now=served.now,
        )
        for course in served.clinic.courses[:3]:
            consistency.assess(course=course, now=served.now)
    return served


def hour(served: Served, client: int, *, weeks: int = 1) -> str:
    """The public id of a client's hour, so many weeks from now."""
    with served.app.app_context():
        return served.clinic.hour(client, weeks=weeks).id


def look(page: "Page", name: str) -> None:
    """Keep a picture, and find nothing that shuts anybody out or sticks out of the page."""
    PICTURES.mkdir(exist_ok=True)
    _keep_picture(page, PICTURES / f"{name}.png")
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, f"{name}:\n{found.generate_report()}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is {wide} pixels too wide"


def _keep_picture(page: "Page", path: Path) -> None:
    """On a busy machine Chromium says now and then that it can't; asked again, it can."""
    try:
        page.screenshot(path=path)
    except PlaywrightError:
        page.screenshot(path=path)
