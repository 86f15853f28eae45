"""Webhooks: a manager has another program told of changes, tries it out, and sees what became of each message."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from service.domain.access import SETTING_UP, allows
from service.domain.event import EVENTS, EVERYTHING, FAULTS, IDS
from service.domain.hours import local_time
from service.domain.phrase import say
from service.domain.refusals import Malformed
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
    return _list(_Typed())


@pages.post("/webhooks")
@allows(SETTING_UP)
def create() -> str | tuple[str, int]:
    """The secret is in this answer, and never again."""
    typed = _Typed.of_form()
    try:
        new = webhooks.create(
            name=typed.name,
            url=typed.url,
            events=typed.wanted,
            own_network=g.settings.webhooks_to_own_network,
            by=g.actor,
            now=g.now,
        )
    except Malformed as refusal:
        return _list(typed, refusal), 422
    return _one(new.id, secret=new.secret)


@pages.get("/webhooks/<webhook>")
@allows(SETTING_UP)
def show_one(webhook: str) -> str:
    """One of them: what it wants, how it goes, and what became of each message."""
    return _one(webhook)


@pages.post("/webhooks/<webhook>")
@allows(SETTING_UP)
def change(webhook: str) -> Response | tuple[str, int]:
    typed = _Typed.of_form()
    try:
        webhooks.change(
            webhook=webhook,
            name=typed.name,
            url=typed.url,
            events=typed.wanted,
            own_network=g.settings.webhooks_to_own_network,
            if_version=fields.version(),
            by=g.actor,
            now=g.now,
        )
    except Malformed as refusal:
        return _one(webhook, typed=typed, refusal=refusal), 422
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


@dataclass(frozen=True, kw_only=True)
class _Typed:
    """What stands in the form: of what is there, or as somebody typed it."""

    name: str = ""
    url: str = ""
    events: frozenset[str] = frozenset(EVENTS)

    @staticmethod
    def of_form() -> "_Typed":
        ticked = frozenset(request.form.getlist("events"))
        return _Typed(name=fields.text("name"), url=fields.text("url"), events=ticked)

    @staticmethod
    def of(found: webhooks.Webhook) -> "_Typed":
        events = EVENTS if EVERYTHING in found.events else found.events
        return _Typed(name=found.name, url=found.url, events=frozenset(events))

    @property
    def wanted(self) -> list[str]:
        """All of them ticked means all that there will be, too."""
        return [EVERYTHING] if self.events >= EVENTS.keys() else sorted(self.events)


def _list(typed: _Typed, refusal: Malformed | None = None) -> str:
    found = webhooks.listed(by=g.actor, now=g.now)
    return render_template("webhooks.html", webhooks=found, typed=typed, refusal=refusal, **_choices())


def _one(
    webhook: str, *, secret: str | None = None, typed: _Typed | None = None, refusal: Malformed | None = None
) -> str:
    found = webhooks.show(webhook=webhook, by=g.actor, now=g.now)
    log = webhooks.deliveries(webhook=webhook, by=g.actor)
    zone = frame.here().zone
    return render_template(
        "webhook.html",
        one=found,
        log=_with_last(log),
        secret=secret,
        typed=typed or _Typed.of(found),
        refusal=refusal,
        local=lambda at: local_time(at, zone),
        **_choices(),
    )


def _with_last(log: list[webhooks.Delivery]) -> list[tuple[webhooks.Delivery, bool]]:
    """Each attempt, and whether it is the last one of its message: there it can be sent again."""
    seen: set[str] = set()
    return [(one, one.message not in seen and not seen.add(one.message)) for one in log]  # type: ignore[func-returns-value]


def _choices() -> dict[str, Any]:
    return {"nouns": NOUNS, "headings": HEADINGS, "meanings": EVENTS, "faults": FAULTS}


def _back(webhook: str, said: str) -> Response:
    return frame.go(f"/webhooks/{webhook}", said=said)
