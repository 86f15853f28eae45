"""What is looked at before it is shared is what the feed then says, at each level of privacy."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import recurring_ical_events
from icalendar import Calendar

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Actor, Role
from service.domain.hours import instant, midnight
from service.domain.privacy import Privacy
from service.domain.refusals import Forbidden, Malformed, NotFound
from service.feeds.publishing import write
from service.usecases import absences, feed_previews, feeds, standings
from service.usecases.feeds import Body, Seen
from tests.feeds.practice import HORIZON, NOW, ZONE, Practice, practice

if TYPE_CHECKING:
    from flask import Flask

WEEK = timedelta(weeks=1)


@pytest.fixture
def here(app: "Flask") -> Iterator[Practice]:
    with app.app_context():
        yield _eventful(practice())


def _eventful(here: Practice) -> Practice:
    """Moved, covered, cancelled and single hours, leave, a split, and the clocks change meanwhile."""
    here.move(0, 1, starts=here.slot(0, 1) + timedelta(days=1, hours=2))
    here.move(0, 4, starts=here.slot(0, 4) + timedelta(days=9))
    here.move(1, 2, therapist=here.therapists[1], room=here.rooms[1])
    here.cancel(1, 1)
    here.book(2, here.slot(2, 2) + timedelta(hours=3))
    since = midnight((NOW + 5 * WEEK).date())
    absences.add(
        kind=AbsenceKind.LEAVE,
        since=since,
        until=since + timedelta(days=3),
        therapist=here.therapists[0],
        name="Spring",
        by=OPERATOR,
        now=NOW,
    )
    when = (NOW + 6 * WEEK).date()
    standings.end(standing=here.agreed[2].id, on=when, reason="ends", by=OPERATOR, now=NOW)
    return here


def told(made: feeds.New, monday: date) -> list[tuple[datetime, datetime, str, str]]:
    """The feed's week as another engine reads it."""
    answer = feeds.fetch(secret=made.secret, seen=Seen(), write=write, now=NOW)
    assert isinstance(answer, Body)
    found = recurring_ical_events.of(Calendar.from_ical(answer.content)).between(monday, monday + WEEK)
    timed = [one for one in found if isinstance(one.start, datetime)]
    return sorted(
        (one.start.astimezone(UTC), one.end.astimezone(UTC), str(one["SUMMARY"]), str(one.get("LOCATION", "")))
        for one in timed
    )


@pytest.mark.parametrize("kind", ["therapist", "room", "site", "client"])
def test_the_preview_is_what_the_feed_says_week_by_week(here: Practice, kind: str) -> None:
    feeds.let_clients_have_one(is_on=True, by=OPERATOR, now=NOW)
    whose: dict[str, Any] = {
        "therapist": {"therapist": here.therapists[0]},
        "room": {"room": here.rooms[1]},
        "site": {"site": here.site},
        "client": {"client": here.clients[1]},
    }[kind]
    levels = feed_previews.week(**whose, by=OPERATOR, now=NOW).levels
    assert list(levels) == ([Privacy.BUSY, Privacy.NAME] if kind == "client" else list(Privacy))
    for level in levels:
        owner = None if kind == "client" else here.user
        made = feeds.create(name="X", privacy=level, shows_cancelled=True, owner=owner, by=OPERATOR, now=NOW, **whose)
        for week in range(-2, int(HORIZON / WEEK)):
            of = NOW.date() + week * WEEK
            preview = feed_previews.week(**whose, of=of + timedelta(days=3), by=OPERATOR, now=NOW)
            assert preview.monday == of
            shown = sorted(
                (instant(one.starts, ZONE), instant(one.ends, ZONE), one.summary, one.location)
                for one in preview.levels[level]
                if not one.is_whole_day
            )
            assert shown == told(made, of), (level, of)


def test_without_a_day_it_is_the_first_week_in_which_there_is_anything(here: Practice) -> None:
    preview = feed_previews.week(therapist=here.therapists[0], by=OPERATOR, now=NOW)
    assert preview.monday == NOW.date()
    preview = feed_previews.week(therapist=here.therapists[1], by=OPERATOR, now=NOW)
    assert preview.monday == NOW.date() + 2 * WEEK, "when they cover an hour"
    empty = feed_previews.week(room=here.rooms[1], of=NOW.date(), by=OPERATOR, now=NOW)
    assert set(map(len, empty.levels.values())) == {0}


def test_leave_is_on_each_of_its_days(here: Practice) -> None:
    preview = feed_previews.week(therapist=here.therapists[0], of=(NOW + 5 * WEEK).date(), by=OPERATOR, now=NOW)
    days = [one for one in preview.levels[Privacy.INITIALS] if one.is_whole_day]
    assert [(one.starts.date() - preview.monday).days for one in days] == [0, 1, 2]
    assert {one.summary for one in days} == {"Spring"}
    assert {one.summary for one in preview.levels[Privacy.BUSY] if one.is_whole_day} == {"Away"}


def test_it_is_shown_to_whom_the_calendar_may_be_given_and_to_nobody_else(here: Practice) -> None:
    other = Actor(name="B", roles=frozenset({Role.THERAPIST}), user="b", therapist=here.therapists[1])
    desk = Actor(name="D", roles=frozenset({Role.FRONT_DESK}), user="d")
    assert feed_previews.week(room=here.rooms[0], by=desk, now=NOW).name == "Room 1, Quay"
    with pytest.raises(NotFound):
        feed_previews.week(therapist=here.therapists[0], by=other, now=NOW)
    with pytest.raises(Forbidden):
        feed_previews.week(room=here.rooms[0], by=other, now=NOW)
    with pytest.raises(Forbidden):
        feed_previews.week(site=here.site, by=desk, now=NOW)
    with pytest.raises(Malformed):
        feed_previews.week(by=desk, now=NOW)


def test_control_an_entry_that_the_feed_lacks_would_be_seen(here: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    made = feeds.create(name="X", therapist=here.therapists[0], owner=here.user, by=OPERATOR, now=NOW)
    monkeypatch.setattr("service.store.feed_values._Reading.singles", lambda _self: iter(()))
    of = NOW.date() + 2 * WEEK
    shown = feed_previews.week(therapist=here.therapists[0], of=of, by=OPERATOR, now=NOW).levels[Privacy.INITIALS]
    monkeypatch.undo()
    assert len(shown) < len(told(made, of))
