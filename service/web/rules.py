"""The rules, for everyone: what each means, what speaks for and against it, and drawn courses to check it on.

Managers try other numbers here before they set them; exceptions of a course are agreed on the course's page.
"""

import re
from collections.abc import Mapping
from datetime import date

from flask import Blueprint, g, render_template, request
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from service.domain.access import ALERTS, CLINICAL, MANAGING, Role, allows
from service.domain.drawing import LETTERS
from service.domain.limits import OFF, PRESETS, RULES, parameters
from service.domain.phrase import Number, Phrase, Value, say
from service.domain.refusals import Malformed
from service.domain.rules import FEWEST_VERDICTS, MEANING, USEFUL_SHARE
from service.language.reader import tell
from service.usecases import overrides, people, rules, what_if
from service.web import fields, frame

pages = Blueprint("rules", __name__)

LABELS: Mapping[str, Phrase] = {
    "moderate": say("several studies point this way, mixed or observational"),
    "code": say("a professional body's duty"),
    "convention": say("usual practice, or our own choice"),
}
PRESET_WORDS: Mapping[str, Phrase] = {
    "flexible_by_agreement": say("flexible by agreement"),
    "hybrid_agreed": say("in person and by video, as agreed"),
    "tapering": say("tapering: the interval follows what is planned"),
    "as_needed": say("as needed: to come when it is wished"),
    "shift_worker": say("shift worker: any of the agreed hours"),
    "breaks_sensitive": say("breaks matter: told earlier, long ones sooner"),
}
Values = dict[str, float | str]


@pages.get("/rules")
@allows(CLINICAL)
def show() -> str:
    """Every rule, with the numbers in force."""
    return _page()


@pages.post("/rules/what-if")
@allows(MANAGING)
def ask_what_if() -> str:
    """The same page, with what the last ninety days would have told with these numbers. Nothing is set."""
    values, therapist = _values(), fields.text("therapist") or None
    answer = what_if.ask(values=values, therapist=therapist, by=g.actor, now=g.now)
    return _page(answer=answer, tried=values, for_therapist=therapist)


@pages.post("/exceptions")
@allows(ALERTS)
def agree() -> Response:
    """Agree on an exception for the course named in the form, else for the therapist, else for the clinic."""
    overrides.set(
        values=_values(),
        reason=fields.text("reason"),
        until=fields.day("until"),
        course=fields.text("course") or None,
        therapist=fields.text("therapist") or None,
        by=g.actor,
        now=g.now,
    )
    return frame.go(frame.back_to("/rules"), said="exception agreed")


@pages.post("/exceptions/<override>/lift")
@allows(ALERTS)
def lift(override: str) -> Response:
    overrides.lift(override=override, by=g.actor, now=g.now)
    return frame.go(frame.back_to("/rules"), said="exception lifted")


def _page(
    *, answer: what_if.Answer | None = None, tried: Values | None = None, for_therapist: str | None = None
) -> str:
    manages = g.actor.has(Role.MANAGER)
    explained = rules.explained(by=g.actor, now=g.now)
    return render_template(
        "rules.html",
        explained=explained,
        in_force={one.name: one for rule in explained for one in rule.thresholds},
        labels=LABELS,
        letters=LETTERS,
        marked=marked,
        number=number,
        shown=shown,
        manages=manages,
        answer=answer,
        tried=tried or {},
        for_therapist=for_therapist,
        meaning=MEANING,
        rule_ids=RULES,
        therapists=people.therapists(by=g.actor) if manages else [],
        exceptions=_exceptions() if manages else [],
        usefulness=rules.usefulness(by=g.actor, now=g.now) if manages else [],
        fewest=FEWEST_VERDICTS,
        share=round(100 * USEFUL_SHARE),
        next_year=_next_year(frame.here().today),
    )


def _exceptions() -> list[overrides.Agreed]:
    of_clinic = overrides.listed(by=g.actor, now=g.now)
    return [*of_clinic, *overrides.of_therapists(by=g.actor, now=g.now)]


def _next_year(today: date) -> date:
    return date(today.year + 1, today.month, min(today.day, 28))


def for_course(course: str, therapist: str) -> dict[str, object]:
    """What the part about exceptions on the course's page shows."""
    is_theirs = g.actor.has(Role.MANAGER) or g.actor.therapist == therapist
    return {
        "exceptions": overrides.listed(course=course, by=g.actor, now=g.now),
        "may_agree": is_theirs,
        "presets": [(f"preset:{name}", PRESET_WORDS[name]) for name in PRESETS],
        "numbers": [(name, say("{name}: {meaning}", name=name, meaning=meaning)) for name, meaning in MEANING.items()],
        "off": [(f"off:{rule}", say("{rule} does not apply", rule=rule)) for rule in RULES],
        "exception_value": shown,
    }


# What forms hold


def _values() -> Values:
    """One choice with its value (`what`), or a field for each number that is to be another."""
    what = fields.text("what")
    if what:
        return _chosen(what)
    values: Values = {name: _number(name) for name in MEANING if fields.text(name)}
    values.update((rule, OFF) for rule in request.form.getlist("off") if rule)
    return values


def _chosen(what: str) -> Values:
    kind, _, name = what.partition(":")
    if kind == "preset":
        return {"preset": name}
    if kind == "off":
        return {name: OFF}
    if what not in parameters():
        raise Malformed(say("Choose what is to be otherwise."), where="what")
    return {what: _number("value")}


def _number(name: str) -> float:
    try:
        return float(fields.text(name).replace(",", "."))
    except ValueError:
        raise Malformed(say("That is not a number."), where=name) from None


# What pages show


def shown(value: float | str) -> Value:
    """`1.5`, `6`, `breaks matter: told earlier, long ones sooner`"""
    if isinstance(value, int | float):
        return Number(float(value), 4)
    return say("does not apply") if value == OFF else PRESET_WORDS.get(value) or value


def number(value: float | str) -> str:
    """`1.5`, as the fields of a form hold it in every language."""
    return f"{value:g}" if isinstance(value, int | float) else value


_NAME, _TERM = re.compile(r"`([^`]+)`"), re.compile(r"\*(\w[^*]*)\*")


def marked(text: Value, in_force: Mapping[str, rules.Threshold]) -> Markup:
    """A paragraph of a rule's text: names as code, those of numbers with what is in force."""

    def name(found: re.Match[str]) -> str:
        known = in_force.get(found[1])
        return f"<code>{found[1]}</code>" + (f" ({escape(tell(shown(known.value)))})" if known else "")

    return Markup(_TERM.sub(r"<em>\1</em>", _NAME.sub(name, str(escape(tell(text))))))  # noqa: S704  escaped just here
