"""What is there to say, and in which language is it said? `python -m tests.words` brings each catalog up to date.

A message is the literal that stands in `say("…")`, `says("…", "…")` and, in templates, `_("…")` and
`ngettext("…", "…")`; the rules' texts stand at the head of their files. New messages are added empty, those that
nobody says any more are dropped. Nothing is guessed from a similar message: a translation is of this sentence or of
none. It is no part of `make test`: `make words`.
"""

import ast
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from service.domain.phrase import Phrase
from service.domain.rules import rules
from service.language import CATALOGS

ROOT = Path(__file__).parent.parent
ROOMS = ("service", "workers")
TEMPLATES = frozenset({".html", ".txt"})
KEPT_IN = {"service/domain/phrase.py", "service/domain/rules.py"}
"""These make phrases out of what they are given; the texts come from elsewhere, and are found there."""

Id = str | tuple[str, str]
"""A message as it stands in the code, or its forms for one and for many."""

_HEADER = """\
# The words of samehour. Which German word stands for which English one: see GLOSSARY.de.md beside this folder.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


class NotLiteral(Exception):
    """A text that is put together where it is said can't be found, so nobody would translate it."""


def found() -> dict[Id, list[str]]:
    """Every message of the code, with the files that say it.

    :raises NotLiteral: a text is not a literal.
    """
    messages: dict[Id, list[str]] = {}
    for path in _files():
        name = str(path.relative_to(ROOT))
        for one in of_python(path.read_text(encoding="utf-8"), name) if path.suffix == ".py" else of_template(path):
            messages.setdefault(one, []).append(name)
    for text in _of_rules():
        messages.setdefault(text, []).append("service/domain/signals")
    messages.pop("", None)  # nothing to say, and in a catalog the name of its head
    return _as_one(messages)


def of_python(source: str, name: str = "") -> Iterator[Id]:
    """The messages of a module. :raises NotLiteral: see there."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or (name in KEPT_IN and not _literals(node, 1)):
            continue
        forms = {"say": 1, "says": 2}.get(_called(node))
        if forms is None:
            continue
        texts = _literals(node, forms)
        if texts is None:
            raise NotLiteral(f"{name}:{node.lineno}: the text is not a literal")
        yield texts[0] if forms == 1 else (texts[0], texts[1])


def of_template(path: Path) -> Iterator[Id]:
    with path.open("rb") as text:
        for _line, function, given, _comments in babel_extract(text, ("_", "gettext", "ngettext"), (), {}):
            texts = [one for one in ([given] if isinstance(given, str) else given or ()) if one is not None]
            if len(texts) < (2 if function == "ngettext" else 1):
                raise NotLiteral(f"{path.relative_to(ROOT)}: a text of {function} is not a literal")
            yield (texts[0], texts[1]) if function == "ngettext" else texts[0]


def catalog_of(language: str) -> Catalog:
    with file_of(language).open("rb") as text:
        return read_po(text, locale=language)


def file_of(language: str) -> Path:
    return CATALOGS / language / "samehour.po"


def languages() -> list[str]:
    """Those that have a catalog; English is what the code says."""
    return sorted(path.parent.name for path in CATALOGS.glob("*/samehour.po"))


def messages_of(catalog: Catalog) -> dict[Id, Message]:
    return {_id(one): one for one in catalog if one.id}


def up_to_date(catalog: Catalog, wanted: Iterable[Id], language: str) -> Catalog:
    """The same translations for what is still said, and room for what is new."""
    known = messages_of(catalog)
    fresh = Catalog(locale=language)
    for one in wanted:
        there = known.get(one)
        comments = there.user_comments if there else ()
        fresh.add(one, there.string if there else None, user_comments=comments)
    return fresh


def as_text(catalog: Catalog, language: str) -> str:
    """As it is kept: by text, without dates and places, so that it changes only where the words do."""
    written = io.BytesIO()
    write_po(written, catalog, width=120, no_location=True, omit_header=True, sort_output=True)
    return _HEADER.format(language=language) + written.getvalue().decode().strip("\n") + "\n"


def _files() -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            inside = path.relative_to(ROOT).parts
            is_template = path.suffix in TEMPLATES and ("templates" in inside or "pages" in inside)
            if path.suffix == ".py" or is_template:
                yield path


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    is_ours = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    return node.func.attr if is_ours and node.func.value.id == "phrase" else ""  # type: ignore[attr-defined]


def _literals(node: ast.Call, forms: int) -> list[str] | None:
    texts = [one.value for one in node.args[:forms] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return texts if len(texts) == forms else None


def _of_rules() -> Iterator[str]:
    for rule in rules():
        said: tuple[Phrase, ...] = (rule.title, *rule.definition, rule.is_not, rule.evidence)
        yield from (one.template for one in said if one.template)


def _as_one(messages: Mapping[Id, list[str]]) -> dict[Id, list[str]]:
    """A text that is counted somewhere is one message, there and where it is not counted."""
    counted = {one[0]: one for one in messages if isinstance(one, tuple)}
    joined: dict[Id, list[str]] = {}
    for one, places in messages.items():
        key = counted.get(one, one) if isinstance(one, str) else one
        joined.setdefault(key, []).extend(places)
    return joined


def _id(message: Message) -> Id:
    return (message.id[0], message.id[1]) if isinstance(message.id, list | tuple) else message.id


def main() -> None:
    wanted = found()
    for language in languages():
        before = catalog_of(language)
        after = up_to_date(before, wanted, language)
        file_of(language).write_text(as_text(after, language), encoding="utf-8")
        known = messages_of(before)
        empty = sum(not all(one.string if isinstance(one.string, tuple) else [one.string]) for one in after if one.id)
        print(
            f"{language}: {len(wanted)} messages, {len(set(wanted) - set(known))} new, "
            f"{len(set(known) - set(wanted))} dropped, {empty} without a translation"
        )


if __name__ == "__main__":
    main()
