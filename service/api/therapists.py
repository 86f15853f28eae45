"""Therapists and when they work."""

from typing import Any

from flask import Response, g
from marshmallow import fields, post_load, validate

from service.api.fields import At, Clock, Day, Id, Local, Text, many, one_of
from service.api.routes import Asked, Routes
from service.api.schemas import Added, Strict
from service.domain.access import CLINICAL, SETTING_UP, SIGNED_IN, allows
from service.domain.hours import Weekday
from service.files.free_busy import free_busy
from service.usecases import free_time, people

routes = Routes("therapists", "Therapists, the sites they work at, and when.")


class Hours(Strict):
    site = Id(required=True)
    day = one_of(Weekday, required=True)
    begins = Clock(required=True, metadata={"example": "09:00"})
    ends = Clock(required=True, metadata={"example": "17:00"})

    @post_load
    def as_value(self, values: Asked, **_more: Any) -> people.WorkingHours:
        return people.WorkingHours(**values)


class NewTherapist(Strict):
    name = Text(required=True, longest=120)
    site = Id(required=True)
    hours = many(fields.Nested(Hours), most=100, load_default=tuple)


class Week(Strict):
    hours = many(fields.Nested(Hours), most=100, required=True)


class Window(Strict):
    since = At(metadata={"description": "From now on, where it is not given."})
    until = At(metadata={"description": "Four weeks later, where it is not given; 93 days at most."})


class Sought(Strict):
    minutes = fields.Integer(validate=validate.Range(5, 720), load_default=50)
    every_weeks = fields.Integer(validate=validate.Range(1, free_time.MOST_WEEKS), load_default=1)
    since = Day(metadata={"description": "From this day on; today, where it is not given."})
    weeks = fields.Integer(validate=validate.Range(1, free_time.MOST_WEEKS), load_default=12)


class FreeHour(Strict):
    day = one_of(Weekday, attribute="hour.day")
    at = Clock(attribute="hour.at")
    dates = fields.Integer(metadata={"description": "How many dates were looked at; nothing is booked on any of them."})
    lost = fields.List(Local(), metadata={"description": "Those of them that leave or a closure takes."})


class FreeHours(Strict):
    therapist = Id()
    zone = fields.String()
    minutes = fields.Integer()
    every_weeks = fields.Integer()
    since = Day()
    weeks = fields.Integer()
    hours = fields.List(fields.Nested(FreeHour))


class Therapist(Strict):
    id = Id()
    name = fields.String()
    site = Id()
    zone = fields.String()
    is_active = fields.Boolean()
    hours = fields.List(fields.Nested(Hours))


@routes.on("GET", gives=Therapist(many=True))
@allows(SIGNED_IN)
def listed() -> list[people.Therapist]:
    """Every therapist with their working hours, by name."""
    return people.therapists(by=g.actor)


@routes.on("POST", takes=NewTherapist, gives=Added, status=201)
@allows(SETTING_UP)
def add(asked: Asked) -> Asked:
    """Add a therapist."""
    return {"id": people.add_therapist(**asked, by=g.actor, now=g.now)}


@routes.on("PUT", "/<id:therapist>/working-hours", takes=Week, status=204)
@allows(SETTING_UP)
def set_working_hours(asked: Asked, therapist: str) -> None:
    """Replace the working hours of a therapist."""
    people.set_working_hours(therapist=therapist, hours=asked["hours"], by=g.actor, now=g.now)


@routes.on("GET", "/<id:therapist>/freebusy.ics", takes=Window, speaks="text/calendar")
@allows(CLINICAL)
def free_and_busy(asked: Asked, therapist: str) -> Response:
    """When a therapist is taken, as VFREEBUSY for other systems: booked (BUSY), on leave, closed or not at work
    (BUSY-UNAVAILABLE), or perhaps (BUSY-TENTATIVE). It never says with whom.
    """
    found = free_time.busy(therapist=therapist, **asked, by=g.actor, now=g.now)
    body = free_busy(found.taken, therapist=found.therapist, window=found.window, now=g.now)
    return Response(
        body,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'inline; filename="freebusy.ics"', "Cache-Control": "private, no-store"},
    )


@routes.on("GET", "/<id:therapist>/free-hours", takes=Sought, gives=FreeHours)
@allows(CLINICAL)
def free_hours(asked: Asked, therapist: str) -> free_time.FreeHours:
    """Which hours of the week a therapist could still agree: nothing is booked on any of their dates in so many weeks.
    Local times of the therapist's site.
    """
    return free_time.hours(therapist=therapist, **asked, by=g.actor, now=g.now)
