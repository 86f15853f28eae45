"""An invented clinic, the same for the same seed and day: `invent(…)` makes it, `SHOWN_BY` says where to look."""

from service.commands.demo_clinic.invention import invent
from service.commands.demo_clinic.stories import SHOWN_BY

__all__ = ["SHOWN_BY", "invent"]
