"""The server of ``fetch.py``: JPEGs from memory, and the same faults in every run.

    python benchmarks/fetch_server.py      # prints its address

One event loop that writes ready-made answers; `/injected` tells how many faults it has made. Ends
when its output is closed or it is terminated, and after an hour at the latest.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections import Counter

import numpy as np
from PIL import Image

DISTINCT = 300
PAGE = b"<!DOCTYPE html><html><body>Service is down</body></html>"
EVERY = 200
FAULTS = {0: "503", 100: "503", 50: "cut", 150: "page"}
"""By the number of the image modulo `EVERY`: 1% 503, 0.5% cut, 0.5% error pages."""

_LIFETIME_SECONDS = 3600


def image_id(number: int) -> str:
    """The ImageID of an image."""
    return f"{number:016x}"


def jpegs() -> list[bytes]:
    """Blurred noise at photo sizes: 70 to 310 kB each."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(DISTINCT):
        long = 512 + 512 * number // DISTINCT
        size = (long, long * 3 // 4) if number % 2 else (long * 3 // 4, long)
        grain = 2 if number % 3 else 4
        small = rng.integers(0, 256, (size[1] // grain, size[0] // grain, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=60 if grain == 2 else 85)
        made.append(out.getvalue())
    return made


class Server(asyncio.Protocol):
    """One connection; answers requests as they come."""

    def __init__(self, files: list[bytes], met: set[int], injected: Counter[str]) -> None:
        self._files, self._met, self._injected = files, met, injected
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while b"\r\n\r\n" in self._rest:
            head, self._rest = self._rest.split(b"\r\n\r\n", 1)
            self._answer(head.split(b" ", 2)[1].decode())

    def _answer(self, path: str) -> None:
        if path == "/injected":
            return self._send(b"200 OK", json.dumps(self._injected).encode())
        number = int(path.rpartition("/")[2].removesuffix(".jpg"), 16)
        data = self._files[number % len(self._files)]
        fault = FAULTS.get(number % EVERY) if number not in self._met else None
        if fault is None:
            return self._send(b"200 OK", data)
        self._met.add(number)
        self._injected[fault] += 1
        if fault == "503":
            self._send(b"503 Service Unavailable", b"slow down")
        elif fault == "page":
            self._send(b"200 OK", PAGE)
        else:
            self._send(b"200 OK", data[: len(data) // 2], len(data))
            self._transport.close()

    def _send(self, status: bytes, body: bytes, length: int | None = None) -> None:
        size = len(body) if length is None else length
        self._transport.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n" % (status, size))
        self._transport.write(body)


async def serve() -> None:
    """Serves on a free port of the loopback interface."""
    files, met, injected = jpegs(), set[int](), Counter[str]()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(files, met, injected), "127.0.0.1", 0, backlog=1024
    )
    print("http://{}:{}".format(*server.sockets[0].getsockname()), flush=True)
    async with server:
        await asyncio.sleep(_LIFETIME_SECONDS)


if __name__ == "__main__":
    asyncio.run(serve())
