"""P2: an unchanged feed through the whole app, against a bare Flask view that says 304.

Both under the gunicorn of `samehour up`, on loopback, in turns. The feed is a full-time therapist's; the app logs each
request, counts it, looks the feed up and compares, as it does for everybody.
"""

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, sleep

import httpx

from service.commands.up import web_command
from tests.benchmarks import full_time
from tests.benchmarks.http_load import requests_a_second
from tests.benchmarks.measure import Figure, show

REQUESTS, ROUNDS = 1500, 15
"""Many short rounds: what else the machine does slows both sides alike."""


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as directory, ExitStack() as servers:
        place = Path(directory)
        _, therapist = full_time.clinic(place)
        path = f"/feeds/{therapist.secret}.ics"
        ours = servers.enter_context(_served("service.app:from_env()", place, full_time.environment(place)))
        bare = servers.enter_context(_served("tests.benchmarks.bare:app", place, {}))
        etag = httpx.get(f"http://127.0.0.1:{ours}{path}", trust_env=False).headers["ETag"]
        rounds = [
            [
                requests_a_second(port, path, {"If-None-Match": etag}, requests=REQUESTS, status=304)
                for port in (ours, bare)
            ]
            for _ in range(ROUNDS + 1)
        ][1:]
    through_the_app, alone = (median(rates) for rates in zip(*rounds, strict=True))
    what = "unchanged feed through the whole app"
    return [
        Figure(id="P2a", what=what, ours=through_the_app, unit="/s", peer=alone, peer_name="bare Flask", at_least=0.85)
    ]


@contextmanager
def _served(application: str, place: Path, env: dict[str, str]) -> Iterator[int]:
    """The port at which gunicorn serves the application; what it says goes to a file, as it would to a journal."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=128) as door,
        (place / "log").open("a") as log,
        subprocess.Popen(
            [*web_command(f"fd://{door.fileno()}")[:-1], application],
            env={**os.environ, **env},
            stdout=log,
            stderr=log,
            pass_fds=[door.fileno()],
        ) as server,
    ):
        port = door.getsockname()[1]
        _wait_for(port)
        yield port
        server.terminate()


def _wait_for(port: int) -> None:
    until = monotonic() + 30
    while monotonic() < until:
        try:
            httpx.get(f"http://127.0.0.1:{port}/feeds/none.ics", timeout=5, trust_env=False)
        except httpx.TransportError:
            sleep(0.1)
        else:
            return
    raise AssertionError("the server does not answer")


if __name__ == "__main__":
    show(run())
