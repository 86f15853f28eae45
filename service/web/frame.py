"""What stands around every page: the rail, the site and its date, the person, and the line that says what was done."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask, Response, g, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter
from werkzeug.routing.exceptions import RequestRedirect
from werkzeug.wrappers import Response as AnyResponse

from service.config import Settings
from service.domain.access import Policy, Role
from service.domain.hours import LocalTime, local_time
from service.domain.phrase import Phrase, Value, say, says
from service.language import LOCALES, tag
from service.usecases import health, notices, people
from service.web import words

SITE_COOKIE = "samehour-site"
SAID_COOKIE = "samehour-said"
_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One word of the rail. It is shown to whom its page's own policy admits, once there is such a page."""

    word: Phrase
    icon: str
    path: str
    keys: str = ""


ENTRIES = (
    Entry(word=say("Today"), icon="today", path="/today", keys="g t"),
    Entry(word=say("Board"), icon="board", path="/board", keys="g b"),
    Entry(word=say("Clients"), icon="clients", path="/clients", keys="g c"),
    Entry(word=say("Alerts"), icon="alerts", path="/alerts", keys="g a"),
    Entry(word=say("Away"), icon="away", path="/away", keys="g w"),
    Entry(word=say("Waiting"), icon="waiting", path="/waiting"),
    Entry(word=say("Reports"), icon="reports", path="/reports"),
    Entry(word=say("Rules"), icon="rules", path="/rules", keys="g r"),
    Entry(word=say("People"), icon="people", path="/people", keys="g p"),
    Entry(word=say("Audit"), icon="rules", path="/audit"),
    Entry(word=say("Messages"), icon="mail", path="/messages"),
    Entry(word=say("Calendars"), icon="calendars", path="/calendars", keys="g k"),
)


@dataclass(frozen=True, kw_only=True)
class Where:
    """The site that the reader looks at, and what day it is there."""

    site: people.Site | None
    """None only before the first site is entered."""
    sites: tuple[people.Site, ...]
    zone: str
    today: date
    now: LocalTime


@dataclass(frozen=True, kw_only=True)
class Said:
    """What has just been done, and how to take it back, if it can be."""

    text: Phrase
    undo: str | None
    """The address to POST to."""


def here() -> Where:
    """The site at hand: the one chosen last, else the therapist's own, else the first by name."""
    if "where" not in g:
        sites = tuple(people.sites(by=g.actor))
        site = _chosen(sites)
        zone = site.zone if site else g.settings.zone
        now = local_time(g.now, zone)
        g.where = Where(site=site, sites=sites, zone=zone, today=now.date(), now=now)
    found: Where = g.where
    return found


def _chosen(sites: tuple[people.Site, ...]) -> people.Site | None:
    by_id = {site.id: site for site in sites}
    wanted = request.args.get("site") or request.cookies.get(SITE_COOKIE, "")
    if wanted in by_id:
        return by_id[wanted]
    if len(sites) > 1 and g.actor.therapist and not g.actor.has(Role.FRONT_DESK, Role.MANAGER):
        own = next((one.site for one in people.therapists(by=g.actor) if one.id == g.actor.therapist), "")
        return by_id.get(own, sites[0])
    return sites[0] if sites else None


def go(path: str, *, said: str | None = None, about: str = "", fact: str = "") -> AnyResponse:
    """Redirect after something was done: `said` is a key of words.DONE, `about` the public id of what was changed."""
    is_part = "HX-Request" in request.headers
    response = Response(status=204, headers={"HX-Redirect": path}) if is_part else redirect(path, 303)
    if said:
        keep(response, SAID_COOKIE, f"{said}~{about}~{fact}", seconds=60)
    return response


def back_to(default: str) -> str:
    """Where the form that was sent wants to return to: a path of ours, never somebody else's page."""
    wanted = request.form.get("back", "")
    return wanted if is_page(wanted) else default


def is_page(path: str) -> bool:
    """True for the address of a page of ours that can be read; anything else could lead a person away."""
    if not path.startswith("/") or path[1:2] in {"/", "\\"} or not path.isprintable():
        return False
    adapter: MapAdapter = g.pages
    try:
        adapter.match(path.partition("?")[0].partition("#")[0], method="GET")
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True


def keep(response: AnyResponse, name: str, value: str, *, seconds: int) -> None:
    """Set a cookie that is nobody's secret, for this host alone."""
    secure = bool(g.settings.is_secure)
    response.set_cookie(name, value, max_age=seconds, secure=secure, httponly=True, samesite="Lax", path="/")


def put_around(app: Flask, settings: Settings) -> None:
    """Give every template the frame. Call it when all pages are registered."""
    readable = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    policies: dict[str, Policy] = {
        rule.rule: policy for rule in readable if (policy := getattr(app.view_functions[rule.endpoint], "policy", None))
    }
    entries = tuple((entry, policies[entry.path]) for entry in ENTRIES if entry.path in policies)
    app.before_request(lambda: _bring(app, settings))
    app.after_request(_forget_what_was_said)
    app.context_processor(lambda: _around(entries))
    app.jinja_env.filters.update(words.FILTERS)
    app.jinja_env.globals["words"] = words
    app.jinja_env.globals["languages"] = {locale: (tag(locale), name) for locale, name in LOCALES.items()}
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _bring(app: Flask, settings: Settings) -> None:
    g.settings, g.pages = settings, app.url_map.bind("samehour")


def _around(entries: tuple[tuple[Entry, Policy], ...]) -> dict[str, Any]:
    language = tag(g.get("locale"))
    if g.get("actor") is None or g.get("is_bare"):
        return {
            "language": language,
            "where": None,
            "entries": (),
            "said": None,
            "actor": None,
            "is_part": False,
            "is_carried": True,
            "waiting": {},
        }
    return {
        "language": language,
        "where": here(),
        "entries": tuple(entry for entry, policy in entries if policy.admits(g.actor)),
        "said": _said(),
        "actor": g.actor,
        "is_part": "HX-Request" in request.headers,
        # A whole page says so; parts are asked for many times a minute.
        "is_carried": "HX-Request" in request.headers or health.is_sweeping(now=g.now),
        "waiting": {} if "HX-Request" in request.headers else _waiting(),
    }


def _waiting() -> dict[str, tuple[int, Phrase]]:
    """By address, how many things wait there for the reader, as a number and in words."""
    found = notices.counts(by=g.actor, now=g.now)
    return {
        "/alerts": (found.alerts, says("{n} waits for an answer", "{n} wait for an answer", n=found.alerts)),
        "/messages": (found.dead, says("{n} could not be delivered", "{n} could not be delivered", n=found.dead)),
    }


def _said() -> Said | None:
    key, _, rest = request.cookies.get(SAID_COOKIE, "").partition("~")
    about, _, fact = rest.partition("~")
    done = words.DONE.get(key)
    if done is None or "HX-Request" in request.headers:
        return None
    g.has_said = True
    undo = done.undo.format(about) if done.undo and about.replace("-", "").isalnum() else None
    return Said(text=done.about(_fact(fact)), undo=undo)


def _fact(fact: str) -> Value:
    """A count or a local time; anything else in the cookie is none of ours."""
    if fact.isascii() and fact.isdigit() and len(fact) <= 6:
        return int(fact)
    try:
        return words.when(fact)
    except ValueError:
        return ""


def _forget_what_was_said(response: Response) -> Response:
    if g.get("has_said"):
        response.delete_cookie(SAID_COOKIE, path="/")
    return response
