"""Webhooks by the JSON door, and what the OpenAPI document says of the messages they send."""

import json

import pytest

from service.api.document import as_text
from service.domain.access import Role
from service.domain.event import EVENTS, IDS
from tests.api.conftest import Clinic, Door

NEW = {"name": "Billing", "url": "https://example.com/hook?key=a-secret"}


@pytest.fixture
def manager(clinic: Clinic) -> Door:
    return clinic.door(Role.MANAGER)


@pytest.fixture
def hook(manager: Door) -> str:
    made = manager.post("/webhooks", NEW)
    assert made.status_code == 201
    found: str = made.get_json()["id"]
    return found


def test_a_secret_is_shown_once(manager: Door) -> None:
    first = manager.post("/webhooks", NEW, Idempotency_Key="hook-1").get_json()
    assert first["secret"].startswith("whsec_")
    again = manager.post("/webhooks", NEW, Idempotency_Key="hook-1")
    assert (again.get_json(), again.headers["Idempotency-Replayed"]) == ({"id": first["id"], "secret": None}, "true")
    for path in ("/webhooks", f"/webhooks/{first['id']}"):
        assert first["secret"] not in manager.get(path).get_data(as_text=True)
    turned = manager.post(f"/webhooks/{first['id']}/rotate", {"overlap_hours": 2}).get_json()
    assert turned["secret"] != first["secret"]
    shown = manager.get(f"/webhooks/{first['id']}").get_json()
    assert shown["old_secret_until"] == "2026-03-18T13:00:00Z"
    manager.ask("DELETE", f"/webhooks/{first['id']}")


def test_it_is_changed_where_nobody_changed_it_before(manager: Door, hook: str) -> None:
    shown = manager.get(f"/webhooks/{hook}")
    assert (shown.get_json()["events"], shown.get_json()["state"]) == (["*"], "active")
    tag = shown.headers["ETag"]
    changed = manager.ask("PATCH", f"/webhooks/{hook}", {"events": ["standing.ended"]}, If_Match=tag)
    assert changed.get_json()["events"] == ["standing.ended"]
    assert changed.get_json()["url"] == NEW["url"]
    assert manager.ask("PATCH", f"/webhooks/{hook}", {"name": "Books"}, If_Match=tag).status_code == 412
    assert manager.post(f"/webhooks/{hook}/pause").get_json()["state"] == "paused"
    assert manager.post(f"/webhooks/{hook}/test").status_code == 409
    assert manager.post(f"/webhooks/{hook}/resume").get_json()["state"] == "active"
    assert manager.ask("DELETE", f"/webhooks/{hook}").status_code == 204
    assert manager.get(f"/webhooks/{hook}").status_code == 404


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"url": "http://example.com/"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["appointment.teleported"]}, "events"),
        ({"name": ""}, "name"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(manager: Door, given: dict[str, object], where: str) -> None:
    refused = manager.post("/webhooks", {**NEW, **given})
    assert refused.status_code == 422
    assert where in refused.get_data(as_text=True)


def test_a_test_waits_to_be_sent(manager: Door, hook: str) -> None:
    sent = manager.post(f"/webhooks/{hook}/test")
    assert sent.status_code == 202
    assert manager.get(f"/webhooks/{hook}").get_json()["waiting"] == 1
    assert manager.get(f"/webhooks/{hook}/deliveries").get_json() == []
    message = sent.get_json()["message"]
    assert manager.post(f"/webhooks/{hook}/messages/{message}/replay").status_code == 204
    other = manager.post("/webhooks", NEW).get_json()["id"]
    assert manager.post(f"/webhooks/{other}/messages/{message}/replay").status_code == 404
    for one in (hook, other):
        manager.ask("DELETE", f"/webhooks/{one}")


def test_each_event_is_documented_with_the_ids_it_carries(clinic: Clinic) -> None:
    document = json.loads(as_text(clinic.app))
    assert set(document["x-webhooks"]) == {"ping", *EVENTS}
    for event, entry in document["x-webhooks"].items():
        operation = entry["post"]
        name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        shape = document["components"]["schemas"][name]
        assert event in shape["properties"]["type"]["enum"]
        ids = IDS.get(event.partition(".")[0], ("webhook",))
        assert shape["properties"]["data"]["required"] == list(ids)
        assert operation["summary"]
