"""Courses of therapy."""

from flask import g
from marshmallow import fields

from service.api import alerts, standings
from service.api.fields import Day, Id, Local, many, one_of
from service.api.routes import Asked, Routes, if_version
from service.api.schemas import Added, HourOfWeek, Strict
from service.domain.absences import AbsenceKind
from service.domain.access import ALERTS, BOOKING, CLINICAL, allows
from service.domain.appointment import Attribute, Initiator, Status
from service.domain.course import CourseStatus, Ending
from service.domain.standing import Modality
from service.files.course_file import answer
from service.usecases import alerts as alert_uses
from service.usecases import courses
from service.usecases import standings as standing_uses

routes = Routes("courses", "One course of therapy: the standings and appointments that belong together.")


class NewCourse(Strict):
    clients = many(Id(), most=30, fewest=1, required=True, attribute="clients_in")
    therapist = Id(required=True)
    site = Id(load_default=None, allow_none=True)
    same_room = fields.Boolean(load_default=False)


class Filter(Strict):
    status = one_of(CourseStatus, load_default=None)


class CourseLine(Strict):
    id = Id()
    names = fields.List(fields.String())
    therapist = Id()
    therapist_name = fields.String()
    status = one_of(CourseStatus)
    next_starts = Local(allow_none=True)


class StandingOfCourse(Strict):
    id = Id()
    therapist = Id()
    room = Id(allow_none=True)
    modality = one_of(Modality)
    hours = fields.List(fields.Nested(HourOfWeek))
    every_weeks = fields.Integer()
    minutes = fields.Integer()
    since = Day()
    until = Day(allow_none=True)
    replaces = Id(allow_none=True)


class ChangeOfHour(Strict):
    what = one_of(Attribute)
    was = fields.String(allow_none=True)
    now = fields.String(allow_none=True)
    told_at = Local(allow_none=True)
    by = one_of(Initiator)
    reason = fields.String(allow_none=True)


class HourOfCourse(Strict):
    id = Id()
    standing = Id(allow_none=True)
    slot = Local(allow_none=True)
    starts = Local()
    minutes = fields.Integer()
    therapist = Id()
    room = Id(allow_none=True)
    modality = one_of(Modality)
    status = one_of(Status)
    by = one_of(Initiator, allow_none=True)
    told_at = Local(allow_none=True)
    began = Local(allow_none=True)
    finished = Local(allow_none=True)
    changes = fields.List(fields.Nested(ChangeOfHour))


class AbsenceOfCourse(Strict):
    id = Id()
    kind = one_of(AbsenceKind)
    since = Local()
    until = Local()
    therapist = Id(allow_none=True)
    room = Id(allow_none=True)
    name = fields.String()
    tentative = fields.Boolean()
    told_at = Local(allow_none=True)


class Course(Strict):
    id = Id()
    version = fields.Integer()
    clients = fields.List(Id())
    names = fields.List(fields.String())
    therapist = Id()
    therapist_name = fields.String()
    site = Id()
    site_name = fields.String()
    zone = fields.String(attribute="course.zone")
    status = one_of(CourseStatus)
    ending = one_of(Ending, allow_none=True)
    same_room = fields.Boolean(attribute="course.same_room")
    standings = fields.List(fields.Nested(StandingOfCourse), attribute="course.standings")
    appointments = fields.List(fields.Nested(HourOfCourse), attribute="course.appointments")
    absences = fields.List(fields.Nested(AbsenceOfCourse), attribute="course.absences")
    assessment = fields.Function(
        lambda view: answer(view.assessment) if view.assessment else None,
        metadata={
            "description": "Index, signals and plain numbers as in a course file's answer; null for who only books.",
            "type": "object",
            "nullable": True,
        },
    )


class AlertsFilter(Strict):
    cleared = fields.Boolean(
        load_default=False, attribute="is_cleared_too", metadata={"description": "Those that have cleared too."}
    )


class EndCourse(Strict):
    on = Day(required=True, metadata={"description": "The first day without an hour."})
    ending = one_of(Ending, required=True)


class PauseCourse(Strict):
    since = Day(required=True)
    until = Day(required=True, metadata={"description": "The first day that it no longer rests."})
    keeps_hour = fields.Boolean(required=True)
    is_told = fields.Boolean(load_default=True)


class ResumeCourse(Strict):
    on = Day(required=True)


class Resumed(Strict):
    booked = fields.Integer(metadata={"description": "Hours booked again; those taken meanwhile stay cancelled."})


@routes.on("GET", takes=Filter, gives=CourseLine(many=True))
@allows(CLINICAL)
def listed(asked: Asked) -> list[courses.CourseLine]:
    """The courses one may see, by client's name."""
    return courses.listed(**asked, by=g.actor, now=g.now)


@routes.on("POST", takes=NewCourse, gives=Added, status=201)
@allows(BOOKING)
def open_course(asked: Asked) -> Asked:
    """Open a course of one client, or of several together."""
    return {"id": courses.open(**asked, by=g.actor, now=g.now)}


@routes.on("GET", "/<id:course>", gives=Course)
@allows(CLINICAL)
def show(course: str) -> courses.CourseView:
    """The whole course: standings, appointments with their changes, absences. That you looked is on record."""
    return courses.show(course=course, by=g.actor, now=g.now)


@routes.on("GET", "/<id:course>/standings", gives=standings.Arrangement(many=True))
@allows(CLINICAL)
def list_standings(course: str) -> list[standing_uses.Arrangement]:
    """Every version of what was agreed, the oldest first."""
    return standing_uses.of_course(course=course, by=g.actor)


@routes.on("GET", "/<id:course>/alerts", takes=AlertsFilter, gives=alerts.Alert(many=True))
@allows(ALERTS)
def list_alerts(asked: Asked, course: str) -> list[alert_uses.Alert]:
    """The course's alerts, the newest first."""
    return alert_uses.of_course(course=course, **asked, by=g.actor, now=g.now)


@routes.on("POST", "/<id:course>/end", takes=EndCourse, status=204, checks_version=True)
@allows(CLINICAL)
def end(asked: Asked, course: str) -> None:
    """The course has no hour from that day on; those booked are freed."""
    courses.end(course=course, **asked, if_version=if_version(), by=g.actor, now=g.now)


@routes.on("POST", "/<id:course>/pause", takes=PauseCourse, gives=Added, status=201, checks_version=True)
@allows(CLINICAL)
def pause(asked: Asked, course: str) -> Asked:
    """Let the course rest from one day until another; the answer names the pause."""
    return {"id": courses.pause(course=course, **asked, if_version=if_version(), by=g.actor, now=g.now)}


@routes.on("POST", "/<id:course>/resume", takes=ResumeCourse, gives=Resumed, checks_version=True)
@allows(CLINICAL)
def resume(asked: Asked, course: str) -> Asked:
    """End the rest on that day."""
    return {"booked": courses.resume(course=course, **asked, if_version=if_version(), by=g.actor, now=g.now)}
