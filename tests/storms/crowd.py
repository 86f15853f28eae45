"""Sixteen people at sixteen desks who want the same few hours: a crowd over real HTTP, from one seed."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

import httpx

from service.domain.access import OPERATOR, Role
from service.domain.hours import Weekday, monday_of
from service.usecases import clients, courses, people

if TYPE_CHECKING:
    from flask import Flask

DESKS = 16
CLOCKS = [time(9), time(9, 30), time(10), time(10, 30), time(11)]
DAYS = ["MO", "TU", "WE"]


@dataclass(kw_only=True)
class Prize:
    """What the crowd is after: few people, few rooms, few hours."""

    url: str
    token: str
    therapists: list[str]
    rooms: list[str]
    clients: list[str]
    courses: list[str]
    monday: date
    """The first day that is fought over."""
    weeks: int
    """More of them where more is asked for, else all is taken soon and nothing is left to win."""


@dataclass(kw_only=True)
class Tally:
    """How the requests were answered: by kind and status."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    oddities: list[str] = field(default_factory=list)
    appointments: list[str] = field(default_factory=list)
    standings: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    @property
    def by_status(self) -> Counter[int]:
        found: Counter[int] = Counter()
        for (_kind, status), count in self.answers.items():
            found[status] += count
        return found

    def note(self, kind: str, answer: httpx.Response) -> None:
        with self.lock:
            self.answers[kind, answer.status_code] += 1
            if answer.status_code not in EXPECTED:
                self.oddities.append(f"{kind} {answer.status_code} {answer.text[:300]}")
            if kind == "book" and answer.status_code == 201:
                self.appointments.append(answer.json()["id"])
            if kind == "agree" and answer.status_code == 201:
                self.standings.append(answer.json()["id"])


EXPECTED = {200, 201, 204, 404, 409}
"""Won, lost, or gone meanwhile: and never a fault of ours."""


def set_up(app: "Flask", *, url: str, requests: int, now: datetime) -> Prize:
    with app.app_context():
        site = people.add_site(
            name="Square", zone_name="Europe/Berlin", country=None, region=None, by=OPERATOR, now=now
        )
        hours = [people.WorkingHours(site=site, day=day, begins=time(7), ends=time(20)) for day in Weekday]
        therapists = [
            people.add_therapist(name=f"Therapist {name}", site=site, hours=hours, by=OPERATOR, now=now)
            for name in ("A", "B", "C")
        ]
        rooms = [people.add_room(name=f"Room {n}", site=site, by=OPERATOR, now=now) for n in (1, 2, 3)]
        ids = [clients.add(name=f"Client {n}", by=OPERATOR, now=now) for n in ("One", "Two", "Three", "Four")]
        opened = [courses.open(clients_in=[one], therapist=therapists[0], by=OPERATOR, now=now) for one in ids]
        desk = people.add_user(name="Desk", email="desk@clinic.example", roles=[Role.FRONT_DESK], by=OPERATOR, now=now)
        _id, token = people.add_token(user=desk, name="crowd", may_write=True, days=30, by=OPERATOR, now=now)
    return Prize(
        url=url,
        token=token,
        therapists=therapists,
        rooms=rooms,
        clients=ids,
        courses=opened,
        monday=monday_of(now.date()) + timedelta(weeks=2),
        weeks=max(3, requests // 300),
    )


def rush(prize: Prize, *, requests: int, seed: int) -> Tally:
    """All desks at once, until that many requests are answered."""
    tally = Tally()
    with ThreadPoolExecutor(DESKS) as desks:
        shares = [requests // DESKS + (desk < requests % DESKS) for desk in range(DESKS)]
        done = [desks.submit(_desk, prize, tally, share, seed * 1000 + n) for n, share in enumerate(shares)]
        for one in done:
            one.result()
    return tally


def _desk(prize: Prize, tally: Tally, requests: int, seed: int) -> None:
    rng = random.Random(seed)
    headers = {"Authorization": f"Bearer {prize.token}"}
    with httpx.Client(base_url=f"{prize.url}/api/v1", headers=headers, timeout=60, trust_env=False) as http:
        for _ in range(requests):
            kind = rng.choices(list(KINDS), weights=[3, 5, 4, 3, 3, 2, 1])[0]
            path, body = KINDS[kind](prize, tally, rng)
            tally.note(kind, http.post(path, json=body))


def _agree(prize: Prize, _tally: Tally, rng: random.Random) -> tuple[str, dict[str, Any]]:
    since = prize.monday + timedelta(weeks=rng.randrange(prize.weeks))
    hours = {(rng.choice(DAYS), rng.choice(CLOCKS)) for _ in range(rng.choice((1, 1, 2)))}
    proposal = {
        "therapist": rng.choice(prize.therapists),
        "room": rng.choice(prize.rooms),
        "hours": [{"day": day, "at": f"{at:%H:%M}"} for day, at in sorted(hours)],
        "since": since.isoformat(),
        "until": (since + timedelta(weeks=rng.choice((1, 2, 6)))).isoformat(),
    }
    return "/standings", {"course": rng.choice(prize.courses), "proposal": proposal}


def _book(prize: Prize, _tally: Tally, rng: random.Random) -> tuple[str, dict[str, Any]]:
    return "/appointments", {"course": rng.choice(prize.courses), **_place(prize, rng)}


def _move(prize: Prize, tally: Tally, rng: random.Random) -> tuple[str, dict[str, Any]]:
    to = {"starts": _place(prize, rng)["starts"], **ASKED}
    return f"/appointments/{_some(tally, rng)}/move", to


def _swap(prize: Prize, tally: Tally, rng: random.Random) -> tuple[str, dict[str, Any]]:
    what = rng.choice(("therapist", "room"))
    return f"/appointments/{_some(tally, rng)}/move", {what: _place(prize, rng)[what], **ASKED}


def _cancel(_prize: Prize, tally: Tally, rng: random.Random) -> tuple[str, dict[str, Any]]:
    return f"/appointments/{_some(tally, rng)}/cancel", ASKED


def _uncancel(_prize: Prize, tally: Tally, rng: random.Random) -> tuple[str, dict[str, Any]]:
    return f"/appointments/{_some(tally, rng)}/uncancel", {}


def _end(prize: Prize, tally: Tally, rng: random.Random) -> tuple[str, dict[str, Any]]:
    with tally.lock:
        standing = rng.choice(tally.standings) if tally.standings else NOWHERE
    on = prize.monday + timedelta(weeks=1 + rng.randrange(prize.weeks))
    return f"/standings/{standing}/end", {"on": on.isoformat(), "reason": "other"}


KINDS: dict[str, Callable[[Prize, Tally, random.Random], tuple[str, dict[str, Any]]]] = {
    "agree": _agree,
    "book": _book,
    "move": _move,
    "swap": _swap,
    "cancel": _cancel,
    "uncancel": _uncancel,
    "end": _end,
}
ASKED = {"asked_by": "client", "reason": "work"}
NOWHERE = "00000000-0000-4000-8000-000000000000"


def _place(prize: Prize, rng: random.Random) -> dict[str, Any]:
    day = prize.monday + timedelta(weeks=rng.randrange(prize.weeks), days=rng.randrange(len(DAYS)))
    starts = datetime.combine(day, rng.choice(CLOCKS))
    return {
        "starts": starts.isoformat(timespec="minutes"),
        "therapist": rng.choice(prize.therapists),
        "room": rng.choice(prize.rooms),
    }


def _some(tally: Tally, rng: random.Random) -> str:
    with tally.lock:
        return rng.choice(tally.appointments) if tally.appointments else NOWHERE
