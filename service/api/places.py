"""Sites and rooms."""

from flask import g
from marshmallow import fields, validate

from service.api.fields import Id, Text
from service.api.routes import Asked, Routes
from service.api.schemas import Added, Strict
from service.domain.access import SETTING_UP, SIGNED_IN, allows
from service.usecases import people

sites = Routes("sites", "Where the clinic is: each with its zone and, for public holidays, its country and region.")
rooms = Routes("rooms", "Rooms of the sites.")


class NewSite(Strict):
    name = Text(required=True, longest=120)
    zone = Text(required=True, longest=64, attribute="zone_name", metadata={"example": "Europe/Berlin"})
    country = fields.String(
        load_default=None, allow_none=True, validate=validate.Regexp(r"[A-Z]{2}\Z"), metadata={"example": "DE"}
    )
    region = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(r"[A-Za-z0-9-]{1,10}\Z"),
        metadata={"example": "BE"},
    )


class Site(Strict):
    id = Id()
    name = fields.String()
    zone = fields.String()
    country = fields.String(allow_none=True)
    region = fields.String(allow_none=True)


class NewRoom(Strict):
    name = Text(required=True, longest=120)
    site = Id(required=True)


class Room(Strict):
    id = Id()
    name = fields.String()
    site = Id()
    is_active = fields.Boolean()


@sites.on("GET", gives=Site(many=True))
@allows(SIGNED_IN)
def list_sites() -> list[people.Site]:
    """Every site, by name."""
    return people.sites(by=g.actor)


@sites.on("POST", takes=NewSite, gives=Added, status=201)
@allows(SETTING_UP)
def add_site(asked: Asked) -> Asked:
    """Add a site."""
    return {"id": people.add_site(**asked, by=g.actor, now=g.now)}


@rooms.on("GET", gives=Room(many=True))
@allows(SIGNED_IN)
def list_rooms() -> list[people.Room]:
    """Every room, by site and name."""
    return people.rooms(by=g.actor)


@rooms.on("POST", takes=NewRoom, gives=Added, status=201)
@allows(SETTING_UP)
def add_room(asked: Asked) -> Asked:
    """Add a room to a site."""
    return {"id": people.add_room(**asked, by=g.actor, now=g.now)}
