"""A client's course: the strip, what the rules say, what is agreed, every hour; and pausing, resuming, ending it."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from service.domain.access import CLINICAL, allows
from service.domain.appointment import Appointment, Attribute, Change, Initiator
from service.domain.course import CourseStatus, Ending
from service.domain.hours import local_time
from service.domain.index import Component, Index, rounded
from service.domain.phrase import Day, Listing, Number, Phrase, Value, say
from service.domain.signals import Level
from service.usecases import courses, people, standings
from service.web import fields, frame, rules, words
from service.web.strip import strip_of

pages = Blueprint("courses", __name__)

CHANGED: Mapping[Attribute, Phrase] = {
    Attribute.TIME: say("time"),
    Attribute.THERAPIST: say("therapist"),
    Attribute.ROOM: say("room"),
    Attribute.MODALITY: say("form"),
}


@pages.get("/courses")
@allows(CLINICAL)
def listing() -> str:
    """The courses one may see; ended ones on request."""
    shows_ended = request.args.get("ended") == "yes"
    lines = courses.listed(by=g.actor, now=g.now)
    shown = [line for line in lines if shows_ended or line.status is not CourseStatus.ENDED]
    return render_template("courses.html", lines=shown, shows_ended=shows_ended, ended=len(lines) - len(shown))


@pages.get("/courses/<course>")
@allows(CLINICAL)
def show(course: str) -> str:
    """One course; the look is on record."""
    view = courses.show(course=course, by=g.actor, now=g.now)
    now = local_time(g.now, view.course.zone)
    names = _names()
    signals = view.assessment.signals if view.assessment else ()
    return render_template(
        "course.html",
        view=view,
        now=now,
        strip=strip_of(view.course, now=now, signals=signals, names=names),
        signals=sorted(
            (one for one in signals if one.level is not Level.INFO), key=lambda one: (-one.level.rank, one.id)
        ),
        timeline=[one for one in signals if one.level is Level.INFO],
        index=_decomposed(view.assessment.index) if view.assessment else None,
        metrics=view.assessment.metrics if view.assessment else None,
        arrangements=list(reversed(standings.of_course(course=course, by=g.actor))),
        hours=_by_time(view.course.appointments),
        names=names,
        in_words=partial(_in_words, names=names),
        endings=tuple(Ending),
        **(rules.for_course(course, view.therapist) if view.assessment else {}),
    )


@pages.get("/courses/<course>/strip")
@allows(CLINICAL)
def strip(course: str) -> str:
    """The picture alone, for a card on another page; the look is on record."""
    view = courses.show(course=course, by=g.actor, now=g.now)
    now = local_time(g.now, view.course.zone)
    signals = view.assessment.signals if view.assessment else ()
    picture = strip_of(view.course, now=now, signals=signals, names=_names())
    whom = words.together(view.names)
    return render_template("_strip.html", strip=picture, strip_id=f"strip-{view.id}", strip_of_whom=whom)


@pages.post("/courses/<course>/pause")
@allows(CLINICAL)
def pause(course: str) -> Response:
    """Rest from one day until another; the hour is kept or freed."""
    courses.pause(
        course=course,
        since=fields.day("since"),
        until=fields.day("until"),
        keeps_hour=fields.is_ticked("keeps_hour"),
        is_told=fields.is_ticked("is_told"),
        by=g.actor,
        now=g.now,
    )
    return _back(course, "paused")


@pages.post("/courses/<course>/resume")
@allows(CLINICAL)
def resume(course: str) -> Response:
    """Take the hour up again from a day on."""
    back = courses.resume(course=course, on=fields.day("on"), by=g.actor, now=g.now)
    return _back(course, "resumed", str(back))


@pages.post("/courses/<course>/end")
@allows(CLINICAL)
def end(course: str) -> Response:
    """No hour from that day on."""
    courses.end(
        course=course,
        on=fields.day("on"),
        ending=fields.one_of(Ending, "ending"),
        if_version=fields.version(),
        by=g.actor,
        now=g.now,
    )
    return _back(course, "course ended")


def _back(course: str, said: str, fact: str = "") -> Response:
    return frame.go(f"/courses/{course}", said=said, about=course, fact=fact)


def _names() -> dict[str, str]:
    """What people call therapists and rooms, by public id."""
    therapists = {one.id: one.name for one in people.therapists(by=g.actor)}
    return therapists | {one.id: one.name for one in people.rooms(by=g.actor)}


def _in_words(change: Change, names: dict[str, str]) -> Listing:
    """`time: Tue 14 Jul 10:00 → Wed 15 Jul 13:00, asked by the client, work, told 10 Jul`"""
    was, now = (_value_in_words(change.what, value, names) for value in (change.was, change.now))
    changed = say("{what}: {was} → {now}", what=CHANGED[change.what], was=was, now=now)
    reason = [words.REASON.get(change.reason) or change.reason] if change.reason else []
    told = say("told {day}", day=Day(change.told_at)) if change.told_at else say("not yet told")
    return Listing((changed, words.WAS_ASKED_BY[change.by.value], *reason, told))


def _value_in_words(what: Attribute, value: str | None, names: dict[str, str]) -> Value:
    if value is None:
        return say("no room") if what is Attribute.ROOM else "–"
    if what is Attribute.TIME:
        return words.when(value)
    if what is Attribute.MODALITY:
        return words.MODALITY[value]
    return names.get(value) or say("somebody or somewhere else")


def _by_time(hours: tuple[Appointment, ...]) -> list[Appointment]:
    return sorted(hours, key=lambda one: one.starts, reverse=True)


def _decomposed(index: Index) -> dict[str, object]:
    """The index with its sum spelled out: rows of components, columns of whose doing it was."""
    matrix = index.matrix
    shown = [by for by in Initiator if any(matrix[component][by] for component in Component)]
    return {
        "value": index.value,
        "n": index.n,
        "n_star": index.n_star,
        "has_times": index.has_times,
        "columns": shown,
        "rows": [
            (
                words.COMPONENT[component.value],
                [_points(matrix[component][by]) for by in shown],
                _points(index.components[component]),
            )
            for component in Component
        ],
        "total": _points(sum(index.components.values(), Decimal(0))),
    }


def _points(value: Decimal) -> Number:
    return Number(float(rounded(value, 2)), 2)
