"""Calendar subscriptions: a therapist gets their hours onto the phone in a minute, and ends it in one click."""

from urllib.parse import quote

import segno
from flask import Blueprint, g, render_template
from werkzeug.wrappers import Response

from service.domain.access import ALERTS, Role, allows
from service.domain.phrase import say
from service.domain.privacy import Privacy
from service.usecases import feeds, people
from service.web import fields, frame

pages = Blueprint("calendars", __name__)

PRIVACY = {
    Privacy.BUSY: say("“Busy” and nothing else"),
    Privacy.INITIALS: say("initials, such as “CO”"),
    Privacy.REFERENCE: say("the clinic's reference, such as “C00012”"),
    Privacy.NAME: say("the client's name"),
}
"""What each level puts into the calendar of a phone, and so onto its maker's servers."""


@pages.get("/calendars")
@allows(ALERTS)
def show() -> str:
    """One's subscriptions, who fetched them last, and the form for a new one."""
    return _page()


@pages.post("/calendars")
@allows(ALERTS)
def create() -> str:
    """The address is in this answer, and never again."""
    new = feeds.create(
        name=fields.text("name"),
        therapist=fields.text("therapist") or None,
        privacy=fields.one_of(Privacy, "privacy"),
        shows_cancelled=fields.is_ticked("shows_cancelled"),
        by=g.actor,
        now=g.now,
    )
    return _page(new)


@pages.post("/calendars/<feed>/rotate")
@allows(ALERTS)
def rotate(feed: str) -> str:
    """A new address; the old one ends at once."""
    return _page(feeds.rotate(feed=feed, by=g.actor, now=g.now))


@pages.post("/calendars/<feed>/revoke")
@allows(ALERTS)
def revoke(feed: str) -> Response:
    feeds.revoke(feed=feed, by=g.actor, now=g.now)
    return frame.go("/calendars", said="feed revoked")


def _page(new: feeds.New | None = None) -> str:
    others = people.therapists(by=g.actor) if g.actor.has(Role.MANAGER) else []
    return render_template(
        "calendars.html",
        subscriptions=feeds.listed(by=g.actor),
        therapists=others,
        privacy=PRIVACY,
        new=_addresses(new.secret) if new else None,
        now=g.now,
    )


def _addresses(secret: str) -> dict[str, str]:
    """The same secret address as each program wants it, and as a picture for a phone's camera."""
    https = f"{g.settings.public_url}/feeds/{secret}.ics"
    webcal = "webcal" + https[https.index(":") :]
    return {
        "https": https,
        "webcal": webcal,
        "google": "https://calendar.google.com/calendar/r?cid=" + quote(webcal, safe=""),
        "qr": segno.make(webcal, error="m").svg_data_uri(scale=4, border=2, light="#fff"),
    }
