"""Alerts, and what people do about them."""

from flask import g
from marshmallow import fields

from service.api.fields import At, Id, Text, Words, one_of
from service.api.routes import Asked, Routes, if_version
from service.api.schemas import Strict
from service.domain.access import ALERTS, allows
from service.domain.alert import AlertState, Verdict
from service.domain.signals import Level
from service.usecases import alerts

routes = Routes(
    "alerts", "Signals told to people. A therapist sees those of their courses, a manager the clinic's own."
)


class Filter(Strict):
    state = one_of(AlertState, load_default=None)


class Alert(Strict):
    id = Id()
    version = fields.Integer()
    course = Id()
    clients = fields.List(Id())
    names = fields.List(fields.String())
    initials = fields.String()
    therapist = Id()
    therapist_name = fields.String()
    zone = fields.String()
    signal = fields.String(metadata={"example": "gap.ahead"})
    level = one_of(Level)
    state = one_of(AlertState)
    is_clinic_caused = fields.Boolean()
    text = Words()
    causes = fields.List(Words())
    actions = fields.List(Words())
    clears = Words()
    value = fields.Dict(metadata={"description": "The numbers of the formula."})
    threshold = fields.Dict()
    evidence = fields.String(metadata={"enum": ["moderate", "code", "convention"]})
    agreed = fields.Dict(values=Words(), metadata={"description": "Exceptions in force, in words."})
    slots = fields.List(fields.String())
    since = At()
    changed_at = At()
    acknowledged_at = At(allow_none=True)
    acknowledged_by = fields.String(allow_none=True)
    snoozed_until = At(allow_none=True)
    note = fields.String(allow_none=True)
    verdict = one_of(Verdict, allow_none=True)
    cleared_at = At(allow_none=True)


class SnoozeAlert(Strict):
    until = At(required=True)
    reason = Text(required=True, longest=alerts.LONGEST_REASON)


class AgreeAlert(Strict):
    reason = Text(required=True, longest=alerts.LONGEST_REASON)


class JudgeAlert(Strict):
    verdict = one_of(Verdict, required=True)


@routes.on("GET", takes=Filter, gives=Alert(many=True))
@allows(ALERTS)
def listed(asked: Asked) -> list[alerts.Alert]:
    """Those that stand, or are in that state: act before watch, then the oldest first."""
    return alerts.listed(**asked, by=g.actor, now=g.now)


@routes.on("GET", "/<id:alert>", gives=Alert)
@allows(ALERTS)
def show(alert: str) -> alerts.Alert:
    """One alert."""
    return alerts.show(alert=alert, by=g.actor, now=g.now)


@routes.on("POST", "/<id:alert>/acknowledge", gives=Alert, checks_version=True)
@allows(ALERTS)
def acknowledge(alert: str) -> alerts.Alert:
    """Somebody has seen it and takes care. It speaks up again only if it gets worse."""
    return alerts.acknowledge(alert=alert, if_version=if_version(), by=g.actor, now=g.now)


@routes.on("POST", "/<id:alert>/snooze", takes=SnoozeAlert, gives=Alert, checks_version=True)
@allows(ALERTS)
def snooze(asked: Asked, alert: str) -> alerts.Alert:
    """Quiet until that instant, or until it gets worse."""
    return alerts.snooze(alert=alert, **asked, if_version=if_version(), by=g.actor, now=g.now)


@routes.on("POST", "/<id:alert>/agree", takes=AgreeAlert, gives=Alert, checks_version=True)
@allows(ALERTS)
def agree(asked: Asked, alert: str) -> alerts.Alert:
    """It is meant: an agreed break, an agreed way of meeting. Quiet for good, unless it gets worse."""
    return alerts.agree(alert=alert, **asked, if_version=if_version(), by=g.actor, now=g.now)


@routes.on("POST", "/<id:alert>/reopen", gives=Alert, checks_version=True)
@allows(ALERTS)
def reopen(alert: str) -> alerts.Alert:
    """Take back an acknowledgement, a snooze or an agreement."""
    return alerts.reopen(alert=alert, if_version=if_version(), by=g.actor, now=g.now)


@routes.on("POST", "/<id:alert>/judge", takes=JudgeAlert, gives=Alert, checks_version=True)
@allows(ALERTS)
def judge(asked: Asked, alert: str) -> alerts.Alert:
    """Whether it was useful to be told."""
    return alerts.judge(alert=alert, **asked, if_version=if_version(), by=g.actor, now=g.now)
