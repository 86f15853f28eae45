"""Programs are called as their users call them; what anybody may type into a User-Agent stays short and plain."""

import pytest

from service.feeds.programs import UNKNOWN, program_of


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Google-Calendar-Importer", "Google Calendar"),
        ("iOS/17.0 (21A329) dataaccessd/1.0", "Apple Calendar (iPhone or iPad)"),
        ("macOS/14.0 (23A344) CalendarAgent/988", "Apple Calendar (Mac)"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.2.0", "Thunderbird"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "a web browser"),
        ("Microsoft Office/16.0 (Microsoft Outlook 16.0)", "Outlook"),
        ("ICSx5/2.2.1", "ICSx⁵ (Android)"),
        ("my own script", "my own script"),
        ("curl/8.5.0", "curl"),
        ("<script>alert(1)</script>", UNKNOWN),
        ("", UNKNOWN),
        ("a" * 500, "a" * 39),
    ],
)
def test_a_program_is_called_as_its_users_call_it(user_agent: str, name: str) -> None:
    assert program_of(user_agent) == name
