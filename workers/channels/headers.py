"""What may stand in a mail: nothing that ends a line, and nothing that decodes into something that does.

Python's own header parser decodes `=?utf-8?q?hi=0ABcc=3A…?=` in a value that it is given, and up to 3.11.8 writes the
line break out again, as a header of its own (CVE-2024-6923). So no encoded word goes in, and no control character.
"""

import re

from workers.channels import CannotSend

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_CONTROLS_IN_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ENCODED_WORD = re.compile(r"=\s*\?")
_ADDRESS = re.compile(r"[^\x00-\x20\x7f@<>()\[\]\\,;:\"=?]+@[^\x00-\x20\x7f@<>()\[\]\\,;:\"=?]+")
LONGEST = 200


def header(text: str) -> str:
    """Safe as a header's value: one line, no control characters, no encoded words."""
    one_line = _CONTROLS.sub(" ", text)
    # Until nothing is left to find: taking one sign out can bring another pair together.
    while _ENCODED_WORD.search(one_line):
        one_line = _ENCODED_WORD.sub("", one_line)
    return " ".join(one_line.split())[:LONGEST].rstrip()


def plain(text: str) -> str:
    """Safe as a body: line feeds and tabs alone among the control characters."""
    return _CONTROLS_IN_TEXT.sub(" ", text.replace("\r\n", "\n"))


def address(text: str) -> str:
    """One plain address.

    :raises CannotSend: it is none.
    """
    if len(text) > 254 or not text.isascii() or not _ADDRESS.fullmatch(text):
        raise CannotSend("not an address")
    return text
