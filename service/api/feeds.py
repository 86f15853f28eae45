"""Calendar subscriptions: make one, change it, give it a new address, end it. What calendar programs fetch is served
elsewhere."""

from datetime import timedelta

from flask import g, url_for
from marshmallow import fields, validate

from service.api.fields import At, Id, Text, count, one_of
from service.api.routes import Asked, Routes
from service.api.schemas import Strict
from service.domain.access import CLINICAL, MANAGING, allows
from service.domain.privacy import Privacy
from service.domain.subscription import DAYS_BACK, LONGEST_AHEAD, LONGEST_ALARM, LONGEST_OVERLAP, Shows
from service.language import LOCALES
from service.usecases import feeds

routes = Routes(
    "feeds", "The calendar of a therapist, a room, a site or a client at a secret address, for phones and desktops."
)
_HOURS = int(LONGEST_OVERLAP / timedelta(hours=1))
_AHEAD = "Single hours and leave of so many weeks to come; null: all that is known. Standing hours are told whole."
_BACK = "Single hours and leave of so many past days are told. Standing hours are told from their first day on."
_ALARM = "The program says so many minutes before an hour that it is coming up; null: not at all."


class ChangeFeed(Strict):
    """What can be chosen, and changed later."""

    name = Text(longest=120, metadata={"example": "iPhone"})
    privacy = one_of(Privacy, metadata={"description": "A client's own calendar knows `busy` and `name` alone."})
    shows_cancelled = fields.Boolean()
    days_back = fields.Integer(strict=True, validate=validate.OneOf(DAYS_BACK), metadata={"description": _BACK})
    weeks_ahead = count(1, LONGEST_AHEAD, allow_none=True, metadata={"description": _AHEAD})
    alarm_minutes = count(1, LONGEST_ALARM, allow_none=True, metadata={"description": _ALARM})
    locale = fields.String(
        validate=validate.OneOf(LOCALES), metadata={"description": "The language of the few words it has of its own."}
    )


class NewFeed(ChangeFeed):
    name = Text(required=True, longest=120, metadata={"example": "iPhone"})
    therapist = Id(metadata={"description": "Whose hours; one's own where nobody and nothing is named."})
    room = Id()
    site = Id(metadata={"description": "For managers."})
    client = Id(metadata={"description": "Their own hours alone; where the clinic offers that."})


class FeedAddress(Strict):
    """When and by whom it was fetched; the address itself is shown once and kept nowhere."""

    created_at = At()
    ends_at = At(allow_none=True, metadata={"description": "An old one goes on until then; null for the one in use."})
    fetched_at = At(allow_none=True)
    fetched_by = fields.String(allow_none=True)


class Feed(Strict):
    id = Id()
    name = fields.String()
    shows = one_of(Shows)
    whose = Id(metadata={"description": "The therapist, room, site or client."})
    whose_name = fields.String()
    owner_name = fields.String(allow_none=True, metadata={"description": "null for a client's own."})
    is_own = fields.Boolean()
    privacy = one_of(Privacy, attribute="options.privacy")
    shows_cancelled = fields.Boolean(attribute="options.shows_cancelled")
    days_back = fields.Integer(attribute="options.days_back")
    weeks_ahead = fields.Integer(attribute="options.weeks_ahead", allow_none=True)
    alarm_minutes = fields.Integer(attribute="options.alarm_minutes", allow_none=True)
    locale = fields.String(attribute="options.locale")
    created_at = At()
    addresses = fields.List(fields.Nested(FeedAddress), metadata={"description": "The newest first."})


class Rotation(Strict):
    overlap_hours = count(
        0, _HOURS, load_default=0, metadata={"description": "The old address goes on for so long, and is gone then."}
    )


class NewAddress(Strict):
    id = Id()
    address = fields.String(allow_none=True, metadata={"description": "Secret; shown this once."})


class OfferToClients(Strict):
    is_on = fields.Boolean(required=True)


@routes.on("GET", gives=Feed(many=True))
@allows(CLINICAL)
def listed() -> list[feeds.Subscription]:
    """One's own and those of one's own calendar; the desk sees those of rooms and clients, managers all."""
    return feeds.listed(by=g.actor, now=g.now)


@routes.on("POST", takes=NewFeed, gives=NewAddress, status=201, shown_once="address")
@allows(CLINICAL)
def create(asked: Asked) -> Asked:
    """Subscribe to a calendar. The address is in this answer and nowhere else."""
    return _shown(feeds.create(**asked, by=g.actor, now=g.now))


@routes.on("GET", "/of-clients", gives=OfferToClients)
@allows(CLINICAL)
def offer() -> Asked:
    """Whether clients may have a calendar of their own hours."""
    return {"is_on": feeds.clients_may_have_one(by=g.actor)}


@routes.on("PUT", "/of-clients", takes=OfferToClients, status=204)
@allows(MANAGING)
def set_offer(asked: Asked) -> None:
    """Let clients have a calendar of their own hours, or end those that there are."""
    feeds.let_clients_have_one(**asked, by=g.actor, now=g.now)


@routes.on("GET", "/<id:feed>", gives=Feed)
@allows(CLINICAL)
def show(feed: str) -> feeds.Subscription:
    """One subscription, without its address."""
    return feeds.show(feed=feed, by=g.actor, now=g.now)


@routes.on("PATCH", "/<id:feed>", takes=ChangeFeed, status=204)
@allows(CLINICAL)
def change(asked: Asked, feed: str) -> None:
    """Change what is given; the address stays as it is."""
    name = asked.pop("name", None)
    feeds.change(feed=feed, name=name, choose=asked, by=g.actor, now=g.now)


@routes.on("POST", "/<id:feed>/rotate", takes=Rotation, gives=NewAddress, status=201, shown_once="address")
@allows(CLINICAL)
def rotate(asked: Asked, feed: str) -> Asked:
    """A new address for the same subscription; the old one goes on for some hours, or ends at once."""
    overlap = timedelta(hours=asked["overlap_hours"])
    return _shown(feeds.rotate(feed=feed, overlap=overlap, by=g.actor, now=g.now))


@routes.on("POST", "/<id:feed>/revoke", status=204)
@allows(CLINICAL)
def revoke(feed: str) -> None:
    """Nobody is told anything at its addresses from now on."""
    feeds.revoke(feed=feed, by=g.actor, now=g.now)


def _shown(new: feeds.New) -> Asked:
    return {"id": new.id, "address": g.public_url + url_for("feed", secret=new.secret)}
