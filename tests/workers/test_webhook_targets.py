"""Where webhooks may go: no bad target is reached, whatever it looks like; no good one is refused.

Every connection, to whatever number, ends at one receiver on this machine: what the channel would have connected to is
written down, and nobody else is asked for anything. Each table is run once more with the guard off, and is reached.
"""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpcore
import pytest

from service.domain.web_address import WebAddress
from service.usecases.webhooks import Answer, Parcel
from tests.workers.receiver import Receiver, papers, receiver
from workers.channels.webhook import channel
from workers.reaching import Edges, Guard

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
PUBLIC = "93.184.216.34"

GOOD: Mapping[str, Sequence[str]] = {
    "https://hooks.example.com/a": [PUBLIC],
    "https://hooks.example.com:443/a?x=1&y=2": [PUBLIC],
    "https://hooks.example.com:8443/a": ["1.1.1.1", "2606:4700:4700::1111"],
    "https://HOOKS.Example.COM/Path": [PUBLIC],
    "https://a-b.c_d.example.com/": ["8.8.8.8"],
    "https://xn--bcher-kva.example/": ["2606:4700:4700::1111"],
    "https://nat64.example.com/": ["64:ff9b::808:808"],
    "https://mapped.example.com/": ["::ffff:8.8.8.8"],
    "https://93.184.216.34/": [],
    "https://[2606:4700:4700::1111]/x": [],
    "https://6to4.example.com/": ["2002:808:808::1"],
}

BAD_NUMBERS = [
    # this machine, its network, the cloud's metadata
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "198.18.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    # the same, wrapped
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:a00:1",
    "::ffff:0:127.0.0.1",
    "::127.0.0.1",
    "::10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "2002:c0a8:101::1",
    "2001:0:7f00:1::f7f7:f7f7",
    "2001:0:808:808::80ff:fffe",
]

BAD_SPELLINGS = [
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://127.0.0.01/",
    "https://1.2.3.4.5/",
    "https://0xa9.0xfe.0xa9.0xfe/",
    "https://①②⑦.⓪.⓪.①/",
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
    "https://ⓛocalhost/",
    "https://%31%32%37.0.0.1/",
    "https://[::ffff:127.0.0.1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[::1/",
    "https://::1/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://a.localhost/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://intranet/",
    "https://-a.example.com/",
    # somebody's name before the machine, and other ways to have it read twice
    "https://hooks.example.com@127.0.0.1/",
    "https://127.0.0.1@hooks.example.com/",
    "https://user:password@hooks.example.com/",
    "https://hooks.example.com:443@127.0.0.1/",
    "https://hooks.example.com\\@127.0.0.1/",
    "https://127.0.0.1\\.hooks.example.com/",
    "https://hooks.example.com#@127.0.0.1/",
    "https://hooks.example.com/#a",
    "https://hooks.exam\nple.com/",
    "https://hooks.example.com/\r\nHost: 127.0.0.1",
    "https://hooks.example.com /",
    "https://hooks.exam\x00ple.com/",
    "https://hooks.exam\tple.com/",
    # another way, another port
    "http://hooks.example.com/",
    "http://127.0.0.1/",
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "//hooks.example.com/",
    "hooks.example.com/",
    "https:hooks.example.com/",
    "https:/hooks.example.com/",
    "https:///hooks.example.com/",
    "https://",
    "",
    "https://hooks.example.com:22/",
    "https://hooks.example.com:25/",
    "https://hooks.example.com:80/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:99999/",
    "https://hooks.example.com:-1/",
    "https://hooks.example.com:443x/",
    "https://hooks.example.com:/",
    "https://hooks.example.com/" + "a" * 500,
]


class Network:
    """Knows every name, and leads every connection to one receiver; what was asked of it is kept."""

    def __init__(self, to: Receiver, trust: ssl.SSLContext, *answers: Sequence[str]) -> None:
        self.to, self.answers = to, list(answers)
        self.asked: list[str] = []
        self.dialled: list[tuple[str, int]] = []
        self.edges = Edges(resolve=self.resolve, dial=self.dial, trust=trust)

    def resolve(self, host: str, _port: int, _seconds: float) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def dial(self, address: str, port: int, seconds: float) -> httpcore.NetworkStream:
        self.dialled.append((address, port))
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self.to.port, timeout=seconds)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Receiver, ssl.SSLContext]]:
    """A receiver with a certificate for every good host, and who trusts it."""
    hosts = {urlsplit(url).hostname or "" for url in GOOD}
    made = papers(tmp_path, sorted(hosts))
    with receiver(made.server) as found:
        yield found, made.client


def parcel(url: str) -> Parcel:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = '{"type":"ping"}'
    return Parcel(webhook="w", id="m", event="ping", attempt=1, url=url, secrets=(secret,), body=body)


def send(network: Network, url: str, guard: Guard | None = None) -> Answer:
    return channel(guard or Guard.of(own_network=False), network.edges)(parcel(url), NOW)


def read_anything(url: str) -> WebAddress:
    """As a program reads an address that trusts whoever wrote it."""
    cleaned = "".join(letter for letter in url if letter.isprintable()).strip()
    parts = urlsplit(cleaned if "//" in cleaned else f"https://{cleaned}")
    host = (parts.hostname or "127.0.0.1").encode("ascii", "replace").decode()
    return WebAddress(is_tls=True, host=host, port=443, target=(parts.path or "/").replace(" ", ""))


UNGUARDED = Guard(read=read_anything, is_admitted=lambda _number: True)


def trusting() -> ssl.SSLContext:
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    return anybody


@pytest.mark.parametrize("url", GOOD)
def test_a_good_target_is_reached_by_the_number_that_was_judged(
    elsewhere: tuple[Receiver, ssl.SSLContext], url: str
) -> None:
    to, trust = elsewhere
    network = Network(to, trust, GOOD[url])

    answer = send(network, url)

    assert (answer.status, answer.fault) == (204, None)
    [got] = to.got
    host = urlsplit(url).netloc.lower().removesuffix(":443")
    assert got.headers["host"] == host
    assert got.path == (urlsplit(url).path or "/") + (f"?{urlsplit(url).query}" if urlsplit(url).query else "")
    [(address, port)] = network.dialled
    assert address == (GOOD[url][0] if GOOD[url] else urlsplit(url).hostname)
    assert port == (urlsplit(url).port or 443)
    assert len(network.asked) == bool(GOOD[url])


def test_no_bad_target_is_reached(elsewhere: tuple[Receiver, ssl.SSLContext]) -> None:
    to, trust = elsewhere
    reached = []
    for url in BAD_SPELLINGS:
        # As if the name were a good one: the spelling alone must be enough.
        network = Network(to, trust, [PUBLIC])
        if send(network, url).fault != "address" or network.dialled:
            reached.append(url)
    for number in BAD_NUMBERS:
        literal = f"https://[{number}]/" if ":" in number else f"https://{number}/"
        for network, url in [
            (Network(to, trust, [number]), "https://hooks.example.com/"),
            (Network(to, trust, [PUBLIC, number]), "https://hooks.example.com/"),
            (Network(to, trust, [PUBLIC]), literal),
        ]:
            if send(network, url).fault != "address" or network.dialled:
                reached.append(f"{url} {number}")
    assert reached == []
    assert to.got == []
    assert len(BAD_NUMBERS) + len(BAD_SPELLINGS) >= 60


def test_control_with_the_guard_off_they_are_reached(elsewhere: tuple[Receiver, ssl.SSLContext]) -> None:
    to, _trust = elsewhere
    for number in BAD_NUMBERS:
        send(Network(to, trusting(), [number]), "https://hooks.example.com/", UNGUARDED)
    assert len(to.got) == len(BAD_NUMBERS)
    to.got.clear()
    for url in BAD_SPELLINGS:
        # Of one, not even a program without care can make sense.
        with suppress(ValueError):
            send(Network(to, trusting(), ["127.0.0.1"]), url, UNGUARDED)
    assert len(to.got) >= 60


class TestANameThatChanges:
    """First it leads to a public number, and once that was judged, to this machine."""

    def test_is_asked_for_once_and_connected_to_where_it_was_judged(
        self, elsewhere: tuple[Receiver, ssl.SSLContext]
    ) -> None:
        to, trust = elsewhere
        network = Network(to, trust, [PUBLIC], ["127.0.0.1"])
        assert send(network, "https://hooks.example.com/").fault is None
        assert network.asked == ["hooks.example.com"]
        assert network.dialled == [(PUBLIC, 443)]

    def test_control_judged_and_asked_for_again_it_leads_to_this_machine(
        self, elsewhere: tuple[Receiver, ssl.SSLContext]
    ) -> None:
        to, trust = elsewhere
        network = Network(to, trust, [PUBLIC], ["127.0.0.1"])
        edges = Edges(
            resolve=network.resolve,
            dial=lambda _judged, port, seconds: network.dial(
                network.resolve("hooks.example.com", port, seconds)[0], port, seconds
            ),
            trust=trust,
        )
        channel(Guard.of(own_network=False), edges)(parcel("https://hooks.example.com/"), NOW)
        assert network.dialled == [("127.0.0.1", 443)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "where",
    ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:{port}/", "https://hooks.example.com/b", "//[::1]/"],
)
def test_no_redirect_is_followed(elsewhere: tuple[Receiver, ssl.SSLContext], status: int, where: str) -> None:
    to, trust = elsewhere
    to.answer(status, headers={"Location": where.format(port=to.port)})
    network = Network(to, trust, [PUBLIC])

    answer = send(network, "https://hooks.example.com/a")

    assert answer.status == status
    assert answer.fault == "redirect"
    assert network.dialled == [(PUBLIC, 443)]
    assert len(to.got) == 1


def test_no_proxy_of_the_environment_is_asked(
    elsewhere: tuple[Receiver, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    to, trust = elsewhere
    with receiver() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        assert send(Network(to, trust, [PUBLIC]), "https://hooks.example.com/a").fault is None
        assert proxy.got == []


def test_a_certificate_for_another_name_is_not_trusted(elsewhere: tuple[Receiver, ssl.SSLContext]) -> None:
    to, trust = elsewhere
    answer = send(Network(to, trust, [PUBLIC]), "https://somebody.else.example/")
    assert (answer.status, answer.fault) == (None, "certificate")
    assert to.got == []


class TestTheOwnNetwork:
    """Where the clinic says that webhooks may go there."""

    OWN = Guard.of(own_network=True)

    @pytest.mark.parametrize("number", ["127.0.0.1", "10.1.2.3", "172.20.0.3", "192.168.1.9", "::1", "fd12::1"])
    def test_its_addresses_are_reached(self, elsewhere: tuple[Receiver, ssl.SSLContext], number: str) -> None:
        to, trust = elsewhere
        assert send(Network(to, trust, [number]), "https://hooks.example.com/a", self.OWN).fault is None

    @pytest.mark.parametrize(
        "number",
        [
            "169.254.169.254",
            "100.100.100.200",
            "fe80::1",
            "fd00:ec2::254",
            "0.0.0.0",
            "224.0.0.1",
            "64:ff9b::a9fe:a9fe",
        ],
    )
    def test_and_the_clouds_metadata_is_not(self, elsewhere: tuple[Receiver, ssl.SSLContext], number: str) -> None:
        to, trust = elsewhere
        network = Network(to, trust, [number])
        assert send(network, "https://hooks.example.com/a", self.OWN).status is None
        assert network.dialled == []

    def test_plain_http_goes_to_this_very_machine_alone(self) -> None:
        with receiver() as to:
            network = Network(to, trusting(), ["127.0.0.1"])
            assert send(network, to.url, self.OWN).status == 204
            assert send(network, "http://192.168.1.9/", self.OWN).status is None
            assert send(network, to.url).status is None
            assert len(to.got) == 1
