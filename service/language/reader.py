"""The one whom this request answers: what a page or a door shows is said in their language."""

from collections.abc import Callable
from typing import Any

from flask import Flask, g
from jinja2 import pass_context

from service.domain.phrase import PLAIN, Part, Speaker, Value, said


def speaker() -> Speaker:
    """Theirs; plain English where nobody asks."""
    found: Speaker = g.get("speaker", PLAIN)
    return found


def tell(value: Value) -> str:
    """In their words."""
    return said(value, speaker())


def teach(app: Flask) -> None:
    """Let the templates speak: `_("…")` is translated, and phrases are said wherever they are shown."""
    app.jinja_options = {**app.jinja_options, "extensions": ["jinja2.ext.i18n"], "finalize": _shown}
    install = app.jinja_env.install_gettext_callables  # type: ignore[attr-defined]
    install(
        lambda template: speaker().translated(template),
        lambda one, many, n: speaker().translated_plural(one, many, n),
        newstyle=True,
    )
    words: dict[str, Any] = app.jinja_env.globals
    words.update({name: _with_values_said(words[name]) for name in ("gettext", "ngettext")})


def _with_values_said(translate: Callable[..., str]) -> Callable[..., str]:
    """What goes into a sentence is said in its language too; `%` would take the plain English of a phrase."""

    @pass_context
    def translated(context: object, /, *sentence: Any, **values: Any) -> str:
        return translate(context, *sentence, **{name: _shown(value) for name, value in values.items()})

    return translated


def _shown(value: Any) -> Any:
    return tell(value) if isinstance(value, Part) else value
