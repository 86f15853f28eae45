"""Steps: a letter in its reader's words, for whoever sends it and for whoever looks at it beforehand."""

from collections.abc import Collection

from service.domain.phrase import Speaker
from service.notices import Notice
from service.notices.digest import DigestData, digest_notice
from service.notices.push import AlertData, push_notice
from service.usecases.alerts import Alert
from service.usecases.telling import Letter, Push


def notice_of(letter: Letter, public_url: str, speaker: Speaker) -> Notice:
    """Subject, text and HTML of the letter."""
    if isinstance(letter, Push):
        them = [_data(one, public_url, closed=letter.closed) for one in letter.alerts]
        return push_notice(them, public_url=public_url, speaker=speaker)
    data = DigestData(
        day=letter.day,
        act=[_data(one, public_url) for one in letter.act],
        watch=[_data(one, public_url) for one in letter.watch],
        breaks=[_data(one, public_url) for one in letter.breaks],
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
