"""Clients: find one, add one, look at one and change how to reach them."""

from urllib.parse import parse_qsl, urlencode

from flask import g, render_template, request
from werkzeug.wrappers import Response

from service.domain.access import BOOKING, CLINICAL, Role, allows
from service.usecases import clients, courses, feeds
from service.usecases.clients import Match
from service.usecases.courses import CourseLine
from service.web import fields, frame
from service.web.front_desk.desk import FIXABLE, pages, show_again

FIRST, SUGGESTED, ALL = 50, 8, 100_000


@pages.get("/clients")
@allows(CLINICAL)
def client_list() -> str:
    wants_all = request.args.get("all") == "yes"
    found = clients.find(query="", limit=ALL if wants_all else FIRST + 1, by=g.actor)
    return _list(found if wants_all else found[:FIRST], query="", has_more=not wants_all and len(found) > FIRST)


@pages.post("/clients/search")
@allows(CLINICAL)
def client_search() -> str:
    """By POST, though it changes nothing: a name in an address would stand in logs and histories."""
    query = fields.text("q")
    return _list(clients.find(query=query, limit=FIRST, by=g.actor), query=query, has_more=False)


@pages.post("/clients/suggest")
@allows(CLINICAL)
def client_suggest() -> str:
    query = fields.text("q")
    found = clients.find(query=query, limit=SUGGESTED, by=g.actor) if query else []
    return render_template("partials/suggestions.html", query=query, found=found, **_for_agreeing())


@pages.get("/clients/new")
@allows(BOOKING)
def client_form() -> str:
    return render_template("client_new.html", form={})


@pages.post("/clients")
@allows(BOOKING)
def client_add() -> Response:
    try:
        client = clients.add(
            name=fields.text("name"),
            email=fields.text("email") or None,
            phone=fields.text("phone") or None,
            is_safe_to_contact=not fields.is_ticked("unsafe"),
            may_be_mailed=fields.is_ticked("mailed"),
            locale=fields.text("locale") or None,
            by=g.actor,
            now=g.now,
        )
    except FIXABLE as refusal:
        return show_again("client_new.html", refusal, form=request.form)
    carried = _for_agreeing()["carried"]
    next_page = f"/agree?client={client}{carried}" if request.form.get("then") == "agree" else f"/clients/{client}"
    return frame.go(next_page, said="client added", about=client)


@pages.get("/clients/<client>")
@allows(CLINICAL)
def client_page(client: str) -> str:
    return render_template("client.html", form={}, **_about(client))


@pages.post("/clients/<client>")
@allows(BOOKING)
def client_change(client: str) -> Response:
    try:
        clients.change(
            client=client,
            name=fields.text("name"),
            email=fields.text("email"),
            phone=fields.text("phone"),
            is_safe_to_contact=not fields.is_ticked("unsafe"),
            may_be_mailed=fields.is_ticked("mailed"),
            locale=fields.text("locale"),
            by=g.actor,
            now=g.now,
        )
    except FIXABLE as refusal:
        return show_again("client.html", refusal, form=request.form, **_about(client))
    return frame.go(f"/clients/{client}", said="client changed")


# --- steps ----------------------------------------------------------------------------------------------------------


def _list(found: list[Match], *, query: str, has_more: bool) -> str:
    lines = {line.id: line for line in courses.listed(by=g.actor, now=g.now)}
    rows = [(match, [lines[course] for course in match.courses if course in lines]) for match in found]
    return render_template("clients.html", rows=rows, query=query, has_more=has_more, **_for_agreeing())


def _for_agreeing() -> dict[str, str]:
    """Where the client's name leads to, and what the board said of the hour before anybody was named."""
    carried = urlencode(dict(parse_qsl(fields.text("carried"))))
    return {"to": fields.text("to"), "carried": f"&{carried}" if carried else ""}


def _about(client: str) -> dict[str, object]:
    found = clients.show(client=client, by=g.actor, now=g.now)
    lines: list[CourseLine] = [line for line in courses.listed(by=g.actor, now=g.now) if line.id in found.courses]
    may_have_calendar = g.actor.has(Role.FRONT_DESK, Role.MANAGER) and feeds.clients_may_have_one(by=g.actor)
    return {
        "client": found,
        "lines": sorted(lines, key=lambda line: line.status.value),
        "may_have_calendar": may_have_calendar and bool(lines),
    }
