"""A server of files."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        """Serves a file, or does wrong where the address asks for it."""
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return None
        if self.path not in ("/early", "/endless"):
            return super().do_GET()
        self.send_response(200)
        if self.path == "/endless":
            self.end_headers()
            self.wfile.write(b"x" * 3000)
            return None
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"x" * 40)
        return None

    def log_message(self, *args: object) -> None:
        """Keeps quiet."""


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("served")
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", folder
        server.shutdown()
        thread.join()
