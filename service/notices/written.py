"""A notice out of its two templates, `<name>.txt` and `<name>.html`, said in the reader's language."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from service.domain.phrase import Phrase, Speaker
from service.language.templates import teach
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
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    teach(paper, lambda: speaker)
    paper.globals["language"] = speaker.tag
    return paper
