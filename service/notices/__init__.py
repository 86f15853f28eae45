"""The words samehour sends. Pure: data in, notice out.

A notice says what, why, the causes, what one can do, and what clears it. It names no client: initials at most, and
none in the subject, which other people see over a shoulder and mail servers keep in their logs.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One thing to say to one person, as plain text and as HTML that needs no image and no network."""

    subject: str
    text: str
    html: str
