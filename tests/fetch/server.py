"""A small HTTP server that misbehaves on purpose, and the pictures that it has."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

PAGE = b"<!DOCTYPE html>\n<html><head><title>Service is down</title></head></html>\n"
EXIF_ORIENTATION = 0x0112
STALL_SECONDS = 3.0


def jpeg(seed: int, size: tuple[int, int] = (64, 48), orientation: int = 1) -> bytes:
    """A real JPEG, some kilobytes of noise, different for each seed."""
    noise = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG", quality=90, exif=exif)
    return out.getvalue()


@dataclass
class Server:
    """What is served, and how.

    Attributes:
        address: without a slash at the end.
        files: content by path, without the first slash.
        plans: what to do at the next requests for a path, in turn; then it is served well.
        always: what to do at all requests that no plan is for.
        ranges: whether ranges are served.
        etag: of all files.
        asked: requests by path.
        ranged: ranges asked for.
        most: the most requests that were there at one time.
        delay: seconds that a good answer takes.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    plans: dict[str, list[str]] = field(default_factory=dict)
    always: str | None = None
    ranges: bool = True
    etag: str = '"one"'
    asked: Counter[str] = field(default_factory=Counter)
    ranged: list[str] = field(default_factory=list)
    most: int = 0
    delay: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    now: int = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    served: Server

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        state, path = self.served, self.path.lstrip("/")
        with state.lock:
            state.asked[path] += 1
            state.now += 1
            state.most = max(state.most, state.now)
            plan = state.plans.get(path)
            act = plan.pop(0) if plan else state.always
        try:
            self._answer(path, act)
        except ConnectionError:
            self.close_connection = True
        finally:
            with state.lock:
                state.now -= 1

    def _answer(self, path: str, act: str | None) -> None:
        state = self.served
        data = state.files.get(path)
        if act is not None and act.isdigit():
            self._send(int(act), b"not now\n")
        elif act == "html":
            self._send(200, PAGE)
        elif act == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif data is None:
            self._send(404, b"no such file\n")
        elif act == "truncated":  # all of it, says the server
            self._send(200, data[: len(data) // 2])
        elif act == "short":  # a Content-Length that is too small
            self._send(200, data, length=len(data) - 100)
            self.close_connection = True
        elif act == "cut":
            self._send(200, data[: len(data) // 2], length=len(data))
            self.close_connection = True
        elif act == "stall":
            self._send(200, data[: len(data) // 2], length=len(data))
            self.wfile.flush()
            time.sleep(STALL_SECONDS)
            self.close_connection = True
        elif act == "other":  # another picture
            self._send(200, jpeg(0, (20, 10)))
        elif act in (None, "well"):
            time.sleep(state.delay)
            self._send_rest(data)
        else:
            raise AssertionError(act)

    def _send_rest(self, data: bytes) -> None:
        asked = self.headers.get("Range")
        if asked is None or not self.served.ranges:
            return self._send(200, data)
        self.served.ranged.append(asked)
        start = int(asked.removeprefix("bytes=").split("-")[0])
        if start >= len(data):
            return self._send(416, b"")
        return self._send(206, data[start:], start=start, total=len(data))

    def _send(
        self,
        status: int,
        body: bytes,
        *,
        length: int | None = None,
        start: int = 0,
        total: int = 0,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("ETag", self.served.etag)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        self.wfile.write(body)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves in the middle is no fault."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Serves on loopback meanwhile."""
    state = Server()
    handler = type("Handler", (_Handler,), {"served": state})
    with _Http(("127.0.0.1", 0), handler) as http:
        state.address = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield state
        finally:
            http.shutdown()
            thread.join()
