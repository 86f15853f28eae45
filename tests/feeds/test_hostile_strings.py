"""Strings made to break a calendar, through the names of clients, rooms, sites, therapists and the reason of a leave.

What comes out is read by two parsers that share no code with what wrote it, ical.js and libical: every component and
every property is there that a harmless name would have, and no other, and what both read is the name as one line. 500
strings in every `make test`, 10,000 in `make calendars`; the seed is printed when one gets through.
"""

import os
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Role
from service.domain.feed import FeedEntry, FeedEvent, FeedHeader, FeedLeave, FeedOverride, FeedStanding
from service.domain.hours import Hour, Weekday, midnight
from service.domain.privacy import Privacy
from service.domain.standing import Modality, Standing
from service.feeds import ics, plain_text
from service.feeds.ics import join, render_piece
from service.feeds.plain_text import lines, one_line
from service.feeds.publishing import write
from service.feeds.reading_back import CannotPublish, verify
from service.store.absences import AbsenceRow
from service.store.base import db
from service.store.clients import ClientRow
from service.store.people import RoomRow, SiteRow, TherapistRow
from service.store.seal import seal
from service.usecases import absences, clients, feeds, people, standings
from tests.feeds.engines import ical_js, libical

if TYPE_CHECKING:
    from flask import Flask

pytestmark = pytest.mark.storm

SEED = int(os.environ.get("STORM_SEED", "20260302"))
STRINGS = 10_000 if os.environ.get("STORM") == "full" else 500
AT_ONCE = 250
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
PIECES = [
    *(
        "\r",
        "\n",
        "\r\n",
        "\n\r",
        "\r\n ",
        "\n\t",
        "\r\n\r\n",
        "\x85",
        "\u2028",
        "\u2029",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x1e",
    ),
    *("\x00", "\x01", "\x07", "\x08", "\x1b", "\x1f", "\x7f", "\x9b", "\xad", "\ufeff", "\ufffe", "\uffff", "\ufffd"),
    *("\ud800", "\udfff", "\t", " ", "  ", "\xa0", "\u200b", "\u200e", "\u200f", "\u202e", "\u2066", "\u2069"),
    *("\\", "\\\\", "\\n", "\\N", "\\,", "\\;", "\\\r\n", '"', "'", "^", "^n", "^'", ",", ";", ":", "=", "/", "|"),
    *("BEGIN:VEVENT", "END:VEVENT", "END:VCALENDAR", "\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\n", "\nBEGIN:VALARM\n"),
    *("\r\nATTENDEE:mailto:x@evil.example", "\nDTSTART:20200101T000000Z", "\rRRULE:FREQ=SECONDLY", "\u2028SUMMARY:no"),
    *("X:", ";VALUE=URI:", ';ALTREP="http://evil.example":', "]]>", "<x>", "&amp;", "%0D%0A", "=0D=0A", "{}", "${x}"),
    *(
        "é" * 40,
        "日本語" * 30,
        "👩‍👩‍👧‍👦" * 9,
        "🏳️‍🌈",
        "שלום",
        "مرحبا",
        "e\u0301" * 40,
        "a" * 74,
        "a" * 75,
        "ﷺ",
        "𐍈" * 20,
    ),
]
SAID_BY_PEOPLE = ("SUMMARY", "LOCATION", "DESCRIPTION", "NAME", "X-WR-CALNAME")

Property = tuple[str, str, str]
"""Component, name, value."""


def strings(number: int = STRINGS) -> Iterator[str]:
    """Some begin so that a fold comes upon whatever follows at each of its octets."""
    dice = random.Random(SEED)
    for _ in range(number):
        ahead = "x" * dice.randrange(80) if dice.random() < 0.3 else ""
        yield ahead + "".join(dice.choices(PIECES, k=dice.randint(1, 8)))


# --- the two parsers, and what is asked of them


def read_by_ical_js(bodies: Mapping[str, bytes]) -> dict[str, list[Property]]:
    found = ical_js.properties(bodies)
    return {name: [(one.upper(), what.upper(), value) for one, what, value in all_] for name, all_ in found.items()}


def read_by_libical(bodies: Mapping[str, bytes]) -> dict[str, list[Property]]:
    return {
        name: [(one, what, unescaped(value)) for one, what, value in libical.properties(body)]
        for name, body in bodies.items()
    }


def unescaped(value: str) -> str:
    """libical hands text out as it would write it; what we write holds no backslash of its own."""
    return value.replace("\\n", "\n").replace("\\N", "\n").replace("\\", "")


PARSERS = {"ical.js": read_by_ical_js, "libical": read_by_libical}


def structure(read: list[Property]) -> list[Property]:
    """All that people have no say in; zones aside, and of what rises with each change only that it is there."""
    zones, rises = {"VTIMEZONE", "STANDARD", "DAYLIGHT"}, {"SEQUENCE", "DTSTAMP", "LAST-MODIFIED"}
    return [
        (component, name, "" if name in rises else value)
        for component, name, value in read
        if name not in SAID_BY_PEOPLE and component not in zones
    ]


def said(read: list[Property]) -> set[str]:
    return {value for _, name, value in read if name in SAID_BY_PEOPLE}


def escaped(bodies: Mapping[str, bytes], harmless: Mapping[str, bytes], meant: Mapping[str, set[str]]) -> list[str]:
    """Where which parser saw something else than in the harmless one of that name, or other words than are meant."""
    wrong = []
    for parser, read in PARSERS.items():
        expected = {name: structure(found) for name, found in read(harmless).items()}
        for name, found in read(bodies).items():
            if structure(found) != expected[name] or not said(found) <= meant[name]:
                wrong.append(f"{parser}: {name}")
    return wrong


# --- as they are written down: every string, in every place


def calendar(text: str) -> bytes:
    """A calendar in which all that people can say is that text, as it is published."""
    header = FeedHeader(name=text, zone="Europe/Dublin", since=date(2026, 1, 5), color="teal")
    written = write(
        header, changed={str(n): one for n, one in enumerate(entries(text))}, kept={}, never_left_out=set(), limit=10**6
    )
    return written.body


def entries(text: str) -> list[FeedEntry]:
    slot = datetime(2026, 3, 24, 10)
    said_there: dict[str, Any] = {
        "summary": text,
        "location": text,
        "description": text,
        "changed_at": NOW,
        "sequence": 1,
    }
    standing = Standing(
        id="s",
        therapist="t",
        room="r",
        modality=Modality.IN_PERSON,
        hours=(Hour(day=Weekday.TU, at=time(10)),),
        every_weeks=1,
        minutes=50,
        zone="Europe/Dublin",
        since=date(2026, 3, 2),
        until=None,
    )
    override = FeedOverride(slot=slot, starts=slot + timedelta(hours=2), minutes=50, **said_there)
    uids = [str(UUID(int=number, version=4)) for number in range(3)]
    return [
        FeedStanding(uid=uids[0], standing=standing, overrides=(override,), **said_there),
        FeedEvent(
            uid=uids[1],
            zone="Europe/Dublin",
            starts=slot + timedelta(days=1),
            minutes=50,
            is_cancelled=True,
            **said_there,
        ),
        FeedLeave(
            uid=uids[2],
            zone="Europe/Dublin",
            since=midnight(date(2026, 4, 6)),
            until=midnight(date(2026, 4, 9)),
            **said_there,
        ),
    ]


def meant_of(text: str) -> set[str]:
    return {one_line(text), one_line(f"Cancelled: {text}"), lines(text)}


def in_turn(texts: list[str]) -> Iterator[dict[str, str]]:
    """So many at a time, by their numbers."""
    named = {str(number): text for number, text in enumerate(texts)}
    for start in range(0, len(texts), AT_ONCE):
        yield dict(list(named.items())[start : start + AT_ONCE])


def test_written_down_none_breaks_out_of_its_property() -> None:
    wrong: list[str] = []
    for texts in in_turn(list(strings())):
        bodies = {name: calendar(text) for name, text in texts.items()}
        meant = {name: meant_of(text) for name, text in texts.items()}
        wrong += escaped(bodies, dict.fromkeys(bodies, calendar("Client One")), meant)
    assert wrong == [], SEED


# --- controls: with a guard off, they do


def escape_from(bodies: dict[str, bytes]) -> dict[str, set[str]]:
    """Of each parser the names of the bodies in which it sees something else than in a harmless one."""
    expected = {parser: structure(read({"": calendar("Client One")})[""]) for parser, read in PARSERS.items()}
    return {
        parser: {name for name, found in read(bodies).items() if structure(found) != expected[parser]}
        for parser, read in PARSERS.items()
    }


def test_control_written_by_hand_they_break_out_and_reading_back_sees_it() -> None:
    """Put into the calendar as typed, between its lines: both parsers see what is not there."""
    name = "Client One"
    texts = {number: storable(text) for number, text in enumerate(strings(200))}
    bodies = {str(number): calendar(name).replace(name.encode(), text.encode()) for number, text in texts.items()}
    out = escape_from(bodies)
    assert min(map(len, out.values())) > 50
    for number in set.union(*out.values()):
        with pytest.raises(CannotPublish):
            verify(bodies[number], events=4)


def test_control_with_plain_text_off_the_writer_alone_lets_some_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """icalendar escapes line ends by itself, and leaves a NUL, at which libical ends the calendar."""
    for module in (plain_text, ics):
        monkeypatch.setattr(module, "one_line", str)
        monkeypatch.setattr(module, "lines", str)
    header = FeedHeader(name="Therapist A", zone="Europe/Dublin", since=date(2026, 1, 5), color="teal")
    body = join(header, [render_piece(one) for one in entries("one\x00two")])
    out = escape_from({"": body})
    assert out["libical"]
    with pytest.raises(CannotPublish):
        verify(body, events=4)


# --- through the database, as they come from people


class Clinic:
    """So many therapists, each with a site, a room, a client, an hour and a leave of their own, and their feeds."""

    def __init__(self, number: int) -> None:
        self.secrets = [self._one(n) for n in range(number)]

    def _one(self, n: int) -> str:
        site = people.add_site(
            name=f"Site {n}", zone_name="Europe/Dublin", country=None, region=None, by=OPERATOR, now=NOW
        )
        room = people.add_room(name=f"Room {n}", site=site, by=OPERATOR, now=NOW)
        therapist = people.add_therapist(name=f"Therapist {n}", site=site, by=OPERATOR, now=NOW)
        client = clients.add(name=f"Client {n}", by=OPERATOR, now=NOW)
        hour = Hour(day=Weekday.TU, at=time(10))
        proposal = standings.Proposal(therapist=therapist, room=room, hours=(hour,), since=NOW.date())
        standings.agree(client=client, proposal=proposal, horizon=timedelta(weeks=2), by=OPERATOR, now=NOW)
        since = midnight(date(2026, 4, 6))
        absences.add(
            kind=AbsenceKind.LEAVE,
            since=since,
            until=since + timedelta(days=3),
            therapist=therapist,
            name="Summer",
            by=OPERATOR,
            now=NOW,
        )
        email = f"{n}@clinic.example"
        owner = people.add_user(name="M", email=email, roles=[Role.MANAGER], therapist=None, by=OPERATOR, now=NOW)
        made = feeds.create(name="Phone", therapist=therapist, privacy=Privacy.NAME, owner=owner, by=OPERATOR, now=NOW)
        return made.secret

    def rename(self, texts: list[str]) -> None:
        """Everything of the nth therapist is called by the nth text: past the door, which refuses most of them."""
        with db.engine.begin() as connection:
            for number, text in enumerate(texts, start=1):
                connection.execute(update(SiteRow).where(SiteRow.id == number).values(name=f"{text} {number}"))
                connection.execute(update(RoomRow).where(RoomRow.id == number).values(name=text))
                connection.execute(update(AbsenceRow).where(AbsenceRow.id == number).values(name=text))
                whose = connection.execute(select(ClientRow.public_id).where(ClientRow.id == number)).scalar_one()
                sealed = seal().close(text, row=whose, column="clients:name")
                connection.execute(update(ClientRow).where(ClientRow.id == number).values(name_sealed=sealed))
                therapist = update(TherapistRow).where(TherapistRow.id == number)
                version = TherapistRow.calendar_version + 1
                connection.execute(therapist.values(name=f"{text} {number}", calendar_version=version))


def storable(text: str) -> str:
    """No database takes a half of a surrogate pair, and none is asked to hold one name twice."""
    return text.encode("utf-8", "replace").decode()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """PostgreSQL takes no NUL; what is written down is the same."""
    return sqlite_url


def test_from_the_database_none_breaks_out_of_its_property(app: "Flask", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.clock.now", lambda: NOW)
    program = app.test_client(use_cookies=False)
    with app.app_context():
        clinic = Clinic(25)
    harmless = {secret: program.get(f"/feeds/{secret}.ics").data for secret in clinic.secrets}
    texts, wrong = [storable(text) for text in strings()], list[str]()
    for start in range(0, len(texts), len(clinic.secrets)):
        of_each = dict(zip(clinic.secrets, texts[start:], strict=False))
        with app.app_context():
            clinic.rename(list(of_each.values()))
        answers = {secret: program.get(f"/feeds/{secret}.ics") for secret in of_each}
        assert {answer.status_code for answer in answers.values()} == {200}, (SEED, start)
        bodies = {secret: answer.data for secret, answer in answers.items()}
        meant = {secret: meant_by(number, text) for number, (secret, text) in enumerate(of_each.items(), start=1)}
        wrong += [f"after {start}, {each}" for each in escaped(bodies, harmless, meant)]
    assert wrong == [], SEED


def meant_by(number: int, text: str) -> set[str]:
    """A name that is all blanks is none."""
    return {
        one_line(text) or "Busy",
        one_line(f"{text} {number}"),
        one_line(text) or "Away",
        one_line(f"{text}, {text} {number}"),
    }
