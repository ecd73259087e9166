"""A selection, a server that has it, and fetches from it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PIL import Image

from lvis_merge.fetch.patience import Patience
from lvis_merge.fetch.run import Fetched, FetchOptions, fetch_images
from lvis_merge.progress import Stages
from tests.fetch.server import Server, jpeg

QUICK = Patience(
    connect_seconds=2.0,
    silence_seconds=0.4,
    request_seconds=5.0,
    first_pause=0.005,
    longest_pause=0.02,
    outage_seconds=60.0,
)


def image_id(number: int) -> str:
    return f"{number:016x}"


def key(number: int, subset: str = "train") -> str:
    return f"{subset}/{image_id(number)}.jpg"


def stock(server: Server, numbers: Iterable[int]) -> None:
    """Gives the server images: each is of another size."""
    for number in numbers:
        server.files[key(number)] = jpeg(number, size_of(number))


def size_of(number: int) -> tuple[int, int]:
    return 30 + number % 50, 40


def write_selection(path: Path, numbers: Iterable[int]) -> Path:
    rows = "".join(f"{image_id(number)},train\n" for number in numbers)
    path.write_text("ImageID,Subset\n" + rows)
    return path


def options(folder: Path, server: Server, numbers: Iterable[int], **others: object) -> FetchOptions:
    """Fetches images of a selection from the server into `folder/root`."""
    what = write_selection(folder / "selection.csv", numbers)
    asked = FetchOptions(what, folder / "root", mirror=server.address, workers=8, patience=QUICK)
    return replace(asked, **others)


def fetch(asked: FetchOptions, stages: Stages) -> Fetched:
    return fetch_images(asked, stages)


def rows(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text().splitlines()))


def names(root: Path) -> list[str]:
    """Files below a root, without those of `fetch` itself."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not path.parts[0].startswith("."))


def check_whole(root: Path) -> list[str]:
    """File names of the images of a root, once each is seen to decode."""
    found = sorted(root.rglob("*.jpg"))
    for path in found:
        with Image.open(path) as image:
            image.load()
    return [path.relative_to(root).as_posix() for path in found]
