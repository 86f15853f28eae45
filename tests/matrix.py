"""The world of the policy matrix: a clinic where Therapist A holds what a row is about, and everybody who might ask."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Actor, Role
from service.domain.appointment import Initiator
from service.usecases import (
    absences,
    alerts,
    appointments,
    clients,
    consistency,
    courses,
    feeds,
    notices,
    outbox,
    outside,
    overrides,
    people,
    webhooks,
)
from service.usecases.appointments import Destination
from tests.clinic import EMAILS, PASSWORD, ZONE, Clinic, small_clinic
from tests.policy_rows import ADMIN, DESK, MANAGER, OTHER, OWN, Row, Sent

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

NOW = datetime(2026, 3, 18, 11, 0, tzinfo=UTC)
"""A Wednesday noon; the clocks change on 29 March."""
ANONYMOUS, DISABLED, READ_ONLY, FEED = "anonymous", "disabled user", "read-only token", "feed token"
OUTSIDE = (ANONYMOUS, DISABLED, FEED)
CAST = (DESK, OWN, OTHER, MANAGER, ADMIN, READ_ONLY, *OUTSIDE)
SAFE = frozenset({"GET", "HEAD"})


@dataclass(kw_only=True)
class World:
    """Public ids of what the rows name, and the tokens and cookies of the cast."""

    app: "Flask"
    clinic: Clinic
    site: str
    room: str
    therapist: str
    client: str
    newcomer: str
    course: str
    resting: str
    standing: str
    hour: str
    cancelled: str
    moved: str
    """Just now."""
    over: str
    leave: str
    alert: str
    override: str
    user: str
    token: str
    tokens: Mapping[str, str]
    cookies: Mapping[str, str]
    message: str
    webhook: str
    ping: str
    """A message to it."""
    outside: str
    feed: str
    feed_of_room: str
    feed_of_client: str
    secret: str
    """Of the feed's address."""
    link: str
    """A sign-in link's secret, not used yet."""
    secrets_of_a: frozenset[str]
    """Ids and names that nobody but A, the desk and the managers may see anywhere."""
    email: str
    password: str
    course_file: Any

    def day(self, days: int) -> str:
        """The date so many days from today, ISO 8601."""
        return (date(2026, 3, 18) + timedelta(days=days)).isoformat()

    @property
    def mail_kind(self) -> str:
        return "reminder"

    @property
    def mail_language(self) -> str:
        return "en"

    @property
    def free(self) -> str:
        """A start in the next week at which Therapist A has nothing."""
        return self.day(9) + "T16:00"

    def proposal(self, since: int = 2) -> dict[str, Any]:
        hours = [{"day": "FR", "at": "08:00"}]
        return {"therapist": self.therapist, "room": self.room, "hours": hours, "since": self.day(since)}

    @property
    def wish(self) -> dict[str, str]:
        """The same as the form of a page."""
        hour = {"day0": "4", "at0": "08:00", "since": self.day(2), "every_weeks": "1", "minutes": "50"}
        return {"therapist": self.therapist, "room": self.room, "told": "yes", **hour}

    # asking

    def ask(
        self,
        who: str,
        endpoint: str,
        method: str,
        row: Row,
        *,
        extra: Any = None,
        by_cookie: bool = False,
        **headers: str,
    ) -> "TestResponse":
        """The row's request, as somebody of the cast. `extra` is sent along in the JSON body."""
        client = self.app.test_client()
        if by_cookie:
            client.set_cookie("samehour", self.cookies[who])
        elif who in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        given: dict[str, Any] = {"query_string": self._made(row.query), "data": self._made(row.form)}
        if row.json is not None or extra:
            given = {"query_string": given["query_string"], "json": {**(self._made(row.json) or {}), **(extra or {})}}
        address = self.address(endpoint, method, row)
        return client.open(address, method=method, headers=headers, buffered=True, **given)

    def _made(self, sent: Sent | None) -> Mapping[str, Any] | None:
        return sent(self) if callable(sent) else sent

    def address(self, endpoint: str, method: str, row: Row) -> str:
        values = {name: getattr(self, attribute) for name, attribute in (row.path or {}).items()}
        return self.app.url_map.bind("localhost").build(endpoint, values, method=method if method != "HEAD" else "GET")

    # going back

    def keep(self) -> None:
        """Remember the database as it is now."""
        self._copy(self._file, self._kept)

    def restore(self) -> None:
        """Take back whatever a request has changed."""
        self._copy(self._kept, self._file)

    @property
    def _file(self) -> Path:
        return Path(make_url(self.app.config["SQLALCHEMY_DATABASE_URI"]).database or "")

    @property
    def _kept(self) -> Path:
        return self._file.with_suffix(".kept")

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        # By SQLite itself: a file exchanged under open connections would be a broken one.
        with closing(sqlite3.connect(source)) as whole, closing(sqlite3.connect(target)) as copy:
            whole.backup(copy)


def build_world(app: "Flask") -> World:
    """Call with the clock at NOW."""
    clinic = small_clinic(app, now=NOW)
    with app.app_context():
        newcomer = clients.add(name="Client Newcomer", by=OPERATOR, now=NOW)
        # Somebody who comes to both: B knows the client, and nothing of the course with A.
        with_both = courses.open(clients_in=[clinic.clients[3]], therapist=clinic.therapists[0], by=OPERATOR, now=NOW)
        over, hour, cancelled = (clinic.hour(0, weeks=week).id for week in (0, 1, 2))
        _lose(clinic, weeks=(2, 3, 4))
        moved = _move(clinic, weeks=5)
        _let_rest(clinic)
        leave = _leave(clinic)
        consistency.assess(course=clinic.courses[0], now=NOW)
        alert = alerts.of_course(course=clinic.courses[0], by=OPERATOR, now=NOW)[0].id
        override = _agree_otherwise(clinic.courses[0])
        users = _users(clinic)
        _enter_chats(users)
        tokens = {who: _token(user, may_write=who != READ_ONLY) for who, user in users.items()}
        cookies = {who: people.sign_in_by_link(secret=_link(user), now=NOW) for who, user in users.items()}
        people.disable_user(user=users[DISABLED], by=OPERATOR, now=NOW)
        feed = feeds.create(name="Phone", therapist=clinic.therapists[0], owner=users[OWN], by=OPERATOR, now=NOW)
        door = feeds.create(name="Door", room=clinic.rooms[0], owner=users[MANAGER], by=OPERATOR, now=NOW)
        feeds.let_clients_have_one(is_on=True, by=OPERATOR, now=NOW)
        theirs = feeds.create(name="Phone", client=clinic.clients[0], by=OPERATOR, now=NOW)
        link, message = _link(users[DESK]), outbox.listed(by=OPERATOR, now=NOW)[0].id
        webhook = webhooks.create(name="Billing", url="https://example.com/", by=OPERATOR, now=NOW).id
        ping = webhooks.test(webhook=webhook, by=OPERATOR, now=NOW)
        elsewhere = outside.create(
            name="Home",
            url="https://example.com/home.ics",
            therapist=clinic.therapists[0],
            public_url="https://clinic.example",
            by=OPERATOR,
            now=NOW,
        )
        token, _secret = people.add_token(user=users[DESK], name="spare", may_write=True, days=1, by=OPERATOR, now=NOW)
    world = World(
        app=app,
        clinic=clinic,
        site=clinic.site,
        room=clinic.rooms[0],
        therapist=clinic.therapists[0],
        client=clinic.clients[0],
        newcomer=newcomer,
        course=clinic.courses[0],
        resting=clinic.courses[2],
        standing=clinic.standings[0],
        hour=hour,
        cancelled=cancelled,
        moved=moved,
        over=over,
        leave=leave,
        alert=alert,
        override=override,
        user=users[DESK],
        token=token,
        message=message,
        webhook=webhook,
        ping=ping,
        outside=elsewhere,
        feed=feed.id,
        feed_of_room=door.id,
        feed_of_client=theirs.id,
        secret=feed.secret,
        link=link,
        tokens={**tokens, FEED: feed.secret},
        cookies=cookies,
        secrets_of_a=frozenset(
            {
                *clinic.clients[:3],
                *clinic.courses[:3],
                *clinic.standings[:3],
                with_both,
                over,
                hour,
                cancelled,
                moved,
                alert,
                override,
            }
            | {"Client One", "Client Two", "Client Three", "Client Newcomer", newcomer}
        ),
        email=EMAILS[Role.FRONT_DESK],
        password=PASSWORD,
        course_file=_COURSE_FILE,
    )
    world.keep()
    return world


def _lose(clinic: Clinic, weeks: tuple[int, ...]) -> None:
    for week in weeks:
        appointments.cancel(
            appointment_id=clinic.hour(0, weeks=week).id,
            asked_by=Initiator.CLINIC,
            reason="illness",
            is_told=False,
            by=OPERATOR,
            now=NOW,
        )


def _move(clinic: Clinic, weeks: int) -> str:
    hour = clinic.hour(0, weeks=weeks)
    later = Destination(starts=hour.starts + timedelta(hours=5))
    return appointments.move(
        appointment_id=hour.id, to=later, asked_by=Initiator.CLIENT, reason="work", by=OPERATOR, now=NOW
    ).id


def _let_rest(clinic: Clinic) -> None:
    since = NOW.date() + timedelta(days=60)
    courses.pause(
        course=clinic.courses[2], since=since, until=since + timedelta(days=30), keeps_hour=True, by=OPERATOR, now=NOW
    )


def _agree_otherwise(course: str) -> str:
    until = NOW.date() + timedelta(days=60)
    values: dict[str, float | str] = {"gap_early_watch": 1.3}
    return overrides.set(values=values, reason="agreed", until=until, course=course, by=OPERATOR, now=NOW)[0].id


def _leave(clinic: Clinic) -> str:
    since = datetime(2026, 5, 4)
    return absences.add(
        kind=AbsenceKind.LEAVE,
        therapist=clinic.therapists[0],
        since=since,
        until=since + timedelta(days=7),
        by=OPERATOR,
        now=NOW,
    )


def _users(clinic: Clinic) -> dict[str, str]:
    users = {
        DESK: clinic.users[Role.FRONT_DESK],
        OWN: clinic.users[Role.THERAPIST],
        MANAGER: clinic.users[Role.MANAGER],
        ADMIN: clinic.users[Role.ADMIN],
    }
    for who, roles, therapist in (
        (OTHER, [Role.THERAPIST], clinic.therapists[1]),
        (READ_ONLY, list(Role), clinic.therapists[0]),
        (DISABLED, list(Role), clinic.therapists[0]),
    ):
        users[who] = people.add_user(
            name=who.title(),
            email=f"{who.replace(' ', '.')}@clinic.example",
            roles=roles,
            therapist=therapist,
            by=OPERATOR,
            now=NOW,
        )
    return users


def _enter_chats(users: Mapping[str, str]) -> None:
    """An address of a chat service for whoever may have one."""
    roles = {OWN: Role.THERAPIST, OTHER: Role.THERAPIST, MANAGER: Role.MANAGER, ADMIN: Role.ADMIN}
    for who, role in roles.items():
        by = Actor(name=who, roles=frozenset({role}), user=users[who])
        notices.tell_by_chat(address="discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", by=by, now=NOW)


def _token(user: str, *, may_write: bool) -> str:
    return people.add_token(user=user, name="matrix", may_write=may_write, days=365, by=OPERATOR, now=NOW)[1]


def _link(user: str) -> str:
    email = next(one.email for one in people.users(by=OPERATOR) if one.id == user)
    return people.sign_in_link(email=email, by=OPERATOR, now=NOW)


_COURSE_FILE: dict[str, Any] = {
    "zone": ZONE,
    "now": "2026-03-18T12:00",
    "status": "active",
    "standings": [
        {
            "id": "s1",
            "therapist": "A",
            "room": "R1",
            "slots": [{"day": "TU", "at": "10:00"}],
            "every_weeks": 1,
            "minutes": 50,
            "from": "2025-11-04",
        }
    ],
    "appointments": [],
}
