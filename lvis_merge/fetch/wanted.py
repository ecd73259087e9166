"""Which images are wanted: those of a manifest, or those that `build` listed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError
from lvis_merge.sources.csv_rows import is_image_id
from lvis_merge.sources.files import read_all
from lvis_merge.sources.open_images.folder import SUBSETS

OPEN_IMAGES = "open_images"
_NAME_BYTES, _PATH_LENGTH = 255, 1024
"""File systems take no longer names, and no longer paths than four times that."""
_COLUMNS = ("source_image_id", "source", "file_name", "url", "width", "height")


@dataclass(frozen=True)
class Wanted:
    """An image to be had.

    Attributes:
        source: of the manifest; `open_images` for the images of a CSV.
        source_image_id: as published.
        file_name: where it goes, relative to the root; in the bucket of Open Images its key.
        url: where it is; not used for Open Images.
        width: of the frame that its boxes are in, pixels; None where not known yet.
        height: as `width`.
    """

    source: str
    source_image_id: str
    file_name: str
    url: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class WantedImages:
    """What is to be fetched.

    Attributes:
        images: in the order given, each file name once.
        not_asked_for: images of a manifest that are not Open Images', where only these are.
        without_address: images of a manifest that have none.
    """

    images: list[Wanted]
    not_asked_for: int = 0
    without_address: int = 0


def read_wanted(path: Path, *, coco: bool = False) -> WantedImages:
    """Reads what to fetch.

    Args:
        path: a manifest, or a CSV with a column ImageID and perhaps one Subset (else: train).
        coco: whether images other than Open Images' are to be fetched, by their `coco_url`.

    Returns:
        It, with what is left out of a manifest.

    Raises:
        InputError: it is neither, a file name leads out of the root, an ImageID is no hexadecimal
            number, or two images share a file name.
    """
    if path.is_dir():
        return _of_manifest(path, coco=coco)
    if not path.is_file():
        raise InputError(
            f"{path}: no such file or folder. Give a manifest, or the openimages_selection.csv that"
            " `lvis-merge build` wrote."
        )
    return WantedImages(_distinct(_of_selection(path), path))


def check_file_name(file_name: str, where: str) -> None:
    """Refuses a name that leads out of the root, or to files of our own (which are hidden).

    Raises:
        InputError: it does.
    """
    if not is_file_name(file_name):
        raise InputError(
            f"{where}: the file name {file_name[:300]!r} does not name a file below a folder of"
            " images. Mend the annotation file that it came from, and build again."
        )


def is_file_name(file_name: str) -> bool:
    """Whether it is the name of a file below the root that is none of ours and not too long."""
    parts = PurePosixPath(file_name).parts
    plain = file_name == "/".join(parts) and not set(file_name) & set("\\\0")
    short = len(file_name) <= _PATH_LENGTH and all(
        len(part.encode(errors="surrogatepass")) <= _NAME_BYTES for part in parts
    )
    hidden = any(part.startswith((".", "/")) for part in parts)
    return bool(parts) and plain and short and not hidden


def _of_manifest(path: Path, *, coco: bool) -> WantedImages:
    found: list[Wanted] = []
    not_asked_for = without_address = 0
    for row in manifests.open(path).arrow("images", _COLUMNS).to_pylist():
        image = Wanted(**row)
        if image.source != OPEN_IMAGES and not coco:
            not_asked_for += 1
        elif image.source != OPEN_IMAGES and not image.url:
            without_address += 1
        else:
            check_file_name(image.file_name, f"{path}, image {image.source_image_id}")
            found.append(image)
    return WantedImages(_distinct(found, path), not_asked_for, without_address)


def _of_selection(path: Path) -> list[Wanted]:
    try:
        text = io.StringIO(read_all(path, ".csv").decode("utf-8-sig"), newline="")
        rows = [row for row in csv.reader(text) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: does not read as CSV ({error}). Mend the file.") from error
    header = rows[0] if rows else []
    if "ImageID" not in header:
        raise InputError(
            f"{path}: has no column ImageID; its first line reads {','.join(header)[:200]!r}. Give"
            " a manifest folder, or the openimages_selection.csv that `lvis-merge build` wrote."
        )
    places = {name: place for place, name in enumerate(header)}
    found = []
    for number, row in enumerate(rows[1:], 1):
        cells = {name: row[place] for name, place in places.items() if place < len(row)}
        image_id, subset = cells.get("ImageID", ""), cells.get("Subset", "train")
        if not is_image_id(image_id):
            raise InputError(
                f"{path}, row {number}: {image_id[:50]!r} is no ImageID of Open Images, which are"
                " hexadecimal numbers. Mend the row."
            )
        if subset not in SUBSETS:
            raise InputError(
                f"{path}, row {number}: the subset {subset[:50]!r} is none of {', '.join(SUBSETS)}."
                " Mend the row."
            )
        found.append(Wanted(OPEN_IMAGES, image_id, f"{subset}/{image_id}.jpg"))
    _check_one_subset(found, path)
    return found


def _check_one_subset(found: Iterable[Wanted], path: Path) -> None:
    subsets: dict[str, str] = {}
    for image in found:
        if subsets.setdefault(image.source_image_id, image.file_name) != image.file_name:
            raise InputError(
                f"{path}: image {image.source_image_id} is in two subsets. Remove the wrong row."
            )


def _distinct(images: Iterable[Wanted], path: Path) -> list[Wanted]:
    by_name: dict[str, Wanted] = {}
    for image in images:
        first = by_name.setdefault(image.file_name, image)
        one, other = (f"{each.source} {each.source_image_id}" for each in (first, image))
        if one != other:
            raise InputError(
                f"{path}: {one} and {other} have one file name, {image.file_name}. Fetch them into"
                " roots of their own."
            )
    return list(by_name.values())
