"""What leaves for a chat service: how many things there are, and a link. Whom it is about stays here."""

from collections.abc import Sequence

from service.domain.phrase import PLAIN, Phrase, Speaker, say
from service.domain.signals.signal import Level
from service.notices.push import counted

TEST: Phrase = say("samehour: this is a test. Messages arrive here.")


def chat_text(levels: Sequence[Level], *, public_url: str, speaker: Speaker = PLAIN) -> str:
    """The message; of nothing at all, a test."""
    said, link = (counted(levels), f"{public_url}/alerts") if levels else (TEST, f"{public_url}/me")
    return f"{said.said(speaker)}\n{link}"
