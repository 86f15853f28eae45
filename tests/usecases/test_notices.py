"""How people are told: what they prefer, deputies, the mail of the day, and managers where nobody answers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from service.domain.absences import AbsenceKind
from service.domain.access import CLOCK, OPERATOR, Actor, Role
from service.domain.appointment import Initiator
from service.domain.hours import Weekday, instant
from service.domain.phrase import PLAIN
from service.domain.refusals import Forbidden, NotFound
from service.domain.signals import Level
from service.domain.telling import CannotPrefer, Preferences
from service.store.base import db
from service.store.outbox import OutboxRow
from service.usecases import absences, alerts, appointments, consistency, courses, letters, notices, outbox, people
from service.usecases.telling import Digest, Letter, Push
from tests.alarms import ZONE, AlarmClinic, alarm_clinic

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
"""Wednesday, 10:00 on Ada's wall."""
MORNING = datetime(2026, 3, 19, 6, 30, tzinfo=UTC)
"""Thursday, 7:30 there."""
GRACE = timedelta(minutes=3)
USUAL = Preferences()


@pytest.fixture
def clinic(app: "Flask") -> Iterator[AlarmClinic]:
    """Nothing is left to be said."""
    with app.app_context():
        found = alarm_clinic(now=NOW)
        notices.call_digests(now=NOW)
        assert left(NOW) == {}
        yield found


def left(now: datetime) -> dict[str, list[Letter]]:
    """By reader, what leaves the house by then: all that is due is carried out, as the worker does it."""
    found: dict[str, list[Letter]] = {}
    while due := outbox.due(now=now):
        for message in due:
            taken = outbox.take(message=message, now=now)
            if taken is not None and taken.letter is not None:
                found.setdefault(taken.letter.to.partition("@")[0], []).append(taken.letter)
            elif taken is not None:
                consistency.assess(course=taken.payload["course"], grace=GRACE, now=now)
            if taken is not None:
                outbox.done(message=message, attempt=taken.attempt, now=now)
    return found


def digest_of(who: str, now: datetime = MORNING) -> Digest | None:
    notices.call_digests(now=now)
    found = [one for one in left(now).get(who, ()) if isinstance(one, Digest)]
    assert len(found) <= 1
    return found[0] if found else None


def act(clinic: AlarmClinic, now: datetime = NOW) -> alerts.Alert:
    """Ada's client is without the next two hours, and somebody is needed."""
    clinic.cancel(0, 1, now=now)
    consistency.assess(course=clinic.course, grace=GRACE, now=now)
    [found] = [one for one in alerts.of_course(course=clinic.course, by=CLOCK, now=now) if one.signal == "gap.ahead"]
    assert found.level is Level.ACT
    return found


def go_away(clinic: AlarmClinic, now: datetime = NOW, **given: object) -> None:
    wanted = {"away_until": datetime(2026, 3, 25), "deputy": clinic.as_ben.user, **given}
    notices.prefer(preferences=replace(USUAL, **wanted), by=clinic.as_ada, now=now)  # type: ignore[arg-type]


# --- what somebody prefers --------------------------------------------------------------------------------------------


def test_what_was_chosen_comes_back_and_is_nobody_elses(clinic: AlarmClinic) -> None:
    wanted = Preferences(
        is_pushed=False,
        push_from=Level.WATCH,
        pushes_a_day=0,
        quiet_since=time(22, 30),
        quiet_until=time(6),
        digest_at=time(18),
        digest_days=(Weekday.SU, Weekday.MO, Weekday.SU),
        away_until=datetime(2026, 4, 1, 8),
        deputy=clinic.manager.user,
    )
    notices.prefer(preferences=wanted, by=clinic.as_ada, now=NOW)
    kept = notices.preferences(by=clinic.as_ada)
    assert kept == replace(wanted, digest_days=(Weekday.MO, Weekday.SU))
    assert notices.preferences(by=clinic.as_ben) == USUAL
    notices.prefer(preferences=USUAL, by=clinic.as_ada, now=NOW)
    assert notices.preferences(by=clinic.as_ada) == USUAL


def test_a_reading_access_may_not_choose_and_nobody_may_choose_for_nobody(clinic: AlarmClinic) -> None:
    with pytest.raises(Forbidden):
        notices.prefer(preferences=USUAL, by=replace(clinic.as_ada, may_write=False), now=NOW)
    for ask in (notices.preferences, notices.deputies):
        ask(by=clinic.as_ada)
    with pytest.raises(NotFound):
        notices.preferences(by=OPERATOR)
    with pytest.raises(NotFound):
        notices.preview(by=clinic.reader, now=NOW)


def test_therapists_and_managers_may_stand_in_and_nobody_else(clinic: AlarmClinic) -> None:
    offered = [user for user, _name in notices.deputies(by=clinic.as_ada)]
    assert offered == [clinic.as_ben.user, clinic.manager.user]
    gone = people.add_user(name="Gone", email="gone@clinic.example", roles=[Role.MANAGER], by=OPERATOR, now=NOW)
    people.disable_user(user=gone, by=OPERATOR, now=NOW)
    for nobody in (clinic.desk.user, clinic.as_ada.user, gone, "no such user"):
        with pytest.raises(CannotPrefer) as refused:
            notices.prefer(preferences=replace(USUAL, deputy=nobody), by=clinic.as_ada, now=NOW)
        assert refused.value.where == "deputy"
    assert notices.preferences(by=clinic.as_ada) == USUAL


# --- deputies ---------------------------------------------------------------------------------------------------------


def test_whoever_is_away_by_their_word_is_told_by_their_deputy(clinic: AlarmClinic) -> None:
    go_away(clinic)
    act(clinic)
    [(who, [push])] = left(NOW + GRACE).items()
    assert who == "ben"
    assert isinstance(push, Push)
    # The course's page would be no page for Ben, so no link leads there.
    assert push.closed == {clinic.course}
    text = letters.notice_of(push, "https://hours.example", PLAIN).text
    assert "/courses/" not in text
    assert "/alerts#alert-" in text


def test_control_whoever_is_there_is_told_themselves_with_the_link_to_the_course(clinic: AlarmClinic) -> None:
    go_away(clinic, away_until=None)
    act(clinic)
    [(who, [push])] = left(NOW + GRACE).items()
    assert who == "ada"
    assert isinstance(push, Push)
    assert push.closed == frozenset()
    assert f"/courses/{clinic.course}" in letters.notice_of(push, "", PLAIN).text


@pytest.mark.parametrize(
    ("since", "until", "tentative", "told"),
    [
        (datetime(2026, 3, 18), datetime(2026, 3, 20), False, "ben"),
        # Until noon, from noon, and leave that is not approved: she is there.
        (datetime(2026, 3, 18), datetime(2026, 3, 18, 12), False, "ada"),
        (datetime(2026, 3, 18, 12), datetime(2026, 3, 20), False, "ada"),
        (datetime(2026, 3, 18), datetime(2026, 3, 20), True, "ada"),
    ],
)
def test_a_day_of_leave_counts_as_away(
    clinic: AlarmClinic, since: datetime, until: datetime, tentative: bool, told: str
) -> None:
    go_away(clinic, away_until=None)
    absences.add(
        kind=AbsenceKind.LEAVE,
        since=since,
        until=until,
        therapist=clinic.ada,
        tentative=tentative,
        by=OPERATOR,
        now=NOW,
    )
    act(clinic)
    assert list(left(NOW + GRACE)) == [told]


def test_a_deputy_sees_and_answers_what_they_are_told_of_and_opens_no_course(clinic: AlarmClinic) -> None:
    go_away(clinic)
    alert = act(clinic)
    by = clinic.as_ben
    assert [one.id for one in alerts.listed(by=by, now=NOW)] == [alert.id]
    assert alerts.show(alert=alert.id, by=by, now=NOW).id == alert.id
    assert notices.counts(by=by, now=NOW).alerts == 1
    for closed in (courses.show, alerts.of_course):
        with pytest.raises(NotFound):
            closed(course=clinic.course, by=by, now=NOW)
    assert alerts.acknowledge(alert=alert.id, by=by, now=NOW).acknowledged_by == "ben"
    assert notices.counts(by=by, now=NOW).alerts == 0


@pytest.mark.parametrize("away_until", [None, datetime(2026, 3, 18, 10)], ids=["never", "back since now"])
def test_control_of_whoever_is_not_away_there_is_nothing_to_see(
    clinic: AlarmClinic, away_until: datetime | None
) -> None:
    go_away(clinic, away_until=away_until)
    alert = act(clinic)
    assert alerts.listed(by=clinic.as_ben, now=NOW) == []
    assert notices.counts(by=clinic.as_ben, now=NOW).alerts == 0
    for refused in (alerts.show, alerts.acknowledge):
        with pytest.raises(NotFound):
            refused(alert=alert.id, by=clinic.as_ben, now=NOW)


def test_somebody_elses_deputy_sees_nothing_of_a_third(clinic: AlarmClinic) -> None:
    """Ben stands in for Ada; that does not let the desk, nor Ada into Ben's."""
    go_away(clinic)
    clinic.cancel(0, 1, now=NOW, course=clinic.other_course)
    consistency.assess(course=clinic.other_course, now=NOW)
    assert alerts.listed(by=clinic.as_ada, now=NOW) == []
    with pytest.raises(Forbidden):
        alerts.listed(by=clinic.desk, now=NOW)


def away_with(clinic: AlarmClinic, *chain: tuple[Actor, str | None]) -> None:
    """Each of them is away, with that deputy."""
    for who, deputy in chain:
        notices.prefer(preferences=replace(USUAL, away_until=datetime(2026, 3, 25), deputy=deputy), by=who, now=NOW)


def test_where_the_deputy_is_away_too_theirs_is_told_and_answers(clinic: AlarmClinic) -> None:
    cleo = people.add_therapist(
        name="Therapist Cleo", site=people.sites(by=OPERATOR)[0].id, hours=[], by=OPERATOR, now=NOW
    )
    user = people.add_user(
        name="cleo", email="cleo@clinic.example", roles=[Role.THERAPIST], therapist=cleo, by=OPERATOR, now=NOW
    )
    as_cleo = Actor(name="cleo", roles=frozenset({Role.THERAPIST}), user=user, therapist=cleo)
    away_with(clinic, (clinic.as_ada, clinic.as_ben.user), (clinic.as_ben, user))
    alert = act(clinic)
    [(who, [push])] = left(NOW + GRACE).items()
    assert who == "cleo"
    assert isinstance(push, Push)
    assert push.closed == {clinic.course}
    assert [one.id for one in alerts.listed(by=as_cleo, now=NOW)] == [alert.id]
    seen = notices.preview(by=clinic.as_ada, now=NOW)
    assert (seen.is_away, seen.instead) == (True, ("cleo",))
    assert alerts.acknowledge(alert=alert.id, by=as_cleo, now=NOW).acknowledged_by == "cleo"


@pytest.mark.parametrize("chain", ["ends", "comes back"])
def test_where_nobody_along_the_chain_is_there_the_manager_is_told(clinic: AlarmClinic, chain: str) -> None:
    away_with(
        clinic,
        (clinic.as_ada, clinic.as_ben.user),
        (clinic.as_ben, clinic.as_ada.user if chain == "comes back" else None),
    )
    alert = act(clinic)
    assert list(left(NOW + GRACE)) == ["manager"]
    assert [one.id for one in alerts.listed(by=clinic.manager, now=NOW)] == [alert.id]
    assert notices.preview(by=clinic.as_ada, now=NOW).instead == ("manager",)


def test_control_what_is_only_to_look_at_is_not_the_managers_and_waits(clinic: AlarmClinic) -> None:
    for who in (clinic.as_ada, clinic.as_ben):
        notices.prefer(
            preferences=replace(USUAL, away_until=datetime(2026, 3, 25), push_from=Level.WATCH), by=who, now=NOW
        )
    go_away(clinic, push_from=Level.WATCH)
    clinic.cancel(0, now=NOW)
    assert left(NOW + GRACE) == {}
    assert alerts.listed(by=clinic.manager, now=NOW) == []


def test_where_even_every_manager_is_away_they_are_told_all_the_same(clinic: AlarmClinic) -> None:
    away_with(clinic, (clinic.as_ada, clinic.as_ben.user), (clinic.as_ben, None), (clinic.manager, None))
    act(clinic)
    assert list(left(NOW + GRACE)) == ["manager"]


def test_whoever_named_nobody_is_told_by_nobody_until_two_working_days_are_over(clinic: AlarmClinic) -> None:
    go_away(clinic, deputy=None)
    act(clinic)
    assert left(NOW + GRACE) == {}
    assert notices.preview(by=clinic.as_ada, now=NOW).instead == ()
    assert notices.pass_on(grace=timedelta(0), now=NOW + timedelta(days=3)) == 1


def test_once_back_the_deputy_is_told_no_more_and_nothing_is_lost(clinic: AlarmClinic) -> None:
    """What waited at night for the deputy is said to the one who is back in the morning."""
    go_away(clinic, away_until=datetime(2026, 3, 19, 6))
    night = datetime(2026, 3, 18, 22, tzinfo=UTC)
    act(clinic, night)
    notices.call_digests(now=MORNING)
    found = left(MORNING)
    assert list(found) == ["ada"]
    [digest] = found["ada"]
    assert isinstance(digest, Digest)
    assert [one.course for one in digest.act] == [clinic.course]


# --- the mail of the day ----------------------------------------------------------------------------------------------


def test_everybody_gets_it_at_their_own_hour_on_their_own_days(clinic: AlarmClinic) -> None:
    """Half past seven in New York is five hours later than in Berlin, in these weeks."""
    site = people.add_site(name="Pier", zone_name="America/New_York", country="US", region="NY", by=OPERATOR, now=NOW)
    cleo = people.add_therapist(name="Therapist Cleo", site=site, hours=[], by=OPERATOR, now=NOW)
    user = people.add_user(
        name="cleo", email="cleo@clinic.example", roles=[Role.THERAPIST], therapist=cleo, by=OPERATOR, now=NOW
    )
    as_cleo = Actor(name="cleo", roles=frozenset({Role.THERAPIST}), user=user, therapist=cleo)
    notices.prefer(preferences=replace(USUAL, digest_at=time(9)), by=clinic.as_ben, now=NOW)
    notices.prefer(preferences=replace(USUAL, digest_days=(Weekday.FR,)), by=clinic.manager, now=NOW)
    names = {
        clinic.as_ada.user: "ada", clinic.as_ben.user: "ben", clinic.manager.user: "manager", as_cleo.user: "cleo"
    }  # fmt: skip
    called: dict[str, list[str]] = {}
    at = datetime(2026, 3, 19, 5, tzinfo=UTC)
    while at < datetime(2026, 3, 20, 12, tzinfo=UTC):
        before = _called()
        notices.call_digests(now=at)
        for one in _called() - before:
            called.setdefault(names[one.split(":")[1]], []).append(f"{at:%a %H:%M}")
        at += timedelta(minutes=15)
    assert called == {
        "ada": ["Thu 06:30", "Fri 06:30"],
        "ben": ["Thu 08:00", "Fri 08:00"],
        "cleo": ["Thu 11:30", "Fri 11:30"],
        "manager": ["Fri 06:30"],
    }


def _called() -> set[str]:
    """What each digest is known by: `digest:<user>:<day>`."""
    with db.engine.connect() as here:
        return set(here.scalars(select(OutboxRow.dedup_key).where(OutboxRow.topic == "notice.digest")))


def test_nothing_to_say_nothing_is_sent(clinic: AlarmClinic) -> None:
    assert notices.call_digests(now=MORNING) == 3
    assert left(MORNING) == {}
    assert notices.call_digests(now=MORNING + timedelta(minutes=15)) == 0
    assert {one.state for one in outbox.listed(states=("superseded", "done"), by=OPERATOR, now=MORNING)} >= {
        "superseded"
    }


def test_who_is_away_gets_none(clinic: AlarmClinic) -> None:
    clinic.cancel(0, now=NOW)
    go_away(clinic, deputy=None)
    assert digest_of("ada") is None
    go_away(clinic, MORNING, away_until=None)
    assert digest_of("ada") is not None


def test_it_names_breaks_to_tell_with_their_days_also_when_they_are_no_news(clinic: AlarmClinic) -> None:
    """Leave from Monday in a week, which the client was not told of: once told of it, Ada finds it there each day."""
    begins = datetime.combine(clinic.next + timedelta(days=6), time())
    absences.add(
        kind=AbsenceKind.LEAVE,
        since=begins,
        until=begins + timedelta(days=7),
        therapist=clinic.ada,
        by=OPERATOR,
        now=NOW,
    )
    left(NOW)
    assert left(NOW + GRACE) != {}
    appointments.move(
        appointment_id=clinic.hour(0).id,
        to=appointments.Destination(starts=datetime.combine(clinic.next, time(15))),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=OPERATOR,
        now=MORNING + timedelta(hours=3),
    )
    found = digest_of("ada", MORNING + timedelta(days=1))
    assert found is not None
    told = [one for one in (*found.act, *found.watch, *found.breaks) if one.signal == "break.unannounced"]
    assert told
    text = letters.notice_of(found, "https://hours.example", PLAIN).text
    assert "27 Mar – 2 Apr" in text


def test_what_others_changed_of_the_coming_week_is_in_it_and_ones_own_doing_is_not(clinic: AlarmClinic) -> None:
    def move(by: Actor, course: str) -> None:
        appointments.move(
            appointment_id=clinic.hour(0, course=course).id,
            to=appointments.Destination(starts=datetime.combine(clinic.next, time(15))),
            asked_by=Initiator.CLIENT,
            reason="work",
            by=by,
            now=NOW,
        )

    move(clinic.desk, clinic.course)
    move(clinic.as_ben, clinic.other_course)
    notices.call_digests(now=MORNING)
    found = left(MORNING)
    assert list(found) == ["ada"]
    [digest] = found["ada"]
    assert isinstance(digest, Digest)
    assert [str(one) for one in digest.changes] == ["CO: Sat 21 Mar 10:00 moved to Sat 21 Mar 15:00"]
    # It was said: the next day has nothing to say.
    assert digest_of("ada", MORNING + timedelta(days=1)) is None


def test_a_change_beyond_the_week_is_for_another_day(clinic: AlarmClinic) -> None:
    appointments.move(
        appointment_id=clinic.hour(2).id,
        to=appointments.Destination(starts=datetime.combine(clinic.next + timedelta(weeks=2), time(15))),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=clinic.desk,
        now=NOW,
    )
    assert digest_of("ada") is None


def test_managers_hear_how_many_messages_could_not_be_delivered(clinic: AlarmClinic) -> None:
    act(clinic)
    dead = [message for message in outbox.due(now=NOW + GRACE) if _try_in_vain(message)]
    assert len(dead) == 1
    assert notices.counts(by=clinic.manager, now=NOW).dead == 1
    assert notices.counts(by=clinic.as_ada, now=NOW).dead == 0
    notices.call_digests(now=MORNING)
    found = left(MORNING)
    [to_manager], [to_ada] = found["manager"], found["ada"]
    assert isinstance(to_manager, Digest) and isinstance(to_ada, Digest)
    assert (to_manager.dead, to_ada.dead) == (1, 0)
    # What the dead message would have said is in the mail of the day.
    assert [one.course for one in to_ada.act] == [clinic.course]


def _try_in_vain(message: int) -> bool:
    """True for a notice, which nobody takes from now on."""
    for attempt in range(1, outbox.ATTEMPTS + 1):
        now = NOW + GRACE + timedelta(hours=attempt)
        taken = outbox.take(message=message, now=now)
        if taken is None or taken.letter is None:
            return False
        outbox.failed(
            message=message, attempt=attempt, error="ConnectionRefusedError", wait=timedelta(minutes=1), now=now
        )
    return True


# --- over the day's few -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((), {"Wed": ["Push"], "Thu": ["Push"]}),
        # The control: with a mail of the day on Thursday, that has it.
        ((Weekday.TH,), {"Wed": ["Push"], "Thu": ["Digest"]}),
    ],
)
def test_what_is_over_the_days_few_comes_the_next_morning_at_the_latest(
    clinic: AlarmClinic, days: tuple[Weekday, ...], expected: dict[str, list[str]]
) -> None:
    notices.prefer(preferences=replace(USUAL, digest_days=days, pushes_a_day=1), by=clinic.as_ada, now=NOW)
    clinic.cancel(0, 1, now=NOW)
    found: dict[str, list[Letter]] = {}
    at = NOW
    while at < datetime(2026, 3, 20, 6, tzinfo=UTC):
        if at == NOW + timedelta(hours=2):
            # It gets longer by half a cadence and more: told again, and over the one of the day.
            clinic.cancel(2, now=at)
        notices.call_digests(now=at)
        found.setdefault(f"{at:%a}", []).extend(left(at).get("ada", ()))
        at += timedelta(minutes=15)
    assert {day: [type(one).__name__ for one in some] for day, some in found.items() if some} == expected
    [late] = found["Thu"]
    told = late.alerts if isinstance(late, Push) else late.act if isinstance(late, Digest) else ()
    assert [one.course for one in told] == [clinic.course]


# --- managers where nobody answers ------------------------------------------------------------------------------------


def first_told(clinic: AlarmClinic, since: datetime, *, until: date) -> datetime | None:
    """The local time at which the manager hears that nobody answered what came up then."""
    at = since
    act(clinic, instant(at, ZONE))
    while at.date() < until:
        at += timedelta(minutes=30)
        now = instant(at, ZONE)
        notices.pass_on(grace=timedelta(0), now=now)
        if "manager" in left(now):
            return at
    return None


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        # Wednesday → Friday; Friday → Tuesday, since nobody is asked to answer at a weekend.
        (datetime(2026, 3, 18, 12), datetime(2026, 3, 20, 12)),
        (datetime(2026, 3, 20, 12), datetime(2026, 3, 24, 12)),
    ],
)
def test_managers_hear_after_two_working_days(clinic: AlarmClinic, since: datetime, expected: datetime) -> None:
    assert first_told(clinic, since, until=date(2026, 3, 27)) == expected


@pytest.mark.parametrize("has_holiday", [True, False], ids=["with a holiday between", "control without"])
def test_a_public_holiday_is_no_working_day(clinic: AlarmClinic, has_holiday: bool) -> None:
    if has_holiday:
        site = people.sites(by=OPERATOR)[0].id
        absences.add(
            kind=AbsenceKind.HOLIDAY, since=datetime(2026, 3, 19), until=datetime(2026, 3, 20), site=site,
            name="A holiday", by=OPERATOR, now=NOW,
        )  # fmt: skip
    day = 23 if has_holiday else 20
    assert first_told(clinic, datetime(2026, 3, 18, 12), until=date(2026, 3, 27)) == datetime(2026, 3, day, 12)


def test_what_was_acknowledged_is_passed_on_to_nobody(clinic: AlarmClinic) -> None:
    alert = act(clinic)
    alerts.acknowledge(alert=alert.id, by=clinic.as_ada, now=NOW)
    assert notices.pass_on(grace=GRACE, now=NOW + timedelta(days=10)) == 0


def test_it_is_passed_on_once(clinic: AlarmClinic) -> None:
    act(clinic)
    later = datetime(2026, 3, 20, 12, tzinfo=UTC)
    assert [notices.pass_on(grace=GRACE, now=later + timedelta(hours=n)) for n in range(3)] == [1, 0, 0]


# --- beforehand -------------------------------------------------------------------------------------------------------


def test_looking_at_what_would_be_sent_changes_nothing_of_what_is_sent(clinic: AlarmClinic) -> None:
    act(clinic)
    seen = [notices.preview(by=clinic.as_ada, now=NOW + GRACE) for _ in range(2)]
    assert seen[0] == seen[1]
    [push] = left(NOW + GRACE)["ada"]
    assert push == seen[0].push
    assert seen[0].digest is not None
    assert [one.course for one in seen[0].digest.act] == [clinic.course]
    # It has been said now, so the digest would not say it again; it stands open all the same.
    ahead = notices.preview(by=clinic.as_ada, now=NOW + GRACE)
    assert ahead.digest is None
    assert ahead.push == push
    assert ahead.zone == ZONE


def test_the_digest_says_what_was_to_be_seen_beforehand(clinic: AlarmClinic) -> None:
    clinic.cancel(0, now=NOW)
    left(NOW)
    seen = notices.preview(by=clinic.as_ada, now=MORNING).digest
    assert seen is not None
    assert digest_of("ada") == seen


def test_without_messages_of_their_own_there_is_none_to_look_at(clinic: AlarmClinic) -> None:
    act(clinic)
    for quiet in ({"is_pushed": False}, {"pushes_a_day": 0}):
        notices.prefer(preferences=replace(USUAL, **quiet), by=clinic.as_ada, now=NOW)
        assert notices.preview(by=clinic.as_ada, now=NOW).push is None


def test_as_many_are_counted_as_are_shown_open(clinic: AlarmClinic) -> None:
    act(clinic)
    clinic.cancel(0, now=NOW, course=clinic.other_course)
    consistency.assess(course=clinic.other_course, now=NOW)
    snoozed = alerts.of_course(course=clinic.other_course, by=CLOCK, now=NOW)[0]
    alerts.snooze(alert=snoozed.id, until=NOW + timedelta(days=1), reason="later", by=clinic.as_ben, now=NOW)
    both = replace(clinic.manager, roles=frozenset({Role.MANAGER, Role.THERAPIST}), therapist=clinic.ben)
    for now in (NOW, NOW + timedelta(days=2)):
        for by in (clinic.as_ada, clinic.as_ben, clinic.manager, both):
            shown = [one for one in alerts.listed(by=by, now=now) if one.state == "open"]
            assert notices.counts(by=by, now=now).alerts == len(shown)
    assert notices.counts(by=clinic.desk, now=NOW) == notices.Counts(alerts=0, dead=0)
