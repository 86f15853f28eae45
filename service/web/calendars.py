"""Calendar subscriptions: a therapist gets their hours onto the phone in a minute, and ends it in one click."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import segno
from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from service.domain.access import CLINICAL, MANAGING, Role, allows
from service.domain.hours import local_time
from service.domain.phrase import Phrase, say, says
from service.domain.privacy import Privacy
from service.domain.refusals import Malformed
from service.domain.subscription import ALARMS, DAYS_BACK, LEVELS, USUAL, Options, Shows, kinds_for
from service.language import LOCALES
from service.usecases import feed_previews, feeds, people
from service.web import fields, frame

pages = Blueprint("calendars", __name__)

PRIVACY: Mapping[Privacy, Phrase] = {
    Privacy.BUSY: say("“Busy” and nothing else"),
    Privacy.INITIALS: say("initials, such as “CO”"),
    Privacy.REFERENCE: say("the clinic's reference, such as “C00012”"),
    Privacy.NAME: say("the client's name"),
}
"""What each level puts into the calendar of a phone, and so onto its maker's servers."""
OF_CLIENT: Mapping[Privacy, Phrase] = {
    Privacy.BUSY: say("“Busy” and nothing else"),
    Privacy.NAME: say("with whom, and where"),
}
KIND: Mapping[Shows, Phrase] = {
    Shows.THERAPIST: say("Therapist"),
    Shows.ROOM: say("Room"),
    Shows.SITE: say("Site"),
    Shows.CLIENT: say("Client"),
}
BACK: Mapping[str, Phrase] = {
    "0": say("from today on"),
    **{str(days): says("{n} day back", "{n} days back", n=days) for days in DAYS_BACK if days},
}
AHEAD: Mapping[str, Phrase] = {
    "": say("as far as is known"),
    **{str(weeks): says("{n} week ahead", "{n} weeks ahead", n=weeks) for weeks in (4, 13, 26, 52)},
}
ALARM: Mapping[str, Phrase] = {
    "": say("none"),
    **{str(minutes): says("{n} minute before", "{n} minutes before", n=minutes) for minutes in ALARMS if minutes < 60},
    **{
        str(hours * 60): says("{n} hour before", "{n} hours before", n=hours)
        for hours in (1, 2, 24)
        if hours * 60 in ALARMS
    },
}
OVERLAP: Mapping[str, Phrase] = {
    "0": say("the old one ends at once"),
    **{
        str(hours): says("the old one goes on for {n} hour", "the old one goes on for {n} hours", n=hours)
        for hours in (1, 6, 24)
    },
}


@dataclass(frozen=True, kw_only=True)
class Named:
    """Whose calendar a new subscription is to show, as the address of the page says it."""

    shows: Shows
    id: str

    @property
    def key(self) -> str:
        return f"{self.shows.value}:{self.id}"

    @property
    def asked(self) -> dict[str, Any]:
        return {self.shows.value: self.id}


@pages.get("/calendars")
@allows(CLINICAL)
def show() -> str:
    """One's subscriptions, and who fetched them last."""
    return render_template(
        "calendars.html",
        subscriptions=feeds.listed(by=g.actor, now=g.now),
        kinds=kinds_for(g.actor),
        clients_may=feeds.clients_may_have_one(by=g.actor),
        now=g.now,
        **_words(),
    )


@pages.get("/calendars/new")
@allows(CLINICAL)
def ask() -> str:
    """How a calendar will look on a phone, before it has an address."""
    choices = _choices()
    named = _asked_for(choices)
    if named is None:
        return render_template("calendar_whose.html", choices=choices, **_words())
    return _form(named, choices)


@pages.post("/calendars")
@allows(CLINICAL)
def create() -> str | Response:
    """The address is in this answer, and never again."""
    named = _named(fields.text("whose"))
    try:
        new = feeds.create(name=fields.text("name"), **named.asked, **_options(), by=g.actor, now=g.now)
    except Malformed as refusal:
        if refusal.where != "name":
            raise
        return Response(_form(named, _choices(), problem=refusal), status=422)
    return _new(new)


@pages.get("/calendars/<feed>")
@allows(CLINICAL)
def look(feed: str) -> str:
    """What can be chosen otherwise, with the calendar as it will look; and its addresses."""
    return _change_form(feeds.show(feed=feed, by=g.actor, now=g.now))


@pages.post("/calendars/<feed>")
@allows(CLINICAL)
def change(feed: str) -> str | Response:
    try:
        feeds.change(feed=feed, name=fields.text("name"), choose=_options(), by=g.actor, now=g.now)
    except Malformed as refusal:
        if refusal.where != "name":
            raise
        return Response(_change_form(feeds.show(feed=feed, by=g.actor, now=g.now), problem=refusal), status=422)
    return frame.go("/calendars", said="feed changed")


@pages.post("/calendars/<feed>/rotate")
@allows(CLINICAL)
def rotate(feed: str) -> str:
    """A new address; the old one goes on for as long as was chosen."""
    overlap = timedelta(hours=fields.number("overlap") if fields.text("overlap") else 0)
    return _new(feeds.rotate(feed=feed, overlap=overlap, by=g.actor, now=g.now))


@pages.post("/calendars/<feed>/revoke")
@allows(CLINICAL)
def revoke(feed: str) -> Response:
    feeds.revoke(feed=feed, by=g.actor, now=g.now)
    return frame.go("/calendars", said="feed revoked")


@pages.post("/calendars/of-clients")
@allows(MANAGING)
def offer() -> Response:
    """Whether clients may have a calendar of their own hours."""
    is_on = fields.is_ticked("is_on")
    feeds.let_clients_have_one(is_on=is_on, by=g.actor, now=g.now)
    return frame.go("/calendars", said="client calendars on" if is_on else "client calendars off")


# --- whose ------------------------------------------------------------------------------------------------------------


def _choices() -> dict[Shows, list[tuple[str, str]]]:
    """Whose calendars this person may subscribe to, by kind: key and name. Clients are too many to list."""
    found: dict[Shows, list[tuple[str, str]]] = {}
    for shows in kinds_for(g.actor):
        rows = [(Named(shows=shows, id=public_id).key, name) for public_id, name in _of_kind(shows)]
        if rows:
            found[shows] = rows
    return found


def _of_kind(shows: Shows) -> list[tuple[str, str]]:
    if shows is Shows.THERAPIST:
        everybody = [(one.id, one.name) for one in people.therapists(by=g.actor)]
        is_manager = g.actor.has(Role.MANAGER)
        return sorted(
            (one for one in everybody if is_manager or one[0] == g.actor.therapist),
            key=lambda one: (one[0] != g.actor.therapist, one[1]),
        )
    sites = {one.id: one.name for one in people.sites(by=g.actor)}
    if shows is Shows.SITE:
        return list(sites.items())
    if shows is Shows.ROOM:
        return [(one.id, f"{one.name}, {sites[one.site]}") for one in people.rooms(by=g.actor)]
    return []


def _asked_for(choices: Mapping[Shows, list[tuple[str, str]]]) -> Named | None:
    """As the address says; else one's own, else the only one there is."""
    if asked := request.args.get("whose", ""):
        return _named(asked)
    keys = [key for rows in choices.values() for key, _name in rows]
    if g.actor.therapist and Shows.THERAPIST in choices:
        return _named(keys[0])
    return _named(keys[0]) if len(keys) == 1 else None


def _named(key: str) -> Named:
    """:raises Malformed: not a kind and an id."""
    kind, _, public_id = key.partition(":")
    return Named(shows=fields.chosen(Shows, kind, "whose"), id=public_id)


# --- what is chosen ---------------------------------------------------------------------------------------------------


def _options() -> dict[str, Any]:
    def number(name: str) -> int | None:
        return fields.number(name) if fields.text(name) else None

    return {
        "privacy": fields.one_of(Privacy, "privacy"),
        "shows_cancelled": fields.is_ticked("shows_cancelled"),
        "days_back": fields.number("days_back") if fields.text("days_back") else Options.days_back,
        "weeks_ahead": number("weeks_ahead"),
        "alarm_minutes": number("alarm_minutes"),
        "locale": fields.text("locale") or g.locale,
    }


def _form(named: Named, choices: Mapping[Shows, list[tuple[str, str]]], problem: Malformed | None = None) -> str:
    options = Options(privacy=USUAL[named.shows], locale=g.locale)
    return render_template(
        "calendar_new.html",
        whose=named.key,
        choices=choices,
        path=f"/calendars/new?whose={quote(named.key)}",
        problem=problem,
        name=fields.text("name"),
        **_around(named, _as_typed(options) if problem else options),
    )


def _change_form(one: feeds.Subscription, problem: Malformed | None = None) -> str:
    named = Named(shows=one.shows, id=one.whose)
    return render_template(
        "calendar_change.html",
        one=one,
        path=f"/calendars/{one.id}?",
        problem=problem,
        name=fields.text("name") if problem else one.name,
        now=g.now,
        **_around(named, _as_typed(one.options) if problem else one.options),
    )


def _as_typed(options: Options) -> Options:
    return replace(options, **_options())


def _around(named: Named, options: Options) -> dict[str, Any]:
    of = fields.day_asked("of", date.min) if request.method == "GET" else date.min
    preview = feed_previews.week(
        **named.asked, locale=options.locale, of=None if of == date.min else of, by=g.actor, now=g.now
    )
    return {
        "preview": preview,
        "days": [preview.monday + timedelta(days=day) for day in range(7)],
        "earlier": urlencode({"of": preview.monday - timedelta(weeks=1)}),
        "later": urlencode({"of": preview.monday + timedelta(weeks=1)}),
        "options": options,
        "levels": {level: _level(named.shows)[level] for level in LEVELS[named.shows]},
        "languages_of_feeds": LOCALES,
        **_words(),
    }


def _level(shows: Shows) -> Mapping[Privacy, Phrase]:
    return OF_CLIENT if shows is Shows.CLIENT else PRIVACY


def _words() -> dict[str, Any]:
    return {
        "kind": KIND,
        "back": BACK,
        "ahead": AHEAD,
        "alarm": ALARM,
        "overlap": OVERLAP,
        "level_of": lambda one: _level(one.shows)[one.options.privacy],
        "with_own": _with_own,
        "here": lambda instant: local_time(instant, frame.here().zone),
    }


def _with_own(offered: Mapping[str, Phrase], chosen: int | None) -> list[tuple[str | int, Phrase | str]]:
    """What a page offers, and what was chosen elsewhere, so that saving the page does not change it."""
    pairs: list[tuple[str | int, Phrase | str]] = [(int(key) if key else "", word) for key, word in offered.items()]
    if chosen is not None and str(chosen) not in offered:
        pairs.append((chosen, str(chosen)))
    return pairs


# --- the address ------------------------------------------------------------------------------------------------------


def _new(new: feeds.New) -> str:
    one = feeds.show(feed=new.id, by=g.actor, now=g.now)
    return render_template("calendar_address.html", one=one, **_words(), address=_addresses(new.secret), now=g.now)


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
