"""Mail to clients by a real mail server, and what other programs read in it."""

import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import icalendar
import pytest
import recurring_ical_events
from sqlalchemy import select

from service.domain.access import OPERATOR
from service.domain.appointment import Initiator, Place
from service.domain.client_mail import CannotTurnOn, CannotUseText, ClientMail, Hour, Item, Kind, Words, checked_text
from service.domain.feed import FeedEvent
from service.domain.hours import instant
from service.domain.standing import Modality
from service.feeds.attachment import calendar_file
from service.language import speaker
from service.notices.client import client_notice
from service.store.audit import AuditRow
from service.store.base import db
from service.store.outbox import OutboxRow
from service.usecases import appointments, client_letters, client_mail, clients, courses, outbox, people
from tests.servers import Inbox
from tests.workers.test_headers import OURS, SMUGGLED, heads
from workers.channels import CalendarFile, Mail
from workers.channels.email import message
from workers.relay import carry
from workers.sweeper import Sweeper

if TYPE_CHECKING:
    from flask import Flask

    from workers.house import House

NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)
TO = "one@clients.example"
NAME = "Client Canary"


@dataclass(kw_only=True)
class Practice:
    """One client with one hour, and the clock."""

    house: "House"
    inbox: Inbox
    client: str
    course: str
    hour: str
    room: str
    at: datetime = NOW

    def wait(self, **given: float) -> None:
        """Let time pass, and carry out what is due then."""
        self.at += timedelta(**given)
        for due in outbox.due(now=self.at):
            carry(self.house, due)

    def move(self, to: datetime, **given: Any) -> None:
        appointments.move(
            appointment_id=self.hour,
            to=appointments.Destination(starts=to, **given),
            asked_by=Initiator.CLIENT,
            reason="work",
            by=OPERATOR,
            now=self.at,
        )


@pytest.fixture
def practice(app: "Flask", house: "House", smtp_server: Inbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Practice]:
    """With mail to clients turned on; nothing is known to the client yet."""
    with app.app_context():
        site = people.add_site(name="Quay", zone_name="Europe/Berlin", country="DE", region="BE", by=OPERATOR, now=NOW)
        room = people.add_room(name="Room 1", site=site, by=OPERATOR, now=NOW)
        ada = people.add_therapist(name="Therapist Ada", site=site, hours=[], by=OPERATOR, now=NOW)
        client_mail.choose(
            wanted=ClientMail(is_on=True, clinic="Clinic on the Quay", sign_off="The desk\nTelephone 000"),
            by=OPERATOR,
            now=NOW,
        )
        client = clients.add(name=NAME, email=TO, may_be_mailed=True, by=OPERATOR, now=NOW)
        course = courses.open(clients_in=[client], therapist=ada, by=OPERATOR, now=NOW)
        place = Place(
            starts=datetime(2026, 3, 10, 15), minutes=50, therapist=ada, room=room, modality=Modality.IN_PERSON
        )
        hour = appointments.book(course=course, place=place, by=OPERATOR, now=NOW).id
        found = Practice(house=house, inbox=smtp_server, client=client, course=course, hour=hour, room=room)
        monkeypatch.setattr("service.clock.now", lambda: found.at)
        yield found


def parts(mail: EmailMessage) -> tuple[str, str, bytes]:
    """Text, HTML and the calendar file, as another program takes the mail apart."""
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    [file] = list(mail.iter_attachments())
    assert text is not None
    assert html is not None
    assert file.get_content_type() == "text/calendar"
    assert (file.get_param("method"), file.get_filename()) == ("PUBLISH", "appointment.ics")
    body = file.get_payload(decode=True)
    assert isinstance(body, bytes)
    return text.get_content(), html.get_content(), body


class CalendarProgram:
    """What a program does that takes files in: of two entries with one UID, the higher SEQUENCE stays."""

    def __init__(self) -> None:
        self.entries: dict[str, icalendar.Event] = {}
        self.zones: list[icalendar.Timezone] = []

    def take_in(self, body: bytes) -> None:
        calendar = icalendar.Calendar.from_ical(body)
        self.zones = calendar.walk("VTIMEZONE")
        for event in calendar.walk("VEVENT"):
            had = self.entries.get(str(event["UID"]))
            if had is None or int(event["SEQUENCE"]) > int(had["SEQUENCE"]):
                self.entries[str(event["UID"])] = event

    def shown(self) -> list[datetime]:
        """Starts of what takes place, as an instant."""
        calendar = icalendar.Calendar()
        for part in (*self.zones, *(one for one in self.entries.values() if one["STATUS"] != "CANCELLED")):
            calendar.add_component(part)
        found = recurring_ical_events.of(calendar).between((2026, 1, 1), (2027, 1, 1))
        return sorted(one.start.astimezone(UTC) for one in found)


def test_booked_moved_and_cancelled_are_one_entry_in_the_clients_calendar(practice: Practice) -> None:
    program = CalendarProgram()

    def last() -> EmailMessage:
        mail = practice.inbox.mails[-1]
        program.take_in(parts(mail)[2])
        return mail

    practice.wait(minutes=3)
    booked = last()
    assert program.shown() == [instant(datetime(2026, 3, 10, 15), "Europe/Berlin")]
    practice.move(datetime(2026, 3, 12, 16))
    practice.wait(minutes=3)
    moved = last()
    assert program.shown() == [instant(datetime(2026, 3, 12, 16), "Europe/Berlin")]
    appointments.cancel(
        appointment_id=practice.hour, asked_by=Initiator.CLIENT, reason="work", by=OPERATOR, now=practice.at
    )
    practice.wait(minutes=3)
    cancelled = last()

    assert program.shown() == []
    assert len(program.entries) == 1
    assert [mail["Subject"] for mail in (booked, moved, cancelled)] == [
        "Your appointments",
        "A change to your appointments",
        "A change to your appointments",
    ]
    assert len({mail["Message-ID"] for mail in practice.inbox.mails}) == len(practice.inbox.mails) == 3
    assert practice.inbox.recipients == [[TO]] * 3


def test_the_mail_says_when_where_and_who_writes_and_names_nobody(practice: Practice) -> None:
    practice.wait(minutes=3)
    [mail] = practice.inbox.mails
    text, html, _file = parts(mail)

    assert "Tuesday 10 March 2026, 15:00 to 15:50 (time in Berlin), Room 1, Quay" in text
    assert "The desk\nTelephone 000" in text.replace("\r\n", "\n")
    assert "The desk<br>Telephone 000" in html
    assert mail["Auto-Submitted"] == "auto-generated"
    whole = mail.as_string() + text + html
    assert "Canary" not in whole
    assert "Ada" not in whole
    assert "Clinic on the Quay" not in mail["Subject"]
    kept_rows = [str(one) for one in db.session.scalars(select(OutboxRow.payload))]
    kept_rows += [str(one) for one in db.session.scalars(select(AuditRow.detail))]
    assert kept_rows
    assert not any("Canary" in one or TO in one for one in kept_rows)


def test_a_client_is_written_to_in_their_language_with_the_clinics_words(practice: Practice) -> None:
    clients.change(client=practice.client, locale="de_AT", by=OPERATOR, now=practice.at)
    client_mail.write(kind=Kind.BOOKED, language="de", text="Gebucht:\n{hours}", by=OPERATOR, now=practice.at)
    practice.wait(minutes=3)

    text, html, _file = parts(practice.inbox.mails[0])
    assert "Gebucht:" in text
    assert "10. März 2026" in text
    assert 'lang="de-AT"' in html


def test_the_sweeper_sends_a_reminder_once_with_the_same_entry(practice: Practice) -> None:
    sweeper = Sweeper(practice.house)
    for later in (timedelta(minutes=3), timedelta(days=6, hours=9), timedelta(minutes=3), timedelta(hours=1)):
        practice.at += later
        assert sweeper.sweep()

    assert [mail["Subject"] for mail in practice.inbox.mails] == ["Your appointments", "Reminder of your appointment"]
    uids = {line for mail in practice.inbox.mails for line in parts(mail)[2].split(b"\r\n") if line.startswith(b"UID")}
    assert len(uids) == 1


def test_it_is_sent_again_under_the_same_id_after_a_refusal(practice: Practice) -> None:
    practice.inbox.answers.append("451 4.7.1 later")
    practice.wait(minutes=3)
    assert practice.inbox.mails == []
    waiting = outbox.listed(by=OPERATOR, now=practice.at)
    assert [one.last_error for one in waiting if one.topic == "client.mail"] == ["SMTPDataError 451"]

    practice.wait(seconds=6)
    [mail] = practice.inbox.mails
    [message_id] = [one.id for one in waiting if one.topic == "client.mail"]
    assert mail["Message-ID"].startswith(f"<{message_id}@")


@pytest.mark.parametrize("is_safe", [False, True])
def test_whom_it_is_not_safe_to_write_to_gets_nothing(practice: Practice, is_safe: bool) -> None:
    clients.change(client=practice.client, is_safe_to_contact=is_safe, by=OPERATOR, now=practice.at)
    practice.wait(minutes=3)
    practice.move(datetime(2026, 3, 12, 16))
    practice.wait(minutes=3)
    client_letters.call_reminders(now=practice.at + timedelta(days=8))
    practice.wait(days=8, minutes=3)

    assert bool(practice.inbox.mails) is is_safe


# --- hostile strings

HOW_MANY = int(os.environ.get("SAMEHOUR_HOSTILE_STRINGS", "500"))
NASTY = [
    *SMUGGLED,
    "\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil\r\n",
    "a\\nATTENDEE:mailto:x@evil.example",
    ';VALUE=URI:"https://evil.example"',
    "</p><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "{date.__class__.__mro__}",
    "{hours}",
    "{% raw %}",
    "%(name)s %s %n",
    "--=_boundary",
    "\u202e\u2066",
    "x" * 300,
    "🙂é\u0301",
    "=?utf-8?q?=0D=0ABcc=3A_x=40evil.example?=",
]


class Tags(HTMLParser):
    """Names of the elements, of their attributes, and where they lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.found |= {name for name, _value in attrs}


def hostile(seed: int) -> Iterator[str]:
    drawn = random.Random(seed)
    yield from NASTY
    for _ in range(HOW_MANY - len(NASTY)):
        yield "".join(
            drawn.choice(NASTY)
            if drawn.random() < 0.6
            else chr(drawn.choice((*range(1, 0x250), 0x2028, 0x2029, 0xFEFF)))
            for _ in range(drawn.randint(1, 4))
        )


def written(text: str, *, own: str | None = None, sign_off: str | None = None) -> tuple[bytes, FeedEvent]:
    """A mail with the text in each place that a person fills in, on the wire."""
    hour = Hour(
        starts=datetime(2026, 3, 10, 15),
        minutes=50,
        zone="Europe/Berlin",
        site=text,
        room=text,
        modality=Modality.IN_PERSON,
        therapist=text,
    )
    own_texts = {} if own is None else {(Kind.CANCELLED, "en"): own}
    words = Words(clinic=text, sign_off=text if sign_off is None else sign_off, texts=own_texts)
    notice = client_notice([Item(kind=Kind.CANCELLED, hour=hour)], words, speaker("en_GB"))
    entry = FeedEvent(
        uid="5b0d0c1e-2f6e-4a3c-9d0a-7a1b2c3d4e5f",
        zone="Europe/Berlin",
        starts=hour.starts,
        minutes=50,
        summary="Cancelled: appointment",
        location=f"{text}, {text}",
        changed_at=NOW,
        sequence=2,
        is_cancelled=True,
    )
    file = CalendarFile(name="appointment.ics", body=calendar_file([entry]))
    mail = Mail(id="1", to=TO, notice=notice, sent_at=NOW, calendar=file)
    return message(mail, "clinic@clinic.example").as_bytes(), entry


@pytest.mark.parametrize("seed", [20260310])
def test_whatever_people_type_stays_text_in_headers_words_and_calendar(seed: int) -> None:
    ours = {*tags_of(taken_apart(written("plain")[0])[1]), "br"}  # one for each line, which a text may have
    for text in hostile(seed):
        data, _entry = written(text, own=kept("{hours} {therapist} {clinic} " + text))
        assert set(heads(data)) <= {*OURS, "Content-Type"}, repr(text)
        mail = message_from_bytes(data, policy=policy.default)
        assert mail["To"] == TO
        assert mail["Subject"] == "A change to your appointments"
        assert not mail["Bcc"]
        _words, html, body = taken_apart(data)
        assert tags_of(html) <= ours, repr(text)
        names = [re.split(rb"[;:]", line, maxsplit=1)[0] for line in unfolded(body)]
        assert names == PLAIN_NAMES, repr(text)
        [event] = icalendar.Calendar.from_ical(body).walk("VEVENT")
        assert (event["UID"], event["STATUS"]) == ("5b0d0c1e-2f6e-4a3c-9d0a-7a1b2c3d4e5f", "CANCELLED")


def test_the_control_the_same_strings_break_out_where_nothing_holds_them() -> None:
    """Put into a page and a calendar as they are, they are tags and lines of their own."""
    assert "script" in tags_of(f"<p>{NASTY[len(SMUGGLED) + 3]}</p>")
    assert len(f"LOCATION:{NASTY[len(SMUGGLED)]}".splitlines()) > 1


@pytest.mark.parametrize("text", NASTY)
def test_a_sign_off_and_a_clinics_name_that_could_do_harm_are_not_kept(text: str) -> None:
    """Or they are kept and stay text, which the test above shows."""
    for given in ({"clinic": text}, {"sign_off": text}):
        try:
            kept_choice = ClientMail(**given)  # type: ignore[arg-type]
        except CannotTurnOn:
            continue
        assert all(line.isprintable() for line in (kept_choice.clinic + kept_choice.sign_off).split("\n"))


def kept(text: str) -> str | None:
    try:
        return checked_text(Kind.CANCELLED, text)
    except CannotUseText:
        return None


def taken_apart(data: bytes) -> tuple[str, str, bytes]:
    mail = message_from_bytes(data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return parts(mail)


def tags_of(html: str) -> set[str]:
    tags = Tags()
    tags.feed(html)
    return tags.found


def unfolded(body: bytes) -> list[bytes]:
    return [line for line in body.replace(b"\r\n ", b"").split(b"\r\n") if line]


PLAIN_NAMES = [re.split(rb"[;:]", line, maxsplit=1)[0] for line in unfolded(taken_apart(written("plain")[0])[2])]
