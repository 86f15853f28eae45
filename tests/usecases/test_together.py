"""One absence that takes hours from several courses is one thing to see to: in mails, and on the page of alerts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Actor, Role
from service.domain.appointment import Initiator, Mark
from service.domain.hours import Hour, Weekday, midnight
from service.domain.phrase import PLAIN
from service.domain.signals import Level
from service.usecases import (
    absences,
    alerts,
    appointments,
    clients,
    consistency,
    letters,
    notices,
    outbox,
    people,
    standings,
    together,
)
from service.usecases.telling import Digest, Push

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
"""Wednesday, 10:00 in Berlin; the clinic's week began on Monday 16 March."""
TODAY, MONDAY = date(2026, 3, 18), date(2026, 3, 16)
MORNING = datetime(2026, 3, 19, 6, 30, tzinfo=UTC)


HOURS = ((0, Weekday.MO, time(10)), (0, Weekday.TU, time(11)), (0, Weekday.TH, time(15)), (1, Weekday.MO, time(10)))
"""Of Client One to Four: therapist and room, weekday, time."""


@dataclass(frozen=True, kw_only=True)
class Clinic:
    site: str
    rooms: tuple[str, ...]
    therapists: tuple[str, ...]
    courses: tuple[str, ...]
    therapist: Actor
    manager: Actor
    desk: Actor


@pytest.fixture
def clinic(app: "Flask") -> Iterator[Clinic]:
    """Two therapists, each in a room of their own, and hours that began two weeks ago."""
    with app.app_context():
        site = people.add_site(
            name="Harbour", zone_name="Europe/Berlin", country="DE", region="HH", by=OPERATOR, now=NOW
        )
        rooms = tuple(people.add_room(name=f"Room {n}", site=site, by=OPERATOR, now=NOW) for n in (1, 2))
        therapists = tuple(
            people.add_therapist(name=f"Therapist {name}", site=site, hours=[], by=OPERATOR, now=NOW) for name in "AB"
        )
        found = Clinic(
            site=site,
            rooms=rooms,
            therapists=therapists,
            courses=tuple(_course(n, therapists, rooms) for n in range(len(HOURS))),
            therapist=_user("therapist", Role.THERAPIST, therapists[0]),
            manager=_user("manager", Role.MANAGER),
            desk=_user("desk", Role.FRONT_DESK),
        )
        for one in appointments.board(since=MONDAY - timedelta(weeks=2), until=TODAY, by=OPERATOR):
            appointments.mark(appointment_id=one.id, mark=Mark.HELD, by=OPERATOR, now=NOW)
        letters_by(NOW)
        yield found


def _course(n: int, therapists: tuple[str, ...], rooms: tuple[str, ...]) -> str:
    whose, day, at = HOURS[n]
    proposal = standings.Proposal(
        therapist=therapists[whose],
        room=rooms[whose],
        hours=(Hour(day=day, at=at),),
        since=MONDAY - timedelta(weeks=2),
    )
    client = clients.add(name=f"Client {n}", by=OPERATOR, now=NOW)
    return standings.agree(client=client, proposal=proposal, horizon=timedelta(weeks=9), by=OPERATOR, now=NOW).course


def _user(name: str, role: Role, therapist: str | None = None) -> Actor:
    user = people.add_user(
        name=name, email=f"{name}@clinic.example", roles=[role], therapist=therapist, by=OPERATOR, now=NOW
    )
    return Actor(name=name, roles=frozenset({role}), user=user, therapist=therapist)


def assess(clinic: Clinic, now: datetime = NOW) -> None:
    for course in clinic.courses:
        consistency.assess(course=course, grace=timedelta(0), now=now)


def close(clinic: Clinic, *, week: int = 2, days: int = 7, now: datetime = NOW, **whose: object) -> str:
    """From the Monday of so many weeks ahead on; its public id."""
    begins = midnight(MONDAY + timedelta(weeks=week))
    return absences.add(
        since=begins, until=begins + timedelta(days=days), by=OPERATOR, now=now, **{"name": "not to be said", **whose}
    )  # type: ignore[arg-type]


def said(clinic: Clinic, by: Actor) -> list[tuple[str, Level, int]]:
    groups, _single = together.gathered(some=alerts.listed(by=by, now=NOW), own=by.therapist, by=by)
    return [(str(one.text), one.level, len(one.alerts)) for one in groups]


def test_a_leave_is_said_once_with_how_many_clients_are_to_be_told(clinic: Clinic) -> None:
    close(clinic, kind=AbsenceKind.LEAVE, therapist=clinic.therapists[0])
    assess(clinic)
    # The break of each, and the gap that it leaves: six alerts, one line.
    assert len(alerts.listed(by=clinic.therapist, now=NOW)) == 6
    assert said(clinic, clinic.therapist) == [("Leave 30 Mar – 5 Apr: 3 clients to tell", Level.ACT, 6)]
    # Managers hear whose leave it is.
    assert said(clinic, clinic.manager) == [("Leave of Therapist A 30 Mar – 5 Apr: 3 clients to tell", Level.ACT, 6)]


def test_a_leave_that_is_far_off_is_said_once_though_no_break_is_due_to_be_told(clinic: Clinic) -> None:
    """Four weeks ahead only the gaps are seen: they name the leave as their cause."""
    close(clinic, week=4, days=14, kind=AbsenceKind.LEAVE, therapist=clinic.therapists[0])
    assess(clinic)
    assert {one.signal for one in alerts.listed(by=clinic.therapist, now=NOW)} == {"gap.ahead"}
    assert said(clinic, clinic.therapist) == [("Leave 13–26 Apr: 3 clients to tell", Level.ACT, 3)]


@pytest.mark.parametrize(
    ("kind", "what", "expected"),
    [
        (AbsenceKind.CLOSURE, "room", "Room 1 closed 30 Mar – 5 Apr: 3 clients to tell"),
        (AbsenceKind.CLOSURE, "site", "Harbour closed 30 Mar – 5 Apr: 4 clients to tell"),
        (AbsenceKind.CLOSURE, None, "Closed 30 Mar – 5 Apr: 4 clients to tell"),
        (AbsenceKind.HOLIDAY, "site", "Public holiday 30 Mar – 5 Apr: 4 clients to tell"),
    ],
)
def test_a_closed_place_is_said_once(clinic: Clinic, kind: AbsenceKind, what: str | None, expected: str) -> None:
    whose = {"room": clinic.rooms[0], "site": clinic.site}
    close(clinic, kind=kind, **({what: whose[what]} if what else {}))
    assess(clinic)
    assert [text for text, _level, _n in said(clinic, clinic.manager)] == [expected]


def test_two_closed_rooms_are_two_things_though_they_close_alike(clinic: Clinic) -> None:
    rooms = [close(clinic, kind=AbsenceKind.CLOSURE, room=room) for room in clinic.rooms]
    assess(clinic)
    found = alerts.listed(by=clinic.manager, now=NOW)
    groups, single = together.gathered(some=found, by=OPERATOR)
    assert [str(one.text) for one in groups] == ["Room 1 closed 30 Mar – 5 Apr: 3 clients to tell"]
    assert {one.course for one in single} == {clinic.courses[3]}
    assert rooms[1] in {one.absence for one in single}


def test_whoever_was_told_is_counted_no_more_and_the_last_one_speaks_for_themselves(clinic: Clinic) -> None:
    leave = close(clinic, week=3, kind=AbsenceKind.LEAVE, therapist=clinic.therapists[0])
    for course, expected in (
        (0, ["Leave 6–12 Apr: 2 clients to tell"]),
        (1, []),
    ):
        absences.tell(absence=leave, course=clinic.courses[course], by=OPERATOR, now=NOW)
        assess(clinic)
        assert [text for text, _level, _n in said(clinic, clinic.therapist)] == expected
    _groups, [*single] = together.gathered(some=alerts.listed(by=clinic.therapist, now=NOW), by=OPERATOR)
    assert {one.course for one in single} == {clinic.courses[2]}


def test_what_has_another_cause_too_is_said_by_itself(clinic: Clinic) -> None:
    """Two leaves with a week between: each takes hours of its own, and neither explains the other's."""
    first = close(clinic, week=2, kind=AbsenceKind.LEAVE, therapist=clinic.therapists[0])
    second = close(clinic, week=3, kind=AbsenceKind.LEAVE, therapist=clinic.therapists[0])
    assess(clinic)
    found = alerts.listed(by=clinic.therapist, now=NOW)
    groups, single = together.gathered(some=found, own=clinic.therapists[0], by=OPERATOR)
    assert [one.absence for one in groups] == [first, second]
    assert {one.signal.partition(".")[0] for one in single} == {"gap"}
    assert all(len(one.causes) == 2 for one in single)
    assert len(single) + sum(len(one.alerts) for one in groups) == len(found)


def letters_by(now: datetime) -> dict[str, list[Push | Digest]]:
    found: dict[str, list[Push | Digest]] = {}
    while due := outbox.due(now=now):
        for message in due:
            taken = outbox.take(message=message, now=now)
            if taken is None:
                continue
            if isinstance(taken.letter, Push | Digest):
                found.setdefault(taken.letter.to.partition("@")[0], []).append(taken.letter)
            elif taken.letter is None:
                consistency.assess(course=taken.payload["course"], grace=timedelta(0), now=now)
            outbox.done(message=message, attempt=taken.attempt, now=now)
    return found


def text_of(letter: Push | Digest) -> str:
    return letters.notice_of(letter, "https://hours.example", PLAIN).text


def test_the_mail_at_once_says_it_once(clinic: Clinic) -> None:
    leave = close(clinic, kind=AbsenceKind.LEAVE, therapist=clinic.therapists[0])
    found = letters_by(NOW)
    assert sorted(found) == ["manager", "therapist"]
    [push] = found["therapist"]
    notice = letters.notice_of(push, "https://hours.example", PLAIN)
    assert notice.subject == "samehour: 1 thing for today"
    begin, _, _rest = notice.text.partition("\n--\n")
    assert begin == (
        "Leave 30 Mar – 5 Apr: 3 clients to tell\n"
        "\n"
        "The first session concerned is on Mon 30 Mar 10:00. "
        "Nobody has noted yet that they know of it: note there whom you told, and this is settled.\n"
        "\n"
        f"Tell them: https://hours.example/away/{leave}\n"
    )
    assert "not to be said" not in notice.text + notice.html


def test_the_mail_of_the_day_says_it_once_where_it_is_most_urgent(clinic: Clinic) -> None:
    """Entered by Ada herself, so that it waits for the mail of the day; and closing time that is far off."""
    begins = midnight(MONDAY + timedelta(weeks=2))
    leave = absences.add(
        kind=AbsenceKind.LEAVE,
        since=begins,
        until=begins + timedelta(days=7),
        therapist=clinic.therapists[0],
        by=clinic.therapist,
        now=NOW,
    )
    letters_by(NOW)
    notices.call_digests(now=MORNING)
    [digest] = letters_by(MORNING)["therapist"]
    assert isinstance(digest, Digest)
    assert (digest.act, digest.watch, digest.breaks) == ((), (), ())
    assert digest.for_today == {leave}
    text = text_of(digest)
    assert text.count("clients to tell") == 1
    assert f"For today\n\n- Leave 30 Mar – 5 Apr: 3 clients to tell\n  https://hours.example/away/{leave}\n" in text
    assert "Breaks to tell" not in text


def test_what_is_no_news_stays_among_the_breaks_to_tell(clinic: Clinic) -> None:
    close(clinic, kind=AbsenceKind.LEAVE, therapist=clinic.therapists[0])
    letters_by(NOW)
    later = MORNING + timedelta(days=1)
    # Something else to say: else nothing is sent.
    hour = next(
        one
        for one in appointments.board(since=date(2026, 3, 26), until=date(2026, 3, 27), by=OPERATOR)
        if one.course == clinic.courses[2]
    )
    appointments.move(
        appointment_id=hour.id,
        to=appointments.Destination(starts=hour.starts + timedelta(hours=1)),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=clinic.desk,
        now=MORNING + timedelta(hours=2),
    )
    letters_by(MORNING + timedelta(hours=2))
    notices.call_digests(now=later)
    [digest] = letters_by(later)["therapist"]
    assert isinstance(digest, Digest)
    assert digest.for_today == frozenset()
    assert "Breaks to tell\n\n- Leave 30 Mar – 5 Apr: 3 clients to tell\n" in text_of(digest)
