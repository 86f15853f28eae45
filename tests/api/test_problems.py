"""Whatever is wrong with a request, the answer is a problem detail that says where, and nothing was changed."""

from typing import Any

import pytest

from tests.api.conftest import Clinic, Door

LONG = "x" * 501


def bad(clinic: Clinic, **given: Any) -> dict[str, Any]:
    return clinic.booking(3, "08:00", **given)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"starts": "2026-03-20T08:00+01:00"}, "starts"),
        ({"starts": "2026-03-20T08:00:30"}, "starts"),
        ({"starts": "1899-12-31T08:00"}, "starts"),
        ({"starts": "2201-01-01T08:00"}, "starts"),
        ({"starts": "tomorrow"}, "starts"),
        ({"starts": None}, "starts"),
        ({"minutes": 4}, "minutes"),
        ({"minutes": 721}, "minutes"),
        ({"minutes": 50.5}, "minutes"),
        ({"minutes": True}, "minutes"),
        ({"therapist": "1"}, "therapist"),
        ({"therapist": ["1"]}, "therapist"),
        ({"modality": "telepathy"}, "modality"),
        ({"modality": {}}, "modality"),
        ({"reason": LONG}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"reason": "half a pair: \ud83d"}, "reason"),
        ({"modality": "video"}, "room"),
        ({"status": "held"}, "status"),
    ],
)
def test_a_value_that_is_not_valid_is_named(clinic: Clinic, desk: Door, given: dict[str, Any], where: str) -> None:
    response = desk.post("/appointments", bad(clinic, **given))
    problem = response.get_json()
    assert (response.status_code, response.content_type) == (422, "application/problem+json")
    assert problem["where"] == where
    assert problem["status"] == 422 and problem["title"] and problem["detail"]


def test_every_value_at_fault_is_named_with_its_path(clinic: Clinic, desk: Door) -> None:
    hours = [{"day": "TU", "at": "10:00"}, {"day": "XX", "at": "10:00:01", "on": 1}]
    proposal = {"therapist": clinic.therapist, "hours": hours, "since": "2026-04-01"}
    response = desk.post("/standings", {"course": clinic.course, "proposal": proposal})
    named = {one["where"] for one in response.get_json()["errors"]}
    assert response.status_code == 422
    assert named == {"proposal.hours[1].day", "proposal.hours[1].at", "proposal.hours[1].on"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe{}", 400),
        (b"[" * 100_000, 400),
        (b'{"minutes": ' + b"9" * 5000 + b"}", 400),
        (b'{"minutes": NaN}', 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b"", 422),
    ],
    ids=["cut off", "not UTF-8", "too deep", "too long a number", "NaN", "a list", "null", "a text", "nothing"],
)
def test_a_body_that_is_no_object(clinic: Clinic, body: bytes, status: int, desk: Door) -> None:
    headers = {"Authorization": f"Bearer {desk.token}"}
    response = clinic.app.test_client().post(
        "/api/v1/appointments", data=body, content_type="application/json", headers=headers
    )
    assert (response.status_code, response.get_json()["status"]) == (status, status)


def test_another_content_type_is_refused(clinic: Clinic, desk: Door) -> None:
    headers = {"Authorization": f"Bearer {desk.token}"}
    response = clinic.app.test_client().post("/api/v1/courses", data={"therapist": "x"}, headers=headers)
    assert (response.status_code, response.content_type) == (415, "application/problem+json")


def test_an_unknown_name_in_the_address_is_refused(clinic: Clinic, desk: Door) -> None:
    response = desk.get(f"/appointments?since={clinic.day(0)}&until={clinic.day(1)}&sort=name")
    assert (response.status_code, response.get_json()["where"]) == (422, "sort")


@pytest.mark.parametrize(("since", "until"), [(0, 0), (0, -1), (0, 101)])
def test_a_list_of_hours_is_bounded(clinic: Clinic, desk: Door, since: int, until: int) -> None:
    response = desk.get(f"/appointments?since={clinic.day(since)}&until={clinic.day(until)}")
    assert (response.status_code, response.get_json()["where"]) == (422, "until")


def test_an_arrangement_from_another_century_is_refused(clinic: Clinic, desk: Door) -> None:
    hours = [{"day": "TU", "at": "12:00"}]
    proposal = {"therapist": clinic.therapist, "hours": hours, "since": "1950-01-03"}
    for path in ("/standings", "/standings/preview"):
        response = desk.post(path, {"course": clinic.course, "proposal": proposal})
        assert (response.status_code, response.get_json()["where"]) == (422, "proposal.since")


@pytest.mark.parametrize("path", ["/nothing", "/courses/1", "/courses/%00", "/courses/" + "x" * 300])
def test_an_address_that_is_none(desk: Door, path: str) -> None:
    response = desk.get(path)
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


def test_a_method_that_is_none_says_which_there_are(clinic: Clinic, desk: Door) -> None:
    response = desk.ask("DELETE", f"/courses/{clinic.course}")
    assert (response.status_code, response.content_type) == (405, "application/problem+json")
    assert "GET" in response.headers["Allow"]


def test_a_clash_says_what_is_in_the_way_and_what_is_free(clinic: Clinic, desk: Door) -> None:
    assert desk.post("/appointments", clinic.booking(22, "09:00")).status_code == 201
    response = desk.post("/appointments", clinic.booking(22, "09:30"))
    problem = response.get_json()
    assert (response.status_code, problem["title"]) == (409, "That hour is taken")
    assert {clash["kind"] for clash in problem["clashes"]} == {"therapist", "room", "client"}
    assert all(clash["starts"] == f"{clinic.day(22)}T09:00" for clash in problem["clashes"])
    assert isinstance(problem["free"], list)


def test_a_problem_names_no_client(clinic: Clinic, desk: Door) -> None:
    desk.post("/appointments", clinic.booking(21, "09:00"))
    response = desk.post("/appointments", clinic.booking(21, "09:30"))
    assert response.status_code == 409
    assert "Client One" not in response.get_data(as_text=True)


def test_without_a_token_nothing_is_said(clinic: Clinic) -> None:
    for header in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic wrong"},
        {"Authorization": "Bearer"},
    ):
        response = clinic.app.test_client().get("/api/v1/courses", headers=header)
        assert (response.status_code, response.content_type) == (401, "application/problem+json")
