"""The course file: one course as JSON, read, written, and answered with its index and signals.

It is how a clinician checks a rule, how a bug is reported without client data, and how the rules are tested. All
times are local wall-clock times in the course's zone. `docs/course.schema.json` describes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal
from functools import partial
from typing import Any

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Attribute, Change, Initiator, Place, Status
from service.domain.course import Course, CourseStatus, Ending, Override
from service.domain.hours import Hour, LocalTime, Weekday, zone
from service.domain.index import Index, rounded
from service.domain.limits import RULES, check_override, parameters
from service.domain.metrics import Metrics
from service.domain.phrase import listing, say
from service.domain.ranking import CannotRank, Ranked, rank
from service.domain.refusals import Malformed
from service.domain.signals import Assessment, Cause, Limits, Signal, assess, wording
from service.domain.standing import Modality, Standing
from service.files.form import (
    CannotRead,
    Key,
    Shape,
    array,
    at,
    by_name,
    choice,
    clock,
    day,
    flag,
    loads,
    moment,
    nullable,
    number,
    record,
    text,
    whole,
)


@dataclass(frozen=True, kw_only=True)
class Reschedule:
    """One session that can't stay, and the hours that could take its place."""

    slot: LocalTime
    told_at: LocalTime
    preferred: tuple[LocalTime, ...]
    candidates: tuple[Place, ...]


@dataclass(frozen=True, kw_only=True)
class CourseFile:
    course: Course
    now: LocalTime
    reschedule: Reschedule | None


# Reading


def parse(data: bytes | str) -> CourseFile:
    """:raises Malformed: not a course file; `where` is the path of the value (`appointments[3].starts`)."""
    return _COURSE.read(loads(data), "")


def judge(file: CourseFile, *, limits: Limits) -> dict[str, object]:
    """The answer to a course file, with the given limits of the clinic.

    :raises Malformed: what it asks for makes no sense; `where` is the path of the value.
    """
    assessment = assess(file.course, limits=limits, now=file.now)
    if file.reschedule is None:
        return answer(assessment)
    wish = file.reschedule
    try:
        ranking = rank(
            file.course,
            slot=wish.slot,
            candidates=wish.candidates,
            told_at=wish.told_at,
            now=file.now,
            preferred=wish.preferred,
            limits=limits,
        )
    except CannotRank as refusal:
        raise CannotRead(refusal.message, where="reschedule.slot") from refusal
    return answer(assessment, ranking)


def schema() -> dict[str, object]:
    """The form of a course file as JSON Schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A course of therapy, as samehour assesses it",
        "description": "All times are local wall-clock times in the course's zone.",
        **_COURSE.schema,
    }


def _in_path(where: str, build: Callable[[], Any], names: Mapping[str, str] | None = None) -> Any:
    """Run a domain constructor; what it refuses is found at its path in the file."""
    try:
        return build()
    except Malformed as refusal:
        key = refusal.where or ""
        key = (names or {}).get(key, key)
        raise CannotRead(refusal.message, where=at(where, key) if key else where) from refusal


def _hour(values: dict[str, Any], _where: str) -> Hour:
    return Hour(day=values["day"], at=values["at"])


def _standing(values: dict[str, Any], where: str) -> Standing:
    return _in_path(  # type: ignore[no-any-return]
        where,
        lambda: Standing(
            id=values["id"],
            therapist=values["therapist"],
            room=values["room"],
            modality=values["modality"],
            hours=values["slots"],
            every_weeks=values["every_weeks"],
            minutes=values["minutes"],
            zone="",
            since=values["from"],
            until=values["until"],
            change_told_at=values["change_told_at"],
            sessions_planned=values["sessions_planned"],
            ending_told=values["ending_told"],
            usual_therapists=values["usual_therapists"],
            hybrid=values["hybrid"],
        ),
        {"hours": "slots"},
    )


def _change(values: dict[str, Any], where: str) -> Change:
    what = values["what"]
    return Change(
        what=what,
        was=_side(what, values["from"], at(where, "from")),
        now=_side(what, values["to"], at(where, "to")),
        told_at=values["told_at"],
        by=values["by"],
        reason=values["reason"],
    )


def _side(what: Attribute, value: str | None, where: str) -> str | None:
    if value is None:
        return None
    if what is Attribute.TIME:
        return moment().read(value, where).isoformat(timespec="minutes")
    return choice(Modality).read(value, where).value if what is Attribute.MODALITY else value


def _appointment(values: dict[str, Any], where: str) -> Appointment:
    if values["slot"] is not None and values["standing"] is None:
        raise CannotRead(say("A slot belongs to a standing."), where=at(where, "standing"))
    is_ad_hoc = values["slot"] is None
    made = Appointment(
        id=f"{values['standing'] or 'ad hoc'} {_iso(values['slot'] or values['starts'])}",
        standing=None if is_ad_hoc else values["standing"],
        slot=values["slot"],
        starts=values["starts"],
        minutes=values["minutes"],
        zone="",
        therapist=values["therapist"],
        room=values["room"],
        modality=values["modality"],
        status=values["status"],
        by=values["by"],
        told_at=values["told_at"],
        began=values["began"],
        finished=values["finished"],
        changes=values["changes"],
        late_by=values["late_by"],
        ending_session=values["ending_session"],
    )
    _in_path(where, lambda: made.place)
    if made.began and made.finished and made.finished < made.began:
        raise CannotRead(say("A session can't finish before it began."), where=at(where, "finished"))
    return made


def _absence(values: dict[str, Any], where: str) -> Absence:
    return _in_path(  # type: ignore[no-any-return]
        where,
        lambda: Absence(
            kind=values["kind"],
            since=values["from"],
            until=values["until"],
            therapist=values["therapist"],
            room=values["room"],
            told_at=values["told_at"],
            tentative=values["tentative"],
        ),
        {"since": "from"},
    )


def _override(values: dict[str, Any], _where: str) -> Override:
    return Override(
        value=values["value"], reason=values["reason"], until=values["until"], author=values["author"] or ""
    )


def _candidate(values: dict[str, Any], where: str) -> Place:
    return _in_path(  # type: ignore[no-any-return]
        where,
        lambda: Place(
            starts=values["starts"],
            minutes=values["minutes"],
            therapist=values["therapist"],
            room=values["room"],
            modality=values["modality"],
        ),
    )


def _reschedule(values: dict[str, Any], _where: str) -> Reschedule:
    return Reschedule(**values)


def _course_file(values: dict[str, Any], _where: str) -> CourseFile:
    zone(values["zone"])
    _check_references(values["standings"], values["appointments"])
    overrides = _checked(values["overrides"], values["now"].date())
    course = Course(
        zone=values["zone"],
        status=values["status"],
        standings=tuple(replace(one, zone=values["zone"]) for one in values["standings"]),
        appointments=tuple(replace(one, zone=values["zone"]) for one in values["appointments"]),
        absences=values["absences"],
        same_room=values["same_room"],
        overrides=overrides,
        default_cadence_days=values["default_cadence_days"],
        ending=values["ending"],
    )
    return CourseFile(course=course, now=values["now"], reschedule=_wish(values["reschedule"], course.appointments))


def _wish(wish: Reschedule | None, appointments: tuple[Appointment, ...]) -> Reschedule | None:
    """The wish, its candidates as long as the session where they do not say.

    :raises CannotRead: nothing fills its slot.
    """
    if wish is None:
        return None
    session = next((one for one in appointments if one.slot == wish.slot), None)
    if session is None:
        raise CannotRead(say("No appointment of this course fills that slot."), where="reschedule.slot")
    places = tuple(
        replace(one, minutes=session.minutes) if one.minutes == _AS_PLANNED else one for one in wish.candidates
    )
    return replace(wish, candidates=places)


def _check_references(standings: tuple[Standing, ...], appointments: tuple[Appointment, ...]) -> None:
    ids = [standing.id for standing in standings]
    for place, its_id in enumerate(ids):
        if its_id in ids[:place]:
            raise CannotRead(say("Two standings have the same id."), where=f"standings[{place}].id")
    known: set[tuple[str | None, LocalTime]] = set()
    for place, one in enumerate(appointments):
        if one.slot is None:
            continue
        if one.standing not in ids:
            raise CannotRead(say("There is no standing of that id."), where=f"appointments[{place}].standing")
        if (one.standing, one.slot) in known:
            raise CannotRead(say("That slot is filled twice."), where=f"appointments[{place}].slot")
        known.add((one.standing, one.slot))


def _checked(overrides: dict[str, Override], today: date) -> dict[str, Override]:
    for key, override in overrides.items():
        _in_path(f"overrides.{key}", partial(check_override, key, override), {key: "value"})
    _in_path("overrides", lambda: Limits().with_overrides(overrides, on=today))
    return overrides


_NAMES = list(Weekday.__members__)


def _weekday(value: object, where: str) -> Weekday:
    if not isinstance(value, str) or value not in _NAMES:
        raise CannotRead(say("It is one of {choices}.", choices=listing(_NAMES)), where=where)
    return Weekday[value]


_MINUTES = whole(5, 720)
_AS_PLANNED = 50
"""A candidate of this length, or of none named, takes the session's own."""
_NAME = text(longest=200)
_MODALITY = choice(Modality)
_INITIATOR = choice(Initiator)
_OVERRIDE_VALUE: Shape[float | str] = Shape(
    lambda value, where: number(0, 10_000).read(value, where) if not isinstance(value, str) else value,
    {"anyOf": [{"type": "number"}, {"type": "string"}]},
)

_HOUR = record(Key("day", Shape(_weekday, {"enum": _NAMES})), Key("at", clock()), build=_hour)

_STANDING = record(
    Key("id", _NAME),
    Key("therapist", _NAME),
    Key("room", nullable(_NAME), None),
    Key("modality", _MODALITY, Modality.IN_PERSON),
    Key("slots", array(_HOUR, fewest=1)),
    Key("every_weeks", whole(1, 52), 1),
    Key("minutes", _MINUTES),
    Key("from", day()),
    Key("until", nullable(day()), None),
    Key("change_told_at", nullable(moment()), None),
    Key("sessions_planned", nullable(whole(1, 10_000)), None),
    Key("ending_told", flag(), False),
    Key("usual_therapists", array(_NAME), ()),
    Key("hybrid", array(_MODALITY), ()),
    build=_standing,
)

_CHANGE = record(
    Key("what", choice(Attribute)),
    Key("from", nullable(_NAME), None),
    Key("to", nullable(_NAME), None),
    Key("told_at", nullable(moment()), None),
    Key("by", _INITIATOR, Initiator.UNKNOWN),
    Key("reason", nullable(text()), None),
    build=_change,
)

_APPOINTMENT = record(
    Key("standing", nullable(_NAME), None),
    Key("slot", nullable(moment()), None),
    Key("starts", moment()),
    Key("minutes", _MINUTES),
    Key("therapist", _NAME),
    Key("room", nullable(_NAME), None),
    Key("modality", _MODALITY, Modality.IN_PERSON),
    Key("status", choice(Status)),
    Key("by", nullable(_INITIATOR), None),
    Key("told_at", nullable(moment()), None),
    Key("began", nullable(moment()), None),
    Key("finished", nullable(moment()), None),
    Key("changes", array(_CHANGE), ()),
    Key("late_by", nullable(_INITIATOR), None),
    Key("ending_session", flag(), False),
    build=_appointment,
)

_ABSENCE = record(
    Key("kind", choice(AbsenceKind)),
    Key("therapist", nullable(_NAME), None),
    Key("room", nullable(_NAME), None),
    Key("from", moment()),
    Key("until", moment()),
    Key("told_at", nullable(moment()), None),
    Key("tentative", flag(), False),
    build=_absence,
)

_OVERRIDE = record(
    Key("value", _OVERRIDE_VALUE),
    Key("reason", text()),
    Key("until", day()),
    Key("author", nullable(_NAME), None),
    build=_override,
)

_CANDIDATE = record(
    Key("starts", moment()),
    Key("minutes", _MINUTES, _AS_PLANNED),
    Key("therapist", _NAME),
    Key("room", nullable(_NAME), None),
    Key("modality", _MODALITY, Modality.IN_PERSON),
    build=_candidate,
)

_RESCHEDULE = record(
    Key("slot", moment()),
    Key("told_at", moment()),
    Key("preferred", array(moment()), ()),
    Key("candidates", array(_CANDIDATE), ()),
    build=_reschedule,
)

_COURSE = record(
    Key("zone", _NAME),
    Key("now", moment()),
    Key("status", choice(CourseStatus), CourseStatus.ACTIVE),
    Key("same_room", flag(), False),
    Key("overrides", by_name(_OVERRIDE, names=("preset", "when_away", *sorted(parameters()), *RULES)), {}),
    Key("standings", array(_STANDING), ()),
    Key("appointments", array(_APPOINTMENT), ()),
    Key("absences", array(_ABSENCE), ()),
    Key("reschedule", nullable(_RESCHEDULE), None),
    Key("default_cadence_days", number(1, 400), 7),
    Key("ending", nullable(choice(Ending)), None),
    build=_course_file,
)


# Writing


def write(course: Course, now: LocalTime) -> dict[str, object]:
    """The course as a file that `parse` reads back to the same course."""
    return {
        "zone": course.zone,
        "now": _iso(now),
        "status": course.status.value,
        "same_room": course.same_room,
        "default_cadence_days": course.default_cadence_days,
        "ending": course.ending.value if course.ending else None,
        "overrides": {key: _write_override(one) for key, one in _in_one(course, now).items()},
        "standings": [_write_standing(one) for one in course.standings],
        "appointments": [_write_appointment(one) for one in course.appointments],
        "absences": [_write_absence(one) for one in course.absences],
    }


def _in_one(course: Course, now: LocalTime) -> Mapping[str, Override]:
    """A file knows of no clinic and no therapist: what they set otherwise is written as the course's own."""
    if not course.layers:
        return course.overrides
    return dict(Limits().for_course(course, on=now.date()).agreed)


def _iso(at_time: LocalTime | None) -> str | None:
    """To the minute, or as finely as it is known: what was told within a second of a threshold stays on its side."""
    if at_time is None:
        return None
    return at_time.isoformat(timespec="auto" if at_time.second or at_time.microsecond else "minutes")


def _clock(at_time: time) -> str:
    return at_time.isoformat(timespec="minutes")


def _write_override(one: Override) -> dict[str, object]:
    author = {"author": one.author} if one.author else {}
    return {"value": one.value, "reason": one.reason, "until": one.until.isoformat(), **author}


def _write_standing(one: Standing) -> dict[str, object]:
    return {
        "id": one.id,
        "therapist": one.therapist,
        "room": one.room,
        "modality": one.modality.value,
        "slots": [{"day": hour.day.name, "at": _clock(hour.at)} for hour in one.hours],
        "every_weeks": one.every_weeks,
        "minutes": one.minutes,
        "from": one.since.isoformat(),
        "until": one.until.isoformat() if one.until else None,
        "change_told_at": _iso(one.change_told_at),
        "sessions_planned": one.sessions_planned,
        "ending_told": one.ending_told,
        "usual_therapists": list(one.usual_therapists),
        "hybrid": [modality.value for modality in one.hybrid],
    }


def _write_appointment(one: Appointment) -> dict[str, object]:
    return {
        "standing": one.standing,
        "slot": _iso(one.slot),
        "starts": _iso(one.starts),
        "minutes": one.minutes,
        "therapist": one.therapist,
        "room": one.room,
        "modality": one.modality.value,
        "status": one.status.value,
        "by": one.by.value if one.by else None,
        "told_at": _iso(one.told_at),
        "began": _iso(one.began),
        "finished": _iso(one.finished),
        "changes": [_write_change(change) for change in one.changes],
        "late_by": one.late_by.value if one.late_by else None,
        "ending_session": one.ending_session,
    }


def _write_change(one: Change) -> dict[str, object]:
    return {
        "what": one.what.value,
        "from": one.was,
        "to": one.now,
        "told_at": _iso(one.told_at),
        "by": one.by.value,
        "reason": one.reason,
    }


def _write_absence(one: Absence) -> dict[str, object]:
    return {
        "kind": one.kind.value,
        "therapist": one.therapist,
        "room": one.room,
        "from": _iso(one.since),
        "until": _iso(one.until),
        "told_at": _iso(one.told_at),
        "tentative": one.tentative,
    }


# Answering


def answer(assessment: Assessment, ranking: list[Ranked] | None = None) -> dict[str, object]:
    """What `samehour assess` prints; all keys are always there."""
    return {
        "index": _index(assessment.index),
        "signals": [_signal(one) for one in assessment.signals],
        "metrics": _metrics(assessment.metrics),
        "ranking": [_ranked(one) for one in ranking or ()],
    }


def _float(value: Decimal | float | None, places: int) -> float | None:
    return None if value is None else float(rounded(Decimal(str(value)), places))


def _index(index: Index) -> dict[str, object]:
    return {
        "value": _float(index.value, 1),
        "n": index.n,
        "n_star": index.n_star,
        "components": {component.value: _float(mean, 2) for component, mean in index.components.items()},
        "by_initiator": {by.value: _float(mean, 2) for by, mean in index.by_initiator.items()},
    }


def _signal(one: Signal) -> dict[str, object]:
    return {
        "id": one.id,
        "level": one.level.value,
        "value": dict(one.value),
        "threshold": dict(one.threshold),
        "evidence": one.evidence,
        "appointments": [_iso(slot) for slot in one.appointments],
        "causes": [_cause(cause) for cause in one.causes],
        "text": str(one.text),
        "actions": [str(action) for action in one.actions],
        "clears": str(one.clears),
        "agreed": {key: str(wording.exception(override)) for key, override in one.agreed.items()},
    }


def _cause(one: Cause) -> dict[str, object]:
    return {
        "slot": _iso(one.slot),
        "why": one.why,
        "from": _iso(one.since),
        "until": _iso(one.until),
        "told_at": _iso(one.told_at),
    }


def _metrics(one: Metrics) -> dict[str, object]:
    return {
        "held": one.held,
        "due": one.due,
        "longest_gap_days": _float(one.longest_gap_days, 1),
        "interval_sd_days": _float(one.interval_sd_days, 3),
        "upc": _float(one.upc, 3),
        "coc": _float(one.coc, 3),
        "secon": _float(one.secon, 3),
    }


def _ranked(one: Ranked) -> dict[str, object]:
    return {
        "starts": _iso(one.starts),
        "score": _float(one.score, 2),
        "parts": {name: _float(points, 2) for name, points in one.parts.items()},
        "projected_index": _float(one.projected_index, 1),
    }
