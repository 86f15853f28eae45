"""From an alert to a chat service: real HTTP to a program on this machine, through Apprise's own plugins.

Each service has a host of its own, which no address can change; so a test puts the receiver in the place of Discord by
the one attribute in which Apprise keeps where Discord is.
"""

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests
import time_machine
from apprise import NotifyBase
from apprise.manager_plugins import NotificationManager
from apprise.plugins.discord import NotifyDiscord
from requests.adapters import HTTPAdapter
from sqlalchemy import text

from service.domain.access import OPERATOR
from service.domain.chat import SERVICES, CannotChat, CannotOffer
from service.domain.phrase import PLAIN
from service.domain.signals import Level
from service.notices.chat import chat_text
from service.store.base import db
from service.usecases import alerts, chat_services, notices, outbox
from tests.alarms import AlarmClinic
from tests.servers import Inbox
from tests.workers.conftest import now
from tests.workers.receiver import Receiver, receiver
from tests.workers.test_relay import carry_all
from workers.channels import CannotSend
from workers.channels import chat as channel
from workers.channels.chat import ChatMessage, send
from workers.relay import carry

if TYPE_CHECKING:
    from workers.house import House

TOKEN = "JHMHI8qBe7bk2ZwO5U711o3dV_js"
DISCORD = f"discord://4174216298/{TOKEN}"
ADDRESSES = {
    "slack": (
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "https://hooks.slack.com/triggers/T1JJ3T3L2/123456789/TIiajkdnlazkcOXrIdevi7FQ",
        "slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/#general",
    ),
    "discord": (DISCORD, f"https://discord.com/api/webhooks/4174216298/{TOKEN}", f"{DISCORD}?thread=123456"),
    "tgram": ("tgram://123456789:abcdefg_hijklmnop/12315544", "tgram://123456789:abcdefg_hijklmnop/12315544?topic=3"),
    "gchat": (
        "gchat://space/key/token",
        "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=abc&token=def%3D",
    ),
    "webex": (f"webex://{'a' * 80}",),
    "wxteams": (f"https://webexapis.com/v1/webhooks/incoming/{'Y2lz' * 20}",),
    "stackfield": (
        "stackfield://12345678-1234-1234-1234-123456789012",
        "https://www.stackfield.com/apiwh/12345678-1234-1234-1234-123456789012",
    ),
    "threema": ("threema://*THEGWID@secret/ABCDEFGH",),
    "pover": (f"pover://{'u' * 30}@{'a' * 30}", f"pover://{'u' * 30}@{'a' * 30}/phone"),
}
ELSEWHERE = ("127.0.0.1", "localhost", "169.254.169.254", "evil.example", "evil.example:8080", "[::1]")


def message(address: str) -> ChatMessage:
    return ChatMessage(address=address, text="samehour: 1 thing for today\nhttps://hours.example/alerts")


# --- where to ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object, object]]:
    """What would go over the wire: address, certificate check, timeouts. Nothing leaves."""
    found: list[tuple[str, object, object]] = []

    def keep(_self: HTTPAdapter, request: requests.PreparedRequest, **given: object) -> requests.Response:
        found.append((request.url or "", given["verify"], given["timeout"]))
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, request.url or "", request
        answer._content = b'{"ok": true, "status": 1}'
        return answer

    monkeypatch.setattr(HTTPAdapter, "send", keep)
    return found


def test_there_is_an_address_here_for_each_service() -> None:
    assert ADDRESSES.keys() == SERVICES.keys()


@pytest.mark.parametrize(("scheme", "address"), [(scheme, one) for scheme, some in ADDRESSES.items() for one in some])
def test_a_service_is_asked_at_its_own_host_alone(
    scheme: str, address: str, asked: list[tuple[str, object, object]]
) -> None:
    assert chat_services.read(address).scheme == scheme
    with suppress(CannotSend):  # some want another answer than the one above; where they ask is what counts
        send(message(address))
    assert asked
    for url, verify, timeout in asked:
        assert urlsplit(url).scheme == "https"
        assert urlsplit(url).netloc in SERVICES[scheme].hosts
        assert verify not in {False, None}
        assert timeout == (5.0, 8.0)


def twisted(scheme: str, address: str) -> Iterator[str]:
    """That address with somebody else's host in each of its places."""
    rest = address.partition("://")[2]
    parts = rest.split("/")
    for host in ELSEWHERE:
        for place in range(len(parts)):
            yield f"{scheme}://" + "/".join([*parts[:place], host, *parts[place + 1 :]])
            yield f"{scheme}://" + "/".join([*parts[:place], host, *parts[place:]])
        yield f"{scheme}://{rest}@{host}"
        yield f"{scheme}://{host}@{rest}"
        yield f"{scheme}://{rest}:{host}"
        for name in ("host", "url", "to", "mode", "token", "region", "template", "avatar_url", "href", "verify"):
            yield f"{scheme}://{rest}?{name}={host}"
            yield f"{scheme}://{rest}?+{name}={host}"


@pytest.mark.parametrize("scheme", SERVICES)
def test_no_address_leads_a_service_elsewhere(scheme: str, asked: list[tuple[str, object, object]]) -> None:
    accepted = 0
    for address in {one for whole in ADDRESSES[scheme] for one in twisted(scheme, whole)}:
        try:
            chat_services.read(address)
        except CannotChat:
            continue
        accepted += 1
        with suppress(CannotSend):
            send(message(address))
    assert {urlsplit(url).netloc for url, *_more in asked} <= SERVICES[scheme].hosts
    assert {urlsplit(url).scheme for url, *_more in asked} <= {"https"}


@pytest.fixture(scope="module")
def every_plugin() -> dict[str, type[NotifyBase]]:
    """By scheme, all that are installed. Loading the hundreds of them warns of what they do in old ways."""
    manager = NotificationManager()  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        manager.load_modules()  # type: ignore[no-untyped-call]
    return {scheme: manager[scheme] for scheme in manager.schemas()}  # type: ignore[no-untyped-call]


def test_no_service_of_the_list_has_a_host_in_its_address(every_plugin: dict[str, type[NotifyBase]]) -> None:
    for scheme in SERVICES:
        plugin = every_plugin[scheme]
        assert isinstance(chat_services.opened(ADDRESSES[scheme][0]), plugin)
        templates: tuple[str, ...] = plugin.templates
        tokens = {name for one in templates for name in plugin.template_tokens if f"{{{name}}}" in one}
        assert not tokens & {"host", "hostname", "port", "domain", "region", "url", "endpoint"}, scheme
        for url in (getattr(plugin, name, "") for name in ("notify_url", "webhook_url", "api_url")):
            assert not url or urlsplit(url).netloc in SERVICES[scheme].hosts


def test_every_other_scheme_that_apprise_knows_is_refused(every_plugin: dict[str, type[NotifyBase]]) -> None:
    schemes = every_plugin.keys() - SERVICES.keys()
    assert len(schemes) > 200
    # Some of them are other names of the same services: one name each is enough.
    for scheme in schemes:
        for rest in ("127.0.0.1/a/b/c", "a:b@localhost:8080/c", "a/b/c?x=y"):
            with pytest.raises(CannotChat):
                chat_services.read(f"{scheme}://{rest}")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "   ",
        "no address",
        "https://127.0.0.1/hook",
        "https://hooks.slack.com.evil.example/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        f"{DISCORD}?redirect=yes",
        f"{DISCORD}?verify=no",
        f"{DISCORD}?rto=600",
        f"{DISCORD}?retry=5",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?template=file:///etc/passwd",
        "slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/#one/#two",
        "tgram://123456789:abcdefg_hijklmnop/1/2",
        # Without a chat Telegram would be asked who spoke to the bot last.
        "tgram://123456789:abcdefg_hijklmnop",
        f"{DISCORD}\nBcc: x",
        f"{DISCORD}/" + "a" * 400,
        "discord://ключ/ключ",
    ],
)
def test_what_is_refused_is_refused_without_being_said_again(address: str) -> None:
    with pytest.raises(CannotChat) as refused:
        chat_services.read(address)
    assert TOKEN not in str(refused.value.message)
    assert refused.value.__cause__ is None


# --- what it says -----------------------------------------------------------------------------------------------------


def test_it_says_how_many_things_there_are_and_where_and_nothing_else() -> None:
    def said(*levels: Level) -> str:
        return chat_text(levels, public_url="https://hours.example", speaker=PLAIN)

    assert said(Level.ACT, Level.WATCH, Level.ACT) == "samehour: 2 things for today\nhttps://hours.example/alerts"
    assert said(Level.WATCH) == "samehour: 1 thing to look at\nhttps://hours.example/alerts"
    assert said() == "samehour: this is a test. Messages arrive here.\nhttps://hours.example/me"


# --- the whole way ----------------------------------------------------------------------------------------------------


@pytest.fixture
def discord(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiver() as found:
        monkeypatch.setattr(NotifyDiscord, "notify_url", found.url)
        yield found


@pytest.fixture
def told_by_chat(clinic: AlarmClinic) -> AlarmClinic:
    notices.tell_by_chat(address=DISCORD, by=clinic.as_ada, now=now())
    return clinic


def chats() -> list[outbox.Message]:
    states = ("pending", "done", "superseded", "dead", "dropped")
    return [one for one in outbox.listed(states=states, by=OPERATOR, now=now()) if one.topic == "notice.chat"]


def test_with_the_mail_goes_a_chat_message_that_names_nobody(
    told_by_chat: AlarmClinic, house: "House", smtp_server: Inbox, discord: Receiver
) -> None:
    told_by_chat.cancel(0, 1, now=now())
    carry_all(house)
    assert len(smtp_server.mails) == 1
    [got] = discord.got
    assert got.path == f"/hook/4174216298/{TOKEN}"
    said = json.loads(got.body)
    assert said["content"] == f"samehour: 1 thing for today\n{house.settings.public_url}/alerts"
    whole = got.body.decode() + json.dumps(dict(got.headers))
    for nobody in ("Client", "Therapist", "CO", "ada@", told_by_chat.course, told_by_chat.ada):
        assert nobody not in whole
    assert [one.state for one in chats()] == ["done"]


def test_control_whoever_entered_no_address_is_told_by_mail_alone(
    clinic: AlarmClinic, house: "House", smtp_server: Inbox, discord: Receiver
) -> None:
    clinic.cancel(0, 1, now=now())
    carry_all(house)
    assert len(smtp_server.mails) == 1
    assert chats() == []
    assert discord.got == []


def test_it_leaves_when_the_mail_leaves_and_no_more_often(
    told_by_chat: AlarmClinic, house: "House", smtp_server: Inbox, discord: Receiver
) -> None:
    """Quiet hours, the quarter of an hour between two, and the day's few are the mail's: it has none of its own."""
    at = now() - timedelta(hours=1)
    quiet = [(at + timedelta(hours=hours)).time().replace(second=0, microsecond=0) for hours in (0, 5)]
    wanted = replace(
        notices.preferences(by=told_by_chat.as_ada), quiet_since=quiet[0], quiet_until=quiet[1], pushes_a_day=1
    )
    notices.prefer(preferences=wanted, by=told_by_chat.as_ada, now=now())
    told_by_chat.cancel(0, 1, now=now())
    carry_all(house)
    found = [one for one in outbox.listed(by=OPERATOR, now=now()) if one.topic.startswith("notice.")]
    assert sorted(one.topic for one in found) == ["notice.chat", "notice.mail"]
    [leaves] = {one.not_before for one in found}
    assert leaves > now()
    told_by_chat.cancel(2, now=now())
    carry_all(house)
    assert len([one for one in outbox.listed(by=OPERATOR, now=now()) if one.topic.startswith("notice.")]) == 2
    with time_machine.travel(leaves + timedelta(seconds=1), tick=False):
        carry_all(house)
    assert (len(smtp_server.mails), len(discord.got)) == (1, 1)


def test_it_does_not_wait_for_the_mail_and_is_tried_by_itself(
    told_by_chat: AlarmClinic, house: "House", smtp_server: Inbox, discord: Receiver
) -> None:
    discord.answer(500, 204)
    smtp_server.answers.extend(["451 try later"])
    told_by_chat.cancel(0, 1, now=now())
    carry_all(house)
    [waiting] = chats()
    assert (waiting.state, waiting.attempts, waiting.last_error) == ("pending", 1, "refused 500")
    assert smtp_server.mails == []
    outbox.retry(message=waiting.id, by=OPERATOR, now=now())
    carry_all(house)
    assert [json.loads(got.body)["content"].partition("\n")[0] for got in discord.got] == [
        "samehour: 1 thing for today"
    ] * 2
    assert [one.state for one in chats()] == ["done"]
    # The mail waits for its own next attempt.
    assert smtp_server.mails == []


def test_after_ten_attempts_it_is_given_up_and_the_mail_was_sent_once(
    told_by_chat: AlarmClinic, house: "House", smtp_server: Inbox, discord: Receiver
) -> None:
    discord.answer(404)
    told_by_chat.cancel(0, 1, now=now())
    carry_all(house)
    for _ in range(outbox.ATTEMPTS - 1):
        [waiting] = chats()
        with time_machine.travel(waiting.not_before + timedelta(seconds=1), tick=False):
            [message_id] = [one for one in outbox.due(now=now()) if outbox_topic(one) == "notice.chat"]
            carry(house, message_id)
    [dead] = chats()
    assert (dead.state, dead.attempts, dead.last_error) == ("dead", outbox.ATTEMPTS, "refused 404")
    assert len(discord.got) == outbox.ATTEMPTS
    assert len(smtp_server.mails) == 1
    place = notices.chat_place(by=told_by_chat.as_ada)
    assert place is not None
    assert (place.last, place.last_error) == ("dead", "refused 404")
    assert notices.counts(by=told_by_chat.manager, now=now()).dead == 1


def outbox_topic(message_id: int) -> str:
    topic: str = db.session.execute(text("SELECT topic FROM outbox WHERE id = :id"), {"id": message_id}).scalar_one()
    db.session.rollback()
    return topic


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "control"])
def test_what_was_answered_meanwhile_is_not_said_any_more(
    told_by_chat: AlarmClinic, house: "House", smtp_server: Inbox, discord: Receiver, is_answered: bool
) -> None:
    told_by_chat.cancel(0, 1, now=now())
    # The look at the course, which writes the mail and the chat message.
    carry(house, outbox.due(now=now())[0])
    [alert] = alerts.listed(by=OPERATOR, now=now())
    if is_answered:
        alerts.acknowledge(alert=alert.id, by=told_by_chat.as_ada, now=now())
    carry_all(house)
    assert len(discord.got) == (0 if is_answered else 1)
    assert [one.state for one in chats()] == ["superseded" if is_answered else "done"]


def test_nobody_is_led_on_by_the_answer(discord: Receiver) -> None:
    with receiver() as other:
        discord.answer(302, headers={"Location": other.url})
        with pytest.raises(CannotSend, match="refused 302"):
            send(message(DISCORD))
        assert other.got == []
    # The control: who follows does arrive.
    with receiver() as other:
        discord.answer(307, headers={"Location": other.url})
        requests.post(discord.url, timeout=5, data=b"{}")
        assert len(other.got) == 1


def test_one_that_does_not_answer_is_left(discord: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "WHOLE_SECONDS", 0.3)
    discord.answers_at_once.clear()
    with pytest.raises(CannotSend, match="no_answer"):
        send(message(DISCORD))
    discord.answers_at_once.set()


def test_nobody_there_is_a_fault_of_a_kind_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as gone:
        pass
    monkeypatch.setattr(NotifyDiscord, "notify_url", gone.url)
    with pytest.raises(CannotSend) as fault:
        send(message(DISCORD))
    assert str(fault.value) == "unreachable"


def test_whole_seconds_end_before_the_lease() -> None:
    assert timedelta(seconds=channel.WHOLE_SECONDS) < outbox.LEASE


# --- a test, another address, none ------------------------------------------------------------------------------------


def test_a_test_goes_the_same_way_once_a_minute_and_not_for_days(
    told_by_chat: AlarmClinic, house: "House", discord: Receiver
) -> None:
    with time_machine.travel(now().replace(second=5), tick=False):
        notices.try_chat(by=told_by_chat.as_ada, now=now())
        notices.try_chat(by=told_by_chat.as_ada, now=now())
        carry_all(house)
    assert [json.loads(got.body)["content"].partition("\n")[0] for got in discord.got] == [
        "samehour: this is a test. Messages arrive here."
    ]
    discord.answer(500)
    with time_machine.travel(now() + timedelta(minutes=5), tick=False):
        notices.try_chat(by=told_by_chat.as_ada, now=now())
        carry_all(house)
    [_done, waiting] = chats()
    with time_machine.travel(waiting.not_before + timedelta(minutes=10), tick=False):
        carry_all(house)
    assert [one.state for one in chats()] == ["done", "superseded"]
    assert len(discord.got) == 2


def test_what_waits_for_an_address_that_is_gone_is_called_off(
    told_by_chat: AlarmClinic, house: "House", discord: Receiver
) -> None:
    discord.answer(500)
    told_by_chat.cancel(0, 1, now=now())
    carry_all(house)
    notices.tell_by_chat_no_more(by=told_by_chat.as_ada, now=now())
    assert [one.state for one in chats()] == ["superseded"]
    assert notices.chat_place(by=told_by_chat.as_ada) is None
    with pytest.raises(CannotOffer):
        notices.try_chat(by=told_by_chat.as_ada, now=now())


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_the_address_is_sealed_and_shown_to_nobody(told_by_chat: AlarmClinic, house: "House") -> None:
    told_by_chat.cancel(0, 1, now=now())
    carry(house, outbox.due(now=now())[0])
    for table in ("preferences", "outbox", "audit", "notices"):
        rows = db.session.execute(text(f"SELECT * FROM {table}")).all()
        assert rows
        assert TOKEN not in repr(rows)
    db.session.rollback()
    place = notices.chat_place(by=told_by_chat.as_ada)
    assert place is not None
    assert (place.service, place.masked) == ("Discord", "discord://••••")
    assert TOKEN not in repr(place)


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """What the root logger is told at any level, as a program that logs all would keep it."""
    root, kept = logging.getLogger(), StringIO()
    handler, level = logging.StreamHandler(kept), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield kept
    root.removeHandler(handler)
    root.setLevel(level)


def test_nothing_of_what_was_typed_is_logged(logged: StringIO) -> None:
    for address in (DISCORD, f"discord://{TOKEN}", f"{DISCORD}?verify=no", f"slack://{TOKEN}/a/b"):
        with suppress(CannotChat):
            chat_services.read(address)
    assert TOKEN not in logged.getvalue()


@pytest.mark.parametrize("status", [204, 500])
def test_nothing_of_it_is_logged_as_it_is_sent_whoever_listens(
    discord: Receiver, logged: StringIO, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """Not even to whoever listens to the libraries by name, as pytest does."""
    discord.answer(status)
    with caplog.at_level(logging.DEBUG):
        for address in (DISCORD, f"{DISCORD}?verify=no"):
            with suppress(CannotSend):
                send(message(address))
    assert discord.got
    assert TOKEN not in caplog.text + logged.getvalue()


def test_control_left_alone_the_libraries_log_it(
    discord: Receiver, logged: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat_services.asset()
    for name in ("apprise", "urllib3"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)
        logging.getLogger(name).manager._clear_cache()  # type: ignore[attr-defined]
    monkeypatch.setattr(chat_services, "_hush", lambda: None)
    send(message(DISCORD))
    for name in ("apprise", "urllib3"):
        logging.getLogger(name).manager._clear_cache()  # type: ignore[attr-defined]
    assert TOKEN in logged.getvalue()


# --- where Apprise is not installed -----------------------------------------------------------------------------------


def test_without_apprise_all_goes_on_by_mail(
    told_by_chat: AlarmClinic, house: "House", smtp_server: Inbox, discord: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices.try_chat(by=told_by_chat.as_ada, now=now())
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert not chat_services.is_offered()
    told_by_chat.cancel(0, 1, now=now())
    carry_all(house)
    assert len(smtp_server.mails) == 1
    assert discord.got == []
    # What was written before it was taken away is called off, and not tried for days.
    assert [one.state for one in chats()] == ["superseded"]
    assert notices.chat_place(by=told_by_chat.as_ada) is None
    with pytest.raises(CannotOffer):
        notices.tell_by_chat(address=DISCORD, by=told_by_chat.as_ada, now=now())
    with pytest.raises(CannotSend, match="not installed"):
        send(message(DISCORD))
    notices.tell_by_chat_no_more(by=told_by_chat.as_ada, now=now())


def test_apprise_reads_addresses_by_what_is_asked_of_it_here() -> None:
    """The names that we lean on, in case a newer Apprise says them otherwise."""
    parts = NotifyDiscord.parse_url(f"{DISCORD}?verify=no&+x=y&-z=1&:w=2")
    assert parts is not None
    assert {name for kind in ("qsd+", "qsd-", "qsd:") for name in parts[kind]} == {"x", "z", "w"}
    assert parts["qsd"]["verify"] == "no"
