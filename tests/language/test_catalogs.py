"""Every sentence of the code is there in every language, with its values in it, and in a kind tone."""

import re
import string
from itertools import chain

import pytest
from babel.messages.catalog import Catalog, Message

from service.language import catalog
from tests import words
from tests.words import Id

LANGUAGES = words.languages()
BLAMING = re.compile(
    r"\b(versäum\w*|unentschuldigt\w*|(nicht|niemand) erschienen\w*|schwänz\w*|verweiger\w*|unzuverlässig\w*|"
    r"non-?compliant|(non-?)?complian[ct]e\w*|therapieabbr\w*|abgebrochen\w*|abbrecher\w*|schuld\w*|verschulde\w*|"
    r"fehlverhalten|vorwurf|vorwürfe|vorwerf\w*|ausrede\w*|problemklient\w*|problempatient\w*|patient\w*|"
    r"schwierige\w* (fall|klient\w*)|chronisch\w*|resistent\w*|widerständig\w*|unmotivier\w*|unkooperativ\w*|"
    r"hätte(n|st)? (\w+ )*(sollen|müssen)|gefehlt|fernblieb\w*|ferngeblieben|ausfall de[rs] klient\w*|"
    r"no-?shows?|risikowert\w*|risiko-?score\w*|mahnung\w*|verwarn\w*|versag\w*)\b",
    re.IGNORECASE,
)
"""What CONSISTENCY.md forbids in English, in the words a German clinic would use for it."""
FAMILIAR = re.compile(r"\b(du|dir|dich|dein\w*|euch|euer|eure\w*)\b", re.IGNORECASE)
_IN_PERCENT = re.compile(r"%\((\w+)\)s")


def values_in(text: str) -> list[str]:
    """The names of the values, in whichever way the text holds them."""
    if _IN_PERCENT.search(text):
        return sorted(set(_IN_PERCENT.findall(text)))
    return sorted({name for _, name, _, _ in string.Formatter().parse(text) if name is not None})


def forms(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, tuple | list) else [message.string or ""]


def missing(found: Catalog, wanted: set[Id]) -> set[Id]:
    there = words.messages_of(found)
    return {one for one in wanted if one not in there or not all(forms(there[one]))}


def translated(language: str) -> list[tuple[str, str]]:
    """Each text with its translation, form by form."""
    there = words.messages_of(words.catalog_of(language))
    pairs = [
        pair
        for one, message in there.items()
        for pair in zip((one,) if isinstance(one, str) else one, forms(message), strict=True)
    ]
    return [(source, form) for source, form in pairs if form]


def test_german_is_spoken() -> None:
    assert "de" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_stands_in_a_catalog_that_nobody_says(language: str) -> None:
    assert sorted(map(str, set(words.messages_of(words.catalog_of(language))) - set(words.found()))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_a_guess(language: str) -> None:
    assert [message.id for message in words.catalog_of(language) if message.id and message.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_is_as_it_is_written(language: str) -> None:
    kept = words.catalog_of(language)
    assert words.file_of(language).read_text(encoding="utf-8") == words.as_text(
        words.up_to_date(kept, words.messages_of(kept), language), language
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_value_is_in_both_languages(language: str) -> None:
    for source, form in translated(language):
        assert values_in(form) == values_in(source), form


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_found_whether_it_is_counted_or_not(language: str) -> None:
    spoken = catalog(language)
    for one, message in words.messages_of(words.catalog_of(language)).items():
        if isinstance(one, tuple) and all(forms(message)):
            assert [spoken.ngettext(*one, n) for n in (1, 2)] == forms(message)
        elif forms(message)[0]:
            assert spoken.gettext(str(one)) == forms(message)[0]


def test_german_is_kind_and_says_sie() -> None:
    for one, form in translated("de"):
        assert not BLAMING.search(form), (one, form)
        assert not FAMILIAR.search(form), (one, form)
        assert "!" not in form, (one, form)


def test_german_ends_its_sentences_as_english_does() -> None:
    for source, form in translated("de"):
        assert source.endswith(".") == form.endswith("."), (source, form)
        assert form == form.strip() or source != source.strip(), form


@pytest.mark.parametrize(
    "text",
    [
        "Die Person hat zwei Termine versäumt.",
        "Unentschuldigt gefehlt",
        "Der Klient ist nicht erschienen.",
        "ein Therapieabbruch",
        "Ausfall des Klienten",
        "Sie hätten absagen sollen.",
    ],
)
def test_unkind_words_are_found(text: str) -> None:
    assert BLAMING.search(text)


def test_familiar_words_are_found() -> None:
    assert FAMILIAR.search("Bitte gib dein Kennwort ein.") and not FAMILIAR.search("Bitte geben Sie Ihr Kennwort ein.")


def test_a_missing_sentence_is_named() -> None:
    whole = Catalog(locale="de")
    whole.add("There is no such course.", "Diese Therapie gibt es nicht.")
    whole.add(("{n} hour", "{n} hours"), ("{n} Stunde", "{n} Stunden"))
    wanted: set[Id] = {"There is no such course.", ("{n} hour", "{n} hours")}
    assert missing(whole, wanted) == set()
    assert missing(whole, {*wanted, "Another."}) == {"Another."}
    whole.delete("There is no such course.")
    whole.add("There is no such course.", "")
    assert missing(whole, wanted) == {"There is no such course."}


def test_a_lost_value_is_seen() -> None:
    assert values_in("{a} and {b}") == ["a", "b"] != values_in("{a}")
    assert values_in("%(a)s of 50 %%") == ["a"] != values_in("of 50 %%")


def test_a_text_that_is_put_together_where_it_is_said_is_refused() -> None:
    assert list(words.of_python('say("one"); says("a", "b", n=1); phrase.say("two"); other.say("three")')) == [
        "one",
        ("a", "b"),
        "two",
    ]
    for source in ('say(f"one {n}")', 'say("one" + n)', "say(text)", 'says("a", many, n=1)'):
        with pytest.raises(words.NotLiteral):
            list(words.of_python(source))


def test_an_update_keeps_what_is_said_and_guesses_nothing() -> None:
    kept = Catalog(locale="de")
    kept.add("The hour is taken.", "Die Stunde ist belegt.", user_comments=["as on the board"])
    kept.add("Gone.", "Weg.")
    after = words.messages_of(words.up_to_date(kept, ["The hour is taken.", "The hour is taken now."], "de"))
    assert set(after) == {"The hour is taken.", "The hour is taken now."}
    assert after["The hour is taken."].string == "Die Stunde ist belegt."
    assert list(after["The hour is taken."].user_comments) == ["as on the board"]
    assert not after["The hour is taken now."].string


def test_all_rooms_are_searched() -> None:
    places = set(chain.from_iterable(words.found().values()))
    for part in ("service/app.py", "service/domain/signals", "service/notices/templates/digest.txt"):
        assert part in places
    assert "service/web/templates/base.html" in places
