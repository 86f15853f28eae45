"""Calendar subscriptions: make one, change its address, end it. What calendar programs fetch is served elsewhere."""

from flask import g, url_for
from marshmallow import fields

from service.api.fields import At, Id, Text, one_of
from service.api.routes import Asked, Routes
from service.api.schemas import Strict
from service.domain.access import ALERTS, allows
from service.domain.privacy import Privacy
from service.usecases import feeds

routes = Routes("feeds", "A therapist's calendar at a secret address, for phones and desktop calendars.")


class NewFeed(Strict):
    name = Text(required=True, longest=120, metadata={"example": "iPhone"})
    therapist = Id(load_default=None, allow_none=True, metadata={"description": "One's own if left out."})
    privacy = one_of(Privacy, load_default=Privacy.INITIALS)
    shows_cancelled = fields.Boolean(load_default=False)


class Feed(Strict):
    id = Id()
    name = fields.String()
    therapist = Id()
    therapist_name = fields.String()
    owner_name = fields.String()
    is_own = fields.Boolean()
    privacy = one_of(Privacy)
    shows_cancelled = fields.Boolean()
    created_at = At()
    fetched_at = At(allow_none=True)
    fetched_by = fields.String(allow_none=True)


class NewAddress(Strict):
    id = Id()
    address = fields.String(allow_none=True, metadata={"description": "Secret; shown this once."})


@routes.on("GET", gives=Feed(many=True))
@allows(ALERTS)
def listed() -> list[feeds.Subscription]:
    """One's own and those of one's own calendar; managers see all."""
    return feeds.listed(by=g.actor)


@routes.on("POST", takes=NewFeed, gives=NewAddress, status=201, shown_once="address")
@allows(ALERTS)
def create(asked: Asked) -> Asked:
    """Subscribe to a calendar. The address is in this answer and nowhere else."""
    return _shown(feeds.create(**asked, by=g.actor, now=g.now))


@routes.on("POST", "/<id:feed>/rotate", gives=NewAddress, status=201, shown_once="address")
@allows(ALERTS)
def rotate(feed: str) -> Asked:
    """A new address for the same subscription; the old one ends at once."""
    return _shown(feeds.rotate(feed=feed, by=g.actor, now=g.now))


@routes.on("POST", "/<id:feed>/revoke", status=204)
@allows(ALERTS)
def revoke(feed: str) -> None:
    """Nobody is told anything at this address from now on."""
    feeds.revoke(feed=feed, by=g.actor, now=g.now)


def _shown(new: feeds.New) -> Asked:
    return {"id": new.id, "address": g.public_url + url_for("feed", secret=new.secret)}
