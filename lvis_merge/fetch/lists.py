"""The CSVs that `build` reads: sizes of images that are there, and images that failed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path

from lvis_merge.fetch.ledger import Ledger
from lvis_merge.fetch.place import Place
from lvis_merge.fetch.trouble import Trouble
from lvis_merge.fetch.wanted import OPEN_IMAGES, Wanted, is_file_name
from lvis_merge.sources.sizes import StoredSize

SIZES = "openimages_sizes.csv"
FAILURES = "openimages_failures.csv"
OTHER_FAILURES = "coco_failures.csv"

_OPEN_IMAGES_FILE = re.compile(r"(?:train|validation|test)/([0-9a-fA-F]+)\.jpg")
_SIZES_HEADER = ("ImageID", "Width", "Height")
_FAILURES_HEADER = ("ImageID", "FileName", "Reason", "Detail")


def write_sizes(
    place: Place, images: Iterable[Wanted], sizes: Mapping[str, StoredSize], ledger: Ledger
) -> Path:
    """Writes the sizes of Open Images images: of this run's, and of all others below the root.

    Args:
        place: the root.
        images: of this run.
        sizes: stored sizes by file name, of those of them that are there.
        ledger: notes on the files below the root.

    Returns:
        The file: `ImageID,Width,Height`, pixels as stored, sorted.
    """
    found = {}
    for name in ledger.names():
        match = _OPEN_IMAGES_FILE.fullmatch(name)
        size = ledger.size_of(place.root / name) if match else None
        if match and size:
            found[match[1]] = size
    for image in images:
        if image.source == OPEN_IMAGES and image.file_name in sizes:
            found[image.source_image_id] = sizes[image.file_name]
    rows = ((image_id, size.width, size.height) for image_id, size in sorted(found.items()))
    return _write(place, SIZES, _SIZES_HEADER, rows)


def write_failures(
    place: Place,
    images: Iterable[Wanted],
    there: Container[str],
    failures: Mapping[str, Trouble],
) -> list[Path]:
    """Writes which images failed; those that an earlier run told of stay until they are there.

    They stay so that `build --openimages-exclude` does not choose them again when it looks for
    others in their stead.

    Args:
        place: the root.
        images: of this run.
        there: file names of those of them that are there.
        failures: why others failed, by file name.

    Returns:
        The list of Open Images, and that of other sources if there is anything in it.
    """
    known = {image.file_name: image for image in images}
    paths = []
    for list_name, of_open_images in ((FAILURES, True), (OTHER_FAILURES, False)):
        rows = {
            row[1]: row
            for row in _read(place.root / list_name)
            if row[1] not in there and not (place.root / row[1]).is_file()
        }
        for file_name, trouble in failures.items():
            image = known[file_name]
            if (image.source == OPEN_IMAGES) == of_open_images:
                rows[file_name] = (image.source_image_id, file_name, trouble.reason, trouble.detail)
        if rows or of_open_images:
            paths.append(_write(place, list_name, _FAILURES_HEADER, sorted(rows.values())))
        else:
            (place.root / list_name).unlink(missing_ok=True)
    return paths


def _read(path: Path) -> list[tuple[str, ...]]:
    """Rows of an earlier run; what someone has made of the file otherwise is not kept."""
    try:
        text = path.read_text(encoding="utf-8")
        rows = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
    if not rows or rows[0] != _FAILURES_HEADER:
        return []
    return [row for row in rows[1:] if len(row) == len(_FAILURES_HEADER) and is_file_name(row[1])]


def _write(
    place: Place, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> Path:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    place.save(name, text.getvalue().encode())
    return place.root / name
