"""Settings from the environment: read once, checked whole, frozen.

A missing or senseless variable stops the program with a list of all that is wrong, before anything is opened.
"""

import base64
import binascii
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from service.domain.hours import zone_names
from service.language import ENGLISH, LOCALES

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

T = TypeVar("T")


class WrongSettings(Exception):
    """Some variables are missing or make no sense; `problems` names each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("samehour can't start:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that differs between one clinic's installation and another's."""

    database_url: str
    redis_url: str | None
    """None: no queue; the sweeper alone carries messages, later but surely."""
    public_url: str
    """Where people reach it; decides whether cookies are Secure."""
    secret_key: str
    keys: Mapping[str, bytes]
    """Key id → 32 bytes, newest last; seals names and contacts."""
    smtp_url: str | None
    """`smtp://user:password@host:587`, `smtps://…`; None: notices go to the console."""
    smtp_ca_file: Path | None
    """Certificates (PEM) that the mail server may be vouched for by, beside those that the machine trusts anyway."""
    mail_from: str
    zone: str
    """Of a site that names none, and of files that name none."""
    locale: str
    """How people are spoken to who have not chosen, `en_GB`."""
    horizon: timedelta
    """How far ahead open-ended standings are booked."""
    grace: timedelta
    """How long a notice waits, so that what is undone at once tells nobody."""
    webhooks_to_own_network: bool
    """Whether webhooks may go to addresses of the clinic's own network, and by plain http to this very machine."""
    calendars_from_own_network: bool
    """Whether calendars of the clinic's own network may be read, and by plain http those of this very machine."""
    proxies: int
    """How many proxies of ours stand before the web process; what they say of the caller is believed."""
    log_level: str
    is_demo: bool
    data_dir: Path

    @property
    def is_secure(self) -> bool:
        return urlsplit(self.public_url).scheme == "https"

    @staticmethod
    def from_env(env: Mapping[str, str] | None = None) -> "Settings":
        """:raises WrongSettings: names every variable that is missing or senseless, not only the first."""
        return _Reader(os.environ if env is None else env).settings()


class _Reader:
    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []

    def settings(self) -> Settings:
        data_dir = Path(self.env.get("SAMEHOUR_DATA", ".data")).resolve()
        values = {
            "database_url": self.read(
                "SAMEHOUR_DATABASE_URL", _database_url, f"sqlite:///{data_dir / 'samehour.sqlite'}"
            ),
            "redis_url": self.read("SAMEHOUR_REDIS_URL", _redis_url, ""),
            "public_url": self.read("SAMEHOUR_PUBLIC_URL", _public_url, "http://127.0.0.1:8000"),
            "secret_key": self.secret(data_dir),
            "keys": self.keys(data_dir),
            "smtp_url": self.read("SAMEHOUR_SMTP_URL", _smtp_url, ""),
            "smtp_ca_file": self.read("SAMEHOUR_SMTP_CA_FILE", _certificates, ""),
            "mail_from": self.read("SAMEHOUR_MAIL_FROM", _mail_address, "samehour@localhost"),
            "zone": self.read("SAMEHOUR_ZONE", _zone, "Europe/Berlin"),
            "locale": self.read("SAMEHOUR_LOCALE", _locale, ENGLISH),
            "horizon": self.read("SAMEHOUR_HORIZON_WEEKS", _weeks, "26"),
            "grace": self.read("SAMEHOUR_GRACE_SECONDS", _seconds, "180"),
            "webhooks_to_own_network": self.read("SAMEHOUR_WEBHOOKS_TO_OWN_NETWORK", _yes_or_no, "no"),
            "calendars_from_own_network": self.read("SAMEHOUR_CALENDARS_FROM_OWN_NETWORK", _yes_or_no, "no"),
            "proxies": self.read("SAMEHOUR_PROXIES", _few, "0"),
            "log_level": self.read("SAMEHOUR_LOG_LEVEL", _log_level, "info"),
            "is_demo": self.read("SAMEHOUR_DEMO", _yes_or_no, "no"),
        }
        self.refuse_unknown()
        if self.problems:
            raise WrongSettings(self.problems)
        return Settings(data_dir=data_dir, **values)  # type: ignore[arg-type]

    def read(self, name: str, parse: Callable[[str], T], default: str) -> T | None:
        text = self.env.get(name, default).strip() or default
        try:
            return parse(text)
        except ValueError as wrong:
            self.problems.append(f"{name}: {wrong}")
            return None

    def secret(self, data_dir: Path) -> str | None:
        if secret := self.env.get("SAMEHOUR_SECRET_KEY"):
            if len(secret) < 32:
                self.problems.append("SAMEHOUR_SECRET_KEY: needs at least 32 characters.")
            return secret
        return self.file("SAMEHOUR_SECRET_FILE", data_dir / "secret.key", "SAMEHOUR_SECRET_KEY")

    def keys(self, data_dir: Path) -> Mapping[str, bytes] | None:
        text = self.env.get("SAMEHOUR_KEYS") or self.file("SAMEHOUR_KEY_FILE", data_dir / "field.keys", "SAMEHOUR_KEYS")
        if text is None:
            return None
        try:
            return parse_keys(text)
        except ValueError as wrong:
            self.problems.append(f"SAMEHOUR_KEYS: {wrong}")
            return None

    def file(self, name: str, default: Path, instead: str) -> str | None:
        path = Path(self.env.get(name, str(default)))
        try:
            return path.read_text(encoding="ascii").strip()
        except OSError as wrong:
            self.problems.append(
                f"{name}: {path} can't be read ({wrong.strerror}); `samehour init` makes it, or set {instead}."
            )
            return None

    def refuse_unknown(self) -> None:
        for name in sorted(self.env):
            if name.startswith("SAMEHOUR_") and name not in KNOWN:
                self.problems.append(f"{name}: no such setting.")


KNOWN = frozenset(
    "SAMEHOUR_" + name
    for name in [
        "DATA",
        "DATABASE_URL",
        "REDIS_URL",
        "PUBLIC_URL",
        "SECRET_KEY",
        "SECRET_FILE",
        "KEYS",
        "KEY_FILE",
        "SMTP_URL",
        "SMTP_CA_FILE",
        "MAIL_FROM",
        "ZONE",
        "LOCALE",
        "HORIZON_WEEKS",
        "WEBHOOKS_TO_OWN_NETWORK",
        "CALENDARS_FROM_OWN_NETWORK",
        "PROXIES",
        "GRACE_SECONDS",
        "LOG_LEVEL",
        "DEMO",
    ]
)


def parse_keys(text: str) -> Mapping[str, bytes]:
    """Keys as `id:base64` lines or words, 32 bytes each, newest last.

    :raises ValueError: none, a doubled id, or one of another length.
    """
    keys: dict[str, bytes] = {}
    for word in text.split():
        key_id, _, encoded = word.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ValueError(f"key {key_id!r} is not base64.") from None
        if len(key) != 32 or not key_id or key_id in keys:
            raise ValueError(f"key {key_id!r} must be named once and hold 32 bytes.")
        keys[key_id] = key
    if not keys:
        raise ValueError("at least one key is needed.")
    return keys


def _database_url(text: str) -> str:
    scheme = urlsplit(text).scheme
    if scheme in {"postgres", "postgresql"}:
        return "postgresql+psycopg" + text[len(scheme) :]
    if scheme in {"sqlite", "postgresql+psycopg"}:
        return text
    raise ValueError("must begin with sqlite:/// or postgresql://.")


def _redis_url(text: str) -> str | None:
    if text and urlsplit(text).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must begin with redis://, rediss:// or unix://.")
    return text or None


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme == "https" and parts.hostname:
        return text.rstrip("/")
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return text.rstrip("/")
    if parts.scheme == "http":
        raise ValueError(
            "plain http is for this machine alone; other machines need https, or sign-ins can be read on the way."
        )
    raise ValueError("must be a full address such as https://hours.example.")


def _smtp_url(text: str) -> str | None:
    if text and (urlsplit(text).scheme not in {"smtp", "smtps"} or not urlsplit(text).hostname):
        raise ValueError("must be smtp://host:port or smtps://host:port.")
    return text or None


def _certificates(text: str) -> Path | None:
    if not text:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(text)
    except (OSError, ssl.SSLError):
        raise ValueError(f"{text} can't be read as a file of certificates (PEM).") from None
    return Path(text)


def _mail_address(text: str) -> str:
    if text.count("@") != 1 or any(c.isspace() for c in text):
        raise ValueError("must be one plain e-mail address.")
    return text


def _locale(text: str) -> str:
    if text not in LOCALES:
        raise ValueError(f"samehour does not speak {text!r}; it speaks {', '.join(LOCALES)}.")
    return text


def _zone(text: str) -> str:
    if text not in zone_names():
        raise ValueError(f"there is no time zone named {text!r}.")
    return text


def _weeks(text: str) -> timedelta:
    if not text.isdecimal() or not 4 <= int(text) <= 104:
        raise ValueError("must be a number of weeks from 4 to 104.")
    return timedelta(weeks=int(text))


def _seconds(text: str) -> timedelta:
    if not text.isdecimal() or int(text) > 3600:
        raise ValueError("must be a number of seconds from 0 to 3600.")
    return timedelta(seconds=int(text))


def _few(text: str) -> int:
    if not text.isdecimal() or int(text) > 5:
        raise ValueError("must be a number from 0 to 5.")
    return int(text)


def _log_level(text: str) -> str:
    if text.lower() not in {"debug", "info", "warning", "error"}:
        raise ValueError("must be debug, info, warning or error.")
    return text.lower()


def _yes_or_no(text: str) -> bool:
    if text.lower() not in {"yes", "no"}:
        raise ValueError("must be yes or no.")
    return text.lower() == "yes"
