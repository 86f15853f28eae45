"""Steps: the chat services as Apprise knows them, where it is installed.

Apprise is an extra. It reads addresses, and puts a message into the form of each service; which services and options
there are is decided in `service.domain.chat`. It logs addresses, and so do the libraries under it: none of them may say
anything here.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from service.domain import chat
from service.domain.chat import SERVICES, CannotChat

if TYPE_CHECKING:
    from apprise import AppriseAsset, NotifyBase

CONNECT_SECONDS = 5.0
READ_SECONDS = 8.0
_PLUGINS: Mapping[str, tuple[str, str]] = {
    "slack": ("slack", "NotifySlack"),
    "discord": ("discord", "NotifyDiscord"),
    "tgram": ("telegram", "NotifyTelegram"),
    "gchat": ("google_chat", "NotifyGoogleChat"),
    "webex": ("webexteams", "NotifyWebexTeams"),
    "wxteams": ("webexteams", "NotifyWebexTeams"),
    "stackfield": ("stackfield", "NotifyStackfield"),
    "threema": ("threema", "NotifyThreema"),
    "pover": ("pushover", "NotifyPushover"),
}
"""Module and class of Apprise, by the scheme of the address."""
_LEVELS = {"apprise": logging.WARNING, "urllib3": logging.CRITICAL, "requests": logging.CRITICAL}
"""From here on a logger says anything at all, to whoever asked for it; Apprise's status of an answer is a warning."""


@dataclass(frozen=True, kw_only=True)
class ChatAddress:
    """One that may be used."""

    scheme: str
    text: str
    """It holds the keys: sealed wherever it is kept, and shown to nobody."""

    @property
    def service(self) -> str:
        return SERVICES[self.scheme].name

    @property
    def masked(self) -> str:
        return chat.masked(self.scheme)


def is_offered() -> bool:
    """True where Apprise is installed."""
    try:
        return find_spec("apprise") is not None
    except ValueError:
        return False


def read(typed: str) -> ChatAddress:
    """:raises CannotChat: not the address of one of the services, or one that says too much or too little."""
    text = chat.read(typed)
    opened(text)
    return ChatAddress(scheme=_parts(text)["schema"], text=text)


def known(text: str) -> ChatAddress | None:
    """The same of what was read before; None where a newer list of services has it no more."""
    try:
        return read(text)
    except CannotChat:
        return None


def opened(text: str) -> "NotifyBase":
    """Apprise's own object for the address, which sends to it. :raises CannotChat: see `read`."""
    parts = _parts(text)
    if not parts or not _asks_for(parts) <= SERVICES[parts["schema"]].options:
        raise chat.not_known()
    # Said here and not in the address: no redirect, no way around certificates, and an end to waiting.
    fixed = {"verify": True, "redirect": False, "cto": CONNECT_SECONDS, "rto": READ_SECONDS, "asset": asset()}
    try:
        found = _plugin(parts["schema"])(**{**parts, **fixed})
    except Exception:  # noqa: BLE001  each service has faults of its own, which may quote the address
        raise chat.not_known() from None
    if not _is_one(found):
        raise chat.not_known()
    return found


@cache
def asset() -> "AppriseAsset":
    """What goes with every message: no picture, no file, no memory of earlier ones."""
    _hush()
    from apprise import AppriseAsset

    return AppriseAsset(
        app_id="samehour",
        app_desc="samehour",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,
        async_mode=False,
        storage_mode="memory",
    )


# --- steps ----------------------------------------------------------------------------------------------------------


def _plugin(scheme: str) -> "type[NotifyBase]":
    """Only those of the list are ever loaded, of the hundreds that there are."""
    _hush()
    module, name = _PLUGINS[scheme]
    found: type[NotifyBase] = getattr(import_module(f"apprise.plugins.{module}"), name)
    return found


def _parts(text: str) -> dict[str, Any]:
    """The address as Apprise reads it, or as the service itself shows it; empty where it is of none of the services."""
    scheme = text.partition("://")[0].lower()
    if scheme in SERVICES:
        # `#general` is a channel's name, and no fragment.
        return _plugin(scheme).parse_url(text.replace("/#", "/%23")) or {}
    found = (_plugin(one).parse_native_url(text) for one in SERVICES) if scheme == "https" else iter(())
    return next((parts for parts in found if parts and parts["schema"] in SERVICES), {})


def _asks_for(parts: dict[str, Any]) -> set[str]:
    """The names of all that stands behind `?`, also of what some services take as headers or parameters."""
    return {name for kind in ("qsd", "qsd+", "qsd-", "qsd:") for name in parts.get(kind) or ()}


def _is_one(found: "NotifyBase") -> bool:
    """One person, one message. Telegram without a chat would go and look for whoever spoke to it last."""
    is_aimless = found.schema == "tgram" and not getattr(found, "targets", None)
    return len(found) == 1 and not is_aimless


def _hush() -> None:
    for name, level in _LEVELS.items():
        one = logging.getLogger(name)
        one.setLevel(level)
        one.propagate = False
        if not one.handlers:
            one.addHandler(logging.NullHandler())
