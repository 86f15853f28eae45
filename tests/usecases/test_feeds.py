"""Whose calendar one may subscribe to, what is kept of a secret, and what is done again when something changed."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text

from service.domain.access import OPERATOR, Actor, Role
from service.domain.feed import FeedEntry
from service.domain.privacy import Privacy
from service.domain.refusals import Forbidden, Malformed, NotFound
from service.feeds.publishing import write
from service.store import glances
from service.store.base import db
from service.usecases import feeds, people
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


def test_the_desk_admins_and_those_who_only_read_make_none(here: Practice) -> None:
    reader = replace(person(here, Role.THERAPIST, therapist=0), may_write=False)
    for actor in (person(here, Role.FRONT_DESK), person(here, Role.ADMIN), reader):
        with pytest.raises(Forbidden):
            feeds.create(name="Phone", therapist=here.therapists[0], by=actor, now=NOW)
    assert feeds.listed(by=reader, now=NOW) == []


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
