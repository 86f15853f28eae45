"""Templates that speak: `_("…")` is translated, and phrases are said wherever they are shown, also in a sentence."""

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, pass_context

from service.domain.phrase import Part, Speaker, said


def teach(paper: Environment, speaker: Callable[[], Speaker]) -> None:
    """From now on its templates speak as `speaker()` does at the time; call it before the first is read."""

    def shown(value: Any) -> Any:
        return said(value, speaker()) if isinstance(value, Part) else value

    paper.add_extension("jinja2.ext.i18n")
    paper.finalize = shown
    paper.install_gettext_callables(  # type: ignore[attr-defined]
        lambda template: speaker().translated(template),
        lambda one, many, n: speaker().translated_plural(one, many, n),
        newstyle=True,
    )
    words: dict[str, Any] = paper.globals
    words.update({name: _with_values(shown, words[name]) for name in ("gettext", "ngettext")})


def _with_values(shown: Callable[[Any], Any], translate: Callable[..., str]) -> Callable[..., str]:
    """What goes into a sentence is said in its language too; `%` would take the plain English of a phrase."""

    @pass_context
    def translated(context: object, /, *sentence: Any, **values: Any) -> str:
        return translate(context, *sentence, **{name: shown(value) for name, value in values.items()})

    return translated
