"""Steps: a letter in its reader's words, for whoever sends it and for whoever looks at it beforehand."""

from collections.abc import Collection

from service.domain.phrase import Moment, Speaker
from service.notices import Notice
from service.notices.chat import chat_text
from service.notices.digest import DigestData, digest_notice
from service.notices.push import AlertData, GroupData, push_notice
from service.usecases.alerts import Alert
from service.usecases.telling import Chat, Digest, Push
from service.usecases.together import Together


def said_in_chat(letter: Chat, public_url: str, speaker: Speaker) -> str:
    """The whole message: how many things there are, and where to see which."""
    return chat_text(letter.levels, public_url=public_url, speaker=speaker)


def notice_of(letter: Push | Digest, public_url: str, speaker: Speaker) -> Notice:
    """Subject, text and HTML of the letter."""
    if isinstance(letter, Push):
        them = [_data(one, public_url, closed=letter.closed) for one in letter.alerts]
        groups = [_group(one, public_url, closed=letter.closed) for one in letter.together]
        return push_notice(them, groups, public_url=public_url, speaker=speaker)
    data = DigestData(
        day=letter.day,
        act=[_data(one, public_url) for one in letter.act],
        watch=[_data(one, public_url) for one in letter.watch],
        breaks=[_data(one, public_url) for one in letter.breaks],
        groups_for_today=[_group(one, public_url) for one in letter.together if one.absence in letter.for_today],
        groups=[_group(one, public_url) for one in letter.together if one.absence not in letter.for_today],
        changes=letter.changes,
        dead=letter.dead,
    )
    return digest_notice(data, public_url=public_url, speaker=speaker)


def _data(alert: Alert, public_url: str, *, closed: Collection[str] = ()) -> AlertData:
    """What of the alert may leave the house: initials, and no name."""
    return AlertData(
        signal=alert.signal,
        level=alert.level,
        initials=alert.initials,
        text=alert.text,
        causes=alert.causes,
        actions=alert.actions,
        clears=alert.clears,
        value=alert.value,
        threshold=alert.threshold,
        evidence=alert.evidence,
        agreed=alert.agreed_openly,
        link=f"{public_url}/alerts#alert-{alert.id}",
        course_link=None if alert.course in closed else f"{public_url}/courses/{alert.course}",
    )


def _group(group: Together, public_url: str, *, closed: Collection[str] = ()) -> GroupData:
    """Who stands in for somebody answers the alerts; the page of the absence would show them nobody."""
    is_closed = any(one.course in closed for one in group.alerts)
    link = f"{public_url}/alerts" if is_closed else f"{public_url}/away/{group.absence}"
    return GroupData(text=group.text, level=group.level, first=Moment(group.first), link=link)
