"""The published annotation files, as the table beside this module has them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

TABLE = Path(__file__).with_name("annotation_files.csv")
_ALL_MASKS = "*.png"
_OPEN_IMAGES, _MASKS = "open_images", "open_images_masks"


@dataclass(frozen=True)
class AnnotationFile:
    """A published file.

    Attributes:
        folder: where it goes, relative to the folder of all; empty for that folder itself.
        name: as published.
        url: its official address.
        bytes: its length, where a source states it.
        sha256: hex digest, where a source states it.
        starts: what its content begins with.
        members: of an archive, the files to unpack, or `*.png` for all of an archive of masks;
            empty where `build` reads it as it is.
    """

    folder: str
    name: str
    url: str
    bytes: int | None = None
    sha256: str | None = None
    starts: str = ""
    members: tuple[str, ...] = ()

    @property
    def holds_masks(self) -> bool:
        """Whether it is an archive of masks, which becomes a folder of its name."""
        return self.members == (_ALL_MASKS,)

    @property
    def targets(self) -> tuple[str, ...]:
        """What is there in the end, relative to the folder of all."""
        names = [PurePosixPath(member).name for member in self.members] or [self.name]
        if self.holds_masks:
            names = [PurePosixPath(self.name).stem]
        return tuple(str(PurePosixPath(self.folder, name)) for name in names)


def annotation_files(
    lvis: str | None, coco: bool, open_images: str | None, *, masks: bool = False
) -> Sequence[AnnotationFile]:
    """The files of the data sets asked for.

    Args:
        lvis: v0.5, v1 or None.
        coco: whether COCO's.
        open_images: v5, v7 or None. Its versions share files: each has a folder of its own.
        masks: whether the instance masks of Open Images too, and their lists.

    Returns:
        The files, in the table's order.
    """
    asked = {
        "lvis": lvis,
        "coco": "2017" if coco else None,
        _OPEN_IMAGES: open_images,
        _MASKS: open_images if masks else None,
    }
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        AnnotationFile(
            folder=f"open_images_{open_images}" if row["set"] in (_OPEN_IMAGES, _MASKS) else "",
            name=row["file"],
            url=row["url"],
            bytes=int(row["bytes"]) if row["bytes"] else None,
            sha256=row["sha256"] or None,
            starts=row["starts"],
            members=tuple(row["members"].split()),
        )
        for row in rows
        if asked[row["set"]] in row["version"].split()
    ]
