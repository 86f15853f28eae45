"""Where a message may be sent, or a calendar be read: an address on the public internet, spelled in the one plain way.

Whoever may enter an address could otherwise have this machine ask its own network for them: the cloud's metadata, a
printer, a database that trusts its neighbours. So a name must look like a name and a number like a number (programs
read `0x7f.1`, `2130706433` and `①②⑦.⓪.⓪.①` as 127.0.0.1), and what a name leads to is judged again, each
time, by `is_admitted`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from service.domain.phrase import Phrase, say
from service.domain.refusals import Malformed

LONGEST = 500
LONGEST_LED_TO = 2000
"""Where a redirect leads, which nobody types."""
WHY_NOT_REACHED: Mapping[str, Phrase] = {
    "unknown_name": say("Nobody knows a machine of that name."),
    "unreachable": say("It can't be reached."),
    "no_answer": say("It did not answer in time."),
    "certificate": say("Its certificate is not trusted."),
    "tls": say("It does not speak TLS as it should."),
    "http": say("It does not speak HTTP as it should."),
}
"""What may be in the way of any machine elsewhere, whatever is wanted of it."""
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_HTTPS = 443
_FIRST_FREE_PORT = 1024
"""Below lie the ports of mail servers, shells and others that are not to be knocked at."""

_OWN = [IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")]
_OWN_6 = [IPv6Network("fc00::/7"), IPv6Network("::1/128")]
_METADATA = {IPv6Address("fd00:ec2::254"), IPv6Address("fd20:ce::254")}
"""In the range of own networks, and yet the cloud's own: they hand out the machine's keys."""
_ODD = [IPv4Network(net) for net in ("192.88.99.0/24", "192.0.0.0/24", "192.31.196.0/24", "192.175.48.0/24")]
_UNICAST = IPv6Network("2000::/3")
"""Nothing else of IPv6 is handed out to anybody."""
_ODD_6 = [IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "3fff::/20", "2620:4f:8000::/48")]
_COMPATIBLE = IPv6Network("::/96")
_NAT64 = IPv6Network("64:ff9b::/96")


class CannotReach(Malformed):
    """Nobody is asked or told anything at such an address."""


@dataclass(frozen=True, kw_only=True)
class WebAddress:
    """An address in its parts, so that nobody reads it a second time and otherwise."""

    is_tls: bool
    host: str
    """A name in lower case, or a number without brackets."""
    port: int
    target: str
    """Path and query."""

    @property
    def is_number(self) -> bool:
        return _as_number(self.host) is not None

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (_HTTPS if self.is_tls else 80) else f"{host}:{self.port}"


def read(url: str, *, own_network: bool = False, longest: int = LONGEST) -> WebAddress:
    """The address in its parts. `own_network` lets it be a name or number of the clinic's own network, and lets it be
    plain http on this very machine.

    :raises CannotReach: it is spelled oddly, is not https, names a person or a port that is not for the web, or is the
    number of a machine that is not on the public internet.
    """
    if not 0 < len(url) <= longest or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>^`{|}'):
        raise CannotReach(say("Write the whole address, beginning with https://."), where="url")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise CannotReach(say("That is not an address."), where="url") from None
    if "@" in parts.netloc or "%" in parts.netloc or parts.netloc.endswith(":"):
        raise CannotReach(say("Name a machine and nothing before it: no user and no password."), where="url")
    if "#" in url:
        raise CannotReach(say("Leave out the part after #: it is never sent."), where="url")
    number = _as_number(host)
    _expect_machine(host, number, own_network=own_network)
    is_tls = parts.scheme == "https"
    if not is_tls and not (own_network and parts.scheme == "http" and _is_this_machine(host, number)):
        raise CannotReach(say("Only https will do: on plain http everybody on the way could read it."), where="url")
    if port is not None and port != _HTTPS and port < _FIRST_FREE_PORT:
        raise CannotReach(say("That port is not one of the web."), where="url")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebAddress(is_tls=is_tls, host=host, port=port or (_HTTPS if is_tls else 80), target=target)


def host_of(url: str) -> str:
    """The machine that a page of ours is on, as `WebAddress.host` spells it."""
    return (urlsplit(url).hostname or "").lower()


def is_admitted(address: str, *, own_network: bool = False) -> bool:
    """True for the number of a machine on the public internet; with `own_network` also for one of the clinic's own.

    What is wrapped into IPv6 (mapped, compatible, 6to4, Teredo, NAT64) counts as what is inside.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return all(_is_public(one) or (own_network and _is_own(one)) for one in _unwrapped(found))


def _expect_machine(host: str, number: IPv4Address | IPv6Address | None, *, own_network: bool) -> None:
    if number is not None:
        if not is_admitted(host, own_network=own_network):
            raise CannotReach(say("That machine is not on the public internet."), where="url")
        return
    labels = host.split(".")
    # A last part in digits makes browsers and libraries read the whole as a number, each in its own way.
    if not all(_LABEL.fullmatch(label) for label in labels) or len(host) > 253 or _NUMBER.fullmatch(labels[-1]):
        raise CannotReach(say("That is not the name of a machine, nor a number in the usual form."), where="url")
    if not own_network and (len(labels) == 1 or labels[-1] in {"localhost", "local", "internal", "localdomain"}):
        raise CannotReach(say("That name is one of your own network, not of the public internet."), where="url")


def _as_number(host: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(host)
    except ValueError:
        return None
    # "%" would name one of this machine's own network cards.
    return None if "%" in host else found


def _is_this_machine(host: str, number: IPv4Address | IPv6Address | None) -> bool:
    return host == "localhost" if number is None else number.is_loopback


def _unwrapped(found: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """What the address leads to in the end; both ends of a Teredo tunnel."""
    if isinstance(found, IPv4Address):
        return [found]
    if found.teredo:
        return list(found.teredo)
    if found.ipv4_mapped or found.sixtofour:
        return [found.ipv4_mapped or found.sixtofour or found]
    if found in _NAT64 or (found in _COMPATIBLE and int(found) > 1):
        return [IPv4Address(int(found) & 0xFFFF_FFFF)]
    return [found]


def _is_public(one: IPv4Address | IPv6Address) -> bool:
    if not one.is_global or one.is_multicast:
        return False
    if isinstance(one, IPv4Address):
        return not any(one in net for net in _ODD)
    return one in _UNICAST and not any(one in net for net in _ODD_6)


def _is_own(one: IPv4Address | IPv6Address) -> bool:
    if isinstance(one, IPv4Address):
        return any(one in net for net in _OWN)
    return one not in _METADATA and any(one in net for net in _OWN_6)
