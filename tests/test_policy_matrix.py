"""Every route, every method, everybody who might ask: who is let in is what the table says, and nobody else.

Real requests with real ids of a course that is theirs or not. The controls take a guard away and must see people come
in who should not.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service import api
from service.app import RouteWithoutPolicy, create_app
from service.config import Settings
from service.domain import access
from tests.matrix import (
    ANONYMOUS,
    CAST,
    DISABLED,
    FEED,
    NOW,
    OUTSIDE,
    READ_ONLY,
    SAFE,
    World,
    build_world,
)
from tests.policy_rows import ADMIN, CLINICAL, DESK, OTHER, OWN, PUBLIC, ROLES, ROWS, Row

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

HOW = "Add a row for it to tests/policy_rows.py that says who may use it."


@pytest.fixture(scope="module")
def clock() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.clock.now", lambda: NOW)
        yield


@pytest.fixture(scope="module")
def settings_here(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    place = tmp_path_factory.mktemp("matrix")
    shutil.copyfile(migrated_sqlite, place / "samehour.sqlite")
    return Settings.from_env(
        {
            "SAMEHOUR_DATA": str(place),
            "SAMEHOUR_DATABASE_URL": f"sqlite:///{place / 'samehour.sqlite'}",
            "SAMEHOUR_SECRET_KEY": "a secret for tests alone, of 32 and more",
            "SAMEHOUR_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            "SAMEHOUR_LOG_LEVEL": "error",
        }
    )


@pytest.fixture(scope="module")
def world(clock: None, settings_here: Settings) -> Iterator[World]:
    app = create_app(settings_here)
    app.testing = True
    world = build_world(app)
    yield world
    world.restore()


def rows() -> list[tuple[str, str, Row]]:
    return [
        (endpoint, method, row)
        for key, known in ROWS.items()
        for method, endpoint in [key.split(" ")]
        for row in (known if isinstance(known, tuple) else (known,))
    ]


# --- every route has a row


def routes_of(app: "Flask") -> set[str]:
    return {
        f"{method} {rule.endpoint}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }


def test_every_route_has_a_row(world: World) -> None:
    missing = routes_of(world.app) - set(ROWS)
    assert not missing, f"No row says who may use {', '.join(sorted(missing))}. {HOW}"


def test_every_row_has_a_route(world: World) -> None:
    assert set(ROWS) <= routes_of(world.app)


def test_a_route_without_a_row_is_named(world: World) -> None:
    assert routes_of(world.app) - (set(ROWS) - {"POST api_courses.end"}) >= {"POST api_courses.end"}


def test_a_route_without_policy_does_not_start(settings_here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    open_doors = api.open_doors

    def leave_one_open(app: "Flask", settings: Settings) -> None:
        open_doors(app, settings)
        app.add_url_rule("/api/v1/left-open", "left_open", lambda: "anybody")

    monkeypatch.setattr(api, "open_doors", leave_one_open)
    with pytest.raises(RouteWithoutPolicy, match="left_open"):
        create_app(settings_here)


# --- the matrix


def expected(who: str, method: str, row: Row, *, is_api: bool) -> str:
    """`in`, `sign in` (a redirect there), or the status of being kept out."""
    if row.is_public:
        return "in"
    if who in OUTSIDE:
        return "401" if is_api else "sign in"
    if who == READ_ONLY:
        return "in" if method in SAFE else "403"
    if who in row.let_in:
        return "in"
    return "404" if who in row.hidden_from else "403"


def outcome(response: "TestResponse") -> str:
    if 300 <= response.status_code < 400 and response.headers.get("Location", "").startswith("/sign-in?next="):
        return "sign in"
    return "in" if response.status_code < 400 else str(response.status_code)


def run(world: World, endpoint: str, method: str, row: Row, who: str) -> "TestResponse":
    response = world.ask(who, endpoint, method, row)
    if method not in SAFE and response.status_code < 400:
        world.restore()
    return response


@pytest.mark.parametrize(("endpoint", "method", "row"), rows(), ids=lambda it: it if isinstance(it, str) else "")
def test_only_they_are_let_in(world: World, endpoint: str, method: str, row: Row) -> None:
    is_api = world.address(endpoint, method, row).startswith("/api/")
    wrong = []
    for who in CAST:
        for way in ("GET", "HEAD") if method == "GET" and who in {OTHER, ANONYMOUS} else (method,):
            response = run(world, endpoint, way, row, who)
            if (seen := outcome(response)) != (due := expected(who, way, row, is_api=is_api)):
                wrong.append(f"{who}: {seen} instead of {due}: {response.get_data(as_text=True)[:300]}")
            wrong += leaks(world, who, response)
    assert not wrong, "\n".join(wrong)


def leaks(world: World, who: str, response: "TestResponse") -> list[str]:
    """What an answer says of Therapist A's clients to somebody who may not know: lists, searches, messages included."""
    if who not in {OTHER, ADMIN, *OUTSIDE}:
        return []
    text, asked = response.get_data(as_text=True), response.request.url
    # An id that the request itself names may come back, as in "sign in, then go on to …".
    return [f"{who} was shown {secret}" for secret in world.secrets_of_a if secret in text and secret not in asked]


def test_a_disabled_user_is_out_by_cookie_too(world: World) -> None:
    for endpoint, method, row in rows():
        if not row.is_public:
            response = world.ask(DISABLED, endpoint, method, row, by_cookie=True)
            assert outcome(response) in {"401", "sign in"}, (endpoint, method)


# --- what a request may carry


UNSAFE = [(endpoint, method, row) for endpoint, method, row in rows() if method not in SAFE and not row.is_public]


def somebody(row: Row) -> str:
    return min(row.let_in)


@pytest.mark.parametrize(("endpoint", "method", "row"), UNSAFE, ids=lambda it: it if isinstance(it, str) else "")
def test_a_cookie_alone_changes_nothing(world: World, endpoint: str, method: str, row: Row) -> None:
    for forged in ({}, {"X-CSRF-Token": "forged"}):
        response = world.ask(somebody(row), endpoint, method, row, by_cookie=True, **forged)
        assert response.status_code == 400, response.get_data(as_text=True)


def test_a_cookie_with_the_token_of_our_page_may_change(world: World) -> None:
    page = world.ask(DESK, "document.docs", "GET", PUBLIC, by_cookie=True).get_data(as_text=True)
    token = re.findall(r'name="csrf-token" content="([^"]+)"', page)[0]
    row = CLINICAL.sends({"query": "Client"})
    found = world.ask(DESK, "api_clients.search", "POST", row, by_cookie=True, **{"X-CSRF-Token": token})
    assert found.status_code == 200
    # Of one session alone: somebody else's cookie with it is refused.
    assert (
        world.ask(OWN, "api_clients.search", "POST", row, by_cookie=True, **{"X-CSRF-Token": token}).status_code == 400
    )


@pytest.mark.parametrize(
    ("endpoint", "method", "row"),
    [one for one in UNSAFE if one[0].startswith("api_")],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_a_field_that_is_not_named_is_refused(world: World, endpoint: str, method: str, row: Row) -> None:
    response = world.ask(somebody(row), endpoint, method, row, extra={"is_admin": True})
    assert response.status_code == 422, response.get_data(as_text=True)
    assert "is_admin" in response.get_data(as_text=True)


# --- controls: with a guard away, the same requests let people in who should be kept out


def unexpected(world: World) -> list[str]:
    """Everybody with a role who comes in by the JSON door and should not."""
    found = []
    for endpoint, method, row in rows():
        kept_out = [who for who in (*ROLES, READ_ONLY) if expected(who, method, row, is_api=True) != "in"]
        for who in kept_out if endpoint.startswith("api_") else ():
            try:
                response = run(world, endpoint, method, row, who)
            except Exception:  # noqa: BLE001  without its guard a route may well break
                continue
            if response.status_code < 300:
                found.append(f"{who}: {method} {endpoint}")
    return found


def test_control_without_the_policy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guards: Any = world.app.before_request_funcs[None]
    monkeypatch.setitem(world.app.before_request_funcs, None, [it for it in guards if it.__name__ != "admit"])
    found = unexpected(world)
    assert f"{READ_ONLY}: POST api_standings.preview" in found
    assert f"{ADMIN}: GET api_absences.between" in found


def test_control_without_ownership(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "may_see_course", lambda *_asked: True)
    found = unexpected(world)
    assert f"{OTHER}: GET api_courses.show" in found
    assert f"{OTHER}: POST api_appointments.move" in found


def test_the_cast_is_whole() -> None:
    assert {ANONYMOUS, DISABLED, READ_ONLY, FEED, *ROLES} == set(CAST)
    assert len(CAST) == 9
