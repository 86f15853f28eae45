"""Mail to clients: off until turned on, the last state after the grace, and never to whom it is not safe to write."""

import random
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from service.domain.absences import AbsenceKind
from service.domain.access import CLOCK, OPERATOR
from service.domain.appointment import Initiator
from service.domain.client_mail import GRACE, CannotTurnOn, CannotUseText, ClientMail, Kind
from service.domain.course import Ending
from service.domain.hours import Hour, Weekday
from service.domain.refusals import Conflict, Forbidden, Malformed, NotFound, Stale
from service.feeds.attachment import calendar_file
from service.language import speaker
from service.store.appointments import ChangeRow
from service.store.audit import AuditRow
from service.store.base import db
from service.store.client_mail import ClientHourRow
from service.store.outbox import OutboxRow
from service.usecases import absences, appointments, client_letters, client_mail, clients, courses, outbox, standings
from service.usecases.client_hours import CHANGE, REMINDER
from service.usecases.client_letters import Letter
from tests.usecases.conftest import FIRST, NOW, Cast, tuesday
from tests.workers.test_client_mail import CalendarProgram

ON = ClientMail(is_on=True, clinic="Clinic on the Quay", sign_off="Clinic on the Quay\nTelephone 000")
ONE = "one@clients.example"


def turn_on(cast: Cast, **given: object) -> None:
    client_mail.choose(wanted=replace(ON, **given), by=cast.manager, now=NOW)  # type: ignore[arg-type]


def may_be_mailed(cast: Cast, client: int = 0, *, email: str = ONE, **given: object) -> None:
    clients.change(
        client=cast.clients[client],
        email=email,
        may_be_mailed=True,
        by=cast.desk,
        now=NOW,
        **given,  # type: ignore[arg-type]
    )


def carry(now: datetime) -> list[Letter]:
    """What left for clients by that instant."""
    left = []
    for message in outbox.due(now=now):
        taken = outbox.take(message=message, now=now)
        assert taken is not None
        if taken.topic in {CHANGE, REMINDER}:
            letter = client_letters.letter(message=message, attempt=taken.attempt, now=now)
            if letter is not None:
                client_letters.note_sent(letter=letter, now=now)
                left.append(letter)
        outbox.done(message=message, attempt=taken.attempt, now=now)
    return left


def said(letter: Letter) -> list[tuple[Kind, datetime]]:
    return [(line.item.kind, line.item.hour.starts) for line in letter.lines]


def move(cast: Cast, week: int, to: datetime, *, now: datetime, **given: object) -> None:
    hour = next(one for one in cast.hours() if one.slot == tuesday(week))
    appointments.move(
        appointment_id=hour.id,
        to=appointments.Destination(starts=to, **given),  # type: ignore[arg-type]
        asked_by=Initiator.CLIENT,
        reason="work",
        by=cast.desk,
        now=now,
    )


def cancel(cast: Cast, week: int, *, now: datetime, is_told: bool = True) -> str:
    hour = next(one for one in cast.hours() if one.slot == tuesday(week))
    appointments.cancel(
        appointment_id=hour.id, asked_by=Initiator.CLINIC, reason="illness", is_told=is_told, by=cast.desk, now=now
    )
    return hour.id


def states(topic: str) -> list[str]:
    return list(db.session.scalars(select(OutboxRow.state).where(OutboxRow.topic == topic).order_by(OutboxRow.id)))


# --- off by default, and who is mailed


def test_nothing_is_mailed_until_it_is_turned_on(cast: Cast) -> None:
    may_be_mailed(cast)
    cast.agree(until=date(2026, 5, 1))
    move(cast, 1, tuesday(1) + timedelta(hours=2), now=NOW)

    assert client_letters.call_reminders(now=NOW) == 0
    assert carry(NOW + timedelta(days=1)) == []
    assert states(CHANGE) == states(REMINDER) == []


def test_what_happened_while_it_was_off_is_no_news_later(cast: Cast) -> None:
    may_be_mailed(cast)
    cast.agree(until=date(2026, 5, 1))
    turn_on(cast)
    move(cast, 2, tuesday(2) + timedelta(hours=2), now=NOW)

    [letter] = carry(NOW + GRACE)
    assert said(letter) == [(Kind.MOVED, tuesday(2) + timedelta(hours=2))]


def test_the_control_once_it_is_on_the_agreement_is_mailed_in_one(cast: Cast) -> None:
    turn_on(cast)
    may_be_mailed(cast, locale="de_AT")
    agreed = cast.agree(until=date(2026, 4, 1))

    assert carry(NOW + GRACE - timedelta(seconds=1)) == []
    [letter] = carry(NOW + GRACE)
    assert (letter.to, letter.locale, letter.course) == (ONE, "de_AT", agreed.course)
    assert said(letter) == [(Kind.BOOKED, tuesday(week)) for week in range(5)]


def test_nobody_is_mailed_who_did_not_agree_to_it(cast: Cast) -> None:
    turn_on(cast)
    clients.change(client=cast.clients[0], email=ONE, by=cast.desk, now=NOW)
    cast.agree(until=date(2026, 4, 1))
    client_letters.call_reminders(now=NOW)

    assert carry(NOW + timedelta(days=1)) == []


def test_somebody_who_agrees_later_is_not_told_what_they_know(cast: Cast) -> None:
    turn_on(cast)
    cast.agree(until=date(2026, 4, 1))
    may_be_mailed(cast)
    assert carry(NOW + timedelta(hours=1)) == []

    cancel(cast, 1, now=NOW + timedelta(hours=1))
    [letter] = carry(NOW + timedelta(hours=2))
    assert said(letter) == [(Kind.CANCELLED, tuesday(1))]


@pytest.mark.parametrize("flagged", ["before", "while it waits", "never: the control"])
def test_it_is_never_sent_to_whom_it_is_not_safe_to_write(cast: Cast, flagged: str) -> None:
    def flag(when: str) -> None:
        if flagged == when:
            clients.change(client=cast.clients[0], is_safe_to_contact=False, by=cast.desk, now=NOW)

    turn_on(cast)
    cast.agree(until=date(2026, 4, 1))
    may_be_mailed(cast)
    flag("before")
    cancel(cast, 2, now=NOW)
    client_letters.call_reminders(now=NOW)
    flag("while it waits")
    cancel(cast, 3, now=NOW)
    client_letters.call_reminders(now=NOW + timedelta(minutes=1))

    kinds = [line.item.kind for letter in carry(NOW + timedelta(hours=1)) for line in letter.lines]
    if flagged == "never: the control":
        assert sorted(kinds) == [Kind.CANCELLED, Kind.CANCELLED, Kind.REMINDER]
    else:
        assert kinds == []
        assert set(states(CHANGE) + states(REMINDER)) == (set() if flagged == "before" else {"superseded"})


def test_taking_the_word_back_stops_what_waits(cast: Cast) -> None:
    turn_on(cast)
    may_be_mailed(cast)
    cast.agree(until=date(2026, 4, 1))
    clients.change(client=cast.clients[0], may_be_mailed=False, by=cast.desk, now=NOW)

    assert carry(NOW + timedelta(hours=1)) == []
    assert states(CHANGE) == ["superseded"]


def test_turning_it_off_stops_what_waits(cast: Cast) -> None:
    turn_on(cast)
    may_be_mailed(cast)
    cast.agree(until=date(2026, 4, 1))
    turn_on(cast, is_on=False)

    assert carry(NOW + timedelta(hours=1)) == []


def test_a_mail_needs_an_address_and_a_language_of_ours(cast: Cast) -> None:
    for wrong in ("", "one", "a@b.example, c@d.example", "a@b.example\nBcc: c@d.example"):
        with pytest.raises(Malformed, match="address"):
            may_be_mailed(cast, email=wrong)
    with pytest.raises(Malformed, match="language"):
        may_be_mailed(cast, locale="xx_XX")
    with pytest.raises(Malformed, match="address"):
        clients.add(name="Client New", may_be_mailed=True, by=cast.desk, now=NOW)


# --- what changes is told once, as it is in the end


@pytest.fixture
def known(cast: Cast) -> Cast:
    """On, and everything that is booked is known."""
    turn_on(cast)
    may_be_mailed(cast)
    cast.agree(until=date(2026, 4, 1))
    carry(NOW + GRACE)
    return cast


LATER = NOW + timedelta(hours=1)


def test_an_undone_move_sends_nothing(known: Cast) -> None:
    move(known, 1, tuesday(1) + timedelta(hours=2), now=LATER)
    move(known, 1, tuesday(1), now=LATER + timedelta(minutes=2))

    assert carry(LATER + timedelta(hours=1)) == []
    assert states(CHANGE) == ["done", "superseded"]


def test_a_cancelled_hour_that_is_taken_up_again_sends_nothing(known: Cast) -> None:
    hour = cancel(known, 1, now=LATER)
    appointments.uncancel(appointment_id=hour, by=known.desk, now=LATER + timedelta(minutes=2))

    assert carry(LATER + timedelta(hours=1)) == []


def test_of_two_changes_the_last_is_told_with_what_the_client_knew(known: Cast) -> None:
    move(known, 1, tuesday(1) + timedelta(hours=2), now=LATER)
    move(known, 1, tuesday(1) + timedelta(hours=4), now=LATER + timedelta(minutes=2))

    assert carry(LATER + GRACE) == []
    [letter] = carry(LATER + timedelta(minutes=2) + GRACE)
    [line] = letter.lines
    assert (line.item.kind, line.item.hour.starts) == (Kind.MOVED, tuesday(1) + timedelta(hours=4))
    assert line.item.was is not None
    assert line.item.was.starts == tuesday(1)


def test_what_waits_again_after_another_change_was_undone_is_told(known: Cast) -> None:
    cancel(known, 1, now=LATER)
    hour = cancel(known, 2, now=LATER + timedelta(seconds=10))
    appointments.uncancel(appointment_id=hour, by=known.desk, now=LATER + timedelta(seconds=20))

    [letter] = carry(LATER + timedelta(seconds=20) + GRACE)
    assert said(letter) == [(Kind.CANCELLED, tuesday(1))]


def test_another_room_and_by_video_are_changes_too(known: Cast) -> None:
    move(known, 1, tuesday(1), now=LATER, room=known.rooms[1])

    [letter] = carry(LATER + GRACE)
    [line] = letter.lines
    assert (line.item.hour.room, line.item.was.room if line.item.was else None) == ("Room 2", "Room 1")


def test_each_change_has_the_same_uid_and_a_higher_sequence(known: Cast) -> None:
    found = []
    move(known, 1, tuesday(1) + timedelta(hours=2), now=LATER)
    found += carry(LATER + GRACE)
    hour = cancel(known, 1, now=LATER + timedelta(hours=1))
    found += carry(LATER + timedelta(hours=1) + GRACE)
    appointments.uncancel(appointment_id=hour, by=known.desk, now=LATER + timedelta(hours=2))
    found += carry(LATER + timedelta(hours=2) + GRACE)

    lines = [line for letter in found for line in letter.lines]
    assert [line.item.kind for line in lines] == [Kind.MOVED, Kind.CANCELLED, Kind.BOOKED]
    assert len({line.uid for line in lines}) == 1
    assert sorted({line.sequence for line in lines}) == [line.sequence for line in lines]


def test_an_attempt_that_failed_says_the_same_again(known: Cast) -> None:
    cancel(known, 1, now=LATER)
    at = LATER + GRACE
    [message] = [one for one in outbox.due(now=at) if db.session.get_one(OutboxRow, one).topic == CHANGE]
    db.session.rollback()
    letters = []
    for _ in range(2):
        taken = outbox.take(message=message, now=at)
        assert taken is not None
        letters.append(client_letters.letter(message=message, attempt=taken.attempt, now=at))
        outbox.failed(message=message, attempt=taken.attempt, error="SMTPDataError 451", now=at)
        at += timedelta(minutes=10)
    assert letters[0] is not None
    assert letters[0] == letters[1]


def test_what_was_sent_and_not_marked_is_not_sent_twice(known: Cast) -> None:
    """The worker died after the mail was on record and before the message was marked."""
    cancel(known, 1, now=LATER)
    at = LATER + GRACE
    [message] = [one for one in outbox.due(now=at) if db.session.get_one(OutboxRow, one).topic == CHANGE]
    db.session.rollback()
    taken = outbox.take(message=message, now=at)
    assert taken is not None
    letter = client_letters.letter(message=message, attempt=taken.attempt, now=at)
    assert letter is not None
    client_letters.note_sent(letter=letter, now=at)

    again = outbox.take(message=message, now=at + timedelta(minutes=1))
    assert again is not None
    assert client_letters.letter(message=message, attempt=again.attempt, now=at + timedelta(minutes=1)) is None
    assert states(CHANGE)[-1] == "superseded"


def test_a_kind_that_is_off_is_never_told(known: Cast) -> None:
    turn_on(known, kinds=frozenset({Kind.CANCELLED}))
    move(known, 1, tuesday(1) + timedelta(hours=2), now=LATER)
    cancel(known, 2, now=LATER)

    [letter] = carry(LATER + GRACE)
    assert said(letter) == [(Kind.CANCELLED, tuesday(2))]
    turn_on(known)
    cancel(known, 3, now=LATER + timedelta(hours=1))
    [letter] = carry(LATER + timedelta(hours=1) + GRACE)
    assert said(letter) == [(Kind.CANCELLED, tuesday(3))]


def test_an_hour_that_is_over_is_no_news(known: Cast) -> None:
    cancel(known, 1, now=LATER)

    assert carry(NOW + timedelta(days=20)) == []
    assert states(CHANGE)[-1] == "superseded"


def test_hours_that_the_clock_books_ahead_are_no_news(cast: Cast) -> None:
    turn_on(cast)
    may_be_mailed(cast)
    agreed = cast.agree()
    carry(NOW + GRACE)
    ahead = NOW + timedelta(weeks=2)
    assert standings.extend(standing=agreed.id, by=CLOCK, now=ahead) > 0

    assert carry(ahead + GRACE) == []
    last = cast.hours(weeks=60)[-1]
    appointments.cancel(
        appointment_id=last.id, asked_by=Initiator.CLINIC, reason="illness", by=cast.desk, now=ahead + GRACE
    )
    [letter] = carry(ahead + 2 * GRACE)
    assert said(letter) == [(Kind.CANCELLED, last.starts)]


def test_a_standing_that_is_changed_moves_the_same_entries(known: Cast) -> None:
    """Its hours are new rows; to the client they are the ones they have in their calendar."""
    standing = next(one.standing for one in known.hours() if one.slot == tuesday(2))
    assert standing is not None
    uids = {one.starts: one.uid for one in db.session.scalars(select(ClientHourRow))}
    db.session.rollback()
    thursdays = known.proposal(
        since=FIRST + timedelta(weeks=2), hours=(Hour(day=Weekday.TH, at=time(10)),), until=date(2026, 4, 1)
    )
    standings.change(
        standing=standing,
        since=FIRST + timedelta(weeks=2),
        proposal=thursdays,
        asked_by=Initiator.CLIENT,
        reason="work",
        by=known.desk,
        now=LATER,
    )

    [letter] = carry(LATER + GRACE)
    moved = [(one.item.was.starts if one.item.was else None, one.item.hour.starts, one.uid) for one in letter.lines]
    kinds = {one.item.kind for one in letter.lines}
    first_two = moved[:2]
    assert first_two == [(tuesday(week), tuesday(week) + timedelta(days=2), uids[tuesday(week)]) for week in (2, 3)]
    assert kinds <= {Kind.MOVED, Kind.CANCELLED}
    assert all(line.sequence > 2 for line in letter.lines[:2])


def test_a_course_that_ends_is_told(known: Cast) -> None:
    course = known.hours()[0].course
    courses.end(course=course, on=FIRST + timedelta(weeks=3), ending=Ending.PLANNED, by=known.desk, now=LATER)

    [letter] = carry(LATER + GRACE)
    assert said(letter) == [(Kind.CANCELLED, tuesday(3)), (Kind.CANCELLED, tuesday(4))]


def test_each_of_a_couple_is_mailed_for_themselves(cast: Cast) -> None:
    turn_on(cast)
    may_be_mailed(cast, 0)
    may_be_mailed(cast, 1, email="two@clients.example")
    course = courses.open(clients_in=list(cast.clients[:2]), therapist=cast.ada, by=cast.desk, now=NOW)
    appointments.book(course=course, place=cast.place(tuesday(1)), by=cast.desk, now=NOW)

    assert sorted(letter.to for letter in carry(NOW + GRACE)) == [ONE, "two@clients.example"]


@pytest.mark.parametrize("seed", [1, 4])
def test_whatever_happens_the_clients_calendar_ends_as_the_book(cast: Cast, seed: int) -> None:
    """Forty changes at random, some undone within the grace; each mail's file is taken in as a program would."""
    drawn, at, program = random.Random(seed), LATER, CalendarProgram()

    def carry_to_the_program() -> int:
        letters = carry(at)
        for letter in letters:
            program.take_in(calendar_file(client_letters.entries_of(letter, speaker("en_GB"))))
        return len(letters)

    turn_on(cast)
    may_be_mailed(cast)
    cast.agree(until=date(2026, 4, 1))
    carry_to_the_program()
    mails = 0
    for _ in range(40):
        with suppress(Conflict, Malformed):
            something(drawn, cast, at)
        at += timedelta(seconds=drawn.choice((5, 50, 200)))
        mails += carry_to_the_program()
    at += GRACE
    mails += carry_to_the_program()

    booked = [one.starts_at for one in cast.hours() if one.status == "scheduled"]
    assert program.shown() == sorted(booked)
    assert 5 <= mails < 30
    at += timedelta(hours=1)
    assert carry_to_the_program() == 0


def something(drawn: random.Random, cast: Cast, now: datetime) -> None:
    """One of the things that a desk does to an hour ahead."""
    hour = drawn.choice(cast.hours(FIRST + timedelta(days=6)))  # not of this week, whose Monday is today
    if hour.status != "scheduled":
        appointments.uncancel(appointment_id=hour.id, override="x", by=cast.desk, now=now)
    elif drawn.random() < 0.3:
        appointments.cancel(appointment_id=hour.id, asked_by=Initiator.CLINIC, reason="illness", by=cast.desk, now=now)
    elif drawn.random() < 0.15 and hour.standing and hour.slot:
        day = Hour(day=drawn.choice(list(Weekday)[:5]), at=time(drawn.randint(9, 16)))
        standings.change(
            standing=hour.standing,
            since=hour.slot.date() - timedelta(days=hour.slot.weekday()),
            proposal=cast.proposal(since=hour.slot.date(), hours=(day,), until=date(2026, 4, 1)),
            asked_by=Initiator.CLIENT,
            reason="work",
            by=cast.desk,
            now=now,
        )
    else:
        monday = hour.starts.date() - timedelta(days=hour.starts.weekday())
        starts = datetime.combine(monday + timedelta(days=drawn.randint(0, 4)), time(drawn.randint(9, 16)))
        back = drawn.random() < 0.4 and hour.slot is not None
        appointments.move(
            appointment_id=hour.id,
            to=appointments.Destination(starts=hour.slot if back else starts),
            asked_by=Initiator.CLIENT,
            reason="work",
            override="x",
            by=cast.desk,
            now=now,
        )


# --- reminders


def test_a_reminder_comes_so_many_hours_before_and_once(known: Cast) -> None:
    early = NOW + timedelta(days=4)
    assert client_letters.call_reminders(now=early) == 0
    due = NOW + timedelta(days=6, hours=3)  # the second Tuesday at ten is less than 48 hours away
    assert client_letters.call_reminders(now=due) == 1
    assert client_letters.call_reminders(now=due + timedelta(minutes=1)) == 0

    [letter] = carry(due + GRACE)
    assert said(letter) == [(Kind.REMINDER, tuesday(1))]
    assert carry(due + timedelta(days=1)) == []


def test_a_moved_hour_is_reminded_of_anew(known: Cast) -> None:
    due = NOW + timedelta(days=6, hours=3)
    client_letters.call_reminders(now=due)
    assert len(carry(due + GRACE)) == 1
    later = tuesday(1) + timedelta(days=6)
    move(known, 1, later, now=due + timedelta(hours=1))
    assert [said(one) for one in carry(due + timedelta(hours=2))] == [[(Kind.MOVED, later)]]
    at = due + timedelta(days=6)
    client_letters.call_reminders(now=at)

    assert (Kind.REMINDER, later) in [one for letter in carry(at + GRACE) for one in said(letter)]


@pytest.mark.parametrize("change", ["moved", "cancelled"])
def test_a_reminder_that_holds_no_more_is_not_sent(known: Cast, change: str) -> None:
    due = NOW + timedelta(days=6, hours=3)
    client_letters.call_reminders(now=due)
    if change == "moved":
        move(known, 1, tuesday(1) + timedelta(hours=2), now=due)
    else:
        cancel(known, 1, now=due)

    kinds = [one.item.kind for letter in carry(due + GRACE) for one in letter.lines]
    assert kinds == [Kind(change)]
    assert states(REMINDER) == ["superseded"]


@pytest.mark.parametrize("entered", ["before", "while it waits"])
def test_nobody_is_reminded_of_an_hour_into_which_somebody_is_away(known: Cast, entered: str) -> None:
    due = NOW + timedelta(days=6, hours=3)
    if entered == "while it waits":
        assert client_letters.call_reminders(now=due) == 1
    leave = absences.add(
        kind=AbsenceKind.LEAVE,
        therapist=known.ada,
        since=tuesday(1) - timedelta(hours=10),
        until=tuesday(1) + timedelta(hours=14),
        by=known.manager,
        now=due,
    )
    assert client_letters.call_reminders(now=due) == 0
    assert carry(due + timedelta(minutes=4)) == []
    absences.withdraw(absence=leave, by=known.manager, now=due + timedelta(minutes=5))

    assert client_letters.call_reminders(now=due + timedelta(minutes=5)) == 1
    [letter] = carry(due + timedelta(hours=1))
    assert said(letter) == [(Kind.REMINDER, tuesday(1))]


def test_who_has_just_been_mailed_of_the_hour_is_not_reminded_of_it(cast: Cast) -> None:
    turn_on(cast)
    may_be_mailed(cast)
    cast.agree(until=date(2026, 4, 1))
    assert client_letters.call_reminders(now=NOW) == 0

    assert [letter.lines[0].item.kind for letter in carry(NOW + GRACE)] == [Kind.BOOKED]
    assert client_letters.call_reminders(now=NOW + GRACE) == 1  # tomorrow's
    assert carry(NOW + timedelta(hours=1)) == []
    assert states(REMINDER) == ["superseded"]


def test_reminders_can_be_off_alone(known: Cast) -> None:
    turn_on(known, kinds=frozenset(Kind) - {Kind.REMINDER})

    assert client_letters.call_reminders(now=NOW + timedelta(days=6, hours=3)) == 0


# --- told


def is_told(cast: Cast, hour: str) -> bool:
    return appointments.show(appointment_id=hour, by=OPERATOR).is_told


def test_a_mail_is_on_record_and_counts_as_told_only_where_the_clinic_says_so(known: Cast) -> None:
    hour = cancel(known, 1, now=LATER, is_told=False)
    carry(LATER + GRACE)
    assert client_letters.mailed_at(appointment_id=hour, by=known.desk) == LATER + GRACE
    assert not is_told(known, hour)

    turn_on(known, counts_as_told=True)
    hour = cancel(known, 2, now=LATER + timedelta(hours=1), is_told=False)
    carry(LATER + timedelta(hours=1) + GRACE)
    assert is_told(known, hour)


def test_a_change_is_told_with_the_mail_about_it(known: Cast) -> None:
    turn_on(known, counts_as_told=True)
    hour = next(one for one in known.hours() if one.slot == tuesday(1))
    appointments.move(
        appointment_id=hour.id,
        to=appointments.Destination(starts=tuesday(1) + timedelta(hours=2)),
        asked_by=Initiator.CLINIC,
        reason="room",
        is_told=False,
        by=known.desk,
        now=LATER,
    )
    carry(LATER + GRACE)

    assert list(db.session.scalars(select(ChangeRow.told_at))) == [LATER + GRACE]


def test_a_couple_knows_once_each_of_them_was_mailed(cast: Cast) -> None:
    turn_on(cast, counts_as_told=True)
    may_be_mailed(cast, 0)
    course = courses.open(clients_in=list(cast.clients[:2]), therapist=cast.ada, by=cast.desk, now=NOW)
    hour = appointments.book(course=course, place=cast.place(tuesday(1)), by=cast.desk, now=NOW).id
    appointments.cancel(
        appointment_id=hour, asked_by=Initiator.CLINIC, reason="illness", is_told=False, by=cast.desk, now=LATER
    )
    carry(LATER + GRACE)

    assert not is_told(cast, hour)


def test_another_therapist_does_not_hear_of_the_mail(known: Cast) -> None:
    hour = known.hours()[1].id
    with pytest.raises(NotFound):
        client_letters.mailed_at(appointment_id=hour, by=known.as_ben)


# --- settings and texts


def test_managers_alone_choose_and_it_is_on_record(cast: Cast) -> None:
    for who in (cast.desk, cast.as_ada, cast.admin):
        with pytest.raises(Forbidden):
            client_mail.choose(wanted=ON, by=who, now=NOW)
        with pytest.raises(Forbidden):
            client_mail.write(kind=Kind.REMINDER, language="de", text="{date} {time}", by=who, now=NOW)
    turn_on(cast)
    client_mail.write(kind=Kind.REMINDER, language="de", text="{date} {time}", by=cast.manager, now=NOW)

    lines = list(db.session.scalars(select(AuditRow).where(AuditRow.subject_kind == "client mail")))
    assert [(line.action, line.fields) for line in lines] == [
        ("change", ["clinic", "is_on", "sign_off"]),
        ("write", ["text reminder de"]),
    ]


def test_two_managers_do_not_write_over_each_other(cast: Cast) -> None:
    turn_on(cast)
    seen = client_mail.show(by=cast.manager).version
    turn_on(cast, hours_before=24)

    with pytest.raises(Stale):
        client_mail.choose(wanted=ON, if_version=seen, by=cast.manager, now=NOW)


@pytest.mark.parametrize(
    "wrong",
    [{"clinic": ""}, {"hours_before": 0}, {"hours_before": 400}, {"clinic": "a\nb"}, {"sign_off": "x" * 501}],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(CannotTurnOn):
        replace(ON, **wrong)  # type: ignore[arg-type]


def test_a_text_of_ones_own_is_mailed_until_it_is_reset(known: Cast) -> None:
    client_mail.write(
        kind=Kind.CANCELLED, language="en", text="Off:\n{hours}\nwith {therapist}", by=known.manager, now=NOW
    )
    cancel(known, 1, now=LATER)
    [letter] = carry(LATER + GRACE)
    text = client_letters.notice_of(letter, speaker("en_GB")).text
    assert "Off:\n– Tuesday 10 March 2026, 10:00 to 10:50 (time in Berlin), Room 1, Quay\nwith Therapist Ada" in text
    assert "Telephone 000" in text
    client_mail.reset(kind=Kind.CANCELLED, language="en", by=known.manager, now=NOW)

    assert client_mail.text(kind=Kind.CANCELLED, language="en", by=known.manager).is_own is False
    cancel(known, 2, now=LATER + timedelta(hours=1))
    [letter] = carry(LATER + timedelta(hours=1) + GRACE)
    assert "This will not take place" in client_letters.notice_of(letter, speaker("en_GB")).text


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", sorted(client_mail.LANGUAGES))
def test_every_standard_text_is_one_that_could_be_kept_and_previewed(cast: Cast, kind: Kind, language: str) -> None:
    standard = client_mail.text(kind=kind, language=language, by=cast.manager).text
    client_mail.write(kind=kind, language=language, text=standard, by=cast.manager, now=NOW)
    mail = client_mail.preview(kind=kind, language=language, by=cast.manager, now=NOW)

    assert "15:00" in mail.text
    assert "{" not in mail.text + mail.html + mail.subject


def test_a_language_that_is_none_of_ours_is_not_there(cast: Cast) -> None:
    with pytest.raises(NotFound):
        client_mail.preview(kind=Kind.REMINDER, language="xx", by=cast.manager, now=NOW)


def test_a_preview_of_a_wrong_text_says_what_is_wrong(cast: Cast) -> None:
    with pytest.raises(CannotUseText, match=r"needs \{date\}"):
        client_mail.preview(kind=Kind.REMINDER, language="en", text="See you {time}", by=cast.manager, now=NOW)
