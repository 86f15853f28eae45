"""Free and busy time as other systems read it: by three parsers, without a word of what for, and nobody else's."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import icalendar
import pytest
from sqlalchemy import text

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Role
from service.domain.hours import Span, Weekday, instant
from service.store.base import db
from service.store.occupancies import Kind, OccupancyRow
from service.store.outside import OutsideCalendarRow, replace_spans
from service.store.people import directory
from service.usecases import absences, people
from tests.api.conftest import NOW, Clinic, Door
from tests.feeds.engines import ical_js, libical

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

ZONE = "Europe/Berlin"
WEEK = "since=2026-03-22T23:00:00Z&until=2026-03-29T22:00:00Z"
"""The week of 23 March, at the end of which the clocks change."""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """That local time in March, in UTC."""
    return instant(datetime(2026, 3, day, hour, minute), ZONE)


@pytest.fixture(scope="module")
def week(clinic: Clinic) -> Clinic:
    """Beside the hour on Tuesday at ten: leave, leave asked for, a hold, one that is over, and a calendar elsewhere."""
    with clinic.app.app_context():
        hours = [
            people.WorkingHours(site=clinic.site, day=day, begins=time(9), ends=time(17)) for day in list(Weekday)[:5]
        ]
        people.set_working_hours(therapist=clinic.therapist, hours=hours, by=OPERATOR, now=NOW)
        for since, until, tentative in ((26, 27, False), (27, 28, True)):
            absences.add(
                kind=AbsenceKind.LEAVE,
                therapist=clinic.therapist,
                since=datetime(2026, 3, since),
                until=datetime(2026, 3, until),
                name="A trip that nobody need know of",
                tentative=tentative,
                by=OPERATOR,
                now=NOW,
            )
        session = db.session()
        whose = directory(session).therapist(clinic.therapist).id
        for hour, expires in ((11, NOW + timedelta(hours=1)), (15, NOW - timedelta(hours=1))):
            session.add(
                OccupancyRow(
                    kind=int(Kind.THERAPIST),
                    who=whose,
                    starts=at(23, hour),
                    ends=at(23, hour + 1),
                    hold=f"hold {hour}",
                    expires=expires,
                )
            )
        elsewhere = OutsideCalendarRow(
            therapist_id=whose, name="Private", url="", made_by="A", created_at=NOW, changed_at=NOW, left_out={}
        )
        session.add(elsewhere)
        session.flush()
        replace_spans(session, elsewhere.id, [Span(since=at(25, 9), until=at(25, 10))])
        session.commit()
        db.session.remove()
    return clinic


def fetched(clinic: Clinic, role: Role = Role.FRONT_DESK, query: str = WEEK) -> "TestResponse":
    return clinic.door(role).get(f"/therapists/{clinic.therapist}/freebusy.ics?{query}")


def periods(body: bytes, kind: str) -> list[tuple[datetime, datetime]]:
    [component] = icalendar.Calendar.from_ical(body).walk("VFREEBUSY")
    said: Any = component.get("FREEBUSY", [])
    said = said if isinstance(said, list) else [said]
    return [
        (period.start, period.end)
        for one in said
        if one.params["FBTYPE"] == kind
        for period in (one.dts if hasattr(one, "dts") else [one])
    ]


def test_a_week_of_free_and_busy(week: Clinic) -> None:
    answer = fetched(week)
    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert periods(answer.data, "BUSY") == [(at(24, 10), at(24, 10, 50)), (at(25, 9), at(25, 10))]
    assert periods(answer.data, "BUSY-TENTATIVE") == [(at(23, 11), at(23, 12)), (at(27, 9), at(27, 17))]
    away = periods(answer.data, "BUSY-UNAVAILABLE")
    assert away[0] == (at(23, 0), at(23, 9))
    assert (at(25, 17), at(27, 9)) in away  # the leave between two nights
    assert away[-1] == (at(27, 17), at(30, 0))  # the week-end, an hour short


def test_it_has_the_one_component_that_readers_of_such_addresses_expect(week: Clinic) -> None:
    calendar = icalendar.Calendar.from_ical(fetched(week).data)
    [component] = calendar.subcomponents
    assert component.name == "VFREEBUSY"
    assert component["DTSTART"].dt == at(23, 0)
    assert component["DTEND"].dt == at(30, 0)
    assert component["DTSTAMP"].dt == NOW
    assert not {"METHOD", "ORGANIZER", "ATTENDEE", "SUMMARY"} & {*calendar, *component}
    assert fetched(week).data == fetched(week).data


def test_two_more_parsers_read_the_same_spans(week: Clinic) -> None:
    body = fetched(week).data
    wanted = sorted(
        f"{since:%Y%m%dT%H%M%SZ}/{until:%Y%m%dT%H%M%SZ}"
        for kind in ("BUSY", "BUSY-TENTATIVE", "BUSY-UNAVAILABLE")
        for since, until in periods(body, kind)
    )
    for found in (ical_js.properties({"": body})[""], list(libical.properties(body))):
        said = [
            value for component, name, value in found if (component.upper(), name.upper()) == ("VFREEBUSY", "FREEBUSY")
        ]
        assert sorted(_plain(value) for value in said) == wanted


def _plain(period: str) -> str:
    """ical.js writes dates with dashes, and both with the end they were given."""
    return period.replace("-", "").replace(":", "")


def test_it_says_nothing_of_what_for(week: Clinic) -> None:
    body = fetched(week).get_data(as_text=True)
    assert "trip" not in body
    assert "Private" not in body
    assert week.client not in body
    assert week.course not in body


def test_a_therapist_sees_their_own_time_alone(week: Clinic) -> None:
    assert fetched(week, Role.THERAPIST).status_code == 200
    door = week.door(Role.THERAPIST)
    for path in ("freebusy.ics", "free-hours"):
        assert door.get(f"/therapists/{week.other}/{path}").status_code == 404
        assert week.door(Role.ADMIN).get(f"/therapists/{week.therapist}/{path}").status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "since=2026-03-23T00:00:00Z&until=2026-03-23T00:00:00Z",
        "since=2026-03-23T00:00:00Z&until=2026-06-25T00:00:00Z",
        "since=2026-03-23T00:00:00",
        "until=2025-03-23T00:00:00Z",
        "since=9999-12-31T00:00:00Z",
    ],
)
def test_a_window_that_is_none_or_too_long_is_refused(week: Clinic, query: str) -> None:
    assert fetched(week, query=query).status_code == 422


def test_without_a_window_it_is_the_next_four_weeks(week: Clinic) -> None:
    [component] = icalendar.Calendar.from_ical(fetched(week, query="").data).walk("VFREEBUSY")
    assert (component["DTSTART"].dt, component["DTEND"].dt) == (NOW, NOW + timedelta(days=28))


def sought(clinic: Clinic, query: str = "") -> Any:
    answer = clinic.door(Role.FRONT_DESK).get(f"/therapists/{clinic.therapist}/free-hours?{query}")
    assert answer.status_code == 200
    return answer.get_json()


def test_free_hours_of_the_week(week: Clinic) -> None:
    found = sought(week, "minutes=50&weeks=4&since=2026-03-23")
    assert (found["zone"], found["weeks"], found["since"], found["every_weeks"]) == (ZONE, 4, "2026-03-23", 1)
    hours = {(one["day"], one["at"]): one for one in found["hours"]}
    assert ("MO", "09:00") in hours
    assert not {("TU", "10:00"), ("TU", "09:30"), ("TU", "10:30")} & hours.keys()  # the standing hour
    assert ("TU", "11:00") in hours
    assert not {("MO", "11:00"), ("MO", "10:30")} & hours.keys()  # a hold
    assert ("MO", "15:00") in hours  # a hold that is over
    assert ("WE", "09:00") not in hours  # busy elsewhere on one of the dates
    assert hours["TH", "09:00"]["lost"] == ["2026-03-26T09:00"]  # leave takes a date and not the hour
    assert hours["FR", "09:00"]["lost"] == []  # leave that is only asked for
    assert not {("FR", "16:30"), ("SA", "10:00")} & hours.keys()
    assert {one["dates"] for one in found["hours"]} == {4}


def test_a_free_hour_can_be_agreed_and_is_free_no_more(clinic: Clinic, desk: Door) -> None:
    """The other therapist's, who has no working hours: nothing is offered until they have."""
    path = f"/therapists/{clinic.other}/free-hours?weeks=6"
    assert desk.get(path).get_json()["hours"] == []
    with clinic.app.app_context():
        hours = [people.WorkingHours(site=clinic.site, day=Weekday.TH, begins=time(12), ends=time(13))]
        people.set_working_hours(therapist=clinic.other, hours=hours, by=OPERATOR, now=NOW)
    [hour] = desk.get(path).get_json()["hours"]
    assert (hour["day"], hour["at"], hour["dates"]) == ("TH", "12:00", 6)
    proposal = {
        "therapist": clinic.other,
        "hours": [{"day": hour["day"], "at": hour["at"]}],
        "since": date(2026, 3, 19).isoformat(),
        "minutes": 50,
        "modality": "video",
    }
    agreed = desk.post("/standings", {"course": clinic.course, "proposal": proposal})
    assert agreed.status_code == 201, agreed.get_json()
    assert desk.get(path).get_json()["hours"] == []


@pytest.mark.parametrize("query", ["minutes=4", "weeks=27", "weeks=0", "every_weeks=13", "since=tomorrow", "color=red"])
def test_senseless_numbers_are_refused(week: Clinic, query: str) -> None:
    answer = week.door(Role.FRONT_DESK).get(f"/therapists/{week.therapist}/free-hours?{query}")
    assert answer.status_code == 422


def test_nothing_is_written_by_looking(week: Clinic) -> None:
    def counted() -> list[int]:
        with week.app.app_context():
            return [
                db.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                for table in ("audit", "outbox", "occupancies")
            ]

    before = counted()
    fetched(week)
    sought(week)
    assert counted() == before
    assert at(23, 0).tzinfo is UTC
