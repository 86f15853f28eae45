"""Setting the clinic up: sites, rooms, therapists and their hours; and for admins users, sign-in links and tokens."""

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from service.domain.access import ADMINISTERING, SETTING_UP, Role, allows
from service.domain.hours import Weekday
from service.domain.phrase import Value, say
from service.usecases import people
from service.web import fields, frame

pages = Blueprint("people", __name__)

DAYS = tuple(Weekday)


@pages.get("/people")
@allows(SETTING_UP)
def show() -> str:
    """Everything that is set up, and the forms to add to it."""
    return _page()


@pages.post("/people/sites")
@allows(SETTING_UP)
def add_site() -> Response:
    people.add_site(
        name=fields.text("name"),
        zone_name=fields.text("zone"),
        country=fields.text("country").upper() or None,
        region=fields.text("region").upper() or None,
        by=g.actor,
        now=g.now,
    )
    return _back("site added")


@pages.post("/people/rooms")
@allows(SETTING_UP)
def add_room() -> Response:
    people.add_room(name=fields.text("name"), site=fields.text("site"), by=g.actor, now=g.now)
    return _back("room added")


@pages.post("/people/therapists")
@allows(SETTING_UP)
def add_therapist() -> Response:
    site = fields.text("site")
    people.add_therapist(name=fields.text("name"), site=site, hours=_hours(site), by=g.actor, now=g.now)
    return _back("therapist added")


@pages.post("/people/therapists/<therapist>/hours")
@allows(SETTING_UP)
def set_hours(therapist: str) -> Response:
    people.set_working_hours(therapist=therapist, hours=_hours(fields.text("site")), by=g.actor, now=g.now)
    return _back("hours set")


@pages.post("/people/users")
@allows(ADMINISTERING)
def add_user() -> Response:
    people.add_user(
        name=fields.text("name"),
        email=fields.text("email"),
        roles=[fields.chosen(Role, role, "roles") for role in request.form.getlist("roles")],
        therapist=fields.text("therapist") or None,
        by=g.actor,
        now=g.now,
    )
    return _back("user added")


@pages.post("/people/users/<user>/link")
@allows(ADMINISTERING)
def sign_in_link(user: str) -> str:
    """Shown once, on this answer alone."""
    email = next((one.email for one in people.users(by=g.actor) if one.id == user), "")
    secret = people.sign_in_link(email=email, by=g.actor, now=g.now)
    return _page(shown_once=f"{g.settings.public_url}/sign-in/{secret}", shown_what=say("Sign-in link, works once."))


@pages.post("/people/users/<user>/disable")
@allows(ADMINISTERING)
def disable_user(user: str) -> Response:
    people.disable_user(user=user, by=g.actor, now=g.now)
    return _back("user disabled")


@pages.post("/people/tokens")
@allows(ADMINISTERING)
def add_token() -> str:
    """Shown once, on this answer alone."""
    _token, secret = people.add_token(
        user=fields.text("user"),
        name=fields.text("name"),
        may_write=fields.is_ticked("may_write"),
        days=fields.number("days"),
        by=g.actor,
        now=g.now,
    )
    return _page(shown_once=secret, shown_what=say("API token."))


@pages.post("/people/tokens/<token>/revoke")
@allows(ADMINISTERING)
def revoke_token(token: str) -> Response:
    people.revoke_token(token=token, by=g.actor, now=g.now)
    return _back("token revoked")


def _page(**shown: Value) -> str:
    is_admin = g.actor.has(Role.ADMIN)
    sites = people.sites(by=g.actor)
    return render_template(
        "people.html",
        sites=sites,
        rooms=people.rooms(by=g.actor),
        therapists=people.therapists(by=g.actor),
        users=people.users(by=g.actor) if is_admin else None,
        tokens=people.tokens(by=g.actor) if is_admin else None,
        site_names={site.id: site.name for site in sites},
        days=DAYS,
        roles=tuple(Role),
        **shown,
    )


def _back(said: str) -> Response:
    return frame.go("/people", said=said)


def _hours(site: str) -> list[people.WorkingHours]:
    """The fields `begins-MO` and `ends-MO` to `ends-SU`; a day without both is a day off."""
    return [
        people.WorkingHours(
            site=site, day=day, begins=fields.clock(f"begins-{day.name}"), ends=fields.clock(f"ends-{day.name}")
        )
        for day in DAYS
        if fields.text(f"begins-{day.name}") and fields.text(f"ends-{day.name}")
    ]
