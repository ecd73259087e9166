"""The mapped columns of a manifest's Arrow copy; no row becomes a Python object here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from lvis_merge.errors import InputError
from lvis_merge.training.data.copy_tables import (
    ANNOTATIONS,
    ANNOTATIONS_FILE,
    HEAD_FILE,
    IMAGES,
    IMAGES_FILE,
    CopyHead,
)


@dataclass(frozen=True)
class Lists:
    """A column of lists.

    Attributes:
        offsets: int32 [N + 1]; list i is values[offsets[i]:offsets[i + 1]].
        values: of all lists.
    """

    offsets: np.ndarray
    values: np.ndarray

    def __getitem__(self, row: int) -> np.ndarray:
        return self.values[self.offsets[row] : self.offsets[row + 1]]


@dataclass(frozen=True)
class Polygons:
    """A column of polygons by part.

    Attributes:
        parts: int32 [A + 1]; row i has the parts parts[i] to parts[i + 1].
        ends: int32 [P + 1]; part p is points[ends[p]:ends[p + 1]].
        points: float32, x0, y0, x1, y1, … in pixels.
    """

    parts: np.ndarray
    ends: np.ndarray
    points: np.ndarray

    def rows(self, first: int, last: int) -> list[list[np.ndarray]]:
        """The parts of the rows from `first` to before `last`, as one copy in memory."""
        parts = self.parts[first : last + 1]
        ends = self.ends[parts[0] : parts[-1] + 1]
        points = np.array(self.points[ends[0] : ends[-1]])
        pieces = [points[a:b] for a, b in pairwise((ends - ends[0]).tolist())]
        return [pieces[a:b] for a, b in pairwise((parts - parts[0]).tolist())]


@dataclass(frozen=True)
class ManifestColumns:
    """A manifest as training sees it; arrays are read-only views of mapped files.

    Attributes:
        head: names of sources and categories.
        image_id: int64 [I], as in the manifest.
        source: int16 [I], place in `head.sources`.
        split: int8 [I], place in `SPLITS`.
        file_name: string [I].
        width: int32 [I], pixels.
        height: int32 [I], pixels.
        rows: int64 [I + 1]; the annotations of image i are rows[i] to before rows[i + 1].
        neg: labels by image, verified absent.
        pos: labels by image, present.
        not_exhaustive: labels by image, not all of whose instances are annotated.
        label: int32 [A], -1 where a row has no category.
        kind: int8 [A], see `copy_tables`.
        bbox: float32 [A, 4], x, y, w, h in pixels.
        polygons: masks as polygons.
        mask_rle: string [A], masks as COCO compressed counts, null where there is none.
    """

    head: CopyHead
    image_id: np.ndarray
    source: np.ndarray
    split: np.ndarray
    file_name: pa.StringArray
    width: np.ndarray
    height: np.ndarray
    rows: np.ndarray
    neg: Lists
    pos: Lists
    not_exhaustive: Lists
    label: np.ndarray
    kind: np.ndarray
    bbox: np.ndarray
    polygons: Polygons
    mask_rle: pa.StringArray

    @cached_property
    def _has_run_lengths(self) -> bool:
        return self.mask_rle.null_count < len(self.mask_rle)

    def run_lengths(self, first: int, last: int) -> list[str | None]:
        """`mask_rle` of the rows from `first` to before `last`."""
        if not self._has_run_lengths:  # usual: LVIS and Open Images boxes have none
            return [None] * (last - first)
        rows: list[str | None] = self.mask_rle.slice(first, last - first).to_pylist()
        return rows


def map_copy(folder: Path) -> ManifestColumns:
    """Maps a copy.

    Args:
        folder: that `copy_tables.write_copy` filled.

    Raises:
        InputError: a file is damaged.
    """
    try:
        head = msgspec.json.decode((folder / HEAD_FILE).read_bytes(), type=CopyHead)
        images = _mapped(folder / IMAGES_FILE, IMAGES)
        annotations = _mapped(folder / ANNOTATIONS_FILE, ANNOTATIONS)
    except (pa.ArrowException, msgspec.DecodeError, OSError) as error:
        raise InputError(
            f"{folder}: the cached copy of a manifest is damaged ({error}). Remove that folder: it"
            " is made again."
        ) from error
    plain = ("image_id", "source", "split", "width", "height")
    segmentation = annotations["segmentation"]
    return ManifestColumns(
        head=head,
        **{name: images[name].to_numpy() for name in plain},
        file_name=images["file_name"],
        rows=np.concatenate([[0], np.cumsum(images["annotations"].to_numpy(), dtype=np.int64)]),
        neg=_lists(images["neg"]),
        pos=_lists(images["pos"]),
        not_exhaustive=_lists(images["not_exhaustive"]),
        label=annotations["label"].to_numpy(),
        kind=annotations["kind"].to_numpy(),
        bbox=annotations["bbox"].values.to_numpy().reshape(-1, 4),
        polygons=Polygons(
            segmentation.offsets.to_numpy(),
            segmentation.values.offsets.to_numpy(),
            segmentation.values.values.to_numpy(),
        ),
        mask_rle=annotations["mask_rle"],
    )


def _mapped(path: Path, schema: pa.Schema) -> dict[str, pa.Array]:
    """The columns of a file of one record batch."""
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    if reader.num_record_batches == 0:
        return {field.name: pa.array([], field.type) for field in schema}
    batch = reader.get_batch(0)
    return {name: batch[name] for name in schema.names}


def _lists(column: pa.ListArray) -> Lists:
    return Lists(column.offsets.to_numpy(), column.values.to_numpy())
