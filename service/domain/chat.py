"""Chat services that people may be told by, beside mail.

A closed list: of each of them the address that a person types holds keys and names alone, and the host that is asked is
the service's own. So nobody can have this machine ask its neighbours, and nothing needs to be looked up before it is
sent. Services of which the host is typed (Mattermost, Matrix, Signal, Teams, ntfy, any webhook) are not among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from service.domain.phrase import say
from service.domain.refusals import Conflict, Malformed

LONGEST = 400


class CannotChat(Malformed):
    """Not the address of a chat service that may be used."""


class CannotOffer(Conflict):
    """This installation knows no chat services, or the person has entered none."""


@dataclass(frozen=True, kw_only=True)
class ChatService:
    """One of them."""

    name: str
    hosts: frozenset[str]
    """All that it is asked at, by https."""
    options: frozenset[str] = frozenset()
    """What may stand behind `?` in its address: never a file, a host, or a way around certificates."""


SERVICES: Mapping[str, ChatService] = {
    "slack": ChatService(
        name="Slack",
        hosts=frozenset({"hooks.slack.com", "hooks.slack-gov.com", "slack.com"}),
        options=frozenset({"mode"}),
    ),
    "discord": ChatService(name="Discord", hosts=frozenset({"discord.com"}), options=frozenset({"thread"})),
    "tgram": ChatService(name="Telegram", hosts=frozenset({"api.telegram.org"}), options=frozenset({"topic"})),
    "gchat": ChatService(
        name="Google Chat",
        hosts=frozenset({"chat.googleapis.com"}),
        options=frozenset({"key", "token", "thread", "threadkey"}),
    ),
    "webex": ChatService(name="Webex", hosts=frozenset({"api.ciscospark.com", "webexapis.com"})),
    "wxteams": ChatService(name="Webex", hosts=frozenset({"api.ciscospark.com", "webexapis.com"})),
    "stackfield": ChatService(name="Stackfield", hosts=frozenset({"www.stackfield.com"})),
    "threema": ChatService(name="Threema", hosts=frozenset({"msgapi.threema.ch"})),
    "pover": ChatService(name="Pushover", hosts=frozenset({"api.pushover.net"})),
}
"""By the scheme of its address, as Apprise has it."""


def read(address: str) -> str:
    """The address without what surrounds it. Which service it is, and whether it fits, Apprise says.

    :raises CannotChat: it is none.
    """
    plain = address.strip()
    if not plain or len(plain) > LONGEST or not plain.isascii() or not plain.isprintable() or " " in plain:
        raise not_known()
    return plain


def masked(scheme: str) -> str:
    """`slack://••••`: all that is ever shown of it."""
    return f"{scheme}://••••"


def names() -> tuple[str, ...]:
    """Each service once, in order."""
    return tuple(sorted({one.name for one in SERVICES.values()}))


def not_known() -> CannotChat:
    return CannotChat(
        say(
            "This is no address of a chat service that can be used. Copy it as the service shows it, or as Apprise has "
            "it."
        ),
        where="chat",
    )
