"""Alerts: who sees which, and what people do about them: acknowledge, snooze, agree, reopen, judge.

They are opened and cleared by `consistency.assess` alone. A therapist sees those of the courses they hold; a manager
those of the clinic's own making, and every `act` that nobody has acknowledged; a deputy those of whoever is away; the
desk needs none of them to book.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import Actor, Role
from service.domain.alert import AlertState, Verdict, absence_of, awake, told_with
from service.domain.hours import local_time
from service.domain.limits import merged
from service.domain.phrase import Phrase, phrase_of, say
from service.domain.refusals import Conflict, Malformed, NotFound
from service.domain.signals import Level, wording
from service.store import alerts, audit, clients, courses, overrides
from service.store.alerts import AlertRow
from service.store.courses import CourseRow
from service.store.people import Directory, directory
from service.store.seal import seal
from service.store.transaction import reading, writing
from service.usecases import away, steps

LONGEST_REASON = 500


class CannotSetAside(Conflict):
    """The alert has cleared by itself: there is nothing left to acknowledge, to snooze or to agree on."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """All that a card, or a notice, says of one alert."""

    id: str
    version: int
    course: str
    clients: tuple[str, ...]
    names: tuple[str, ...]
    initials: str
    """For readers who may know of the course but should not see names, and for mail."""
    therapist: str
    therapist_name: str
    zone: str
    signal: str
    """The rule's id, `gap.ahead`."""
    level: Level
    state: AlertState
    is_clinic_caused: bool
    text: Phrase
    """What: one sentence with its numbers. Names nobody."""
    causes: tuple[Phrase, ...]
    """Why there is no session, each in a few words."""
    actions: tuple[Phrase, ...]
    clears: Phrase
    value: Mapping[str, Any]
    threshold: Mapping[str, Any]
    evidence: str
    """`moderate`, `code` or `convention`."""
    agreed: Mapping[str, Phrase]
    """Exceptions in force: parameter or rule → in words, with who agreed them and why."""
    agreed_openly: Mapping[str, Phrase]
    """The same without the reasons, which may name somebody: for mail."""
    slots: tuple[str, ...]
    """Local times, ISO 8601, of the slots concerned."""
    absence: str | None
    """Public id of the absence that the clients are to be told of, for a break to tell."""
    since: datetime
    """An instant; so are the other times."""
    changed_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    snoozed_until: datetime | None
    note: str | None
    """The reason given for a snooze or an agreement."""
    verdict: Verdict | None
    cleared_at: datetime | None


@reading
def listed(db: Session, *, state: AlertState | None = None, by: Actor, now: datetime) -> list[Alert]:
    """Those that stand (or are in that state) and are the reader's to see: act before watch, then the oldest first.

    :raises Forbidden: neither a therapist nor a manager.
    """
    access.require(by, Role.THERAPIST, Role.MANAGER, to_change=False)
    people = directory(db)
    rows = [row for row in alerts.standing_alerts(db) if state is None or state_now(row, now) is state]
    whose, deputy_of = _courses(db, rows), away.stood_in_for(db, by.user, now)
    seen = [row for row in rows if _is_theirs(row, whose[row.course_id], people, by, deputy_of)]
    return sorted(views(db, seen, people, now=now), key=lambda one: (-one.level.rank, one.since, one.id))


@reading
def of_course(db: Session, *, course: str, is_cleared_too: bool = False, by: Actor, now: datetime) -> list[Alert]:
    """The course's alerts, the newest first. :raises NotFound: no such course, or not theirs to hear about."""
    row, people = courses.get(db, course), directory(db)
    holders = steps.therapists_of(db, row, people)
    if not access.may_see_signals(by, holders):
        raise steps.no_such("course")
    is_holder = by.has(Role.THERAPIST) and by.therapist in holders
    found = [
        one
        for one in alerts.of_course(db, row.id)
        if (is_cleared_too or one.state != AlertState.CLEARED) and (is_holder or _is_theirs(one, row, people, by))
    ]
    return sorted(views(db, found, people, now=now), key=lambda one: (one.since, one.id), reverse=True)


@reading
def show(db: Session, *, alert: str, by: Actor, now: datetime) -> Alert:
    """One alert. :raises NotFound: there is none, or it is not theirs to see."""
    row, people = _find(db, alert, by, now)
    return views(db, [row], people, now=now)[0]


@writing
def acknowledge(db: Session, *, alert: str, if_version: int | None = None, by: Actor, now: datetime) -> Alert:
    """Somebody has seen it and takes care. It speaks up again only if it gets worse.

    :raises CannotSetAside: it has cleared. :raises Stale: changed since it was read. :raises NotFound: see show.
    """
    row, people = _find_to_change(db, alert, if_version, by, now)
    together = _together(db, row)
    for one in together:
        _set_aside(one, AlertState.ACKNOWLEDGED, by=by, now=now)
    return _recorded(db, together, people, "acknowledge", by=by, now=now)


@writing
def snooze(
    db: Session, *, alert: str, until: datetime, reason: str, if_version: int | None = None, by: Actor, now: datetime
) -> Alert:
    """Quiet until that instant, or until it gets worse.

    :raises Malformed: no reason, or not in the future. :raises CannotSetAside, Stale, NotFound: see acknowledge.
    """
    if until <= now:
        raise Malformed(say("Choose a day to come."), where="until")
    row, people = _find_to_change(db, alert, if_version, by, now)
    together = _together(db, row)
    for one in together:
        _set_aside(one, AlertState.SNOOZED, reason=reason, by=by, now=now)
        one.snoozed_until = until
    return _recorded(db, together, people, "snooze", by=by, now=now)


@writing
def agree(db: Session, *, alert: str, reason: str, if_version: int | None = None, by: Actor, now: datetime) -> Alert:
    """It is meant: an agreed break, an agreed way of meeting. Quiet for good, unless it gets worse.

    :raises Malformed: no reason. :raises CannotSetAside, Stale, NotFound: see acknowledge.
    """
    row, people = _find_to_change(db, alert, if_version, by, now)
    together = _together(db, row)
    for one in together:
        _set_aside(one, AlertState.AGREED, reason=reason, by=by, now=now)
    return _recorded(db, together, people, "agree", by=by, now=now)


@writing
def reopen(db: Session, *, alert: str, if_version: int | None = None, by: Actor, now: datetime) -> Alert:
    """Take back an acknowledgement, a snooze or an agreement.

    :raises CannotSetAside, Stale, NotFound: see acknowledge.
    """
    row, people = _find_to_change(db, alert, if_version, by, now)
    together = _together(db, row)
    for one in together:
        _forget_aside(one)
        one.state = AlertState.OPEN.value
    return _recorded(db, together, people, "reopen", by=by, now=now)


@writing
def judge(
    db: Session, *, alert: str, verdict: Verdict, if_version: int | None = None, by: Actor, now: datetime
) -> Alert:
    """Whether it was useful to be told. What was handled already counts as acknowledged.

    :raises Stale: changed since it was read. :raises NotFound: see show.
    """
    row, people = _find_to_change(db, alert, if_version, by, now, is_cleared_too=True)
    row.useful = verdict.value
    if verdict is Verdict.HANDLED and row.state == AlertState.OPEN:
        _set_aside(row, AlertState.ACKNOWLEDGED, by=by, now=now)
    return _recorded(db, [row], people, "judge", by=by, now=now)


def state_now(row: AlertRow, now: datetime) -> AlertState:
    """A step: its state, with a snooze whose time is over counted as open."""
    return awake(AlertState(row.state), row.snoozed_until, now)


def count_open(db: Session, by: Actor, *, now: datetime) -> int:
    """A step: how many alerts wait for an answer by whoever asks: as many as `listed` shows open, in one query."""
    return alerts.count_open(db, **_whose(db, by, now))


def open_for(db: Session, by: Actor, *, now: datetime) -> list[AlertRow]:
    """A step: those very alerts."""
    return alerts.open_for(db, **_whose(db, by, now))


def views(db: Session, rows: Sequence[AlertRow], people: Directory, *, now: datetime) -> list[Alert]:
    """A step: the rows as people read them."""
    whose = _courses(db, rows)
    in_course, names = courses.clients_by_course(db, whose), clients.names(db)
    public = {
        row.id: row.public_id for row in clients.by_ids(db, {one for ids in in_course.values() for one in ids}).values()
    }
    return [
        _view(
            row,
            whose[row.course_id],
            people,
            who=[(public[one], names.get(one, "")) for one in sorted(in_course.get(row.course_id, []))],
            agreed=_agreed(db, row, whose[row.course_id], people, now),
            now=now,
        )
        for row in rows
    ]


# --- steps ----------------------------------------------------------------------------------------------------------


def _view(
    row: AlertRow,
    course: CourseRow,
    people: Directory,
    *,
    who: Sequence[tuple[str, str]],
    agreed: Mapping[str, Phrase],
    now: datetime,
) -> Alert:
    detail = row.detail
    openly = {key: phrase_of(kept) for key, kept in detail["agreed"].items()}
    return Alert(
        id=row.public_id,
        version=row.version,
        course=course.public_id,
        clients=tuple(client for client, _name in who),
        names=tuple(name for _client, name in who),
        initials=clients.initials_of(name for _client, name in who),
        therapist=people.therapist_public(course.therapist_id),
        therapist_name=people.therapists[course.therapist_id].name,
        zone=people.sites[course.site_id].zone,
        signal=row.signal,
        level=Level(row.level),
        state=state_now(row, now),
        is_clinic_caused=row.is_clinic_caused,
        text=phrase_of(detail["text"]),
        causes=tuple(map(phrase_of, detail["causes"])),
        actions=tuple(map(phrase_of, detail["actions"])),
        clears=phrase_of(detail["clears"]),
        value=detail["value"],
        threshold=detail["threshold"],
        evidence=detail["evidence"],
        agreed={**openly, **agreed},
        agreed_openly=openly,
        slots=tuple(detail["slots"]),
        absence=absence_of(row.signal, detail["episode"]),
        since=row.opened_at,
        changed_at=row.changed_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        snoozed_until=row.snoozed_until,
        note=seal().open(row.note, row=row.public_id, column="alerts:note") if row.note else None,
        verdict=Verdict(row.useful) if row.useful else None,
        cleared_at=row.cleared_at,
    )


def _agreed(db: Session, row: AlertRow, course: CourseRow, people: Directory, now: datetime) -> dict[str, Phrase]:
    """What the alert names as agreed, in full words, as far as it is in force."""
    named = row.detail["agreed"]
    if not named:
        return {}
    today = local_time(now, people.sites[course.site_id].zone).date()
    in_force = merged(*overrides.layers(db, course), on=today)
    return {key: wording.exception(in_force[key]) for key in named if key in in_force}


def _courses(db: Session, rows: Sequence[AlertRow]) -> dict[int, CourseRow]:
    wanted = sorted({row.course_id for row in rows})
    return {row.id: row for row in db.scalars(select(CourseRow).where(CourseRow.id.in_(wanted)))}


def _find(db: Session, alert: str, by: Actor, now: datetime) -> tuple[AlertRow, Directory]:
    row, people = alerts.get(db, alert), directory(db)
    course = db.get_one(CourseRow, row.course_id)
    if not _is_theirs(row, course, people, by, away.stood_in_for(db, by.user, now)):
        raise NotFound(say("There is no such alert."))
    return row, people


def _is_theirs(row: AlertRow, course: CourseRow, people: Directory, by: Actor, deputy_of: Collection[int] = ()) -> bool:
    if by.is_system or (by.has(Role.THERAPIST) and by.therapist == people.therapist_public(course.therapist_id)):
        return True
    if by.has(Role.THERAPIST, Role.MANAGER) and course.therapist_id in deputy_of:
        return True
    is_unanswered = row.level == Level.ACT and row.state == AlertState.OPEN
    return by.has(Role.MANAGER) and (row.is_clinic_caused or is_unanswered)


def _whose(db: Session, by: Actor, now: datetime) -> dict[str, Any]:
    """`_is_theirs` as the store asks for it."""
    return {
        "therapist": by.therapist if by.has(Role.THERAPIST) else None,
        "stood_in_for": away.stood_in_for(db, by.user, now) if by.has(Role.THERAPIST, Role.MANAGER) else (),
        "is_manager": by.has(Role.MANAGER),
        "now": now,
    }


def _find_to_change(
    db: Session, alert: str, if_version: int | None, by: Actor, now: datetime, *, is_cleared_too: bool = False
) -> tuple[AlertRow, Directory]:
    row, people = _find(db, alert, by, now)
    access.require(by, Role.THERAPIST, Role.MANAGER)
    # The assessment takes turns on the course; so do people, or one would write over the other's state.
    steps.take_turn(db, CourseRow.id == row.course_id)
    db.refresh(row)
    steps.expect_version(row.version, if_version)
    if row.state == AlertState.CLEARED and not is_cleared_too:
        raise CannotSetAside(say("This alert has cleared by itself. Nothing needs to be done."))
    return row, people


def _set_aside(row: AlertRow, state: AlertState, *, reason: str | None = None, by: Actor, now: datetime) -> None:
    note = _checked(reason) if reason is not None else None
    _forget_aside(row)
    row.state, row.acknowledged_at, row.acknowledged_by = state.value, now, by.name
    # A reason is a person's own words and may name somebody, so it is sealed like a name.
    row.note = seal().close(note, row=row.public_id, column="alerts:note") if note else None


def _checked(reason: str) -> str:
    words = reason.strip()
    if not words or len(words) > LONGEST_REASON:
        raise Malformed(say("Give a reason, of at most {n} characters.", n=LONGEST_REASON), where="reason")
    return words


def _forget_aside(row: AlertRow) -> None:
    row.acknowledged_at, row.acknowledged_by, row.snoozed_until, row.note = None, None, None, None


def _together(db: Session, row: AlertRow) -> list[AlertRow]:
    """It, and those that are one story with it: they share a card, and one answer."""
    return [row, *alerts.together_with(db, row, told_with(row.rule))]


def _recorded(
    db: Session, rows: Sequence[AlertRow], people: Directory, action: str, *, by: Actor, now: datetime
) -> Alert:
    """The first of them, as it is now."""
    for row in rows:
        row.version, row.changed_at = row.version + 1, now
        audit.record(db, action, by=by, now=now, kind="alert", subject=row.public_id, fields=["state"])
    db.flush()
    return views(db, rows[:1], people, now=now)[0]
