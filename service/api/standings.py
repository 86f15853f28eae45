"""Standing appointments: look ahead, agree, change, end."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from flask import g
from marshmallow import ValidationError, fields, post_load, validates_schema

from service.api.fields import Day, Id, Local, Text, count, many, one_of
from service.api.routes import Asked, Routes, if_version
from service.api.schemas import Clash, Doubt, HourOfWeek, Strict
from service.domain.access import CLINICAL, allows
from service.domain.appointment import Initiator
from service.domain.hours import Hour
from service.domain.phrase import say
from service.domain.refusals import Malformed
from service.domain.standing import Modality
from service.usecases import standings
from service.usecases.standings import Choice, Do, Proposal

routes = Routes("standings", "One agreed version of the arrangement; a lasting change opens a new one.")

LONGEST_PAST = timedelta(days=2 * 366)
"""How far back an arrangement may begin: every week of it is written down at once."""
LONGEST_AHEAD = timedelta(days=5 * 366)
SEEN = {"description": "Of the preview that was shown: refused with 409 if anything came between."}


class ProposalSchema(Strict):
    therapist = Id(required=True)
    hours = many(fields.Nested(HourOfWeek), most=14, fewest=1, required=True)
    since = Day(required=True)
    until = Day(load_default=None, allow_none=True, metadata={"description": "The first day that it no longer holds."})
    every_weeks = count(1, 52, load_default=1)
    minutes = count(5, 720, load_default=50)
    room = Id(load_default=None, allow_none=True)
    modality = one_of(Modality, load_default=Modality.IN_PERSON)
    sessions_planned = count(1, 1000, load_default=None, allow_none=True)

    @post_load
    def as_value(self, values: Asked, **_more: Any) -> Proposal:
        return Proposal(**{**values, "hours": tuple(Hour(**hour) for hour in values["hours"])})


class ChoiceSchema(Strict):
    slot = Local(required=True, metadata={"description": "The date it is about, as the preview names it."})
    do = one_of(Do, required=True)
    starts = Local(load_default=None, allow_none=True)
    room = Id(load_default=None, allow_none=True)
    reason = Text(longest=500, load_default=None, allow_none=True)


class Arranging(Strict):
    """What agreeing and changing have in common."""

    proposal = fields.Nested(ProposalSchema, required=True)
    choices = many(fields.Nested(ChoiceSchema), load_default=list)

    @validates_schema
    def once_each(self, values: Asked, **_more: Any) -> None:
        slots = [choice["slot"] for choice in values.get("choices", ())]
        if len(set(slots)) < len(slots):
            raise ValidationError("The same date is decided twice.", "choices")

    @post_load
    def by_slot(self, values: Asked, **_more: Any) -> Asked:
        choices = {choice.pop("slot"): Choice(**choice) for choice in values["choices"]}
        return {**values, "choices": choices}


class PreviewStanding(Arranging):
    client = Id(load_default=None, allow_none=True)
    course = Id(load_default=None, allow_none=True)
    replacing = Id(load_default=None, allow_none=True, metadata={"description": "The standing it would replace."})


class AgreeStanding(Arranging):
    seen = Text(longest=64, load_default=None, allow_none=True, metadata=SEEN)
    client = Id(load_default=None, allow_none=True)
    course = Id(load_default=None, allow_none=True)
    is_told = fields.Boolean(load_default=True, metadata={"description": "The client knows."})


class ChangeStanding(Arranging):
    seen = Text(longest=64, load_default=None, allow_none=True, metadata=SEEN)
    since = Day(required=True, metadata={"description": "The first day of the new version."})
    asked_by = one_of(Initiator, required=True)
    reason = Text(required=True, longest=500)
    is_told = fields.Boolean(load_default=True)


class EndStanding(Strict):
    on = Day(required=True, metadata={"description": "The first day that it no longer holds."})
    reason = Text(required=True, longest=500)


class PreviewedDate(Strict):
    slot = Local()
    starts = Local()
    room = Id(allow_none=True)
    clashes = fields.List(fields.Nested(Clash))
    doubts = fields.List(fields.Nested(Doubt))
    outcome = fields.String(metadata={"enum": ["book", "skip", "lost", "doubt", "clash"]})


class Previewed(Strict):
    dates = fields.List(fields.Nested(PreviewedDate))
    until = Day(metadata={"description": "The first day not looked at."})
    is_clear = fields.Boolean(metadata={"description": "True where it can be agreed as it stands."})
    seen = fields.String(metadata={"description": "Send it along when you agree or change."})


class Agreed(Strict):
    id = Id()
    version = fields.Integer()
    course = Id()
    booked = fields.Integer()
    lost = fields.List(Local(), metadata={"description": "Slots that won't take place."})


class Arrangement(Strict):
    id = Id()
    version = fields.Integer()
    course = Id()
    therapist = Id()
    therapist_name = fields.String()
    room = Id(allow_none=True)
    room_name = fields.String(allow_none=True)
    modality = one_of(Modality)
    hours = fields.List(fields.Nested(HourOfWeek))
    every_weeks = fields.Integer()
    minutes = fields.Integer()
    zone = fields.String()
    since = Day()
    until = Day(allow_none=True)
    replaces = Id(allow_none=True)


@routes.on("GET", "/<id:standing>", gives=Arrangement)
@allows(CLINICAL)
def show(standing: str) -> standings.Arrangement:
    """One version of what was agreed."""
    return standings.show(standing=standing, by=g.actor)


@routes.on("POST", "/preview", takes=PreviewStanding, gives=Previewed)
@allows(CLINICAL)
def preview(asked: Asked) -> standings.Preview:
    """What agreeing would do, date by date. Nothing is written."""
    _near(asked)
    return standings.preview(**asked, horizon=g.horizon, by=g.actor, now=g.now)


@routes.on("POST", takes=AgreeStanding, gives=Agreed, status=201)
@allows(CLINICAL)
def agree(asked: Asked) -> standings.Agreed:
    """Agree a standing appointment: every date as chosen, or nothing at all.

    With `client`, their active course is taken, or one is opened; or name the `course`.
    """
    _near(asked)
    return standings.agree(**asked, horizon=g.horizon, by=g.actor, now=g.now)


@routes.on("POST", "/<id:standing>/change", takes=ChangeStanding, gives=Agreed, status=201, checks_version=True)
@allows(CLINICAL)
def change(asked: Asked, standing: str) -> standings.Agreed:
    """A lasting change: this version ends before `since`, and a new one that replaces it begins there."""
    _near(asked)
    return standings.change(
        standing=standing, **asked, if_version=if_version(), horizon=g.horizon, by=g.actor, now=g.now
    )


@routes.on("POST", "/<id:standing>/end", takes=EndStanding, status=204, checks_version=True)
@allows(CLINICAL)
def end(asked: Asked, standing: str) -> None:
    """The standing holds no more from that day on; its later hours are free."""
    standings.end(standing=standing, **asked, if_version=if_version(), by=g.actor, now=g.now)


def _near(asked: Mapping[str, Any]) -> None:
    """:raises Malformed: it would write down more years than a clinic plans."""
    today: date = g.now.date()
    dates = {"proposal.since": asked["proposal"].since, "since": asked.get("since")}
    for where, day in dates.items():
        if day is not None and not today - LONGEST_PAST <= day <= today + LONGEST_AHEAD:
            raise Malformed(say("An arrangement begins at most two years back and five ahead."), where=where)
