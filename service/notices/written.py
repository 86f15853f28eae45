"""A notice out of its two templates, `<name>.txt` and `<name>.html`, said in the reader's language."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from service.domain.phrase import Part, Phrase, Speaker, said
from service.notices import Notice


def written(name: str, subject: Phrase, speaker: Speaker, **values: Any) -> Notice:
    """The notice; what the values hold of phrases is said where it stands."""
    paper = _paper(speaker)
    values = {"subject": subject, **values}
    return Notice(
        subject=subject.said(speaker),
        text=paper.get_template(f"{name}.txt").render(values),
        html=paper.get_template(f"{name}.html").render(values),
    )


@cache
def _paper(speaker: Speaker) -> Environment:
    paper = Environment(
        loader=PackageLoader("service.notices"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        finalize=lambda value: said(value, speaker) if isinstance(value, Part) else value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    paper.install_gettext_callables(  # type: ignore[attr-defined]
        speaker.translated, speaker.translated_plural, newstyle=True
    )
    paper.globals["language"] = speaker.tag
    return paper
