"""Users and their roles, and the tokens that programs use on their behalf."""

from flask import g
from marshmallow import fields

from service.api.fields import At, Id, Text, count, many, one_of
from service.api.routes import Asked, Routes
from service.api.schemas import Added, Strict
from service.domain.access import ADMINISTERING, SIGNED_IN, Actor, Role, allows
from service.language import LOCALES
from service.usecases import people

users = Routes("users", "Who may sign in, and as what.")
tokens = Routes("tokens", "Access for programs, each on behalf of one user; the secret is shown once.")


class NewUser(Strict):
    name = Text(required=True, longest=120)
    email = Text(required=True, longest=254)
    roles = many(one_of(Role), most=len(Role), fewest=1, required=True)
    therapist = Id(load_default=None, allow_none=True, metadata={"description": "The therapist that this user is."})
    password = Text(longest=200, load_default=None, allow_none=True, load_only=True)


class User(Strict):
    id = Id()
    name = fields.String()
    email = fields.String()
    roles = fields.List(one_of(Role))
    therapist = Id(allow_none=True)
    is_disabled = fields.Boolean()


class Me(Strict):
    id = Id(attribute="user", allow_none=True)
    name = fields.String()
    roles = fields.List(one_of(Role))
    therapist = Id(allow_none=True)
    may_write = fields.Boolean()
    locale = fields.String(
        allow_none=True, metadata={"description": "How they chose to be spoken to.", "example": "de_AT"}
    )


class Speech(Strict):
    locale = fields.String(
        required=True,
        allow_none=True,
        metadata={"enum": [*LOCALES, None], "description": "null: as their browser, their program or the clinic asks."},
    )


class NewToken(Strict):
    user = Id(required=True)
    name = Text(required=True, longest=120)
    may_write = fields.Boolean(load_default=False)
    days = count(1, 365, required=True)


class Token(Strict):
    id = Id()
    name = fields.String()
    user = Id()
    may_write = fields.Boolean()
    expires_at = At()
    revoked_at = At(allow_none=True)
    used_at = At(allow_none=True)


class NewSecret(Strict):
    id = Id()
    secret = fields.String(allow_none=True, metadata={"description": "Shown this once."})


@users.on("GET", gives=User(many=True))
@allows(ADMINISTERING)
def list_users() -> list[people.User]:
    """Every user, by name."""
    return people.users(by=g.actor)


@users.on("GET", "/me", gives=Me)
@allows(SIGNED_IN)
def me() -> Actor:
    """On whose behalf this request asks."""
    actor: Actor = g.actor
    return actor


@users.on("POST", "/me/locale", takes=Speech, status=204)
@allows(SIGNED_IN)
def set_locale(asked: Asked) -> None:
    """Choose the language in which one is answered, pages and mails included."""
    people.set_locale(**asked, by=g.actor, now=g.now)


@users.on("POST", takes=NewUser, gives=Added, status=201)
@allows(ADMINISTERING)
def add_user(asked: Asked) -> Asked:
    """Add a user."""
    return {"id": people.add_user(**asked, by=g.actor, now=g.now)}


@users.on("POST", "/<id:user>/disable", status=204)
@allows(ADMINISTERING)
def disable_user(user: str) -> None:
    """Let this user in no more, from this moment, by any door."""
    people.disable_user(user=user, by=g.actor, now=g.now)


@tokens.on("GET", gives=Token(many=True))
@allows(ADMINISTERING)
def list_tokens() -> list[people.Token]:
    """Every token, without its secret."""
    return people.tokens(by=g.actor)


@tokens.on("POST", takes=NewToken, gives=NewSecret, status=201, shown_once="secret")
@allows(ADMINISTERING)
def add_token(asked: Asked) -> Asked:
    """Make a token. Its secret is in this answer and nowhere else."""
    token, secret = people.add_token(**asked, by=g.actor, now=g.now)
    return {"id": token, "secret": secret}


@tokens.on("POST", "/<id:token>/revoke", status=204)
@allows(ADMINISTERING)
def revoke_token(token: str) -> None:
    """Refuse this token from now on."""
    people.revoke_token(token=token, by=g.actor, now=g.now)
