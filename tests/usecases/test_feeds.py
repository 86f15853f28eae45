"""Whose calendar one may subscribe to, what is kept of a secret, and what is done again when something changed."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from icalendar import Calendar
from sqlalchemy import event, text

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Actor, Role
from service.domain.feed import FeedEntry
from service.domain.hours import midnight
from service.domain.privacy import Privacy
from service.domain.refusals import Forbidden, Malformed, NotFound
from service.domain.standing import Modality
from service.domain.subscription import CannotChoose, Options, Shows
from service.feeds.publishing import write
from service.store import glances
from service.store.base import db
from service.usecases import absences, clients, feed_rights, feeds, people
from service.usecases.feeds import Body, CannotSubscribe, NotModified, Revoked, Seen
from tests.feeds.practice import NAMES, NOW, Practice, practice

if TYPE_CHECKING:
    from flask import Flask


@pytest.fixture
def here(app: "Flask") -> Iterator[Practice]:
    with app.app_context():
        yield practice()


def person(here: Practice, role: Role, *, therapist: int | None = None) -> Actor:
    whose = None if therapist is None else here.therapists[therapist]
    email = f"{role.value}-{therapist}@clinic.example"
    user = people.add_user(name="X", email=email, roles=[role], therapist=whose, by=OPERATOR, now=NOW)
    return Actor(name="X", roles=frozenset({role}), user=user, therapist=whose)


def fetch(secret: str, *, now: datetime = NOW, writer: feeds.Writer = write, **seen: Any) -> feeds.Answer:
    return feeds.fetch(secret=secret, seen=Seen(**seen), write=writer, now=now)


def body(secret: str, *, now: datetime = NOW, writer: feeds.Writer = write) -> Body:
    found = fetch(secret, now=now, writer=writer)
    assert isinstance(found, Body)
    return found


def kept(query: str) -> list[tuple[Any, ...]]:
    """What lies in the database, past all that reads it for us."""
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


class Counting:
    """Writes as the real one does, and notes what it had to write anew."""

    def __init__(self) -> None:
        self.changed: list[set[str]] = []

    def __call__(self, header: Any, *, changed: Mapping[str, FeedEntry], **more: Any) -> feeds.Written:
        self.changed.append({type(entry).__name__ for entry in changed.values()})
        self.last = len(changed)
        return write(header, changed=changed, **more)


# --- whose


def test_a_therapist_subscribes_to_their_own_calendar_and_to_no_other(here: Practice) -> None:
    ada = person(here, Role.THERAPIST, therapist=0)
    made = feeds.create(name=" My  iPhone ", by=ada, now=NOW)
    [row] = feeds.listed(by=ada, now=NOW)
    assert (row.id, row.name, row.is_own, row.options.privacy) == (made.id, "My iPhone", True, Privacy.INITIALS)
    with pytest.raises(NotFound):
        feeds.create(name="Other", therapist=here.therapists[1], by=ada, now=NOW)


def test_a_manager_subscribes_to_anyones_and_sees_all(here: Practice) -> None:
    ada, manager = person(here, Role.THERAPIST, therapist=0), person(here, Role.MANAGER)
    own = feeds.create(name="Phone", by=ada, now=NOW)
    managers = feeds.create(name="Wall", therapist=here.therapists[0], by=manager, now=NOW)
    of_ben = feeds.create(name="Wall", therapist=here.therapists[1], by=manager, now=NOW)
    assert [row.id for row in feeds.listed(by=manager, now=NOW)] == [own.id, managers.id, of_ben.id]
    # Whoever's hours a feed shows knows of it, and can end it.
    assert [(row.id, row.is_own) for row in feeds.listed(by=ada, now=NOW)] == [(own.id, True), (managers.id, False)]
    feeds.revoke(feed=managers.id, by=ada, now=NOW)
    assert isinstance(fetch(managers.secret), Revoked)


def test_somebody_elses_feed_does_not_exist_for_a_therapist(here: Practice) -> None:
    ben, made = person(here, Role.THERAPIST, therapist=1), here.subscribe()
    for ask in (feeds.rotate, feeds.revoke):
        with pytest.raises(NotFound):
            ask(feed=made.id, by=ben, now=NOW)
    assert feeds.listed(by=ben, now=NOW) == []
    assert isinstance(fetch(made.secret), Body)


def test_admins_and_those_who_only_read_make_none_and_the_desk_none_of_a_therapist(here: Practice) -> None:
    reader = replace(person(here, Role.THERAPIST, therapist=0), may_write=False)
    for actor in (person(here, Role.FRONT_DESK), person(here, Role.ADMIN), reader):
        with pytest.raises(Forbidden):
            feeds.create(name="Phone", therapist=here.therapists[0], by=actor, now=NOW)
    assert feeds.listed(by=reader, now=NOW) == []


def test_the_desk_makes_those_of_rooms_and_of_clients_and_sees_no_others(here: Practice) -> None:
    feeds.let_clients_have_one(is_on=True, by=OPERATOR, now=NOW)
    desk, other_desk = person(here, Role.FRONT_DESK), person(here, Role.FRONT_DESK, therapist=1)
    door = feeds.create(name="Door", room=here.rooms[0], by=desk, now=NOW)
    theirs = feeds.create(name="Phone", client=here.clients[0], by=desk, now=NOW)
    here.subscribe()
    found = feeds.listed(by=other_desk, now=NOW)
    assert [(row.id, row.shows, row.is_own, row.owner_name) for row in found] == [
        (door.id, Shows.ROOM, False, "X"),
        (theirs.id, Shows.CLIENT, False, None),
    ]
    assert [row.whose_name for row in found] == ["Room 1, Quay", "Client One"]
    with pytest.raises(Forbidden):
        feeds.create(name="Wall", site=here.site, by=desk, now=NOW)
    assert feeds.listed(by=person(here, Role.THERAPIST, therapist=1), now=NOW) == []


def test_a_therapist_makes_none_of_a_room_a_site_or_a_client(here: Practice) -> None:
    feeds.let_clients_have_one(is_on=True, by=OPERATOR, now=NOW)
    ada = person(here, Role.THERAPIST, therapist=0)
    wanted: list[dict[str, Any]] = [{"room": here.rooms[0]}, {"site": here.site}, {"client": here.clients[0]}]
    for whose in wanted:
        with pytest.raises(Forbidden):
            feeds.create(name="Phone", by=ada, now=NOW, **whose)


def test_it_is_the_calendar_of_one(here: Practice) -> None:
    manager = person(here, Role.MANAGER)
    wanted: list[dict[str, Any]] = [{}, {"room": here.rooms[0], "site": here.site}]
    for whose in wanted:
        with pytest.raises(Malformed):
            feeds.create(name="Phone", by=manager, now=NOW, **whose)


# --- a client's own


def test_clients_have_none_until_a_manager_allows_it_and_none_after(here: Practice) -> None:
    desk, manager = person(here, Role.FRONT_DESK), person(here, Role.MANAGER)
    assert not feeds.clients_may_have_one(by=desk)
    with pytest.raises(CannotSubscribe):
        feeds.create(name="Phone", client=here.clients[0], by=desk, now=NOW)
    with pytest.raises(Forbidden):
        feeds.let_clients_have_one(is_on=True, by=desk, now=NOW)
    feeds.let_clients_have_one(is_on=True, by=manager, now=NOW)
    made, others = feeds.create(name="Phone", client=here.clients[0], by=desk, now=NOW), here.subscribe()
    assert isinstance(fetch(made.secret), Body)
    assert feeds.let_clients_have_one(is_on=False, by=manager, now=NOW) == 1
    assert isinstance(fetch(made.secret), Revoked)
    assert isinstance(fetch(others.secret), Body)


def test_it_says_their_own_hours_with_whom_and_where_and_nothing_else(here: Practice) -> None:
    feeds.let_clients_have_one(is_on=True, by=OPERATOR, now=NOW)
    made = feeds.create(name="Phone", client=here.clients[1], by=OPERATOR, now=NOW)
    here.cancel(1, 2)
    here.move(1, 3, therapist=here.therapists[1], room=here.rooms[1])
    said = body(made.secret).content.decode()
    texts = {line.split(":", 1)[0]: set[str]() for line in said.splitlines()}
    for line in said.splitlines():
        texts[line.split(":", 1)[0]].add(line.split(":", 1)[1])
    assert texts["SUMMARY"] == {"Appointment with Therapist A", "Appointment with Therapist B"}
    assert texts["LOCATION"] == {"Room 1\\, Quay", "Room 2\\, Quay"}
    assert texts["NAME"] == {"Appointments"}
    assert "DESCRIPTION" not in texts
    assert said.count("RRULE:FREQ=WEEKLY") == 1
    assert not [word for word in (*NAMES, "illness", "work", "CT", "C0000") if word in said]
    stored = b"".join(bytes(one) for (one,) in kept("select body from feed_pieces"))
    assert b"Therapist A" not in stored, "it says who comes here, so it is sealed"


def test_where_a_client_chose_busy_nobody_learns_with_whom_or_where(here: Practice) -> None:
    feeds.let_clients_have_one(is_on=True, by=OPERATOR, now=NOW)
    made = feeds.create(name="Phone", client=here.clients[1], privacy=Privacy.BUSY, by=OPERATOR, now=NOW)
    said = body(made.secret).content
    assert b"SUMMARY:Busy\r\n" in said
    assert b"LOCATION" not in said and b"Therapist" not in said


def test_a_client_has_a_few_and_one_who_never_came_none(here: Practice) -> None:
    feeds.let_clients_have_one(is_on=True, by=OPERATOR, now=NOW)
    for _ in range(feed_rights.MOST_OF_CLIENT):
        feeds.create(name="Phone", client=here.clients[0], by=OPERATOR, now=NOW)
    newcomer = clients.add(name="Client New", by=OPERATOR, now=NOW)
    for client in (here.clients[0], newcomer):
        with pytest.raises(CannotSubscribe):
            feeds.create(name="Phone", client=client, by=OPERATOR, now=NOW)


# --- rooms and sites


def test_a_site_tells_leave_by_name_and_that_it_is_closed(here: Practice) -> None:
    since = midnight((NOW + timedelta(weeks=2)).date())
    days: Any = {"since": since, "until": since + timedelta(days=1), "by": OPERATOR, "now": NOW}
    absences.add(kind=AbsenceKind.LEAVE, therapist=here.therapists[0], name="Summer", **days)
    absences.add(kind=AbsenceKind.CLOSURE, site=here.site, **days)
    absences.add(kind=AbsenceKind.CLOSURE, room=here.rooms[0], name="Painting", **days)

    def told(**whose: Any) -> list[str]:
        made = feeds.create(name="Wall", owner=here.user, by=OPERATOR, now=NOW, **whose)
        lines = body(made.secret).content.decode().splitlines()
        dated = [number for number, line in enumerate(lines) if line.startswith("DTSTART;VALUE=DATE:")]
        return sorted(
            max(line for line in lines[number - 9 : number + 9] if line.startswith("SUMMARY")) for number in dated
        )

    assert told(site=here.site) == ["SUMMARY:Closed", "SUMMARY:Painting", "SUMMARY:Therapist A: Summer"]
    assert told(site=here.site, privacy=Privacy.BUSY) == ["SUMMARY:Away", "SUMMARY:Closed", "SUMMARY:Closed"]
    assert told(room=here.rooms[0]) == ["SUMMARY:Painting"]
    assert told(room=here.rooms[1]) == []


def test_a_site_that_one_calendar_can_not_hold_gets_none(here: Practice) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_rights, "MOST_STANDINGS", 2)
        with pytest.raises(CannotSubscribe):
            feeds.create(name="Wall", site=here.site, owner=here.user, by=OPERATOR, now=NOW)
        patch.setattr(feed_rights, "MOST_STANDINGS", 3)
        feeds.create(name="Wall", site=here.site, owner=here.user, by=OPERATOR, now=NOW)


def test_a_site_is_built_anew_after_a_change_in_any_of_its_rooms(here: Practice) -> None:
    made = feeds.create(name="Wall", site=here.site, owner=here.user, by=OPERATOR, now=NOW)
    known = body(made.secret).stand.etag
    assert isinstance(fetch(made.secret, etags={known}), NotModified)
    here.book(2, here.slot(2, 1) + timedelta(hours=3), therapist=1, now=NOW)
    assert isinstance(fetch(made.secret, etags={known}), Body)


# --- addresses


def test_an_old_address_goes_on_as_long_as_its_owner_chose_and_is_gone_then(here: Practice) -> None:
    old = here.subscribe()
    said = body(old.secret)
    new = feeds.rotate(feed=old.id, overlap=timedelta(hours=6), by=OPERATOR, now=NOW)
    assert (new.id, new.secret != old.secret) == (old.id, True)
    here.cancel(0, 1, now=NOW + timedelta(minutes=1))
    later = NOW + timedelta(hours=6) - timedelta(seconds=1)
    assert body(old.secret, now=later).content == body(new.secret, now=later).content != said.content
    feeds.note_fetch(stand=body(old.secret, now=later).stand, by_program="Outlook", now=later)
    in_use, ending = feeds.show(feed=old.id, by=OPERATOR, now=later).addresses
    assert (in_use.ends_at, ending.ends_at) == (None, NOW + timedelta(hours=6))
    assert (in_use.fetched_by, ending.fetched_by) == (None, "Outlook")
    then = NOW + timedelta(hours=6)
    for seen in ({}, {"etags": {said.stand.etag}}, {"any_version": True}):
        assert isinstance(fetch(old.secret, now=then, **seen), Revoked)
    assert isinstance(fetch(new.secret, now=then), Body)
    assert len(feeds.show(feed=old.id, by=OPERATOR, now=then).addresses) == 1


def test_to_revoke_ends_the_old_address_too_and_a_new_one_shortens_none(here: Practice) -> None:
    first = here.subscribe()
    second = feeds.rotate(feed=first.id, overlap=timedelta(hours=1), by=OPERATOR, now=NOW)
    third = feeds.rotate(feed=first.id, overlap=timedelta(hours=24), by=OPERATOR, now=NOW)
    later = NOW + timedelta(hours=2)
    assert isinstance(fetch(first.secret, now=later), Revoked), "its hour is over, whatever came after it"
    assert isinstance(fetch(second.secret, now=later), Body)
    feeds.revoke(feed=first.id, by=OPERATOR, now=later)
    for one in (second, third):
        assert isinstance(fetch(one.secret, now=later), Revoked)
    with pytest.raises(NotFound):
        feeds.rotate(feed=first.id, by=OPERATOR, now=later)


# --- other choices


CHOICES: list[tuple[dict[str, Any], str]] = [
    ({"privacy": Privacy.BUSY}, "SUMMARY:Busy"),
    ({"privacy": Privacy.NAME}, "SUMMARY:Client One"),
    ({"alarm_minutes": 15}, "TRIGGER:-PT15M"),
    ({"privacy": Privacy.BUSY, "locale": "de_DE"}, "SUMMARY:Belegt"),
    ({"shows_cancelled": True}, "STATUS:CANCELLED"),
    ({"days_back": 180}, "20251001T"),
]


@pytest.mark.parametrize(("choose", "says"), CHOICES)
def test_what_is_chosen_otherwise_is_said_at_the_same_address_with_higher_numbers(
    here: Practice, choose: dict[str, Any], says: str
) -> None:
    """And back again: a calendar program that keeps what it has by number must take in either change."""
    here.book(2, datetime(2025, 10, 1, 10), now=NOW)
    here.cancel(0, 2)
    made = here.subscribe()
    before = body(made.secret)
    usual = {key: getattr(Options(), key) for key in choose}
    said = [before.content.decode()]
    for minute, chosen in enumerate((choose, usual, choose), start=1):
        now = NOW + timedelta(minutes=minute)
        feeds.change(feed=made.id, choose=chosen, by=OPERATOR, now=now)
        answer = fetch(made.secret, now=now, etags={before.stand.etag} if minute == 1 else None)
        assert isinstance(answer, Body)
        assert answer.stand.modified_at > before.stand.modified_at
        said.append(answer.content.decode())
    first, chosen_once, back, chosen_again = map(events, said)
    assert says not in said[0] and says in said[1] and says not in said[2] and says in said[3]
    assert {uid: content for uid, (content, _) in first.items()} == {uid: content for uid, (content, _) in back.items()}
    history: dict[str, list[tuple[str, int]]] = {}
    for stage in (first, chosen_once, back, chosen_again):
        for uid, (content, number) in stage.items():
            history.setdefault(uid, []).append((content, number))
    for steps in history.values():
        for (old, low), (new, high) in pairwise(steps):
            assert high >= low
            assert high > low or old == new


def events(said: str) -> dict[str, tuple[str, int]]:
    """What is said under each UID, and its highest number."""
    found: dict[str, tuple[str, int]] = {}
    for one in Calendar.from_ical(said).events:
        stamps = ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE")
        lines = [line for line in one.to_ical().decode().splitlines() if not line.startswith(stamps)]
        content, number = found.get(str(one["UID"]), ("", 0))
        found[str(one["UID"])] = (content + "\n".join(lines), max(number, int(str(one["SEQUENCE"]))))
    return found


def test_only_so_far_ahead_and_back_are_single_hours_told_and_standings_whole(here: Practice) -> None:
    for starts in (datetime(2026, 1, 5, 18), datetime(2026, 3, 20, 18), datetime(2026, 5, 20, 18)):
        here.book(2, starts)

    def singles(**options: Any) -> list[str]:
        said = body(here.subscribe(**options).secret).content.decode()
        assert said.count("RRULE:FREQ=WEEKLY;BYDAY") == 3
        return [
            line[-15:]
            for line in said.splitlines()
            if line.startswith("DTSTART;TZID=Europe/Berlin:") and line.endswith("180000")
        ]

    assert singles() == ["20260105T180000", "20260320T180000", "20260520T180000"]
    assert singles(days_back=30) == ["20260320T180000", "20260520T180000"]
    assert singles(days_back=0, weeks_ahead=4) == ["20260320T180000"]
    assert singles(weeks_ahead=1) == ["20260105T180000"]


def test_what_was_built_before_the_choice_is_not_stored_after_it(here: Practice) -> None:
    """Else the old words would stand at the address until the next change."""
    made = here.subscribe()

    def slow(header: Any, **more: Any) -> feeds.Written:
        written = write(header, **more)
        if feeds.show(feed=made.id, by=OPERATOR, now=NOW).options.privacy is Privacy.INITIALS:
            feeds.change(feed=made.id, choose={"privacy": Privacy.BUSY}, by=OPERATOR, now=NOW)
        return written

    assert b"SUMMARY:CO" not in body(made.secret, writer=slow).content
    assert b"SUMMARY:CO" not in body(made.secret).content


def test_what_can_not_be_chosen_changes_nothing(here: Practice) -> None:
    made = here.subscribe()
    for wrong in ({"days_back": 7}, {"locale": "xx"}, {"alarm_minutes": 0}):
        with pytest.raises(CannotChoose):
            feeds.change(feed=made.id, choose=wrong, by=OPERATOR, now=NOW)
    assert feeds.show(feed=made.id, by=OPERATOR, now=NOW).options == Options()


def test_a_feed_speaks_as_its_owner_does(here: Practice) -> None:
    ada = person(here, Role.THERAPIST, therapist=0)
    people.set_locale(locale="de_AT", by=ada, now=NOW)
    here.move(0, 1, modality=Modality.VIDEO, room=None)
    made = feeds.create(name="Phone", shows_cancelled=True, privacy=Privacy.BUSY, by=ada, now=NOW)
    here.cancel(1, 2)
    said = body(made.secret).content.decode()
    assert "SUMMARY:Belegt" in said and "SUMMARY:Abgesagt: Belegt" in said and "LOCATION:Video" in said


def test_nobody_has_more_than_they_can_keep_an_eye_on(here: Practice) -> None:
    ada = person(here, Role.THERAPIST, therapist=0)
    made = [feeds.create(name="Phone", by=ada, now=NOW) for _ in range(feeds.MOST)]
    with pytest.raises(CannotSubscribe):
        feeds.create(name="Phone", by=ada, now=NOW)
    feeds.revoke(feed=made[0].id, by=ada, now=NOW)
    feeds.create(name="Phone", by=ada, now=NOW)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "a\x00b"])
def test_a_name_can_be_read(here: Practice, name: str) -> None:
    with pytest.raises(Malformed):
        here.subscribe(name=name)


def test_a_feed_belongs_to_somebody(here: Practice) -> None:
    with pytest.raises(Malformed):
        here.subscribe(owner=None)


# --- what is kept


def test_only_the_hash_of_the_secret_is_kept(here: Practice) -> None:
    made = here.subscribe()
    assert len(made.secret) >= 43  # 256 bits
    body(made.secret)
    [(secret_hash,)] = kept("select secret_hash from feed_addresses")
    assert secret_hash == hashlib.sha256(made.secret.encode()).hexdigest()
    everything = (
        str(kept("select * from feeds")) + str(kept("select * from feed_addresses")) + str(kept("select * from audit"))
    )
    assert made.secret not in everything


def test_what_names_clients_is_sealed_where_it_lies(here: Practice) -> None:
    made = here.subscribe(privacy=Privacy.NAME)
    said = body(made.secret).content
    assert all(name.encode() in said for name in NAMES)
    stored = b"".join(bytes(one) for (one,) in [*kept("select body from feeds"), *kept("select body from feed_pieces")])
    assert stored
    assert not [name for name in NAMES if name.encode() in stored]
    new = feeds.rotate(feed=made.id, by=OPERATOR, now=NOW)
    assert body(new.secret).content == said


def test_of_a_revoked_feed_nothing_is_kept_but_that_it_was(here: Practice) -> None:
    made = here.subscribe()
    body(made.secret)
    feeds.revoke(feed=made.id, by=OPERATOR, now=NOW)
    assert kept("select count(*) from feed_pieces") == [(0,)]
    assert kept("select body from feeds") == [(None,)]
    with pytest.raises(NotFound):
        feeds.revoke(feed=made.id, by=OPERATOR, now=NOW)


@pytest.mark.parametrize(
    ("level", "called"),
    [(Privacy.BUSY, "Busy"), (Privacy.INITIALS, "CO"), (Privacy.REFERENCE, "C00001"), (Privacy.NAME, "Client One")],
)
def test_an_hour_is_called_what_its_owner_chose(here: Practice, level: Privacy, called: str) -> None:
    said = body(here.subscribe(privacy=level).secret).content.decode()
    assert f"SUMMARY:{called}\r\n" in said
    assert ("Client One" in said) is (level is Privacy.NAME)


# --- what is done again


def test_an_unchanged_feed_costs_one_query_and_builds_nothing(here: Practice) -> None:
    made, counting = here.subscribe(), Counting()
    known = body(made.secret, writer=counting).stand.etag
    asked: list[str] = []
    look = glances.Glance.row

    def spy(self: glances.Glance, statement: Any, **parameters: object) -> tuple[Any, ...] | None:
        asked.append(str(statement))
        return look(self, statement, **parameters)

    with pytest.MonkeyPatch.context() as patch, no_transaction():
        patch.setattr(glances.Glance, "row", spy)
        assert isinstance(fetch(made.secret, writer=counting, etags={known}), NotModified)
    assert len(asked) == 1
    assert len(counting.changed) == 1


class no_transaction:  # noqa: N801  reads as what it does
    """Fails where a statement is run on the engine that has transactions."""

    def __enter__(self) -> None:
        event.listen(db.engine, "before_cursor_execute", self._refuse)

    def __exit__(self, *_: object) -> None:
        event.remove(db.engine, "before_cursor_execute", self._refuse)

    def _refuse(self, *_: object) -> None:
        raise AssertionError("an unchanged feed needs no transaction")


def test_a_change_renders_one_piece(here: Practice) -> None:
    made, counting = here.subscribe(), Counting()
    body(made.secret, writer=counting)
    here.cancel(1, 2, now=NOW + timedelta(minutes=1))
    body(made.secret, now=NOW + timedelta(minutes=2), writer=counting)
    assert counting.last == 1
    assert counting.changed == [{"FeedStanding"}, {"FeedStanding"}]


def test_a_change_that_the_feed_does_not_show_leaves_it_as_it_was(here: Practice) -> None:
    made, counting = here.subscribe(), Counting()
    before = body(made.secret, writer=counting)
    people.set_working_hours(therapist=here.therapists[0], hours=[], by=OPERATOR, now=NOW)
    later = NOW + timedelta(minutes=5)
    assert isinstance(fetch(made.secret, now=later, writer=counting, etags={before.stand.etag}), NotModified)
    assert counting.last == 0
    assert body(made.secret, now=later).stand == replace(before.stand, is_to_be_noted=True)


def test_the_next_day_it_is_looked_at_again_and_stays_the_same(here: Practice) -> None:
    made, counting = here.subscribe(), Counting()
    before = body(made.secret, writer=counting)
    tomorrow = NOW + timedelta(days=1)
    assert isinstance(fetch(made.secret, now=tomorrow, writer=counting, etags={before.stand.etag}), NotModified)
    assert len(counting.changed) == 2
    assert counting.last == 0


def test_what_was_built_for_a_state_that_has_passed_is_thrown_away(here: Practice) -> None:
    """Another process finished first: its numbers stand, and ours is built again on top of them."""
    made = here.subscribe()
    body(made.secret)
    here.cancel(1, 2, now=NOW + timedelta(minutes=1))
    raced: list[bytes] = []

    def slow(header: Any, **more: Any) -> feeds.Written:
        written = write(header, **more)
        if not raced:
            raced.append(body(made.secret, now=NOW + timedelta(minutes=2)).content)
        return written

    late = body(made.secret, now=NOW + timedelta(minutes=3), writer=slow)
    assert late.content == raced[0]
    assert late.content.count(b"SEQUENCE:1\r\n") == 1


def test_a_long_calendar_loses_its_oldest_single_hours_and_no_standing(here: Practice) -> None:
    made = here.subscribe()
    for weeks in range(1, 5):
        here.book(0, here.slot(0, weeks) + timedelta(hours=4))
    whole = body(made.secret).content
    assert whole.count(b"BEGIN:VEVENT") == 7
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feeds, "LIMIT", 20_000 + len(whole) - 900)
        here.cancel(1, 2, now=NOW + timedelta(minutes=1))
        short = body(made.secret, now=NOW + timedelta(minutes=2)).content
    assert short.count(b"RRULE:FREQ=WEEKLY") == 3
    assert 3 <= short.count(b"BEGIN:VEVENT") < 7
    assert f"{here.slot(0, 4) + timedelta(hours=4):%Y%m%dT%H%M%S}".encode() in short
