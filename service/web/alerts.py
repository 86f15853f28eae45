"""Alerts: what stands, one card a client, act before watch; acknowledge, snooze, agree, reopen, say if it helped."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from itertools import groupby
from operator import attrgetter

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from service.domain.access import ALERTS, allows, may_see_course
from service.domain.alert import AlertState, Verdict, told_with
from service.domain.hours import instant
from service.usecases import alerts, together
from service.web import fields, frame

pages = Blueprint("alerts", __name__)

OPEN = frozenset({AlertState.OPEN})


@pages.get("/alerts")
@allows(ALERTS)
def listing() -> str:
    """Open ones first; those set aside on request."""
    shows_all = request.args.get("all") == "yes"
    found = alerts.listed(by=g.actor, now=g.now)
    shown = [one for one in found if shows_all or one.state in OPEN]
    by_therapist = sorted(shown, key=attrgetter("therapist_name", "therapist"))
    whose = attrgetter("therapist_name", "therapist")
    groups = [_group(*who, list(some)) for who, some in groupby(by_therapist, key=whose)]
    return render_template(
        "alerts.html",
        groups=groups,
        shows_all=shows_all,
        aside=len(found) - len(shown),
        verdicts=tuple(Verdict),
        # A deputy answers the alert; the course stays its therapist's.
        opens=lambda one: may_see_course(g.actor, (one.therapist,)),
        back=_here(),
    )


@pages.post("/alerts/<alert>/acknowledge")
@allows(ALERTS)
def acknowledge(alert: str) -> Response:
    alerts.acknowledge(alert=alert, if_version=fields.version(), by=g.actor, now=g.now)
    return _back("acknowledged", alert)


@pages.post("/alerts/<alert>/snooze")
@allows(ALERTS)
def snooze(alert: str) -> Response:
    """Quiet until the morning of a day, in the zone of the course."""
    zone = alerts.show(alert=alert, by=g.actor, now=g.now).zone
    until = instant(datetime.combine(fields.day("until"), time()), zone)
    alerts.snooze(
        alert=alert, until=until, reason=fields.text("reason"), if_version=fields.version(), by=g.actor, now=g.now
    )
    return _back("snoozed", alert)


@pages.post("/alerts/<alert>/agree")
@allows(ALERTS)
def agree(alert: str) -> Response:
    alerts.agree(alert=alert, reason=fields.text("reason"), if_version=fields.version(), by=g.actor, now=g.now)
    return _back("agreed break", alert)


@pages.post("/alerts/<alert>/reopen")
@allows(ALERTS)
def reopen(alert: str) -> Response:
    alerts.reopen(alert=alert, by=g.actor, now=g.now)
    return _back("reopened", alert)


@pages.post("/alerts/<alert>/judge")
@allows(ALERTS)
def judge(alert: str) -> Response:
    alerts.judge(alert=alert, verdict=fields.one_of(Verdict, "verdict"), by=g.actor, now=g.now)
    return _back("judged", alert)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to look at on a card, with one answer: an alert, and another that tells the same story."""

    alert: alerts.Alert
    also: tuple[alerts.Alert, ...]


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that stands about one client's course."""

    items: tuple[Item, ...]

    @property
    def first(self) -> alerts.Alert:
        return self.items[0].alert


@dataclass(frozen=True, kw_only=True)
class Breaks:
    """One absence of which several clients are to be told, and their cards."""

    about: together.Together
    is_answered_here: bool
    """Its own page would show the reader nobody: they stand in for somebody."""
    is_open: bool
    """One of them was just answered, so each is still to be seen."""
    back: str
    cards: list[Card]


def _group(name: str, therapist: str, some: list[alerts.Alert]) -> tuple[str, list[Breaks], list[Card]]:
    """What is said of one therapist's courses: what one absence does to several of them, then the rest."""
    groups, single = together.gathered(some=some, own=therapist, by=g.actor)
    is_closed = not may_see_course(g.actor, (therapist,))
    opened = request.args.get("open")
    breaks = [
        Breaks(
            about=one,
            is_answered_here=is_closed,
            is_open=is_closed or one.absence == opened,
            back=_here_with(one.absence),
            cards=_cards(one.alerts),
        )
        for one in groups
    ]
    return name, breaks, _cards(single)


def _cards(some: Iterable[alerts.Alert]) -> list[Card]:
    """One for each course, whichever needs a person first on top, and so within it."""
    by_course: dict[str, list[alerts.Alert]] = {}
    for one in sorted(some, key=_urgency):
        by_course.setdefault(one.course, []).append(one)
    return [Card(items=tuple(_items(found))) for found in by_course.values()]


def _urgency(one: alerts.Alert) -> tuple[int, datetime, str]:
    return -one.level.rank, one.since, one.id


def _items(some: list[alerts.Alert]) -> Iterator[Item]:
    for one in some:
        together = [other for other in some if other.signal in told_with(one.signal)]
        # That the hour is moved about is said first, and at which time it takes place then.
        if any(other.signal == "churn" for other in together):
            continue
        yield Item(alert=one, also=tuple(together) if one.signal == "churn" else ())


def _back(said: str, alert: str) -> Response:
    return frame.go(frame.back_to("/alerts"), said=said, about=alert)


def _here_with(absence: str) -> str:
    everything = "all=yes&" if request.args.get("all") == "yes" else ""
    return f"/alerts?{everything}open={absence}#absence-{absence}"


def _here() -> str:
    return request.full_path.rstrip("?")
