"""Webhooks: a manager has another program told of changes, tries it out, and sees what became of each message."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from service.domain.access import SETTING_UP, allows
from service.domain.event import EVENTS, EVERYTHING, FAULTS, IDS
from service.domain.hours import local_time
from service.domain.phrase import say
from service.usecases import webhooks
from service.web import fields, frame

pages = Blueprint("webhooks", __name__)

NOUNS = {noun: [event for event in EVENTS if event.startswith(f"{noun}.")] for noun in IDS}
HEADINGS = {
    "appointment": say("Appointments"),
    "standing": say("Standing appointments"),
    "absence": say("Absences"),
    "course": say("Courses"),
    "alert": say("Alerts"),
}


@pages.get("/webhooks")
@allows(SETTING_UP)
def show() -> str:
    """Everybody who is told, and the form for a new one."""
    return render_template("webhooks.html", webhooks=webhooks.listed(by=g.actor, now=g.now), **_choices())


@pages.post("/webhooks")
@allows(SETTING_UP)
def create() -> str:
    """The secret is in this answer, and never again."""
    new = webhooks.create(
        name=fields.text("name"),
        url=fields.text("url"),
        events=_events(),
        own_network=g.settings.webhooks_to_own_network,
        by=g.actor,
        now=g.now,
    )
    return _one(new.id, secret=new.secret)


@pages.get("/webhooks/<webhook>")
@allows(SETTING_UP)
def show_one(webhook: str) -> str:
    """One of them: what it wants, how it goes, and what became of each message."""
    return _one(webhook)


@pages.post("/webhooks/<webhook>")
@allows(SETTING_UP)
def change(webhook: str) -> Response:
    webhooks.change(
        webhook=webhook,
        name=fields.text("name"),
        url=fields.text("url"),
        events=_events(),
        own_network=g.settings.webhooks_to_own_network,
        if_version=fields.version(),
        by=g.actor,
        now=g.now,
    )
    return _back(webhook, "webhook changed")


@pages.post("/webhooks/<webhook>/pause")
@allows(SETTING_UP)
def pause(webhook: str) -> Response:
    webhooks.pause(webhook=webhook, by=g.actor, now=g.now)
    return _back(webhook, "webhook paused")


@pages.post("/webhooks/<webhook>/resume")
@allows(SETTING_UP)
def resume(webhook: str) -> Response:
    webhooks.resume(webhook=webhook, by=g.actor, now=g.now)
    return _back(webhook, "webhook resumed")


@pages.post("/webhooks/<webhook>/rotate")
@allows(SETTING_UP)
def rotate(webhook: str) -> str:
    """The secret is in this answer, and never again."""
    overlap = timedelta(hours=fields.number("overlap_hours"))
    return _one(webhook, secret=webhooks.rotate(webhook=webhook, overlap=overlap, by=g.actor, now=g.now).secret)


@pages.post("/webhooks/<webhook>/test")
@allows(SETTING_UP)
def test(webhook: str) -> Response:
    webhooks.test(webhook=webhook, by=g.actor, now=g.now)
    return _back(webhook, "webhook tested")


@pages.post("/webhooks/<webhook>/delete")
@allows(SETTING_UP)
def remove(webhook: str) -> Response:
    webhooks.remove(webhook=webhook, by=g.actor, now=g.now)
    return frame.go("/webhooks", said="webhook deleted")


@pages.post("/webhooks/<webhook>/messages/<message>/replay")
@allows(SETTING_UP)
def replay(webhook: str, message: str) -> Response:
    webhooks.replay(webhook=webhook, message=message, by=g.actor, now=g.now)
    return _back(webhook, "webhook replayed")


def _one(webhook: str, *, secret: str | None = None) -> str:
    found = webhooks.show(webhook=webhook, by=g.actor, now=g.now)
    log = webhooks.deliveries(webhook=webhook, by=g.actor)
    zone = frame.here().zone
    return render_template(
        "webhook.html",
        one=found,
        log=_with_last(log),
        secret=secret,
        chosen=_chosen(found),
        local=lambda at: local_time(at, zone),
        **_choices(),
    )


def _with_last(log: list[webhooks.Delivery]) -> list[tuple[webhooks.Delivery, bool]]:
    """Each attempt, and whether it is the last one of its message: there it can be sent again."""
    seen: set[str] = set()
    return [(one, one.message not in seen and not seen.add(one.message)) for one in log]  # type: ignore[func-returns-value]


def _choices() -> dict[str, Any]:
    return {"nouns": NOUNS, "headings": HEADINGS, "meanings": EVENTS, "faults": FAULTS}


def _chosen(found: webhooks.Webhook) -> frozenset[str]:
    return frozenset(EVENTS if EVERYTHING in found.events else found.events)


def _events() -> list[str]:
    """All of them ticked means all that there will be, too."""
    ticked = request.form.getlist("events")
    return [EVERYTHING] if set(ticked) >= EVENTS.keys() else ticked


def _back(webhook: str, said: str) -> Response:
    return frame.go(f"/webhooks/{webhook}", said=said)
