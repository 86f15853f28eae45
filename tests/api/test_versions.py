"""A change that rests on what somebody else has changed since is refused, and a look at what one has is short."""

from typing import Any

from tests.api.conftest import Clinic, Door


def booked(clinic: Clinic, desk: Door, days: int) -> dict[str, Any]:
    found: dict[str, Any] = desk.post("/appointments", clinic.booking(days, "12:00")).get_json()
    return found


CANCEL = {"asked_by": "client", "reason": "illness"}


def test_what_is_read_carries_its_version(clinic: Clinic, desk: Door) -> None:
    hour = booked(clinic, desk, 8)
    read = desk.get(f"/appointments/{hour['id']}")
    assert read.headers["ETag"] == f'"{hour["version"]}"'
    again = desk.get(f"/appointments/{hour['id']}", If_None_Match=read.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")


def test_a_change_of_the_version_read_is_made(clinic: Clinic, desk: Door) -> None:
    hour = booked(clinic, desk, 9)
    gone = desk.post(f"/appointments/{hour['id']}/cancel", CANCEL, If_Match=f'"{hour["version"]}"')
    assert gone.status_code == 200
    assert gone.headers["ETag"] == f'"{hour["version"] + 1}"'


def test_a_change_of_another_version_is_refused(clinic: Clinic, desk: Door) -> None:
    hour = booked(clinic, desk, 10)
    for stale in ('"0"', '"99"', 'W/"1"', '"never"', f'"{"9" * 40}"'):
        refused = desk.post(f"/appointments/{hour['id']}/cancel", CANCEL, If_Match=stale)
        assert (refused.status_code, refused.content_type) == (412, "application/problem+json"), stale
        assert refused.get_json()["version"] == hour["version"]
    assert desk.get(f"/appointments/{hour['id']}").get_json()["status"] == "scheduled"


def test_any_version_will_do_where_it_says_so(clinic: Clinic, desk: Door) -> None:
    hour = booked(clinic, desk, 14)
    assert desk.post(f"/appointments/{hour['id']}/cancel", CANCEL, If_Match="*").status_code == 200


def test_courses_and_standings_have_versions_too(clinic: Clinic, desk: Door) -> None:
    course = desk.get(f"/courses/{clinic.course}")
    pause = {"since": clinic.day(90), "until": clinic.day(97), "keeps_hour": True}
    assert course.headers["ETag"] == f'"{course.get_json()["version"]}"'
    assert desk.post(f"/courses/{clinic.course}/pause", pause, If_Match='"0"').status_code == 412
    end = {"on": clinic.day(150), "reason": "agreed"}
    assert desk.get(f"/standings/{clinic.standing}").headers["ETag"] == '"1"'
    assert desk.post(f"/standings/{clinic.standing}/end", end, If_Match='"0"').status_code == 412


def test_the_board_is_asked_for_cheaply(clinic: Clinic, desk: Door) -> None:
    before = desk.get("/appointments/version")
    assert desk.get("/appointments/version", If_None_Match=before.headers["ETag"]).status_code == 304
    booked(clinic, desk, 15)
    assert desk.get("/appointments/version", If_None_Match=before.headers["ETag"]).status_code == 200
