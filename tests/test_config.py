"""Settings: read once, checked whole; everything wrong is named at once."""

import base64
from pathlib import Path

import pytest

from service.config import Settings, WrongSettings, parse_keys

KEY = base64.b64encode(b"0123456789abcdef" * 2).decode()
GOOD = {"SAMEHOUR_DATA": "/nowhere", "SAMEHOUR_SECRET_KEY": "x" * 32, "SAMEHOUR_KEYS": f"k1:{KEY}"}


def test_the_defaults_are_a_clinic_on_one_machine() -> None:
    settings = Settings.from_env(GOOD)
    assert settings.database_url == f"sqlite:///{Path('/nowhere/samehour.sqlite')}"
    assert (settings.redis_url, settings.smtp_url, settings.is_secure, settings.proxies) == (None, None, False, 0)
    assert settings.horizon.days == 26 * 7


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SAMEHOUR_DATABASE_URL", "mysql://x", "sqlite:///"),
        ("SAMEHOUR_REDIS_URL", "http://x", "redis://"),
        ("SAMEHOUR_PUBLIC_URL", "http://hours.example", "need https"),
        ("SAMEHOUR_PUBLIC_URL", "hours.example", "full address"),
        ("SAMEHOUR_SECRET_KEY", "short", "32 characters"),
        ("SAMEHOUR_KEYS", "k1:c2hvcnQ=", "32 bytes"),
        ("SAMEHOUR_KEYS", "k1:%%%", "not base64"),
        ("SAMEHOUR_SMTP_URL", "mail.example", "smtp://"),
        ("SAMEHOUR_SMTP_CA_FILE", "/nowhere.pem", "certificates"),
        ("SAMEHOUR_SMTP_CA_FILE", __file__, "certificates"),
        ("SAMEHOUR_MAIL_FROM", "nobody", "e-mail"),
        ("SAMEHOUR_ZONE", "Moon/Base", "no time zone"),
        ("SAMEHOUR_LOCALE", "de", "does not speak 'de'"),
        ("SAMEHOUR_HORIZON_WEEKS", "many", "from 4 to 104"),
        ("SAMEHOUR_GRACE_SECONDS", "-1", "seconds"),
        ("SAMEHOUR_PROXIES", "9", "from 0 to 5"),
        ("SAMEHOUR_WEBHOOKS_TO_OWN_NETWORK", "perhaps", "yes or no"),
        ("SAMEHOUR_CALENDARS_FROM_OWN_NETWORK", "perhaps", "yes or no"),
        ("SAMEHOUR_LOG_LEVEL", "loud", "debug, info"),
        ("SAMEHOUR_DEMO", "perhaps", "yes or no"),
        ("SAMEHOUR_HORIZON", "26", "no such setting"),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: str, words: str) -> None:
    with pytest.raises(WrongSettings) as wrong:
        Settings.from_env({**GOOD, name: value})
    assert [problem for problem in wrong.value.problems if problem.startswith(f"{name}:") and words in problem]


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(WrongSettings) as wrong:
        Settings.from_env({"SAMEHOUR_DATA": "/nowhere", "SAMEHOUR_ZONE": "Moon", "SAMEHOUR_DEMO": "perhaps"})
    assert len(wrong.value.problems) == 4
    assert "samehour init" in str(wrong.value)


@pytest.mark.parametrize("url", ["https://hours.example", "https://hours.example/", "http://127.0.0.1:8000"])
def test_cookies_follow_the_public_address(url: str) -> None:
    settings = Settings.from_env({**GOOD, "SAMEHOUR_PUBLIC_URL": url})
    assert settings.is_secure == url.startswith("https")
    assert not settings.public_url.endswith("/")


def test_postgresql_is_reached_by_psycopg_3() -> None:
    settings = Settings.from_env({**GOOD, "SAMEHOUR_DATABASE_URL": "postgresql://samehour@db/samehour"})
    assert settings.database_url == "postgresql+psycopg://samehour@db/samehour"


def test_a_key_is_named_once() -> None:
    with pytest.raises(ValueError, match="named once"):
        parse_keys(f"k1:{KEY} k1:{KEY}")
    assert list(parse_keys(f"k1:{KEY}\nk2:{KEY}")) == ["k1", "k2"]
