"""Texts with names in braces: a closed set, nothing is run, and what is filled in is never read again."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.client_mail import NAMES, NEEDED, CannotUseText, Kind, Shown, checked_text, filled, is_address, news

AT = datetime(2026, 3, 3, 10)
KNOWN = Shown(starts=AT, minutes=50, room=1, therapist=1, modality="in_person", is_on=True)


def shown(**other: object) -> Shown:
    return Shown(**{**vars(KNOWN), **other})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "is_now", "expected"),
    [
        (None, shown(), Kind.BOOKED),
        (None, shown(is_on=False), None),
        (shown(), shown(), None),
        (shown(), shown(is_on=False), Kind.CANCELLED),
        (shown(is_on=False), shown(is_on=False), None),
        (shown(is_on=False), shown(), Kind.BOOKED),
        (shown(), shown(starts=datetime(2026, 3, 3, 11)), Kind.MOVED),
        (shown(), shown(minutes=90), Kind.MOVED),
        (shown(), shown(room=2), Kind.MOVED),
        (shown(), shown(therapist=2), Kind.MOVED),
        (shown(), shown(room=None, modality="video"), Kind.MOVED),
    ],
)
def test_what_is_news_to_whom(known: Shown | None, is_now: Shown, expected: Kind | None) -> None:
    assert news(known, is_now) is expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{date} {time} {name}", "“name” can't be filled in"),
        ("{date} {time} {date.__class__}", "can't be filled in"),
        ("{date} {time} {place[0]}", "can't be filled in"),
        ("{date} {time} {place!r}", "can't be filled in"),
        ("{date} {time} {place:>2000000}", "can't be filled in"),
        ("{date} {time} {0}", "can't be filled in"),
        ("{date} {time} {}", "can't be filled in"),
        ("{date} {time} {hours}", "can't be filled in"),
        ("{date} {time} {place:{clinic}}", "can't be filled in"),
        ("{date} {time} {", "brace"),
        ("{date} {time} }", "brace"),
        ("{{date}} {time}", r"needs \{date\}"),
        ("See you at {time}.", r"needs \{date\}"),
        ("See you.", r"needs \{date\}, \{time\}"),
        ("", "1 to 2,000"),
        ("{date} {time}" + "x" * 2000, "1 to 2,000"),
        ("{date}\x00{time}", "printable"),
        ("{date}\u2028{time}", "printable"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_with_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(CannotUseText, match=said):
        checked_text(Kind.REMINDER, text)


@pytest.mark.parametrize("kind", [Kind.BOOKED, Kind.MOVED, Kind.CANCELLED])
def test_a_change_may_be_about_many_hours(kind: Kind) -> None:
    assert checked_text(kind, " {hours}\r\n{clinic} ") == "{hours}\n{clinic}"
    with pytest.raises(CannotUseText, match=r"needs \{hours\}"):
        checked_text(kind, "Something is new, {therapist}.")


def test_braces_themselves_are_written_twice() -> None:
    assert filled(checked_text(Kind.REMINDER, "{{{date}}} {time}"), {"date": "Mon", "time": "10"}) == "{Mon} 10"


def test_a_value_is_never_read_again() -> None:
    assert filled("{date} {time}", {"date": "{time} {time.__class__}", "time": "10"}) == "{time} {time.__class__} 10"


PIECES = [
    "{",
    "}",
    "{{",
    "}}",
    "date",
    "time",
    "hours",
    "!r",
    ":x",
    ".a",
    "[0]",
    " ",
    "0",
    "{date}",
    "{time}",
    "\n",
    "{% if %}",
]


@settings(max_examples=150)
@given(st.sampled_from(list(Kind)), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_a_text_that_is_kept_can_be_filled_in(kind: Kind, text: str) -> None:
    try:
        kept = checked_text(kind, text)
    except CannotUseText:
        return
    values = {name: f"<{name}>" for name in NAMES[kind]}
    assert all(f"<{name}>" in filled(kept, values) for name in NEEDED[kind])


def test_one_plain_address() -> None:
    assert is_address("one@clients.example")
    for wrong in ("", "one", "a@b@c", "a b@c.example", "a@b.example, c@d.example", "ü@b.example", "a@b.example\n"):
        assert not is_address(wrong)
