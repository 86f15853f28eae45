"""Nothing that is written into a header becomes a header of its own (CVE-2024-6923), or a second recipient."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.notices import Notice
from workers.channels import CannotSend, Mail
from workers.channels.email import Server, message
from workers.channels.headers import address, header, plain

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
OURS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version"]
SMUGGLED = [
    "=?utf-8?q?hi=0ABcc=3A_x=40evil.example?=",
    "=?utf-8?b?aGkKQmNjOiB4QGV2aWwuZXhhbXBsZQ==?=",
    "== ??utf-8?q?hi=0ABcc=3A_x=40evil.example?=",
    "=\x00?utf-8?q?hi=0ABcc=3A_x=40evil.example?=",
    "=\n?utf-8?q?hi=0ABcc=3A_x=40evil.example?=",
    "hi\nBcc: x@evil.example",
    "hi\r\n\r\nbody",
    "hi\x0bBcc: x@evil.example",
    "hi\x0cBcc: x@evil.example",
    "hi\x85Bcc: x@evil.example",
    "hi\u2028Bcc: x@evil.example",
    "hi\u2029Bcc: x@evil.example",
    "hi\ud800",
    "\x7fhi\x9b",
]


def wire(**given: str) -> bytes:
    usual = {"id": "1", "to": "ada@clinic.example", "subject": "samehour", "text": "text", "html": "<p>text</p>"}
    has = {**usual, **given}
    notice = Notice(subject=has["subject"], text=has["text"], html=has["html"])
    return message(Mail(id=has["id"], to=has["to"], notice=notice, sent_at=NOW), "samehour@clinic.example").as_bytes()


def heads(data: bytes) -> list[str]:
    """The names of the headers as a mail server sees them: by line, with nothing decoded."""
    # A bare line feed ends a line for many servers.
    block = re.split(rb"\r\n\r\n|\n\n", data, maxsplit=1)[0]
    lines = re.split(rb"\r\n|\r|\n", block)
    return [line.split(b":", 1)[0].decode() for line in lines if line[:1] not in (b" ", b"\t")]


@pytest.mark.parametrize("text", SMUGGLED)
def test_no_subject_smuggles_a_header(text: str) -> None:
    assert set(heads(wire(subject=text))) <= {*OURS, "Content-Type"}
    assert b"evil.example" not in wire(subject=text).split(b"Subject:")[0]
    assert not message_from_bytes(wire(subject=text), policy=policy.default)["Bcc"]


@pytest.mark.parametrize("text", SMUGGLED)
def test_neither_id_nor_body_smuggles_one(text: str) -> None:
    assert set(heads(wire(id=text, text=text, html=text))) <= {*OURS, "Content-Type"}


@given(st.text(alphabet=st.sampled_from("=?:\r\n\t \x00\x0b\x85\u2028aqb_@.<>utf-80ABcc3"), max_size=80))
def test_whatever_is_given_one_line_without_encoded_words_comes_out(text: str) -> None:
    safe = header(text)

    assert safe.splitlines() in ([], [safe])
    assert "=?" not in safe
    assert header(safe) == safe
    assert set(heads(wire(subject=text))) <= {*OURS, "Content-Type"}


def test_a_plain_subject_and_other_scripts_stay_as_they_are() -> None:
    for subject in ("samehour: 1 thing for today", "Übermorgen = morgen? Ja", "時間"):
        assert message_from_bytes(wire(subject=subject), policy=policy.default)["Subject"] == subject


def test_a_body_keeps_its_lines() -> None:
    assert plain("one\r\ntwo\n\tthree\x00\x1b[31m") == "one\ntwo\n\tthree  [31m".replace("  [", " [")


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "ada",
        "a@b@c",
        "a b@c.example",
        "a@c.example\nBcc: x@y",
        "<a@c.example>",
        "a,b@c.example",
        "a@c.example,b@c.example",
        "=?utf-8?q?a?=@c.example",
        "a" * 250 + "@c.example",
        "a\u2028@c.example",
        "\x00a@c.example",
        "a\x7f@c.example",
        "a@c\x1b.example",
    ],
)
def test_what_is_not_one_plain_address_is_not_written_to(bad: str) -> None:
    with pytest.raises(CannotSend):
        address(bad)


def test_the_control_python_alone_writes_what_was_smuggled() -> None:
    """With the guard off: either this Python writes a header of its own, or it refuses to write the mail at all."""
    from email.message import EmailMessage

    naive = EmailMessage(policy=policy.SMTP)
    try:
        naive["Subject"] = SMUGGLED[0]
        naive.set_content("text")
        assert "Bcc" in heads(naive.as_bytes())
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 25, None, "", False)),
        ("smtp://me:p%40ss@mail.example", ("mail.example", 587, "me", "p@ss", False)),
        ("smtps://me:x@mail.example", ("mail.example", 465, "me", "x", True)),
        ("smtp://127.0.0.1:2525", ("127.0.0.1", 2525, None, "", False)),
    ],
)
def test_a_server_is_read_from_its_address(url: str, expected: tuple[object, ...]) -> None:
    server = Server.of(url)

    assert (server.host, server.port, server.user, server.password, server.is_tls) == expected
