"""The course file: read, refused with a path, written, answered; and the command that does it."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from service.commands.assess import assess as command
from service.commands.assess import schema_text
from service.domain.limits import Limits
from service.domain.refusals import Malformed
from service.files import course_file

STANDING: dict[str, Any] = {
    "id": "s1",
    "therapist": "A",
    "room": "R1",
    "modality": "in_person",
    "slots": [{"day": "TU", "at": "10:00"}],
    "every_weeks": 1,
    "minutes": 50,
    "from": "2025-11-04",
    "until": None,
    "change_told_at": None,
    "sessions_planned": None,
    "ending_told": False,
}
APPOINTMENT: dict[str, Any] = {
    "standing": "s1",
    "slot": "2026-03-03T10:00",
    "starts": "2026-03-03T10:00",
    "minutes": 50,
    "therapist": "A",
    "room": "R1",
    "modality": "in_person",
    "status": "held",
    "by": None,
    "told_at": None,
    "began": "2026-03-03T10:02",
    "finished": "2026-03-03T10:50",
    "changes": [
        {
            "what": "time",
            "from": "2026-03-02T10:00",
            "to": "2026-03-03T10:00",
            "told_at": "2026-02-27T09:00",
            "by": "clinic",
            "reason": "illness",
        }
    ],
}
COURSE: dict[str, Any] = {
    "zone": "Europe/Berlin",
    "now": "2026-03-04T12:00",
    "status": "active",
    "same_room": False,
    "overrides": {"gap_watch": {"value": 2.0, "reason": "exam time", "until": "2026-09-01", "author": "Manager M"}},
    "standings": [STANDING],
    "appointments": [
        APPOINTMENT,
        {**APPOINTMENT, "slot": "2026-03-10T10:00", "starts": "2026-03-10T10:00", "status": "scheduled",
         "began": None, "finished": None, "changes": []},
        {**APPOINTMENT, "standing": None, "slot": None, "starts": "2026-03-12T10:00", "status": "scheduled",
         "began": None, "finished": None, "changes": [], "modality": "video", "room": None},
    ],
    "absences": [
        {"kind": "leave", "therapist": "A", "from": "2026-08-17T00:00", "until": "2026-08-29T00:00",
         "told_at": None, "tentative": False},
        {"kind": "closure", "room": "R1", "from": "2026-09-01T00:00", "until": "2026-09-02T00:00"},
    ],
    "reschedule": {
        "slot": "2026-03-10T10:00",
        "told_at": "2026-03-05T12:00",
        "preferred": ["2026-03-09T15:00"],
        "candidates": [{"starts": "2026-03-09T15:00", "therapist": "A", "room": "R1", "modality": "in_person"}],
    },
}  # fmt: skip
MINIMAL: dict[str, Any] = {"zone": "Europe/Berlin", "now": "2026-03-04T12:00"}


def put(path: str, value: object, of: dict[str, Any] = COURSE) -> dict[str, Any]:
    """The course with one value changed; `...` leaves the key out."""
    made: Any = deepcopy(of)
    steps: list[Any] = [
        int(step) if step.isdigit() else step for step in path.replace("]", "").replace("[", ".").split(".")
    ]
    place = made
    for step in steps[:-1]:
        place = place[step]
    if value is ...:
        del place[steps[-1]]
    else:
        place[steps[-1]] = value
    return made  # type: ignore[no-any-return]


def test_it_reads_what_it_writes() -> None:
    read = course_file.parse(json.dumps(COURSE))
    written = course_file.write(read.course, read.now)
    again = course_file.parse(json.dumps(written))
    assert (again.course, again.now) == (read.course, read.now)
    assert course_file.write(again.course, again.now) == written


def test_the_answer_has_all_keys_always() -> None:
    answer = course_file.judge(course_file.parse(json.dumps(MINIMAL)), limits=Limits())
    assert answer["index"] == {
        "value": None,
        "n": 0,
        "n_star": 8,
        "components": {"missed": 0.0, "slot": 0.0, "therapist": 0.0, "notice": 0.0, "setting": 0.0, "length": 0.0},
        "by_initiator": {"clinic": 0.0, "client": 0.0, "mutual": 0.0, "unknown": 0.0},
    }
    assert (answer["signals"], answer["ranking"]) == ([], [])
    assert answer["metrics"] == {
        "held": 0,
        "due": 0,
        "longest_gap_days": None,
        "interval_sd_days": None,
        "upc": None,
        "coc": None,
        "secon": None,
    }


def test_the_answer_of_a_course_to_be_rescheduled() -> None:
    answer: Any = course_file.judge(course_file.parse(json.dumps(COURSE)), limits=Limits())
    assert [one["starts"] for one in answer["ranking"]] == ["2026-03-09T15:00", None]
    assert set(answer["ranking"][0]["parts"]) == {
        "slot", "therapist", "notice", "setting", "gap", "close", "preference",
    }  # fmt: skip
    assert answer["ranking"][0]["score"] == 20.0


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("zone", ..., "zone"),
        ("zone", "Mars/Olympus", "zone"),
        ("now", "2026-03-04T12:00Z", "now"),
        ("now", "2026-03-04T12:00+01:00", "now"),
        ("now", "2026-02-30T12:00", "now"),
        ("now", "9999-12-31T23:59", "now"),
        ("status", "gone", "status"),
        ("same_room", 1, "same_room"),
        ("colour", "blue", "colour"),
        ("standings[0].slots", [], "standings[0].slots"),
        ("standings[0].slots[0].day", "DI", "standings[0].slots[0].day"),
        ("standings[0].slots[0].at", "25:00", "standings[0].slots[0].at"),
        ("standings[0].slots", [{"day": "TU", "at": "10:00"}] * 2, "standings[0].slots"),
        ("standings[0].every_weeks", 0, "standings[0].every_weeks"),
        ("standings[0].minutes", 50.5, "standings[0].minutes"),
        ("standings[0].minutes", True, "standings[0].minutes"),
        ("standings[0].until", "2025-01-01", "standings[0].until"),
        ("standings[0].modality", "video", "standings[0].room"),
        ("standings", [STANDING, STANDING], "standings[1].id"),
        ("appointments[1].starts", ..., "appointments[1].starts"),
        ("appointments[1].starts", "10 March", "appointments[1].starts"),
        ("appointments[1].standing", "s9", "appointments[1].standing"),
        ("appointments[1].standing", None, "appointments[1].standing"),
        ("appointments[1].slot", "2026-03-03T10:00", "appointments[1].slot"),
        ("appointments[1].status", "cancelled", "appointments[1].status"),
        ("appointments[1].modality", "video", "appointments[1].room"),
        ("appointments[0].finished", "2026-03-03T09:00", "appointments[0].finished"),
        ("appointments[0].changes[0].to", "tomorrow", "appointments[0].changes[0].to"),
        ("appointments[0].changes[0].by", "nobody", "appointments[0].changes[0].by"),
        ("appointments[0].changes[0].why", "x", "appointments[0].changes[0].why"),
        ("absences[0].therapist", None, "absences[0].therapist"),
        ("absences[0].until", "2026-08-17T00:00", "absences[0].until"),
        ("absences", {}, "absences"),
        ("overrides.gap_watch.value", "a lot", "overrides.gap_watch.value"),
        ("overrides.gap_watch.value", 3.0, "overrides.gap_watch"),
        ("overrides.gap_watch.until", ..., "overrides.gap_watch.until"),
        ("overrides.gap_wach", {"value": 2, "reason": "r", "until": "2026-09-01"}, "overrides.gap_wach"),
        ("overrides.churn", {"value": "loud", "reason": "r", "until": "2026-09-01"}, "overrides.churn.value"),
        ("overrides.preset", {"value": "strict", "reason": "r", "until": "2026-09-01"}, "overrides.preset.value"),
        ("reschedule.slot", "2026-03-11T10:00", "reschedule.slot"),
        ("reschedule.candidates[0].therapist", "", "reschedule.candidates[0].therapist"),
        ("default_cadence_days", 0, "default_cadence_days"),
    ],
)
def test_it_refuses_with_the_path_of_the_value(path: str, value: object, where: str) -> None:
    with pytest.raises(Malformed) as refused:
        course_file.parse(json.dumps(put(path, value)))
    assert refused.value.where == where


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"zone": NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"zone": "UTC", "zone": "UTC"}',
        b"1e999",
    ],
)
def test_what_is_no_course_file_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        course_file.parse(data)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([
        "zone", "now", "standings", "standings[0].slots[0].at", "standings[0].from", "standings[0].hybrid",
        "appointments[0].changes", "appointments[1].began", "absences[0].from", "overrides", "overrides.gap_watch",
        "reschedule", "reschedule.preferred", "default_cadence_days",
    ]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ),
)  # fmt: skip
def test_any_other_value_is_read_or_refused_and_never_breaks(path: str, value: object) -> None:
    try:
        read = course_file.parse(json.dumps(put(path, value)))
        course_file.judge(read, limits=Limits())
    except Malformed as refused:
        assert refused.message


def test_the_schema_in_the_docs_is_what_the_command_prints() -> None:
    printed = CliRunner().invoke(command, ["--schema"])
    kept = Path(__file__).parents[2] / "docs" / "course.schema.json"
    assert printed.output == schema_text() == kept.read_text(encoding="utf-8")


def test_the_command_answers_a_file_and_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "course.json"
    file.write_text(json.dumps(COURSE), encoding="utf-8")
    by_file = CliRunner().invoke(command, [str(file)])
    by_input = CliRunner().invoke(command, ["-"], input=json.dumps(COURSE))
    assert by_file.exit_code == 0
    assert json.loads(by_file.output)["metrics"]["held"] == 1
    assert by_file.output == by_input.output


def test_the_command_refuses_with_status_2_and_the_path() -> None:
    refused = CliRunner().invoke(command, ["-"], input=json.dumps(put("appointments[1].starts", "soon")))
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert "appointments[1].starts" in refused.stderr


def test_the_command_answers_one_line_a_course_in_order() -> None:
    lines = [json.dumps(COURSE), "{", json.dumps(put("zone", "Mars/Olympus")), json.dumps(MINIMAL)]
    answered = CliRunner().invoke(command, ["--lines", "-"], input="\n".join(lines) + "\n")
    found = [json.loads(line) for line in answered.stdout.splitlines()]
    assert answered.exit_code == 0
    assert [sorted(one) for one in found] == [
        ["index", "metrics", "ranking", "signals"],
        ["error"],
        ["error"],
        ["index", "metrics", "ranking", "signals"],
    ]
    assert found[2]["error"].startswith("zone: ")
