"""Calendar programs subscribe over HTTP to the running app, and follow a move, a cancellation and a revoked address.

vdirsyncer fetches and khal shows, both as they are used from a command line; what they print is compared. A small
program on ical.js asks and keeps as Thunderbird does (`engines/subscriber.mjs`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service import clock
from service.domain.access import OPERATOR, Role
from service.domain.appointment import Initiator
from service.domain.hours import LocalTime, instant
from service.usecases import appointments, feeds
from tests.clinic import ZONE, Clinic, small_clinic
from tests.feeds.engines import UTC_FORM, ical_js
from tests.servers import Program

if TYPE_CHECKING:
    from flask import Flask

VDIRSYNCER = """
[general]
status_path = "{folder}/status"

[pair clinic]
a = "here"
b = "there"
collections = null
conflict_resolution = "b wins"

[storage here]
type = "filesystem"
path = "{folder}/calendar"
fileext = ".ics"

[storage there]
type = "http"
url = "{address}"
"""
KHAL = """
[calendars]
[[clinic]]
path = {folder}/calendar
readonly = True

[locale]
local_timezone = {zone}
default_timezone = {zone}
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M

[sqlite]
path = {folder}/khal.db
"""


@dataclass(frozen=True, kw_only=True)
class Served:
    """The clinic, the address of a feed of its first therapist, and what people there do."""

    app: "Flask"
    clinic: Clinic
    address: str
    feed: str
    now: datetime

    def slot(self, client: int) -> LocalTime:
        """Of the week after next: wholly ahead, whatever day it is."""
        return self.clinic.at(client, weeks=2)

    def move(self, client: int, **by: int) -> None:
        with self.app.app_context():
            hour = self.clinic.hour(client, weeks=2)
            to = appointments.Destination(starts=hour.starts + timedelta(**by))
            appointments.move(
                appointment_id=hour.id,
                to=to,
                asked_by=Initiator.CLIENT,
                reason="work",
                override="agreed",
                by=OPERATOR,
                now=clock.now(),
            )

    def cancel(self, client: int) -> None:
        with self.app.app_context():
            hour = self.clinic.hour(client, weeks=2)
            appointments.cancel(
                appointment_id=hour.id, asked_by=Initiator.CLIENT, reason="illness", by=OPERATOR, now=clock.now()
            )

    def revoke(self) -> None:
        with self.app.app_context():
            feeds.revoke(feed=self.feed, by=OPERATOR, now=clock.now())


@pytest.fixture
def served(app: "Flask", environment: dict[str, str], start_web: Callable[[dict[str, str]], Program]) -> Served:
    now = clock.now()
    clinic = small_clinic(app, now=now)
    with app.app_context():
        owner, whose = clinic.users[Role.THERAPIST], clinic.therapists[0]
        made = feeds.create(name="Laptop", therapist=whose, owner=owner, by=OPERATOR, now=now)
    start_web(environment)
    address = f"{environment['SAMEHOUR_PUBLIC_URL']}/feeds/{made.secret}.ics"
    return Served(app=app, clinic=clinic, address=address, feed=made.id, now=now)


# --- khal and vdirsyncer


class CommandLine:
    """A person's two programs, with their settings and what they keep in a folder of their own."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        for name in ("status", "calendar"):
            (folder / name).mkdir(parents=True)
        (folder / "vdirsyncer.conf").write_text(VDIRSYNCER.format(folder=folder, address=address))
        (folder / "khal.conf").write_text(KHAL.format(folder=folder, zone=ZONE))
        self.environment = {
            **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_DATA_HOME": str(folder / "data"),
            "VDIRSYNCER_CONFIG": str(folder / "vdirsyncer.conf"),
            "TZ": ZONE,
            "LC_ALL": "C.UTF-8",
        }

    def sync(self) -> "subprocess.CompletedProcess[str]":
        return self._run("vdirsyncer", "sync")

    def discover(self) -> None:
        assert self._run("vdirsyncer", "discover").returncode == 0

    def shown(self, since: datetime) -> list[str]:
        """What `khal list` prints for the week from that day on."""
        line = "{start-date} {start-time}-{end-time} {title}"
        asked = ["list", "--day-format", "", "--format", line, f"{since:%Y-%m-%d}", "7d"]
        done = self._run("khal", "-c", str(self.folder / "khal.conf"), *asked)
        assert done.returncode == 0, done.stderr
        return sorted(filter(None, done.stdout.splitlines()))

    def _run(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [Path(sys.executable).with_name(program), *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def as_khal_says(*hours: tuple[LocalTime, str]) -> list[str]:
    return sorted(
        f"{starts:%Y-%m-%d %H:%M}-{starts + timedelta(minutes=50):%H:%M} {initials}" for starts, initials in hours
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_khal_and_vdirsyncer_follow_a_move_a_cancellation_and_a_revoked_address(served: Served, tmp_path: Path) -> None:
    person = CommandLine(tmp_path / "person", served.address)
    monday = datetime.combine(served.clinic.monday + timedelta(weeks=2), datetime.min.time())
    one, two, three = (served.slot(client) for client in range(3))
    person.discover()

    assert person.sync().returncode == 0
    assert person.shown(monday) == as_khal_says((one, "CO"), (two, "CT"), (three, "CT"))

    served.move(0, hours=26)
    assert person.sync().returncode == 0
    assert person.shown(monday) == as_khal_says((one + timedelta(hours=26), "CO"), (two, "CT"), (three, "CT"))

    served.cancel(1)
    assert person.sync().returncode == 0
    assert person.shown(monday) == as_khal_says((one + timedelta(hours=26), "CO"), (three, "CT"))

    served.move(0, hours=-26)
    assert person.sync().returncode == 0
    assert person.shown(monday) == as_khal_says((one, "CO"), (three, "CT"))

    served.revoke()
    refused = person.sync()
    assert refused.returncode == 1
    assert "GONE" in refused.stderr  # as aiohttp calls a 410
    assert person.shown(monday) == as_khal_says((one, "CO"), (three, "CT")), "what was there is left alone"


# --- as Thunderbird does


class Thunderbird:
    def __init__(self, file: Path, served: Served) -> None:
        self.file, self.address = file, served.address
        monday = datetime.combine(served.clinic.monday + timedelta(weeks=2), datetime.min.time())
        self.since, self.until = (f"{instant(monday + timedelta(days=days), ZONE):{UTC_FORM}}" for days in (0, 7))

    def looks(self) -> dict[str, Any]:
        """What it was answered (None: it did not ask), whether the calendar is disabled, and what it shows."""
        done = subprocess.run(
            [ical_js.node(), ical_js.HERE / "subscriber.mjs", self.address, self.file, self.since, self.until],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen


def as_it_shows(*hours: tuple[LocalTime, str]) -> list[list[str]]:
    return sorted(
        [f"{at:{UTC_FORM}}", f"{at + timedelta(minutes=50):{UTC_FORM}}", initials]
        for starts, initials in hours
        for at in [instant(starts, ZONE)]
    )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_program_like_thunderbird_follows_a_move_a_cancellation_and_a_revoked_address(
    served: Served, tmp_path: Path
) -> None:
    program = Thunderbird(tmp_path / "known.json", served)
    one, two, three = (served.slot(client) for client in range(3))
    all_three = as_it_shows((one, "CO"), (two, "CT"), (three, "CT"))

    assert program.looks() == {"status": 200, "disabled": False, "hours": all_three}
    assert program.looks() == {"status": 304, "disabled": False, "hours": all_three}

    served.move(0, hours=26)
    moved = as_it_shows((one + timedelta(hours=26), "CO"), (two, "CT"), (three, "CT"))
    assert program.looks() == {"status": 200, "disabled": False, "hours": moved}
    assert program.looks() == {"status": 304, "disabled": False, "hours": moved}

    served.cancel(1)
    cancelled = as_it_shows((one + timedelta(hours=26), "CO"), (three, "CT"))
    assert program.looks() == {"status": 200, "disabled": False, "hours": cancelled}

    served.move(0, hours=-26)
    assert program.looks()["hours"] == as_it_shows((one, "CO"), (three, "CT"))

    served.revoke()
    assert program.looks() == {"status": 410, "disabled": True, "hours": []}
    assert program.looks() == {"status": None, "disabled": True, "hours": []}
