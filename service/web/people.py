"""Setting the clinic up: sites, rooms, therapists and their hours; and for admins users, sign-in links and tokens."""

from datetime import time
from typing import TypeVar

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from service.domain.access import ADMINISTERING, SETTING_UP, Role, allows
from service.domain.hours import Weekday
from service.domain.refusals import Malformed
from service.usecases import people

pages = Blueprint("people", __name__)

DAYS = tuple(Weekday)
T = TypeVar("T")


@pages.get("/people")
@allows(SETTING_UP)
def show() -> str:
    """Everything that is set up, and the forms to add to it."""
    return _page()


@pages.post("/people/sites")
@allows(SETTING_UP)
def add_site() -> Response:
    form = request.form
    people.add_site(
        name=form.get("name", ""),
        zone_name=form.get("zone", ""),
        country=form.get("country", "").strip().upper() or None,
        region=form.get("region", "").strip().upper() or None,
        by=g.actor,
        now=g.now,
    )
    return _back("The site is there.")


@pages.post("/people/rooms")
@allows(SETTING_UP)
def add_room() -> Response:
    people.add_room(name=request.form.get("name", ""), site=request.form.get("site", ""), by=g.actor, now=g.now)
    return _back("The room is there.")


@pages.post("/people/therapists")
@allows(SETTING_UP)
def add_therapist() -> Response:
    site = request.form.get("site", "")
    people.add_therapist(name=request.form.get("name", ""), site=site, hours=_hours(site), by=g.actor, now=g.now)
    return _back("The therapist is there.")


@pages.post("/people/therapists/<therapist>/hours")
@allows(SETTING_UP)
def set_hours(therapist: str) -> Response:
    people.set_working_hours(therapist=therapist, hours=_hours(request.form.get("site", "")), by=g.actor, now=g.now)
    return _back("The working hours are set. What is booked outside them stays booked.")


@pages.post("/people/users")
@allows(ADMINISTERING)
def add_user() -> Response:
    form = request.form
    people.add_user(
        name=form.get("name", ""),
        email=form.get("email", ""),
        roles=[_one_of(Role, role, "roles") for role in form.getlist("roles")],
        therapist=form.get("therapist") or None,
        by=g.actor,
        now=g.now,
    )
    return _back("The user is there. Make a sign-in link to let them in.")


@pages.post("/people/users/<user>/link")
@allows(ADMINISTERING)
def sign_in_link(user: str) -> str:
    """Shown once, on this answer alone."""
    email = next((one.email for one in people.users(by=g.actor) if one.id == user), "")
    secret = people.sign_in_link(email=email, by=g.actor, now=g.now)
    return _page(
        shown_once=url_for("sign_in.by_link", secret=secret, _external=True), shown_what="Sign-in link, works once"
    )


@pages.post("/people/users/<user>/disable")
@allows(ADMINISTERING)
def disable_user(user: str) -> Response:
    people.disable_user(user=user, by=g.actor, now=g.now)
    return _back("This user is let in no more.")


@pages.post("/people/tokens")
@allows(ADMINISTERING)
def add_token() -> str:
    """Shown once, on this answer alone."""
    form = request.form
    days = form.get("days", "")
    _token, secret = people.add_token(
        user=form.get("user", ""),
        name=form.get("name", ""),
        may_write=form.get("may_write") == "yes",
        days=int(days) if days.isdecimal() and len(days) < 5 else 0,
        by=g.actor,
        now=g.now,
    )
    return _page(shown_once=secret, shown_what="API token")


@pages.post("/people/tokens/<token>/revoke")
@allows(ADMINISTERING)
def revoke_token(token: str) -> Response:
    people.revoke_token(token=token, by=g.actor, now=g.now)
    return _back("The token is worth nothing any more.")


def _page(**shown: str) -> str:
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


def _back(message: str) -> Response:
    flash(message)
    return redirect(url_for("people.show"), 303)


def _hours(site: str) -> list[people.WorkingHours]:
    """The fields `begins-MO` and `ends-MO` to `ends-SU`; a day without both is a day off."""
    found = []
    for day in DAYS:
        begins, ends = request.form.get(f"begins-{day.name}", ""), request.form.get(f"ends-{day.name}", "")
        if begins and ends:
            hours = people.WorkingHours(site=site, day=day, begins=_time(begins, day), ends=_time(ends, day))
            found.append(hours)
    return found


def _time(text: str, day: Weekday) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise Malformed(f"{text!r} is not a time of day.", where=f"hours.{day.name}") from None


def _one_of(kind: type[T], text: str, where: str) -> T:
    try:
        return kind(text)  # type: ignore[call-arg]
    except ValueError:
        raise Malformed(f"{text!r} is none of the choices.", where=where) from None
