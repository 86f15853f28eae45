"""A plain client on loopback: some connections that are kept open, each with one request under way."""

import selectors
import socket
from collections import Counter
from time import perf_counter

CONNECTIONS = 8


def requests_a_second(port: int, path: str, headers: dict[str, str], *, requests: int, status: int) -> float:
    """GET the path so many times and return how many a second were answered with an empty body and that status.

    :raises AssertionError: an answer has another status.
    """
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    message = "\r\n".join([*lines, "", ""]).encode()
    statuses: Counter[bytes] = Counter()
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            selector.register(socket.create_connection(("127.0.0.1", port), timeout=10), selectors.EVENT_READ)
        begun = perf_counter()
        for key in selector.get_map().values():
            key.fileobj.sendall(message)  # type: ignore[union-attr]
        sent = CONNECTIONS
        while statuses.total() < requests:
            for key, _ in selector.select():
                statuses[_answer(key.fileobj)] += 1  # type: ignore[arg-type]
                if sent < requests:
                    key.fileobj.sendall(message)  # type: ignore[union-attr]
                    sent += 1
        took = perf_counter() - begun
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
    assert set(statuses) == {str(status).encode()}, statuses
    return requests / took


def _answer(connection: socket.socket) -> bytes:
    """The status of one whole answer without a body."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = connection.recv(65536)
        assert more, "the server hung up"
        head += more
    return head[9:12]
