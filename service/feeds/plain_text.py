"""Text that no calendar program can misread, whatever people typed.

Left out: control characters (icalendar hands NUL, VT and FF through as they are), halves of surrogate pairs (they have
no UTF-8), byte order marks and the two code points that XML forbids (a CalDAV server wraps the feed in XML).
Replaced: the backslash, since two programs read `\\\\n` as a line break; Unicode's own line and paragraph
separators, at which a reader that splits on "any line break" would cut the property in two.
"""

import re

_DROPPED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_LINE_ENDS = re.compile(r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_BLANKS = re.compile(r"\s+")


def one_line(text: str) -> str:
    """For a summary, a location, a name: every run of blanks and line ends becomes one blank, none at the edges."""
    return _BLANKS.sub(" ", lines(text))


def lines(text: str) -> str:
    """For a description: line ends become `\\n`, and no line has blanks at its edges."""
    kept = _DROPPED.sub("", _LINE_ENDS.sub("\n", text).replace("\t", " ").replace("\\", "/"))
    return "\n".join(line.strip() for line in kept.split("\n")).strip()
