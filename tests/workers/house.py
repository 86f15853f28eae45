"""A real web server on this machine, which stands for any elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from threading import Thread


class House(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Nothing: whoever hangs up in the middle is the test's business."""


@contextmanager
def serving(server: House) -> Iterator[None]:
    """It answers meanwhile, and is gone afterwards."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()
