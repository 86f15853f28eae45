"""Taken time as VFREEBUSY (RFC 5545 §3.6.4): the form in which calendar programs and servers read it from an address.

One component, in UTC, without METHOD, organiser or a word of what for, as the Freebusy Read URL of CalConnect has it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from icalendar import Calendar, FreeBusy

from service.domain.free_time import Taken, Why
from service.domain.hours import Span

PRODUCT = "-//samehour//free busy//EN"
_TYPES = {Why.BUSY: "BUSY", Why.AWAY: "BUSY-UNAVAILABLE", Why.TENTATIVE: "BUSY-TENTATIVE"}


def free_busy(taken: Sequence[Taken], *, therapist: str, window: Span, now: datetime) -> bytes:
    """The whole file; `therapist` is a public id, and every span lies in the window."""
    component = FreeBusy()
    component.add("UID", str(uuid5(UUID(therapist), f"free busy {window.since:%Y%m%dT%H%M%SZ}")))
    component.add("DTSTAMP", now)
    component.add("DTSTART", window.since)
    component.add("DTEND", window.until)
    for why in sorted(_TYPES, reverse=True):
        spans = [(one.span.since, one.span.until) for one in taken if one.why is why]
        if spans:
            component.add("FREEBUSY", spans, parameters={"FBTYPE": _TYPES[why]})
    for said in _listed(component.get("FREEBUSY", [])):
        said.params.pop("VALUE", None)  # it can be nothing else, and the RFC names no such parameter there
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODUCT)
    calendar.add_component(component)
    body: bytes = calendar.to_ical()
    return body


def _listed(found: Any) -> list[Any]:
    """icalendar keeps one property as it is and several as a list."""
    return found if isinstance(found, list) else [found]
