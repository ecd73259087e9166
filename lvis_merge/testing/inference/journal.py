"""What was found on each image, on disk as soon as it is known: a killed run goes on from there.

Each process appends to a file of its own, one record per image, in one write. A record is a length
and a CRC-32 (4 bytes each, little-endian), then MessagePack. What a machine's crash cut off or
garbled is not read; that image is done again.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
import pyarrow as pa

from lvis_merge.errors import InputError
from lvis_merge.evaluation.detections import Detections

_SUFFIX = ".journal"
_HEAD = struct.Struct("<II")
_MOST_BYTES = 1 << 30


class ImageRecord(msgspec.Struct, array_like=True, frozen=True):
    """The N boxes of one image.

    Attributes:
        image_id: of the manifest.
        category_id: int64 [N], as bytes.
        score: float64 [N], as bytes.
        bbox: float64 [N, 4], x, y, w, h in pixels, as bytes.
        results: how many of them, from the first on, are results; the others only fill the pool.
        masks: compressed run lengths of the results; empty where no masks are wanted.
    """

    image_id: int
    category_id: bytes
    score: bytes
    bbox: bytes
    results: int
    masks: list[bytes]

    @classmethod
    def of(cls, image_id: int, found: Detections, results: int, masks: list[bytes]) -> ImageRecord:
        """The record of the detections of one image.

        Args:
            image_id: of the image, which may have no detections.
            found: with boxes; from the highest score where only some are results.
            results: how many are results.
            masks: of the results, or none.
        """
        assert found.bbox is not None
        return cls(
            image_id,
            found.category_id.astype(np.int64).tobytes(),
            found.score.astype(np.float64).tobytes(),
            found.bbox.astype(np.float64).tobytes(),
            results,
            masks,
        )

    def detections(self, most: int | None = None, *, masks: bool = False) -> Detections:
        """The first of them, or all, as columns; masks only where these are results."""
        rows = len(self.score) // 8 if most is None else most
        return Detections(
            entry=np.arange(1, rows + 1),
            image_id=np.full(rows, self.image_id),
            category_id=np.frombuffer(self.category_id, np.int64)[:rows],
            score=np.frombuffer(self.score, np.float64)[:rows],
            bbox=np.frombuffer(self.bbox, np.float64).reshape(-1, 4)[:rows],
            mask=pa.array([counts.decode("ascii") for counts in self.masks], pa.large_string())
            if masks
            else None,
        )


@dataclass(frozen=True)
class _Place:
    path: Path
    start: int
    size: int


class Journal:
    """The records of a folder, of this run and of those before it that were stopped.

    Args:
        folder: of the journals; need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._places: dict[int, _Place] = {}
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            self._places.update(_scan(path))

    @property
    def image_ids(self) -> set[int]:
        """Images that are done."""
        return set(self._places)

    def records(self, image_ids: list[int]) -> Iterator[ImageRecord]:
        """The records of images, in their order.

        Args:
            image_ids: all of them done.
        """
        files: dict[Path, BinaryIO] = {}
        decode = msgspec.msgpack.Decoder(ImageRecord).decode
        try:
            for image_id in image_ids:
                place = self._places[image_id]
                if place.path not in files:
                    files[place.path] = place.path.open("rb")
                file = files[place.path]
                file.seek(place.start)
                yield decode(file.read(place.size))
        finally:
            for file in files.values():
                file.close()


class JournalWriter:
    """Appends records; use it through `journal_writer`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._encode = msgspec.msgpack.Encoder().encode

    def write(self, record: ImageRecord) -> None:
        """Appends one record. It outlives this process from the return of this call on.

        Raises:
            InputError: it cannot be written (a full disk).
        """
        payload = self._encode(record)
        data = _HEAD.pack(len(payload), zlib.crc32(payload)) + payload
        try:
            written = self._file.write(data)
            if written != len(data):
                raise OSError("the disk is full")
        except OSError as error:
            raise InputError(
                f"{self._file.name}: cannot be written ({error.strerror or error}). Make room, then"
                " start the same command again: finished images are not redone."
            ) from error


@contextmanager
def journal_writer(folder: Path, rank: int) -> Iterator[JournalWriter]:
    """A new journal in a folder, for one process.

    Args:
        folder: made if missing.
        rank: of this process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken = {path.name for path in folder.glob(f"{rank}-*{_SUFFIX}")}
    number = next(n for n in range(len(taken) + 1) if f"{rank}-{n}{_SUFFIX}" not in taken)
    # unbuffered: a record is in the kernel's hands when `write` returns
    path = folder / f"{rank}-{number}{_SUFFIX}"
    with open(path, "xb", buffering=0, opener=_opened) as file:
        yield JournalWriter(file)


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_APPEND, 0o666)


def _scan(path: Path) -> dict[int, _Place]:
    """Where the sound records of a journal are, by image."""
    places: dict[int, _Place] = {}
    decode = msgspec.msgpack.Decoder(ImageRecord).decode
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            size, check = _HEAD.unpack(head)
            start = file.tell()
            payload = file.read(min(size, _MOST_BYTES))
            if len(payload) < size or zlib.crc32(payload) != check:
                break  # cut off: nothing after it can be told apart
            try:
                places[decode(payload).image_id] = _Place(path, start, size)
            except msgspec.DecodeError:
                break
    return places
