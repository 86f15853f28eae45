"""A place elsewhere that keeps calendars: a real web server on this machine that says what it is told to say."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.workers.house import House, serving

Said = tuple[int, Mapping[str, str], bytes]
"""Status, headers, body."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""


@dataclass(kw_only=True)
class Keeper:
    """`pages` by path: what is said there, or a function that writes to the connection itself."""

    server: ThreadingHTTPServer
    pages: dict[str, Said | Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def says(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        """The address at which it says that from now on. `_` in a header's name is a hyphen."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = (status, {"Content-Type": "text/calendar", **named}, body)
        return self.at(path)


@contextmanager
def keeper() -> Iterator[Keeper]:
    server = House(("127.0.0.1", 0), _Door)
    found = Keeper(server=server)
    server.found = found  # type: ignore[attr-defined]
    with serving(server):
        yield found


class _Door(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        keeper: Keeper = self.server.found  # type: ignore[attr-defined]
        headers = {name.lower(): value for name, value in self.headers.items()}
        keeper.asked.append(Asked(path=self.path, headers=headers))
        page = keeper.pages.get(self.path, (404, {}, b""))
        if callable(page):
            page(self)
            return
        status, more, said = page
        if "ETag" in more and self.headers.get("If-None-Match") == more["ETag"]:
            status, said = 304, b""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(said)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Nothing: the test asks the keeper."""
