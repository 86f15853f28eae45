"""What a person sets for themselves: when and how often they are told, who is told while they are away, and in which
language samehour speaks to them.
"""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from service.domain import chat
from service.domain.access import SIGNED_IN, TOLD, allows
from service.domain.chat import CannotChat
from service.domain.hours import LocalTime, Weekday, local_time
from service.domain.refusals import Malformed
from service.domain.signals import Level
from service.domain.telling import MOST_PUSHES, Preferences
from service.language import reader
from service.usecases import chat_services, letters, notices, people
from service.usecases.telling import Digest, Push
from service.web import fields, frame

pages = Blueprint("me", __name__)


@pages.get("/me")
@allows(SIGNED_IN)
def show() -> str:
    """How they are told now, and what they would be sent."""
    return _page()


@pages.post("/me/preferences")
@allows(SIGNED_IN)
def prefer() -> Response | tuple[str, int]:
    """From now on they are told in that way; what can't be is said above the form as it was filled in."""
    try:
        notices.prefer(preferences=_typed(), by=g.actor, now=g.now)
    except Malformed as problem:
        return _page(problem), 422
    return frame.go("/me", said="preferences set")


@pages.post("/me/language")
@allows(SIGNED_IN)
def choose_language() -> Response:
    """From the next page on; empty for whatever the browser asks for."""
    people.set_locale(locale=fields.text("locale") or None, by=g.actor, now=g.now)
    return frame.go(frame.back_to("/"), said="language set")


@pages.post("/me/chat")
@allows(TOLD)
def tell_by_chat() -> Response | tuple[str, int]:
    """Each mail at once is said there, too; what can't be is said, and the address is not shown again."""
    try:
        notices.tell_by_chat(address=fields.text("chat"), by=g.actor, now=g.now)
    except CannotChat as problem:
        return _page(chat_problem=problem), 422
    return frame.go("/me", said="chat set")


@pages.post("/me/chat/test")
@allows(TOLD)
def try_chat() -> Response:
    notices.try_chat(by=g.actor, now=g.now)
    return frame.go("/me", said="chat tried")


@pages.post("/me/chat/remove")
@allows(TOLD)
def tell_by_chat_no_more() -> Response:
    notices.tell_by_chat_no_more(by=g.actor, now=g.now)
    return frame.go("/me", said="chat removed")


def _page(problem: Malformed | None = None, *, chat_problem: CannotChat | None = None) -> str:
    found, ahead = notices.preferences(by=g.actor), notices.preview(by=g.actor, now=g.now)
    return render_template(
        "me.html",
        problem=problem,
        chat_problem=chat_problem,
        form=_as_typed() if problem else _as_form(found, local_time(g.now, ahead.zone)),
        preferences=found,
        ahead=ahead,
        letters=[_letter(one) if one else None for one in (ahead.digest, ahead.push)],
        deputies=notices.deputies(by=g.actor),
        is_told=TOLD.admits(g.actor),
        offers_chat=chat_services.is_offered(),
        chat=notices.chat_place(by=g.actor),
        chat_services=chat.names(),
        chat_text=letters.said_in_chat(ahead.chat, g.settings.public_url, reader.speaker()) if ahead.chat else None,
        most=MOST_PUSHES,
        days=tuple(Weekday),
    )


def _letter(letter: Push | Digest) -> tuple[str, str]:
    """Subject and text, in the language of the page."""
    notice = letters.notice_of(letter, g.settings.public_url, reader.speaker())
    return notice.subject, notice.text


def _typed() -> Preferences:
    """:raises Malformed: one of the fields makes no sense."""
    return Preferences(
        is_pushed=fields.is_ticked("is_pushed"),
        push_from=fields.one_of(Level, "push_from"),
        pushes_a_day=fields.number("pushes_a_day"),
        quiet_since=fields.clock("quiet_since"),
        quiet_until=fields.clock("quiet_until"),
        digest_at=fields.clock("digest_at"),
        digest_days=tuple(day for day in Weekday if day.name in request.form.getlist("digest_days")),
        away_until=_back_at(),
        deputy=fields.text("deputy") or None,
    )


def _back_at() -> LocalTime | None:
    """The day on which they are back, from its first minute on where no time is given."""
    if not fields.text("back_on"):
        return None
    return datetime.combine(fields.day("back_on"), fields.clock("back_at") if fields.text("back_at") else time())


def _as_form(of: Preferences, now: LocalTime) -> Mapping[str, Any]:
    """The fields as they would have been typed; an absence that is over is no more than history."""
    back = of.away_until if of.away_until and of.away_until > now else None
    return {
        "is_pushed": "yes" if of.is_pushed else "",
        "push_from": of.push_from.value,
        "pushes_a_day": of.pushes_a_day,
        "quiet_since": f"{of.quiet_since:%H:%M}",
        "quiet_until": f"{of.quiet_until:%H:%M}",
        "digest_at": f"{of.digest_at:%H:%M}",
        "digest_days": [day.name for day in of.digest_days],
        "back_on": back.date().isoformat() if back else "",
        "back_at": f"{back:%H:%M}" if back and back.time() != time() else "",
        "deputy": of.deputy or "",
    }


def _as_typed() -> Mapping[str, Any]:
    return {**request.form.to_dict(), "digest_days": request.form.getlist("digest_days")}
