"""One person's day in one mail: what needs them, what to look at, whom to tell, what others changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from service.domain.phrase import PLAIN, FullDay, Phrase, Speaker, say
from service.notices import Notice
from service.notices.push import AlertData, GroupData
from service.notices.written import written


@dataclass(frozen=True, kw_only=True)
class DigestData:
    """What the digest is about. Names nobody."""

    day: date
    act: Sequence[AlertData]
    watch: Sequence[AlertData]
    breaks: Sequence[AlertData]
    groups_for_today: Sequence[GroupData] = ()
    groups: Sequence[GroupData] = ()
    """What one absence does to several courses, in one line; those that need somebody now, and the others."""
    changes: Sequence[Phrase]
    dead: int


def digest_notice(data: DigestData, *, public_url: str, speaker: Speaker = PLAIN) -> Notice:
    """The notice, with a neutral subject."""
    sections = (
        (say("For today"), data.groups_for_today, data.act),
        (say("To look at"), (), data.watch),
        (say("Breaks to tell"), data.groups, data.breaks),
    )
    return written(
        "digest",
        say("samehour: your day"),
        speaker,
        day=FullDay(data.day),
        sections=[(heading, groups, them) for heading, groups, them in sections if groups or them],
        changes=data.changes,
        dead=data.dead,
        messages_link=f"{public_url}/messages",
        settings_link=f"{public_url}/me",
    )
