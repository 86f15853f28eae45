"""Clients: who they are and how to reach them."""

from flask import g
from marshmallow import fields
from marshmallow.validate import OneOf

from service.api.fields import Id, Text, count
from service.api.routes import Asked, Routes
from service.api.schemas import Added, Strict
from service.domain.access import BOOKING, CLINICAL, allows
from service.language import LOCALES
from service.usecases import clients

routes = Routes("clients", "Who comes here. Every look at one is on record.")

MAILED = "They agreed to mails about their hours. Nothing is sent while `is_safe_to_contact` is false."


class NewClient(Strict):
    name = Text(required=True, longest=200)
    email = Text(longest=254, load_default=None, allow_none=True)
    phone = Text(longest=40, load_default=None, allow_none=True)
    is_safe_to_contact = fields.Boolean(load_default=True)
    may_be_mailed = fields.Boolean(load_default=False, metadata={"description": MAILED})
    locale = fields.String(load_default=None, allow_none=True, validate=OneOf(list(LOCALES)))


class ChangeClient(Strict):
    name = Text(longest=200)
    email = Text(longest=254, metadata={"description": "Empty to remove it."})
    phone = Text(longest=40, metadata={"description": "Empty to remove it."})
    is_safe_to_contact = fields.Boolean()
    may_be_mailed = fields.Boolean(metadata={"description": MAILED})
    locale = fields.String(validate=OneOf(["", *LOCALES]), metadata={"description": "Empty: as the clinic speaks."})


class Client(Strict):
    id = Id()
    reference = fields.String()
    name = fields.String()
    email = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)
    is_safe_to_contact = fields.Boolean()
    may_be_mailed = fields.Boolean()
    locale = fields.String(allow_none=True)
    courses = fields.List(Id())


class Match(Strict):
    id = Id()
    reference = fields.String()
    name = fields.String()
    courses = fields.List(Id())


class Page(Strict):
    limit = count(1, 500, load_default=100)


class Search(Strict):
    query = Text(required=True, longest=200, metadata={"example": "C00012"})
    limit = count(1, 100, load_default=20)


@routes.on("GET", takes=Page, gives=Match(many=True))
@allows(CLINICAL)
def listed(asked: Asked) -> list[clients.Match]:
    """The clients one may see, by name."""
    return clients.find(query="", limit=asked["limit"], by=g.actor)


@routes.on("POST", "/search", takes=Search, gives=Match(many=True))
@allows(CLINICAL)
def search(asked: Asked) -> list[clients.Match]:
    """Clients whose name or reference is like the query, best first.

    A POST, because addresses end up in logs and a name must not.
    """
    return clients.find(**asked, by=g.actor)


@routes.on("POST", takes=NewClient, gives=Added, status=201)
@allows(BOOKING)
def add(asked: Asked) -> Asked:
    """Add a client."""
    return {"id": clients.add(**asked, by=g.actor, now=g.now)}


@routes.on("GET", "/<id:client>", gives=Client)
@allows(CLINICAL)
def show(client: str) -> clients.Client:
    """One client. That you looked is on record."""
    return clients.show(client=client, by=g.actor, now=g.now)


@routes.on("PATCH", "/<id:client>", takes=ChangeClient, status=204)
@allows(BOOKING)
def change(asked: Asked, client: str) -> None:
    """Change what is given."""
    clients.change(client=client, **asked, by=g.actor, now=g.now)
