"""Strings made to break a mail's head, through every part of a mail that somebody else may have written.

What goes over the wire is read by a parser of our own, by the letter of RFC 5322 and RFC 2047, that shares no code with
what wrote it. 300 strings in every `make test`, 10,000 with STORM=full; the seed is printed when one gets through.
"""

import base64
import os
import random
import re
from datetime import UTC, datetime
from email.policy import SMTP

import pytest

from service.notices import Notice
from tests.servers import Inbox
from workers.channels import CalendarFile, CannotSend, Mail, email
from workers.channels.email import message
from workers.channels.headers import header

pytestmark = pytest.mark.storm

SEED = int(os.environ.get("STORM_SEED", "20260302"))
STRINGS = 10_000 if os.environ.get("STORM") == "full" else 300
NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
FROM = "samehour@clinic.example"
TO = "ada@clinic.example"
PIECES = [
    *("\r", "\n", "\r\n", "\r\n\r\n", "\n.\n", "\x00", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"),
    *("\ud800", "\u202e", "\ufeff", "\u200b", "\t", " ", "  ", "\xa0"),
    *("=?", "?=", "=", "?", "= ?", "=\n?", "==??", "=?utf-8?q?", "=?UTF-8?B?", "=?x?y?z?=", "=?utf-8?q?a=0D=0AB?="),
    "=?utf-8?q?hi=0ABcc=3A_x=40evil.example?=",
    "=?utf-8?b?aGkKQmNjOiB4QGV2aWwuZXhhbXBsZQ==?=",
    *("Bcc: x@evil.example", "Subject: other", "To: x@evil.example", "Content-Type: text/html", "\r\nRCPT TO:<x@y.z>"),
    *("<", ">", '"', "\\", "(", ")", ",", ";", ":", "@", "[", "]", "<x@evil.example>", "a@b.example, x@evil.example"),
    *("samehour", "Übermorgen", "時間", "😀", "שלום", "ﷺ", "e\u0301", "a" * 90, "ü" * 90, "a b " * 40),
]


def strings() -> list[str]:
    rng = random.Random(SEED)
    return ["".join(rng.choices(PIECES, k=rng.randint(1, 9))) for _ in range(STRINGS)]


# --- the parser


def head(wire: bytes) -> list[tuple[str, str]]:
    """Names and unfolded values in their order. :raises ValueError: a line is not what a head may hold."""
    found: list[list[str]] = []
    for line in wire.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
        if any((byte < 32 and byte != 9) or byte > 126 for byte in line) or len(line) > 998:
            raise ValueError(line)
        if line[:1] in {b" ", b"\t"} and found:
            found[-1][1] += line.decode()
            continue
        name, colon, value = line.decode().partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z-]+", name):
            raise ValueError(line)
        found.append([name, value])
    return [(name, value.strip()) for name, value in found]


WORD = re.compile(r"=\?([\w-]+)\?([bqBQ])\?([!->@-~]*)\?=")


def decoded(value: str) -> str:
    """With its encoded words read, and the space between two of them dropped."""
    joined = re.sub(rf"({WORD.pattern})\s+(?={WORD.pattern})", r"\1", value)
    parts, at = [], 0
    for word in WORD.finditer(joined):
        parts += [joined[at : word.start()].encode(), _read(word[2].lower(), word[3])]
        at = word.end()
    return b"".join([*parts, joined[at:].encode()]).decode("utf-8")


def _read(how: str, text: str) -> bytes:
    if how == "b":
        return base64.b64decode(text)
    quoted = text.replace("_", " ").encode()
    return re.sub(rb"=([0-9A-F]{2})", lambda it: bytes([int(it[1], 16)]), quoted)


def test_the_parser_reads_what_others_wrote() -> None:
    wire = b"Subject: =?utf-8?q?=C3=BCber_?=\r\n =?utf-8?b?bW9yZ2Vu?= so\r\nTo: <a@b.example>\r\n\r\nBcc: none\r\n"
    assert head(wire) == [
        ("Subject", "=?utf-8?q?=C3=BCber_?= =?utf-8?b?bW9yZ2Vu?= so"),
        ("To", "<a@b.example>"),
    ]
    assert decoded(head(wire)[0][1]) == "über morgen so"
    for broken in (b"Sub ject: x\r\n\r\n", b"Subject: a\nBcc: b\r\n\r\n", b"no colon\r\n\r\n"):
        with pytest.raises(ValueError, match="b'"):
            head(broken)


# --- the strings


def written(text: str = "samehour: 1 thing for today", *, elsewhere: str = "plain") -> Mail:
    return Mail(
        id="0f8fad5b",
        to=TO,
        notice=Notice(subject=text, text=f"{elsewhere}\n", html=f"<p>{elsewhere}</p>"),
        sent_at=NOW,
        calendar=CalendarFile(name=f"{elsewhere}.ics", body=b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
        settings_link="https://hours.clinic.example/me",
    )


def subject(wire: bytes) -> str:
    [found] = [value for name, value in head(wire) if name == "Subject"]
    return decoded(found)


def rest(wire: bytes) -> list[tuple[str, str]]:
    """All of the head but the subject, and the boundary, which is drawn anew each time."""
    return [(name, re.sub(r'boundary="[^"]+"', "boundary", value)) for name, value in head(wire) if name != "Subject"]


def test_through_the_subject_they_change_nothing_but_the_subject() -> None:
    plain = rest(message(written(), FROM).as_bytes())
    for text in strings():
        wire = message(written(text), FROM).as_bytes()
        assert rest(wire) == plain, (SEED, text)
        assert subject(wire) == header(text), (SEED, text)


def test_a_long_subject_of_umlauts_keeps_its_spaces() -> None:
    """Python's own way of breaking its line loses some; the control shows it."""
    rng, lost = random.Random(SEED), 0
    words = [
        "Änderung",
        "für",
        "Übermorgen",
        "Termin",
        "heute",
        "über",
        "Praxis",
        "Müller",
        "–",
        "verschoben",
        "3",
        "(neu)",
    ]
    for _ in range(300):
        text = " ".join(rng.choices(words, k=rng.randint(2, 20)))
        made = message(written(text), FROM)
        assert subject(made.as_bytes()) == header(text), (SEED, text)
        lost += subject(made.as_bytes(policy=SMTP)) != header(text)
    assert lost


def test_through_everything_below_the_head_they_change_nothing_in_it() -> None:
    plain = head(message(written(), FROM).as_bytes())[:-1]
    for text in strings():
        assert head(message(written(elsewhere=text), FROM).as_bytes())[: len(plain)] == plain, (SEED, text)


def test_as_names_beside_an_address_they_are_refused_or_are_the_address() -> None:
    """No display name is written at all: what is no plain address is not written to."""
    for text in strings():
        for to in (f"{text} <{TO}>", f'"{text}" <{TO}>', f"{TO} ({text})", f"{text}{TO}"):
            mail = Mail(id="0f8fad5b", to=to, notice=written().notice, sent_at=NOW)
            try:
                wire = message(mail, FROM).as_bytes()
            except CannotSend:
                continue
            assert [value for name, value in head(wire) if name == "To"] == [to], (SEED, text)


def test_over_the_wire_each_is_one_mail_to_one_person(smtp_server: Inbox) -> None:
    send = email.channel(smtp_server.url, FROM)
    some = strings()[:: STRINGS // 60]
    for text in some:
        send(written(text, elsewhere=text))

    assert smtp_server.recipients == [[TO]] * len(some)
    assert [mail["Bcc"] for mail in smtp_server.mails] == [None] * len(some)
