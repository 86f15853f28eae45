"""Which calendar program is asking, in the words its user knows it by."""

import re

_KNOWN = (
    ("Google-Calendar-Importer", "Google Calendar"),
    ("Google", "Google"),
    ("dataaccessd", "Apple Calendar (iPhone or iPad)"),
    ("CalendarAgent", "Apple Calendar (Mac)"),
    ("iCal/", "Apple Calendar (Mac)"),
    ("Thunderbird", "Thunderbird"),
    ("Lightning", "Thunderbird"),
    ("ICSx5", "ICSx⁵ (Android)"),
    ("Outlook", "Outlook"),
    ("Microsoft", "Outlook"),
    ("Exchange", "Outlook"),
    ("Evolution", "Evolution"),
    ("KOrganizer", "KOrganizer"),
    ("Akonadi", "KOrganizer"),
    ("Nextcloud", "Nextcloud"),
    ("HomeAssistant", "Home Assistant"),
    ("Home Assistant", "Home Assistant"),
    ("Fantastical", "Fantastical"),
    ("Yahoo", "Yahoo Calendar"),
    ("Mozilla/", "a web browser"),
)
"""In order: the first that occurs in the User-Agent. Thunderbird, for one, says "Mozilla" too."""
_FIRST_WORD = re.compile(r"[A-Za-z][\w .+-]{0,38}")
UNKNOWN = "an unnamed program"


def program_of(user_agent: str) -> str:
    """At most 40 characters, all printable: what a program says of itself is typed by anybody."""
    for sign, name in _KNOWN:
        if sign in user_agent:
            return name
    found = _FIRST_WORD.match(user_agent)
    return found.group().strip() if found else UNKNOWN
