"""The server of ``fetch.py``: JPEGs from memory, and the same faults in every run.

    python benchmarks/fetch_server.py FOLDER [--images 20000] [--seed 0]

Draws the JPEGs into FOLDER and prints an address. Two processes share its port; each is an event
loop that writes ready-made answers. `/injected` tells how many faults they have made. Ends when its
standard input is closed.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import json
import multiprocessing
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

DISTINCT = 300
PROCESSES = 2
GONE = 20
PAGE = b"<!DOCTYPE html><html><body>Service is down</body></html>"
FAULTS = {"503": 0.010, "cut": 0.005, "page": 0.005, "truncated": 0.003}
"""Shares of the first requests for an image."""


@dataclass(frozen=True)
class Plan:
    """What is asked for, and how it is answered.

    Attributes:
        images: how many there are.
        seed: of ids, faults and missing images.
    """

    images: int
    seed: int

    def image_id(self, number: int) -> str:
        """The ImageID of an image: its hash, and its number to be told apart by."""
        return f"{self._hash('id', number) >> 32:08x}{number:08x}"

    def fault(self, number: int, attempt: int) -> str | None:
        """What goes wrong at an attempt, from 1; only first ones fail."""
        if attempt > 1:
            return None
        share = self._hash("fault", number, attempt) / 2**64
        for kind, width in FAULTS.items():
            if share < width:
                return kind
            share -= width
        return None

    def gone(self) -> frozenset[int]:
        """Images that are not there at all: they are no faults."""
        ranked = sorted(range(self.images), key=lambda number: self._hash("gone", number))
        return frozenset(ranked[:GONE])

    def _hash(self, *parts: object) -> int:
        text = ":".join(map(str, (self.seed, *parts)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def content_path(folder: Path, number: int) -> Path:
    """The file that is served for an image."""
    return folder / f"{number % DISTINCT}.jpg"


def draw(folder: Path, seed: int) -> None:
    """Blurred noise, 30 to 300 kB each."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(DISTINCT):
        long = 340 + 660 * number // DISTINCT
        size = (long, long * 3 // 4) if number % 2 else (long * 3 // 4, long)
        grain = 2 if number % 3 else 4
        small = rng.integers(0, 256, (size[1] // grain, size[0] // grain, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=60 if grain == 2 else 85)
        content_path(folder, number).write_bytes(out.getvalue())


@dataclass(frozen=True)
class Served:
    """What the processes share, or have alike.

    Attributes:
        plan: what goes wrong.
        gone: images that are not there.
        files: the distinct JPEGs.
        attempts: by image; shared. An image has one request in flight at most.
        injected: faults by kind, in the order of `FAULTS`; shared, with a lock.
    """

    plan: Plan
    gone: frozenset[int]
    files: list[bytes]
    attempts: Any
    injected: Any


class Connection(asyncio.Protocol):
    """Answers requests as they come."""

    def __init__(self, served: Served) -> None:
        self._served = served
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
        served = self._served
        if path == "/injected":
            counts = dict(zip(FAULTS, served.injected, strict=True))
            return self._send(b"200 OK", json.dumps(counts).encode())
        number = int(path.rpartition("/")[2].removesuffix(".jpg")[8:], 16)
        if number in served.gone:
            return self._send(b"404 Not Found", b"no such file")
        served.attempts[number] += 1
        data = served.files[number % DISTINCT]
        fault = served.plan.fault(number, served.attempts[number])
        if fault is None:
            return self._send(b"200 OK", data)
        with served.injected.get_lock():
            served.injected[list(FAULTS).index(fault)] += 1
        if fault == "503":
            self._send(b"503 Service Unavailable", b"slow down")
        elif fault == "page":
            self._send(b"200 OK", PAGE)
        elif fault == "truncated":  # half of it, and the server says that this is all
            self._send(b"200 OK", data[: len(data) // 2])
        else:
            self._send(b"200 OK", data[: len(data) // 2], len(data))
            self._transport.close()

    def _send(self, status: bytes, body: bytes, length: int | None = None) -> None:
        size = len(body) if length is None else length
        self._transport.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n" % (status, size))
        self._transport.write(body)


def bound(port: int) -> socket.socket:
    """A socket at a port of the loopback interface, 0 for a free one, that others may share."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(("127.0.0.1", port))
    return made


def serve(port: int, served: Served) -> None:
    """One process: serves until it is terminated."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(served), sock=bound(port), backlog=1024
        )
        await server.serve_forever()

    asyncio.run(main())


def main() -> None:
    """Draws, serves, and waits for the end of its input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    plan = Plan(arguments.images, arguments.seed)
    draw(arguments.folder, plan.seed)
    fork = multiprocessing.get_context("fork")
    served = Served(
        plan,
        plan.gone(),
        [content_path(arguments.folder, number).read_bytes() for number in range(DISTINCT)],
        fork.RawArray("B", plan.images),
        fork.Array("L", len(FAULTS)),
    )
    with bound(0) as held:  # not listening: it only keeps the port
        port = held.getsockname()[1]
        for _ in range(PROCESSES):
            fork.Process(target=serve, args=(port, served), daemon=True).start()
        print(f"http://127.0.0.1:{port}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
