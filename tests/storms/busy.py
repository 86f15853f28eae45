"""`python -m tests.storms.busy work|sweep …`: the workers as they are, for people who are told of many things at once.

What comes soon after a message goes out in a message of its own, so that a storm has as many as it can. `STORM_LEASE`
is the seconds after which what a killed worker held is free again; without it, the real ones.
"""

import os
from datetime import timedelta

from service.domain import telling
from service.usecases import outbox
from workers.__main__ import main

if __name__ == "__main__":
    telling.INTERVAL = timedelta(0)
    if "STORM_LEASE" in os.environ:
        outbox.LEASE = timedelta(seconds=float(os.environ["STORM_LEASE"]))
    main(prog_name="busy")
