"""Chat services, by Apprise: one message to one address, to the service's own host and to no other.

Which services those are, and that nothing of it is logged, see `service.usecases.chat_services`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from service.domain.chat import CannotChat
from service.usecases import chat_services
from workers.channels import CannotSend

WHOLE_SECONDS = 15.0
"""For everything: less than the message's lease, whatever the service does."""
_STATUS = re.compile(r"\berror=(\d{3})\b")


@dataclass(frozen=True, kw_only=True)
class ChatMessage:
    """Some words for one person."""

    address: str
    text: str


Send = Callable[[ChatMessage], None]


def send(message: ChatMessage) -> None:
    """:raises CannotSend: it was refused, or nobody knows whether it arrived; the status says which, where one came."""
    if not chat_services.is_offered():
        raise CannotSend("not installed")
    try:
        to = chat_services.opened(message.address)
    except CannotChat:
        raise CannotSend("address") from None
    from apprise import Apprise, NotifyFormat

    said: list[str] = []
    house = Apprise(asset=chat_services.asset())
    house.add(to)
    sent = house.notify(
        body=message.text,
        body_format=NotifyFormat.TEXT,
        timeout=WHOLE_SECONDS,
        # Kept from every log, since it may quote the address; the status is all that is taken from it.
        log_callback=lambda entry, _service: said.append(entry.message),
    )
    if not sent:
        raise CannotSend(_fault(sent.status.name, said))


def _fault(status: str, said: list[str]) -> str:
    if status == "TIMEOUT":
        return "no_answer"
    found = [match.group(1) for one in said if (match := _STATUS.search(one))]
    return f"refused {found[-1]}" if found else "unreachable"
