"""A clinic as an older release of the time-zone data left it, made by a process of its own that has that release.

`make` puts the older wheel into the environment's folder `before`, hash and all; a process that finds it first has its
zones, its version and nothing else of it. Between the two, Vancouver gives up its winter time from November 2026 on
(hours there become earlier in UTC), Casablanca its summer time from 20 September 2026 on (they become later), and
Berlin stays as it is.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.servers import CannotRunHere

if TYPE_CHECKING:
    from flask import Flask

BEFORE = Path(sys.prefix) / "before"
OLD, OLD_NAME = "2025.2", "2025b"
NOW = datetime(2026, 8, 31, 15, 0, tzinfo=UTC)
"""A Monday; 26 weeks from then end on 28 February 2027."""
MONDAY = date(2026, 8, 31)
VANCOUVER, CASABLANCA, BERLIN = "America/Vancouver", "Africa/Casablanca", "Europe/Berlin"


@dataclass(frozen=True, kw_only=True)
class OldClinic:
    """Public ids. Of each therapist four clients come on Tuesdays at nine, ten, eleven and two."""

    therapists: dict[str, str]
    """By zone."""
    rooms: dict[str, str]
    courses: dict[str, list[str]]
    standings: dict[str, list[str]]
    spare_client: str
    feeds: dict[str, str]
    """The secret of a feed of each therapist."""
    bodies: dict[str, str]
    """What the older program said there."""


def run_with_old_data(*arguments: str, env: dict[str, str], check: bool = True) -> str:
    """What `python …` prints in a process that has the older release."""
    if not (BEFORE / ".installed").exists():
        raise CannotRunHere("an older release of tzdata; make setup-dev fetches it")
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **env, "PYTHONPATH": os.pathsep.join([str(BEFORE), str(Path.cwd())])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done.stdout


def make_clinic(env: dict[str, str]) -> OldClinic:
    """Fill the installation's empty database with a clinic, as the older program would have."""
    return OldClinic(**json.loads(run_with_old_data("-m", "tests.older_law", env=env).splitlines()[-1]))


def _main() -> None:
    from service import clock
    from service.app import create_app, migrate
    from service.commands import timezones
    from service.config import Settings
    from service.domain.hours import TZDATA_VERSION

    assert TZDATA_VERSION == OLD
    clock.now = lambda: NOW
    app = create_app(Settings.from_env())
    migrate(app)
    with app.app_context():
        timezones.settle()
        made = _fill()
    made.bodies.update({zone: body_of(app, secret) for zone, secret in made.feeds.items()})
    print(json.dumps(asdict(made)))


def _fill() -> OldClinic:
    from service.domain.access import OPERATOR, Role
    from service.domain.hours import Hour, Weekday
    from service.usecases import clients, drafts, feeds, people, standings

    by: dict[str, Any] = {"by": OPERATOR, "now": NOW - timedelta(days=28)}
    made = OldClinic(therapists={}, rooms={}, courses={}, standings={}, spare_client="", feeds={}, bodies={})
    owner = people.add_user(name="Owner", email="owner@clinic.example", roles=[Role.MANAGER], **by)
    for number, zone in enumerate((VANCOUVER, CASABLANCA, BERLIN)):
        site = people.add_site(name=f"Site {number}", zone_name=zone, country=None, region=None, **by)
        made.rooms[zone] = people.add_room(name=f"Room {number}", site=site, **by)
        made.therapists[zone] = people.add_therapist(name=f"Therapist {number}", site=site, hours=(), **by)
        for at in (9, 10, 11, 14):
            agreed = standings.agree(
                client=clients.add(name=f"Client {number} {at}", **by),
                proposal=drafts.Proposal(
                    therapist=made.therapists[zone],
                    room=made.rooms[zone],
                    hours=(Hour(day=Weekday.TU, at=time(at)),),
                    minutes=60,
                    since=MONDAY - timedelta(weeks=4),
                ),
                horizon=timedelta(weeks=30),
                **by,
            )
            made.courses.setdefault(zone, []).append(agreed.course)
            made.standings.setdefault(zone, []).append(agreed.id)
        made.feeds[zone] = feeds.create(name="Phone", therapist=made.therapists[zone], owner=owner, **by).secret
    spare = clients.add(name="Client Spare", **by)
    return OldClinic(**{**asdict(made), "spare_client": spare})


def body_of(app: "Flask", secret: str) -> str:
    """What the feed at that address says."""
    answer = app.test_client().get(f"/feeds/{secret}.ics")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


if __name__ == "__main__":
    _main()
