"""Messages that are stuck: what could not be delivered, what waits too long, and trying again."""

from flask import Blueprint, g, render_template
from werkzeug.wrappers import Response

from service.domain.access import ADMINISTERING, SETTING_UP, allows
from service.domain.hours import local_time
from service.usecases import outbox
from service.web import frame

pages = Blueprint("messages", __name__)


@pages.get("/messages")
@allows(SETTING_UP)
def show() -> str:
    """What was given up, then what is late. Ids and kinds, never what a message says."""
    found = outbox.stuck(by=g.actor, now=g.now)
    zone = frame.here().zone
    return render_template(
        "messages.html",
        dead=[one for one in found if one.state == "dead"],
        late=[one for one in found if one.state != "dead"],
        attempts=outbox.ATTEMPTS,
        local=lambda at: local_time(at, zone),
    )


@pages.post("/messages/retry")
@allows(SETTING_UP)
def retry_dead() -> Response:
    """All that was given up."""
    return frame.go("/messages", said="messages retried", fact=str(outbox.retry_dead(by=g.actor, now=g.now)))


@pages.post("/messages/<message>/retry")
@allows(SETTING_UP)
def retry(message: str) -> Response:
    outbox.retry(message=message, by=g.actor, now=g.now)
    return frame.go("/messages", said="message retried")


@pages.post("/messages/<message>/drop")
@allows(ADMINISTERING)
def drop(message: str) -> Response:
    outbox.drop(message=message, by=g.actor, now=g.now)
    return frame.go("/messages", said="message dropped")
