"""`python -m tests.storms.hasty work|sweep …`: the workers as they are, with a lease of seconds.

A message held by a killed worker is then free again soon enough for a test; one test waits for the real lease.
"""

from datetime import timedelta

from service.usecases import outbox
from workers.__main__ import main

LEASE = timedelta(seconds=4)

if __name__ == "__main__":
    outbox.LEASE = LEASE
    main(prog_name="hasty")
