"""Whatever is sent, by whomever, the service does not break: requests made up from its own OpenAPI document.

Each is nearly right, so that it comes far: values are of the form that the document asks for, with a wrong one among
them now and then. The dice always fall alike; ROUNDS can be raised by hand for a long look.
"""

import json
import os
from collections import Counter
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from service.api.document import as_text
from service.domain.access import Role
from tests.api.conftest import TODAY, Clinic, Door

ROUNDS = int(os.environ.get("ROUNDS", "5"))
"""Requests to each operation, on each engine."""
ROLES = (Role.MANAGER, Role.MANAGER, Role.FRONT_DESK, Role.THERAPIST, Role.ADMIN)
WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    "",
    "\x00",
    "\ud800",
    "é" * 600,
    "9" * 400,
    "1800-01-01",
    "2026-02-30",
    "2026-03-29T02:30",
    "2026-10-25T02:30",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "10:00+01:00",
    "2026-W12-3",
    "' or 1=1 --",
    [],
    [None],
    {},
    {"": None},
)


class Requests:
    """Made-up requests to each operation of the document, with ids that exist among others."""

    def __init__(self, clinic: Clinic, seed: int) -> None:
        self.dice = Random(seed)
        self.document = json.loads(as_text(clinic.app))
        self.ids = {
            "course": [clinic.course],
            "client": [clinic.client],
            "clients": [clinic.client],
            "therapist": [clinic.therapist, clinic.other],
            "room": [clinic.room],
            "site": [clinic.site],
            "standing": [clinic.standing],
            **_found(clinic),
        }

    def each(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Method, path and the rest of a request to each operation, in some order."""
        made = []
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if method != "parameters":
                    parameters = [*methods.get("parameters", ()), *operation.get("parameters", ())]
                    made.append((method.upper(), *self.request(path, parameters, operation.get("requestBody"))))
        self.dice.shuffle(made)
        return made

    def request(
        self, path: str, parameters: list[dict[str, Any]], body: dict[str, Any] | None
    ) -> tuple[str, dict[str, Any]]:
        places = {place: [it for it in parameters if it["in"] == place] for place in ("path", "query", "header")}
        path = path.format(**{it["name"]: self.id_of(it["name"]) for it in places["path"]})
        query = {it["name"]: self.value(it["schema"], it["name"]) for it in places["query"] if self.is_given(it)}
        headers = {it["name"]: self.dice.choice(['"1"', "*", "x", "k" * 300]) for it in places["header"]}
        content = body["content"]["application/json"]["schema"] if body else None
        return path, {
            "query_string": {name: _as_text(value) for name, value in query.items()},
            "headers": headers if self.dice.random() < 0.2 else {},
            "json": None if content is None else self.value(content),
        }

    def is_given(self, one: dict[str, Any]) -> bool:
        return self.dice.random() < (0.98 if one.get("required") else 0.4)

    def value(self, schema: dict[str, Any], name: str = "") -> Any:
        """Of the schema's form, seldom not."""
        if self.dice.random() < 0.04:
            return self.dice.choice(WRONG)
        for one in schema.get("allOf", ()):
            schema = {**schema, **one}
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if schema.get("enum"):
            return self.dice.choice([it for it in schema["enum"] if it is not None])
        match schema.get("type", "string"):
            case "object":
                return self.object(schema)
            case "array":
                return [self.value(schema["items"], name) for _ in range(self.dice.choice([1, 1, 2, 3]))]
            case "integer":
                lowest, highest = schema.get("minimum", 0), schema.get("maximum", 99)
                return self.dice.choice([lowest, highest, self.dice.randint(lowest, highest)])
            case "boolean":
                return self.dice.random() < 0.5
            case _:
                return self.text(schema, name)

    def object(self, schema: dict[str, Any]) -> dict[str, Any]:
        needed = schema.get("required", ())
        return {
            name: self.value(one, name)
            for name, one in schema.get("properties", {}).items()
            if self.is_given({"required": name in needed})
        }

    def text(self, schema: dict[str, Any], name: str) -> str:
        match schema.get("format"):
            case "uuid":
                return self.id_of(name)
            case "date":
                return self.day().isoformat()
            case "date-time":
                local = f"{self.day()}T{self.clock()}"
                return local + ":00Z" if name in {"told_at", "until"} and self.dice.random() < 0.5 else local
        some = {
            "at": self.clock(),
            "begins": "09:00",
            "ends": "17:00",
            "zone": "Europe/Berlin",
            "country": "DE",
            "region": "HH",
            "reason": "illness",
            "email": "a@b.example",
            "url": "https://example.com/hook",
        }
        return some.get(name) or f"{name} {self.dice.randrange(10**6)}"

    def id_of(self, name: str) -> str:
        known = self.ids.get(name)
        if known and self.dice.random() < 0.9:
            return self.dice.choice(known)
        return self.dice.choice([it for some in self.ids.values() for it in some])

    def day(self) -> date:
        return TODAY + timedelta(days=self.dice.choice([0, 1, 7, self.dice.randint(-30, 200), 20_000]))

    def clock(self) -> str:
        return f"{self.dice.randint(7, 19):02}:{self.dice.choice([0, 30]):02}"


def _found(clinic: Clinic) -> dict[str, list[str]]:
    desk = clinic.door(Role.FRONT_DESK)
    hours = desk.get(f"/appointments?since={clinic.day(0)}&until={clinic.day(90)}").get_json()
    leave = {"kind": "leave", "therapist": clinic.therapist, "since": clinic.day(50) + "T00:00"}
    absence = desk.post("/absences", {**leave, "until": clinic.day(60) + "T00:00"}).get_json()["id"]
    feed = clinic.door(Role.MANAGER).post("/feeds", {"name": "Phone", "therapist": clinic.therapist}).get_json()["id"]
    ids = [hour["id"] for hour in hours[:10]]
    manager = clinic.door(Role.MANAGER)
    hook = manager.post("/webhooks", {"name": "Billing", "url": "https://example.com/"}).get_json()["id"]
    ping = manager.post(f"/webhooks/{hook}/test").get_json()["message"]
    known = {"absence": [absence], "feed": [feed], "webhook": [hook], "message": [ping]}
    return {"appointment": ids, "appointments": ids, **known}


def _as_text(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()


def _send(door: Door, method: str, path: str, more: dict[str, Any]) -> int:
    headers = {"Authorization": f"Bearer {door.token}", **more.pop("headers")}
    # The app under test raises what it would answer 500, so that the fault itself is seen.
    response = door.app.test_client().open(path, method=method, headers=headers, buffered=True, **more)
    assert response.status_code < 500, response.get_data(as_text=True)
    return response.status_code


@pytest.mark.parametrize("seed", [1])
def test_nothing_that_is_sent_breaks_it(clinic: Clinic, seed: int) -> None:
    requests, seen = Requests(clinic, seed), Counter[int]()
    for _ in range(ROUNDS):
        for method, path, more in requests.each():
            role = requests.dice.choice(ROLES)
            seen[_send(clinic.door(role), method, path, more)] += 1
    assert sum(seen.values()) >= 60 * ROUNDS
    # A maker of requests that are all refused at the door would prove nothing.
    assert sum(number for status, number in seen.items() if status < 300) > sum(seen.values()) / 4, seen


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("GET", "/courses/%00", None),
        ("GET", "/agree?client=%00", None),
        ("POST", "/clients/search", {"q": "a\x00b"}),
        ("POST", "/sign-in", {"email": "\x00", "password": "\x00"}),
        ("GET", "/feeds/%00.ics", None),
    ],
)
def test_a_zero_byte_breaks_no_page_either(clinic: Clinic, method: str, path: str, form: dict[str, str] | None) -> None:
    door = clinic.door(Role.MANAGER)
    headers = {"Authorization": f"Bearer {door.token}"}
    assert door.app.test_client().open(path, method=method, data=form, headers=headers).status_code < 500
