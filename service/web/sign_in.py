"""Signing in and out."""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, make_response, redirect, render_template, request
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address
from werkzeug.wrappers import Response as AnyResponse

from service.config import Settings
from service.domain.access import PUBLIC, SIGNED_IN, Role, allows
from service.domain.phrase import Value, say
from service.domain.refusals import Forbidden
from service.usecases import people
from service.web import frame

pages = Blueprint("sign_in", __name__)

PER_ADDRESS = "60 per 15 minutes"
PER_PERSON = "10 per 15 minutes"
_PATIENCE: Mapping[str, Any] = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
"""Seconds that a sign-in waits for a Redis that does not answer, before it counts in memory."""


class CannotComeFromElsewhere(Forbidden):
    """Another page sent the form: it could sign a person in as somebody else, who then reads what they enter."""


@pages.get("/sign-in")
@allows(PUBLIC)
def ask() -> AnyResponse:
    if "HX-Request" in request.headers:
        # A part of a page was asked for after the session ended: the whole page must go to the sign-in.
        current = urlsplit(request.headers.get("HX-Current-URL", ""))
        return Response(status=204, headers={"HX-Redirect": "/sign-in?next=" + current.path})
    wanted = request.args.get("next", "")
    if g.secret and people.who_is(secret=g.secret, now=g.now):
        return redirect(_safe(wanted))
    return _page(wanted=wanted)


@pages.post("/sign-in")
@allows(PUBLIC)
def enter() -> AnyResponse:
    _require_our_form()
    email, wanted = request.form.get("email", ""), request.form.get("next", "")
    try:
        secret = people.sign_in(email=email, password=request.form.get("password", ""), now=g.now)
    except people.CannotSignIn as refusal:
        return _page(wanted=wanted, email=email, problem=refusal.message, status=403)
    return _let_in(secret, wanted)


@pages.get("/sign-in/<secret>")
@allows(PUBLIC)
def ask_by_link(secret: str) -> AnyResponse:
    """A page with a button: programs that follow links in mails must not use the link up."""
    return _private(make_response(render_template("sign_in_link.html", secret=secret)))


@pages.post("/sign-in/<secret>")
@allows(PUBLIC)
def enter_by_link(secret: str) -> AnyResponse:
    _require_our_form()
    try:
        return _let_in(people.sign_in_by_link(secret=secret, now=g.now), "")
    except people.CannotSignIn as refusal:
        return _page(wanted="", problem=refusal.message, status=403)


@pages.post("/sign-out")
@allows(SIGNED_IN)
def leave() -> AnyResponse:
    if g.secret:
        people.sign_out(secret=g.secret, now=g.now)
    response = redirect("/sign-in", 303)
    response.delete_cookie(g.cookie_name, path="/", secure=g.settings.is_secure, httponly=True, samesite="Lax")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@pages.get("/")
@allows(SIGNED_IN)
def start() -> AnyResponse:
    """Where the day begins for this person."""
    return redirect("/today" if g.actor.has(Role.FRONT_DESK, Role.MANAGER, Role.THERAPIST) else "/people")


@pages.post("/site")
@allows(SIGNED_IN)
def choose_site() -> AnyResponse:
    """Remember in this browser which site is looked at."""
    response = frame.go(frame.back_to("/"))
    known = {site.id for site in people.sites(by=g.actor)}
    if (wanted := request.form.get("site", "")) in known:
        frame.keep(response, frame.SITE_COOKIE, wanted, seconds=365 * 24 * 3600)
    return response


def _storage(redis_url: str | None) -> str:
    """The limiter's own spelling: it takes redis://, but a socket only as redis+unix://."""
    if redis_url is None:
        return "memory://"
    return f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url


def limit(app: Flask, settings: Settings) -> None:
    """Slow down whoever guesses: only what was refused is counted, so a busy clinic behind one address is not."""
    limiter = Limiter(
        key_func=get_remote_address,
        app=app,
        storage_uri=_storage(settings.redis_url),
        storage_options=dict(_PATIENCE) if settings.redis_url else {},
        in_memory_fallback_enabled=settings.redis_url is not None,
        strategy="fixed-window",
        key_prefix="samehour",
    )
    app.register_error_handler(RateLimitExceeded, _ask_for_patience)
    for endpoint in ("sign_in.enter", "sign_in.enter_by_link"):
        view: Any = app.view_functions[endpoint]
        for rate, key in ((PER_PERSON, _person), (PER_ADDRESS, get_remote_address)):
            view = limiter.limit(rate, key_func=key, deduct_when=_was_refused)(view)
        app.view_functions[endpoint] = view


def _person() -> str:
    """Whom somebody tries to be. Hashed: the counter's keys lie in Redis for all to read."""
    claimed = request.form.get("email", "").strip().lower() or request.path
    return hashlib.sha256(claimed.encode()).hexdigest()[:32]


def _ask_for_patience(_fault: RateLimitExceeded) -> Response:
    wait = say(
        "There were too many tries. Wait a quarter of an hour, or ask your admin for a link that signs you in once."
    )
    return _page(wanted="", problem=wait, status=429)


def _was_refused(response: Response) -> bool:
    return response.status_code >= 400


def _require_our_form() -> None:
    """:raises CannotComeFromElsewhere: the browser says that another site's page sent this."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = {_origin(g.settings.public_url), _origin(request.host_url)}
    is_ours = site in {"same-origin", "none"} if site else origin is None or origin in ours
    if not is_ours:
        raise CannotComeFromElsewhere(
            say("Another page sent this form. Nothing was changed; sign in from our own page.")
        )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _page(*, wanted: str, email: str = "", problem: Value = "", status: int = 200) -> Response:
    page = render_template("sign_in.html", wanted=wanted, email=email, problem=problem)
    return _private(make_response(page, status))


def _private(response: Response) -> Response:
    # Under no-referrer a browser sends `Origin: null` with our own form, which then looks like anybody's.
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _let_in(secret: str, wanted: str) -> AnyResponse:
    if g.secret:
        people.sign_out(secret=g.secret, now=g.now)
    response = redirect(_safe(wanted), 303)
    response.set_cookie(
        g.cookie_name,
        secret,
        max_age=int(people.LONGEST.total_seconds()),
        secure=g.settings.is_secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def _safe(wanted: str) -> str:
    return wanted if frame.is_page(wanted) else "/"
