"""Leave, closures and public holidays, and who has been told of them."""

from typing import Any

from flask import g
from marshmallow import ValidationError, fields, validates_schema

from service.api.fields import At, Id, Local, Text, count, many, one_of
from service.api.routes import Asked, Routes
from service.api.schemas import Added, Strict
from service.domain.absences import AbsenceKind
from service.domain.access import BOOKING, CLINICAL, allows
from service.usecases import absences

routes = Routes("absences", "Leave, closures, public holidays.")


class Span(Strict):
    since = Local(required=True)
    until = Local(required=True)

    @validates_schema
    def in_order(self, values: Asked, **_more: Any) -> None:
        if values["until"] <= values["since"]:
            raise ValidationError("It comes after `since`.", "until")


class NewAbsence(Strict):
    kind = one_of(AbsenceKind, required=True)
    since = Local(required=True)
    until = Local(required=True)
    therapist = Id(load_default=None, allow_none=True)
    room = Id(load_default=None, allow_none=True)
    site = Id(load_default=None, allow_none=True)
    name = Text(longest=120, load_default="")
    tentative = fields.Boolean(load_default=False, metadata={"description": "Asked for, not approved."})


class Absence(Strict):
    id = Id()
    kind = one_of(AbsenceKind)
    since = Local()
    until = Local()
    therapist = Id(allow_none=True)
    therapist_name = fields.String(allow_none=True)
    room = Id(allow_none=True)
    room_name = fields.String(allow_none=True)
    site = Id(allow_none=True)
    name = fields.String()
    tentative = fields.Boolean()


class Holidays(Strict):
    site = Id(required=True)
    year = count(2000, 2100, required=True)


class Count(Strict):
    count = fields.Integer()


class TellOfAbsence(Strict):
    course = Id(required=True)
    told_at = At(load_default=None, allow_none=True, metadata={"description": "An instant; now if left out."})


class ReleaseHours(Strict):
    appointments = many(
        Id(),
        load_default=None,
        allow_none=True,
        attribute="appointment_ids",
        metadata={"description": "All that are still booked, if left out."},
    )


class Touched(Strict):
    course = Id()
    names = fields.List(fields.String())
    therapist_name = fields.String()
    lost = fields.List(Local())
    still_booked = fields.List(Id(), metadata={"description": "Hours that somebody has yet to decide about."})
    told_at = At(allow_none=True)


@routes.on("GET", takes=Span, gives=Absence(many=True))
@allows(CLINICAL)
def between(asked: Asked) -> list[absences.AbsenceView]:
    """Leave, closures and holidays that reach into the span."""
    return absences.between(**asked, by=g.actor)


@routes.on("POST", takes=NewAbsence, gives=Added, status=201)
@allows(CLINICAL)
def add(asked: Asked) -> Asked:
    """Enter an absence. Booked hours in it stay booked, at risk and visible, until somebody decides."""
    return {"id": absences.add(**asked, by=g.actor, now=g.now)}


@routes.on("POST", "/holidays", takes=Holidays, gives=Count, status=201)
@allows(BOOKING)
def add_public_holidays(asked: Asked) -> Asked:
    """Enter the year's public holidays of a site's country and region. Twice adds none."""
    return {"count": absences.add_public_holidays(**asked, by=g.actor, now=g.now)}


@routes.on("GET", "/<id:absence>/touched", gives=Touched(many=True))
@allows(CLINICAL)
def touched(absence: str) -> list[absences.Touched]:
    """Every course that loses an hour to it, those not yet told first."""
    return absences.touched(absence=absence, by=g.actor)


@routes.on("POST", "/<id:absence>/withdraw", status=204)
@allows(CLINICAL)
def withdraw(absence: str) -> None:
    """It was entered in error, or does not happen."""
    absences.withdraw(absence=absence, by=g.actor, now=g.now)


@routes.on("POST", "/<id:absence>/tell", takes=TellOfAbsence, status=204)
@allows(CLINICAL)
def tell(asked: Asked, absence: str) -> None:
    """The client of this course has been told of it."""
    absences.tell(absence=absence, **asked, by=g.actor, now=g.now)


@routes.on("POST", "/<id:absence>/release", takes=ReleaseHours, gives=Count)
@allows(CLINICAL)
def release(asked: Asked, absence: str) -> Asked:
    """Let the hours in it go. Each becomes a visible break."""
    return {"count": absences.release(absence=absence, **asked, by=g.actor, now=g.now)}
