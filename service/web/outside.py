"""Busy elsewhere: the calendars that a therapist lives by too, and how each was last read."""

from flask import Blueprint, g, render_template
from werkzeug.wrappers import Response

from service.domain.access import ALERTS, Role, allows
from service.domain.hours import local_time
from service.domain.outside import FAULTS, MOST, left_out_text
from service.domain.refusals import Conflict, Malformed
from service.usecases import outside, people
from service.web import fields, frame

pages = Blueprint("outside", __name__)

PAGE = "/busy-elsewhere"


@pages.get(PAGE)
@allows(ALERTS)
def show() -> str:
    """One's own; a manager sees everybody's. The form adds another."""
    return _page()


@pages.post(PAGE)
@allows(ALERTS)
def create() -> Response | tuple[str, int]:
    try:
        outside.create(
            name=fields.text("name"),
            url=fields.text("url"),
            therapist=fields.text("therapist") or None,
            public_url=g.settings.public_url,
            own_network=g.settings.calendars_from_own_network,
            by=g.actor,
            now=g.now,
        )
    except (Malformed, Conflict) as refusal:
        return _page(refusal), 422 if isinstance(refusal, Malformed) else 409
    return frame.go(PAGE, said="outside added")


@pages.post(f"{PAGE}/<calendar>/rename")
@allows(ALERTS)
def rename(calendar: str) -> Response:
    outside.rename(calendar=calendar, name=fields.text("name"), by=g.actor, now=g.now)
    return frame.go(PAGE, said="outside renamed")


@pages.post(f"{PAGE}/<calendar>/read")
@allows(ALERTS)
def read_now(calendar: str) -> Response | tuple[str, int]:
    try:
        outside.read_now(calendar=calendar, by=g.actor, now=g.now)
    except Conflict as refusal:
        return _page(refusal), 409
    return frame.go(PAGE, said="outside read")


@pages.post(f"{PAGE}/<calendar>/remove")
@allows(ALERTS)
def remove(calendar: str) -> Response:
    outside.remove(calendar=calendar, by=g.actor, now=g.now)
    return frame.go(PAGE, said="outside removed")


def _page(refusal: Malformed | Conflict | None = None) -> str:
    zone = frame.here().zone
    typed = {name: fields.text(name) for name in ("name", "url", "therapist")} if refusal else {}
    return render_template(
        "busy_elsewhere.html",
        calendars=outside.listed(by=g.actor, now=g.now),
        therapists=people.therapists(by=g.actor) if g.actor.has(Role.MANAGER) else [],
        typed=typed,
        refusal=refusal,
        faults=FAULTS,
        left_out=left_out_text,
        most=MOST,
        local=lambda at: local_time(at, zone),
        now=g.now,
    )
