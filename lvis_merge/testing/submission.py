"""The file for the LVIS test server: results checked against its rules, zipped."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lvis_merge.errors import InputError
from lvis_merge.evaluation import read_results
from lvis_merge.evaluation.detections import MAX_DETECTIONS, Detections, capped
from lvis_merge.evaluation.known import Known
from lvis_merge.evaluation.result_faults import Faults
from lvis_merge.evaluation.results import mask_areas
from lvis_merge.testing.pools import result_lines
from lvis_merge.whole_file import whole_file

MEMBER = "results.json"
"""The one file in the archive, without a folder."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_ROWS_AT_ONCE = 1 << 14


@dataclass(frozen=True)
class Submission:
    """What was zipped.

    Attributes:
        file: the archive.
        bytes: its size.
        entries: detections in it.
        images: images with detections.
        images_without: images of the split without any.
        dropped: bad entries by fault, and those beyond 300 an image as `over_cap`.
        boxes_left_out: the results had boxes too.
    """

    file: str
    bytes: int
    entries: int
    images: int
    images_without: int
    dropped: dict[str, int]
    boxes_left_out: bool


def submit(path: str, known: Known, out: Path, *, lenient: bool = False) -> Submission:
    """Checks results and zips them.

    The server's rules: known images and categories, scores in [0, 1], a mask in every entry that
    decodes to its image's size, at most 300 detections an image. Boxes are left out: lvis-api would
    take small, medium and large from them instead of from the masks. The same results give the same
    bytes (for one version of zlib).

    Args:
        path: results, JSON or Parquet.
        known: images with sizes, and categories, of the split.
        out: the archive to write.
        lenient: drop and count bad entries, and the lowest beyond 300 an image.

    Raises:
        InputError: the results cannot be submitted.
    """
    results = read_results(path, known, lenient=lenient)
    found = results.detections
    if found.mask is None:
        raise InputError(
            f"{path}: has boxes only, and the server scores masks. `lvis-merge test --boxes` gives"
            " boxes their masks."
        )
    found = found.at(mask_areas(found, known, results.faults) >= 0)
    if not len(found):
        raise InputError(f"{path}: has no detections. The server wants some.")
    found = _at_most_300(path, found, results.faults)
    _zip(found, known, out)
    images = len(np.unique(found.image_id))
    assert known.image_ids is not None
    return Submission(
        file=str(out),
        bytes=out.stat().st_size,
        entries=len(found),
        images=images,
        images_without=len(known.image_ids) - images,
        dropped=dict(results.faults.counts),
        boxes_left_out=found.bbox is not None,
    )


def _at_most_300(path: str, found: Detections, faults: Faults) -> Detections:
    best = capped(found)
    over = len(found) - len(best)
    if over and not faults.lenient:
        image_id, count = np.unique(found.image_id, return_counts=True)
        worst = int(count.argmax())
        raise InputError(
            f"{path}: image_id {image_id[worst]} has {count[worst]:,} detections, the server takes"
            f" {MAX_DETECTIONS}. Keep the best of every image. Or --lenient: that is done here."
        )
    if over:
        faults.counts["over_cap"] += over
    return best


def _zip(found: Detections, known: Known, out: Path) -> None:
    member = zipfile.ZipInfo(MEMBER, _EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    with (
        whole_file(out) as partial,
        zipfile.ZipFile(partial, "w") as archive,
        archive.open(member, "w", force_zip64=True) as text,
    ):
        text.write(b"[")
        for start in range(0, len(found), _ROWS_AT_ONCE):
            some = found.at(np.arange(start, min(start + _ROWS_AT_ONCE, len(found))))
            lines = result_lines(replace(some, bbox=None), known.size(some.image_id))
            text.write(b",\n" if start else b"\n")
            text.write(b",\n".join(lines))
        text.write(b"\n]\n")
